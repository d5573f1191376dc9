"""Limits on connections of a running server, with small values."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from app.server import connections
from tests.app.server.exchange import application
from tests.app.server.running import free_port

ASK = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A server of at most four connections, where a head must come within half a second."""
    monkeypatch.setattr(connections, "CONNECTIONS", 4)
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.5)

    async def at_once(_body):
        pass

    port = free_port()
    config = uvicorn.Config(application(at_once), port=port, log_level="critical", http="h11")
    config.load()
    connections.bound(config)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield port
    server.should_exit = True
    thread.join()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read(connection: socket.socket) -> bytes:
    found = b""
    while piece := connection.recv(1000):
        found += piece
    return found


def test_one_connection_too_many_is_turned_away_and_there_is_room_again(port):
    held = [connect(port) for _ in range(4)]
    time.sleep(0.1)
    with connect(port) as last:
        last.sendall(ASK)
        assert last.recv(100).startswith(b"HTTP/1.1 503 ")
    for connection in held:
        connection.close()
    time.sleep(0.1)
    with connect(port) as again:
        again.sendall(ASK)
        assert read(again).startswith(b"HTTP/1.1 200 ")


def test_a_head_that_does_not_come_ends_the_connection(port):
    for beginning in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: localhost\r\n"):
        with connect(port) as connection:
            connection.sendall(beginning)
            began = time.monotonic()
            assert read(connection) == b""
            assert 0.2 < time.monotonic() - began < 5


def test_a_head_byte_by_byte_does_not_buy_time(port):
    with connect(port) as connection:
        began = time.monotonic()
        with contextlib.suppress(OSError):  # the other end has closed
            while time.monotonic() - began < 10:
                connection.sendall(b"X")
                time.sleep(0.1)
        assert time.monotonic() - began < 5
