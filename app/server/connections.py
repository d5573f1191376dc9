"""Connections that send no request, or its head byte by byte, are closed."""

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10.0
CONNECTIONS = 800  # at a time; a page holds two
STOP_SECONDS = 1  # for answers that are being given when the server stops


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 where a request's head must come within :data:`HEAD_SECONDS`."""

    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Begin to wait for a head, unless one is waited for; stop when it is complete."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_watching()
        elif self._head_timer is None and not self.transport.is_closing():
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_watching(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def bound(config: Config) -> None:
    """Set a running server's limits; they hold for every connection from now on."""
    config.http_protocol_class = BoundedProtocol
    config.limit_concurrency = CONNECTIONS
    config.timeout_graceful_shutdown = STOP_SECONDS
