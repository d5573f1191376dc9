"""Headers of every answer."""

import asyncio

from app.server.security import HEADERS, SecurityHeaders


def test_every_answer_carries_the_headers():
    sent = []

    async def app(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOW")]}
        )
        await send({"type": "http.response.body", "body": b""})

    async def keep(message):
        sent.append(message)

    asyncio.run(SecurityHeaders(app)({"type": "http"}, None, keep))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    assert found == {name.lower(): value for name, value in HEADERS.items()}
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
