"""The page's scripts and styles, served from this host under addresses that change with their content."""

import hashlib
import json
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from daam_core.view.modules import STUDY_ENTRY, modules, study_style, view_style, without_comments

STATIC = Path(__file__).resolve().parents[1] / "page" / "static"
FOLDER = "daam"  # below the page's own address
_EARLY = "early.js"  # part of the page itself
FOREVER = "public, max-age=31536000, immutable"


@cache
def scripts() -> dict[str, str]:
    """Texts of all modules by their path; they import each other relatively."""
    own = {
        path.name: without_comments(path.read_text("utf-8"))
        for path in sorted(STATIC.glob("*.js"))
        if path.name != _EARLY
    }
    views = modules() | modules(STUDY_ENTRY)
    return own | {f"view/{path}": text for path, text in views.items()}


@cache
def head() -> str:
    """What stands in the page's head."""
    early = without_comments((STATIC / _EARLY).read_text("utf-8"))
    return f'<meta name="description" content="Shows why a model decided."><script>{early}</script>'


@cache
def style() -> str:
    """The page's style sheet, the interactive views' included."""
    own = [(STATIC / name).read_text("utf-8") for name in ("app.css", "data_set.css")]
    return "".join([view_style(), study_style(), *own])


@cache
def version() -> str:
    """A name that changes with the content of any script."""
    return hashlib.sha256(json.dumps(scripts()).encode()).hexdigest()[:12]


def address(name: str) -> str:
    """Where a script is, seen from the page."""
    return f"{FOLDER}/{version()}/{name}"


def routes() -> list[Route]:
    """Routes that answer with the scripts."""

    async def script(request: Request) -> Response:
        text = scripts().get(request.path_params["path"])
        if text is None or request.path_params["version"] != version():
            return Response("There is no such script.", status_code=404, media_type="text/plain")
        return Response(text, media_type="text/javascript", headers={"Cache-Control": FOREVER})

    return [Route(f"/{FOLDER}/{{version}}/{{path:path}}", script, methods=["GET"])]
