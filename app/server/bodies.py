"""How large a request may be, how slowly it may come, and how long its answer may take to begin.

Bodies are read whole here before anything looks at them, so nothing is parsed that is too large, and a
visitor who sends one byte a second holds a connection, not a worker. Uploads: see ``uploads``.
"""

import asyncio

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import MCP, drain, is_upload, refusal

MAX_BODY_BYTES = 2_000_000
DRAINED_BYTES = 256_000_000  # read and forgotten after a refusal, so that the sender sees the answer
BODY_SECONDS = 15.0
ANSWER_SECONDS = 60.0  # until an answer begins; streams may then take as long as they need
TOOL_SECONDS = 600.0  # a tool call of an agent answers when its run is done
WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


class _TooLargeError(Exception):
    pass


class Bodies:
    """ASGI middleware; the seconds and bytes are parameters so that tests need not wait."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limit: int = MAX_BODY_BYTES,
        body_seconds: float = BODY_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self.app = app
        self._limit, self._body_seconds, self._answer_seconds = limit, body_seconds, answer_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or is_upload(scope):
            await self.app(scope, receive, send)
            return
        if scope["method"] not in WITHOUT_BODY:
            try:
                async with asyncio.timeout(self._body_seconds):
                    body = await self._read(scope, receive)
            except _TooLargeError:
                await drain(receive, at_most=DRAINED_BYTES)
                sentence = f"A request may have up to {self._limit / 1e6:g} MB; files are uploaded first."
                await refusal(scope, 413, sentence, connection="close")(scope, receive, send)
                return
            except TimeoutError:
                sentence = f"The request did not arrive within {self._body_seconds:g} seconds."
                await refusal(scope, 408, sentence, connection="close")(scope, receive, send)
                return
            if body is None:
                return
            receive = _replaying(body, receive)
        await self._answer(scope, receive, send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; None if whoever sent it has gone."""
        if int(Headers(scope=scope).get("content-length", 0)) > self._limit:
            raise _TooLargeError
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self._limit:
                raise _TooLargeError
            if not message.get("more_body", False):
                return bytes(body)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = TOOL_SECONDS if scope["path"].startswith(MCP) else self._answer_seconds
        began = False
        try:
            async with asyncio.timeout(seconds) as limit:

                async def send_in_time(message: Message) -> None:
                    nonlocal began
                    began = True
                    limit.reschedule(None)
                    await send(message)

                await self.app(scope, receive, send_in_time)
        except TimeoutError:
            if began:
                raise
            sentence = f"There was no answer within {seconds:g} seconds; try again later."
            await refusal(scope, 503, sentence)(scope, receive, send)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """What an application reads: the body at once, then whatever comes of the connection."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
