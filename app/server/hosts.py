"""Who may be asked for and from where: the names in ``Host`` and ``Origin`` against a list.

A page of another site that has its own name resolve to this machine (DNS rebinding) sends that name as
``Host``; a page that posts here from its own address sends its own as ``Origin``. Both are refused.
Addresses written in digits cannot be rebound, so a server on all addresses answers to each of them.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import HEALTH, refusal

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104
# What only a proxy may say; Gradio believes the first and the third from anybody.
FROM_PROXIES = frozenset(
    {b"x-forwarded-host", b"x-forwarded-proto", b"x-gradio-server", b"x-forwarded-for", b"forwarded"}
    | {b"x-forwarded-port", b"x-forwarded-prefix", b"x-real-ip"}
)
PORTS = {"http": 80, "https": 443}


class AllowedHosts:
    """ASGI middleware that answers only requests for this server, from its own pages or from programs.

    Args:
        app: what is guarded.
        bound: the address that the server is bound to.
        allowed: further names that it is reached by.
        behind_proxy: whether to believe what a proxy says about the name that was asked for.
    """

    def __init__(self, app: ASGIApp, *, bound: str, allowed: Iterable[str], behind_proxy: bool) -> None:
        self.app = app
        self._named = {name.lower() for name in allowed}
        self._names = LOCAL | self._named | ({bound.lower()} - ANY_ADDRESS)
        self._any_address = bound in ANY_ADDRESS
        self._behind_proxy = behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] != HEALTH:
            if not self._behind_proxy:
                scope["headers"] = [pair for pair in scope["headers"] if pair[0] not in FROM_PROXIES]
            if sentence := self._problem(Headers(scope=scope), scope["scheme"]):
                await refusal(scope, 403, sentence)(scope, receive, send)
                return
        if scope["type"] == "websocket":  # nothing here uses one
            await send({"type": "websocket.close", "code": 1008})
            return
        await self.app(scope, receive, send)

    def _problem(self, headers: Headers, scheme: str) -> str | None:
        asked = [*headers.getlist("host"), *headers.getlist("x-forwarded-host")]
        places = [_place(f"//{text}", scheme) for text in asked]
        if not places:
            return "The request does not say which host it is for."
        for place, text in zip(places, asked, strict=True):
            if place is None or not self._answers_to(place[0]):
                return (
                    f"This server does not answer for {text[:80]!r}; whoever runs it can allow a name with "
                    "--allowed-host."
                )
        for origin in headers.getlist("origin"):
            place = _place(origin, scheme)
            if place is None or (place not in places and place[0] not in self._named):
                return f"Requests from pages of {origin[:80]!r} are not answered."
        return None

    def _answers_to(self, name: str) -> bool:
        return name in self._names or (self._any_address and _is_address(name))


def _place(address: str, scheme: str) -> tuple[str, int] | None:
    """Host name in small letters, and port; None for what is no address of a web server."""
    try:
        parts = urlsplit(address)
        port = parts.port or PORTS.get(parts.scheme or scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None or "@" in parts.netloc:
        return None
    return parts.hostname, port


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
