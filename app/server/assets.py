"""The page's scripts and styles, served from this host under addresses that change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daam_core.view.payload import view_script, view_style

STATIC = Path(__file__).resolve().parents[1] / "page" / "static"
FOLDER = "daam"  # below the page's own address
FOREVER = "public, max-age=31536000, immutable"


@cache
def scripts() -> dict[str, str]:
    """Script texts by file name, in the order in which they are loaded."""
    own = "\n".join((STATIC / name).read_text("utf-8") for name in ("page.js", "region.js", "tour.js"))
    return {"view.js": view_script(), "page.js": own}


@cache
def style() -> str:
    """The page's style sheet, the interactive view's included."""
    return view_style() + (STATIC / "app.css").read_text("utf-8")


def head() -> str:
    """What the document's head gets: the page's scripts."""
    tags = (
        f'<script src="{FOLDER}/{name}?v={hashlib.sha256(text.encode()).hexdigest()[:12]}"></script>'
        for name, text in scripts().items()
    )
    return "".join(tags)


def routes() -> list[Route]:
    """Routes that answer with the scripts."""

    async def script(request: Request) -> Response:
        text = scripts().get(request.path_params["name"])
        if text is None:
            return Response("There is no such script.", status_code=404, media_type="text/plain")
        return Response(text, media_type="text/javascript", headers={"Cache-Control": FOREVER})

    return [Route(f"/{FOLDER}/{{name}}", script, methods=["GET"])]
