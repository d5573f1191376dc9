"""A page for whatever watches the server: it answers as long as requests are answered."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .answers import HEALTH


async def _healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


health = Route(HEALTH, _healthy, methods=["GET"])
