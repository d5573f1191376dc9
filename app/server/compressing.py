"""The page itself as few bytes: Gradio compresses files by their suffix, and the page has none."""

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

LEAST = 1000  # bytes


class CompressedPage:
    """ASGI middleware that compresses answers at the page's own addresses, of which no part has a suffix."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, minimum_size=LEAST)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = scope["type"] == "http" and scope["method"] == "GET" and _is_page(scope["path"])
        await (self.compressed if page else self.app)(scope, receive, send)


def _is_page(path: str) -> bool:
    return "." not in path and "gradio_api" not in path
