"""What the server answers when it refuses: one sentence, and where the request was going."""

import asyncio
import contextlib

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Message, Receive, Scope, Send

API = "/gradio_api/"
UPLOAD = f"{API}upload"
MCP = f"{API}mcp"
HEALTH = "/healthz"
DRAIN_SECONDS = 5.0


def is_upload(scope: Scope) -> bool:
    path: str = scope.get("path", "")
    return scope["type"] == "http" and scope["method"] == "POST" and path.rstrip("/") == UPLOAD


def refusal(scope: Scope, status: int, sentence: str, **headers: str) -> Response:
    """The answer in the form that whoever asked can show: uploads as text, everything else as JSON."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if is_upload(scope) or not scope["path"].startswith(API):
        return PlainTextResponse(sentence, status, headers=headers)
    return JSONResponse({"detail": sentence, "error": sentence}, status, headers=headers)


async def drain(receive: Receive, *, at_most: int) -> None:
    """Read on for a while and forget it: who still sends would never see an answer."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_SECONDS):
            while at_most > 0:
                message = await receive()
                at_most -= len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return


class Held:
    """Keeps an answer back until it is known to be true."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self._messages.append(message)

    async def release(self) -> None:
        for message in self._messages:
            await self._send(message)
