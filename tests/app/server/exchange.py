"""One request to an ASGI application, piece by piece, without a network."""

import asyncio
from collections.abc import Sequence
from typing import Any

NOTHING = b""


def request(
    app: Any,
    path: str,
    pieces: Sequence[bytes] = (),
    *,
    method: str = "POST",
    headers: dict[str, str] | None = None,
    client: str = "10.0.0.1",
    pause: float = 0,
    leaves: bool = False,
) -> tuple[int, str, dict[str, str]]:
    """Status, text and headers of the answer; status 0 where there is none.

    Args:
        app: the application.
        path: asked for.
        pieces: of the body.
        method: of the request.
        headers: of the request.
        client: address of whoever asks.
        pause: seconds before each piece but the first.
        leaves: whether the connection breaks after the last piece, with more announced.
    """
    return asyncio.run(_request(app, path, pieces, method, headers or {}, client, pause, leaves))


async def _request(app, path, pieces, method, headers, client, pause, leaves):
    sent, waiting = [], list(enumerate(pieces)) or [(0, NOTHING)]

    async def receive():
        if not waiting:
            return {"type": "http.disconnect"}
        index, piece = waiting.pop(0)
        if index:
            await asyncio.sleep(pause)
        return {"type": "http.request", "body": piece, "more_body": bool(waiting) or leaves}

    async def send(message):
        sent.append(message)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": raw,
        "client": (client, 1),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    if not sent:
        return 0, "", {}
    body = b"".join(message.get("body", b"") for message in sent)
    found = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], body.decode(), found


def application(answer):
    """An application that reads the whole body, then does what ``answer`` says with it; 200 in the end."""

    async def app(_scope, receive, send):
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        await answer(body)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})

    return app
