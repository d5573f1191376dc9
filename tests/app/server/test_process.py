"""A real server, asked as an attacker would: large, slow, foreign, half-finished and in a hurry."""

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.server.login import Password
from tests.app.server.running import LONG_TEXT, MAX_UPLOAD_MB, Running, form, start, stop

TOOLS = {"accept": "application/json, text/event-stream"}
LIST_TOOLS = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("server"))
    yield running
    stop(running)


def partial_files(server: Running) -> list[Path]:
    return [path for path in server.uploads.glob("tmp*") if path.is_file()]


def test_a_30_mb_body_is_refused_before_it_is_parsed(server):
    before = server.memory()
    body = b'{"data":[' + b"[]," * 10_000_000 + b"[]]}"
    status, said = server.ask("POST", "/gradio_api/queue/join", body, {"content-type": "application/json"})
    assert (status, json.loads(said)["detail"]) == (
        413,
        "A request may have up to 2 MB; files are uploaded first.",
    )
    assert server.memory() - before < 20e6


def test_a_chunked_body_is_counted_as_it_comes(server):
    piece = b"[]," * 100_000
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for _ in range(10))
    head = b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + chunks + b"0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("path", ["/", "/config", "/gradio_api/info", "/gradio_api/mcp/"])
def test_a_rebound_name_is_not_answered(server, path):
    headers = {"host": f"evil.example:{server.port}"}
    status, said = server.ask("POST" if "mcp" in path else "GET", path, headers=headers)
    assert status == 403
    assert "does not answer for 'evil.example" in said


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1.evil"]
)
def test_foreign_pages_cannot_upload_ask_or_use_tools(server, origin):
    assert server.upload("a.txt", b"a", origin=origin)[0] == 403
    assert server.post("/gradio_api/call/list_models", {"data": []}, origin=origin)[0] == 403
    assert server.post("/gradio_api/mcp/", LIST_TOOLS, origin=origin, **TOOLS)[0] == 403


def test_its_own_page_and_programs_are_answered(server):
    for origin in (f"http://127.0.0.1:{server.port}", f"http://localhost:{server.port}"):
        host = origin.removeprefix("http://")
        assert server.upload("a.txt", b"a", origin=origin, host=host)[0] == 200
    assert server.post("/gradio_api/mcp/", LIST_TOOLS, **TOOLS)[0] == 200


def test_what_only_a_proxy_may_say_is_not_believed(server):
    for header in ("x-forwarded-host", "x-gradio-server"):
        status, said = server.ask("GET", "/config", headers={header: "http://evil.example"})
        assert status == 200
        assert "evil" not in json.loads(said)["root"]


@pytest.mark.parametrize("kind", ["run", "api"])
def test_no_call_passes_the_queue(server, kind):
    status, said = server.post(
        f"/gradio_api/{kind}/explain_text", {"data": ["A text", "news-topic", "", "", ""]}
    )
    assert status == 404
    assert "join the queue" in json.loads(said)["detail"]


@pytest.mark.parametrize("name", ["", "a\0b.wav", "\0", "..", "/", "a" * 5000, "\\..\\", '"', "💥", "%00"])
def test_any_name_of_a_file_is_kept_or_refused(server, name):
    status, said = server.upload(name, b"content")
    assert status in (200, 400, 413), said
    if status == 200:
        (path,) = json.loads(said)
        assert Path(path).read_bytes() == b"content"
        assert server.uploads in Path(path).parents
    assert partial_files(server) == []


def test_many_files_in_one_request_are_one_amount(server):
    body, kind = form([(f"{index}.wav", b"x" * 200_000) for index in range(12)])
    status, said = server.ask("POST", "/gradio_api/upload", body, {"content-type": kind})
    assert (status, said) == (413, f"A request may bring up to {MAX_UPLOAD_MB} MB of files.")
    assert partial_files(server) == []


def test_an_upload_broken_off_leaves_nothing(server):
    body, kind = form([("a.wav", b"x" * 500_000)])
    head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:300_000])
        _until(lambda: partial_files(server))
    _until(lambda: not partial_files(server))


@pytest.mark.slow
def test_slow_heads_and_slow_bodies_are_cut(server):
    """600 connections, some that send nothing, some half a head, some a body that never ends."""
    beginnings = (
        b"",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n",
        b"POST /gradio_api/queue/join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{",
    )
    began = time.monotonic()
    connections = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(600)]
    try:
        for index, connection in enumerate(connections):
            connection.sendall(beginnings[index % 3])
        assert server.ask("GET", "/healthz")[0] == 200  # others are answered meanwhile
        answers = [connection.recv(1000)[:12] for connection in connections]
    finally:
        for connection in connections:
            connection.close()
    assert set(answers) == {b"", b"HTTP/1.1 408"}
    assert time.monotonic() - began < 30


def test_visitors_get_their_own_answers_together(server):
    texts = [f"The bank raised its rate by {index} points on Monday." for index in range(8)]
    alone = [server.explain(text) for text in texts[:1]]
    with ThreadPoolExecutor(8) as visitors:
        together = list(visitors.map(server.explain, texts))
    assert together[:1] == alone
    assert all("event: complete" in answer for answer in together)


def test_a_stream_of_what_was_never_asked_for_is_refused_at_once(server):
    said = "Nothing was asked for under this name, or its answer was given before."
    for path in ("call/explain_text/nobody", "call/v2/explain_text/nobody", "queue/data?session_hash=nobody"):
        status, answer = server.ask("GET", f"/gradio_api/{path}", timeout=10)
        assert (status, json.loads(answer)["detail"]) == (404, said)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("field", [b'name="files"', b'name="\x06"', b'name=""', b""])
def test_a_form_without_files_is_refused_in_one_sentence(server, field):
    body = b"--edge\r\nContent-Disposition: form-data; " + field + b"\r\n\r\nfalse\r\n--edge--\r\n"
    for query in ("", "?upload_id=a"):
        headers = {"content-type": "multipart/form-data; boundary=edge"}
        status, said = server.ask("POST", f"/gradio_api/upload{query}", body, headers)
        assert status in (200, 400), said
        assert status == 400 or said == "[]"
    assert "Traceback" not in server.log.read_text()


@pytest.mark.slow
def test_work_of_departed_visitors_does_not_keep_others_waiting(server):
    data = {"data": [LONG_TEXT, "news-topic", "", "all_heads", ""]}
    for index in range(
        32
    ):  # whose pages close before they listen; 24 wait for the encoder, the others in line
        assert server.post("/gradio_api/call/explain_text", data | {"session_hash": f"gone{index}"})[0] == 200
    assert _queued(server) >= 5
    _until(lambda: _queued(server) == 0)  # long before they could have been computed


def test_a_visitor_who_stops_listening_has_left(server):
    data = {"data": [LONG_TEXT, "news-topic", "", "all_heads", ""], "session_hash": "left"}
    for _ in range(5):
        assert server.post("/gradio_api/call/explain_text", data)[0] == 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as listening:
        listening.sendall(b"GET /gradio_api/queue/data?session_hash=left HTTP/1.1\r\nHost: localhost\r\n\r\n")
        listening.recv(1000)
    _until(lambda: _queued(server) == 0)


@pytest.mark.slow
def test_a_run_whose_visitor_leaves_is_interrupted(server):
    """The next visitor does not wait for it to end."""
    began = time.monotonic()
    server.explain(LONG_TEXT, timeout=120)
    whole = time.monotonic() - began
    data = {"data": [f"{LONG_TEXT * 3}.", "news-topic", "", "all_heads", ""], "session_hash": "leaves"}
    assert server.post("/gradio_api/call/explain_text", data)[0] == 200
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as listening:
        listening.sendall(
            b"GET /gradio_api/queue/data?session_hash=leaves HTTP/1.1\r\nHost: localhost\r\n\r\n"
        )
        while b"process_starts" not in listening.recv(10_000):
            pass
    began = time.monotonic()
    assert "event: complete" in server.explain("The bank raised its rate.", timeout=120)
    assert time.monotonic() - began < whole  # a third of what it had to do
    assert "Traceback" not in server.log.read_text()


def _queued(server: Running) -> int:
    return int(json.loads(server.ask("GET", "/gradio_api/queue/status")[1])["queue_size"])


def _until(true) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_login_names_proxy_a_small_disk_and_the_end(tmp_path):
    """One server for all options that concern who is answered; SIGTERM during a run ends it."""
    logins = tmp_path / "logins"
    logins.write_text(Password.of("a long secret").line("ada") + "\n")
    server = start(
        tmp_path / "run",
        "--auth-file",
        str(logins),
        "--allowed-host",
        "daam.example",
        "--proxy",
        "127.0.0.1",
        "--root-path",
        "/daam",
        "--max-disk-mb",
        "2",
    )
    ada = {"authorization": "Basic YWRhOmEgbG9uZyBzZWNyZXQ="}
    try:
        assert server.ask("GET", "/config")[0] == 401
        assert server.post("/gradio_api/mcp/", LIST_TOOLS, **TOOLS)[0] == 401
        assert server.ask("GET", "/config", headers=ada)[0] == 200

        behind = ada | {"x-forwarded-host": "daam.example", "x-forwarded-proto": "https"}
        status, said = server.ask("GET", "/config", headers=behind)
        assert (status, json.loads(said)["root"]) == (200, "https://daam.example/daam")
        behind |= {"x-forwarded-host": "evil.example"}
        assert server.ask("GET", "/config", headers=behind)[0] == 403

        call = {"name": "explain_text", "arguments": {"text": "The bank", "model": "news-topic"}}
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        assert "Business" in server.post("/gradio_api/mcp/", request, **TOOLS, **ada)[1]

        assert server.upload("a", b"a" * 1_000_000, **ada)[0] == 200
        assert server.upload("b", b"b" * 900_000, **ada)[0] == 200
        full = (507, "The server has no room for more files now; try again later.")
        assert server.upload("c", b"c" * 900_000, **ada) == full

        data = {"data": [LONG_TEXT, "news-topic", "", "all_heads", ""]}
        assert server.post("/gradio_api/call/explain_text", data, **ada)[0] == 200
        time.sleep(2.5)
        began = time.monotonic()
        server.process.terminate()
        assert server.process.wait(timeout=20) == 0
        assert time.monotonic() - began < 5
    finally:
        stop(server)
    log = server.log.read_text()
    assert "Traceback" not in log
    assert "terminate called" not in log
