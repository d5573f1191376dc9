"""An optional login: names and hashed passwords in a file, asked for by HTTP's basic authentication.

One line a person, made by ``python -m app --new-login NAME``: ``name:scrypt:n:r:p:salt:hash``. Passwords
travel with every request, so a server that others reach over a network needs TLS in front of it.
"""

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from daam_core.errors import ConfigError

from .answers import API, HEALTH, refusal

COST, BLOCK, LANES = 2**14, 8, 1  # 16 MB and about 50 ms a try
LARGEST_COST = 2**17
MAX_MEMORY = 256 * 2**20
MAX_FILE_BYTES = 1_000_000
REMEMBERED = 1000  # right passwords, as keyed hashes, so that not every request costs 50 ms
TRIES, TRIES_SECONDS = 10, 300.0  # wrong ones from one address
OPEN = frozenset({HEALTH, f"{API}startup-events"})  # the second is the server's own call to itself

OWN = f"Bearer {secrets.token_urlsafe(32)}"  # what this process shows when it calls itself

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Password:
    """A hashed password with what it was hashed with."""

    cost: int
    block: int
    lanes: int
    salt: bytes
    digest: bytes

    @classmethod
    def of(cls, password: str) -> "Password":
        salt = secrets.token_bytes(16)
        return cls(COST, BLOCK, LANES, salt, _scrypt(password, salt, COST, BLOCK, LANES))

    def is_right(self, password: str) -> bool:
        tried = _scrypt(password, self.salt, self.cost, self.block, self.lanes)
        return hmac.compare_digest(tried, self.digest)

    def line(self, name: str) -> str:
        """
        Raises:
            ConfigError: a name that cannot stand in the file.
        """
        if not name or ":" in name or not name.isprintable() or name.strip() != name or name[0] == "#":
            raise ConfigError(f"A name for the login has no colon and no blank ends, got {name!r}.")
        salt, digest = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return f"{name}:scrypt:{self.cost}:{self.block}:{self.lanes}:{salt}:{digest}"


def _scrypt(password: str, salt: bytes, cost: int, block: int, lanes: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=cost, r=block, p=lanes, maxmem=MAX_MEMORY, dklen=32)


def read_logins(path: Path) -> dict[str, Password]:
    """Who may come in, by name.

    Raises:
        ConfigError: the file cannot be read, or holds something else.
    """
    try:
        if not path.is_file():
            raise ConfigError(f"There is no file {path.name} with logins.")
        with path.open("rb") as file:
            text = file.read(MAX_FILE_BYTES + 1)
        lines = text.decode().splitlines() if len(text) <= MAX_FILE_BYTES else []
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The logins in {path.name} cannot be read: no text, or no permission.") from error
    found = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            try:
                name, kind, cost, block, lanes, salt, digest = line.strip().split(":")
                if kind != "scrypt" or not 2 <= int(cost) <= LARGEST_COST:
                    raise ValueError
                numbers = int(cost), int(block), int(lanes)
                password = Password(
                    *numbers, base64.b64decode(salt, validate=True), base64.b64decode(digest, validate=True)
                )
                password.is_right("")  # refuses what scrypt cannot do
            except (ValueError, TypeError, OverflowError) as error:
                raise ConfigError(
                    f"Line {number} of {path.name} is no login; python -m app --new-login NAME makes one."
                ) from error
            found[name] = password
    if not found:
        raise ConfigError(f"{path.name} holds no login; python -m app --new-login NAME makes one.")
    return found


class Login:
    """ASGI middleware that asks for name and password."""

    def __init__(self, app: ASGIApp, *, logins: Mapping[str, Password]) -> None:
        self.app = app
        self._logins = logins
        self._nobody = Password.of(secrets.token_hex())  # so that an unknown name takes as long as a known
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._trying = asyncio.Semaphore(2)  # hashes at a time, 16 MB each

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in OPEN:
            given = Headers(scope=scope).get("authorization", "")
            address = str((scope.get("client") or ("unknown", 0))[0])
            if not await self._is_right(given, address):
                if self._tried_too_often(address):
                    answer = refusal(scope, 429, "Too many wrong passwords; wait five minutes.")
                else:
                    asked = 'Basic realm="DAAM explorer", charset="UTF-8"'
                    sentence = "This server asks for a name and a password."
                    answer = refusal(scope, 401, sentence, www_authenticate=asked)
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _is_right(self, given: str, address: str) -> bool:
        if hmac.compare_digest(given.encode(), OWN.encode()):
            return True
        mark = hashlib.blake2b(given.encode(), key=self._key).digest()
        if mark in self._right:
            return True
        if not given or self._tried_too_often(address):
            return False
        name, _, password = _decoded(given).partition(":")
        async with self._trying:
            login = self._logins.get(name, self._nobody)
            right = await asyncio.to_thread(login.is_right, password) and name in self._logins
        if right:
            self._right[mark] = None
            while len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
        else:
            log.warning("A wrong name or password")
            self._wrong.setdefault(address, []).append(time.monotonic())
            while len(self._wrong) > REMEMBERED:
                self._wrong.popitem(last=False)
        return right

    def _tried_too_often(self, address: str) -> bool:
        now = time.monotonic()
        recent = [moment for moment in self._wrong.get(address, ()) if now - moment < TRIES_SECONDS]
        if recent:
            self._wrong[address] = recent[-TRIES:]
        else:
            self._wrong.pop(address, None)
        return len(recent) >= TRIES


def _decoded(header: str) -> str:
    """``name:password`` of a header; nothing for any other."""
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value.strip(), validate=True).decode()
    except (ValueError, binascii.Error):
        return ""
