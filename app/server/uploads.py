"""Limits on uploads: of one request, of one visitor in an hour, and of all files on the disk.

A visitor is an address (of IPv6 the first half, which one household has), because whatever else a
browser sends it can choose anew for every request.
"""

import asyncio
import errno
import ipaddress
import logging
import re
import shutil
import time
from collections import OrderedDict, deque
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import Held, drain, is_upload, refusal

MB = 1_000_000
FRAMING_BYTES = 100_000  # what a form adds to its file
HOUR = 3600.0
KNOWN_VISITORS = 10_000
IDLE_SECONDS = 10.0  # between two pieces of a file
UPLOAD_SECONDS = 300.0  # for the whole
MEASURED_SECONDS = 5.0  # how old a measurement of the folder may be
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS})
NO_FILES = (AssertionError, AttributeError, KeyError, TypeError)
PARTIAL = re.compile(r"tmp\w{8}")  # as Python's tempfile names what Gradio is still receiving

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UploadLimits:
    """Bytes of one request, of a visitor's last hour, of all files, and that stay free on the disk."""

    request: int
    visitor: int
    folder: int
    free: int

    @classmethod
    def of(cls, *, file_mb: int, folder_mb: int) -> "UploadLimits":
        """One file a request, twenty of the largest an hour."""
        file = file_mb * 2**20
        return cls(file + FRAMING_BYTES, 20 * file, folder_mb * MB, max(2 * file, 100 * MB))


class _RefusedError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


NO_ROOM = _RefusedError(507, "The server has no room for more files now; try again later.")
TOO_SLOW = _RefusedError(408, "The file came too slowly.")
NO_FILE = _RefusedError(400, "The form holds something else than files.")
BAD_NAME = _RefusedError(400, "The file cannot be kept under this name; give it another.")


class Uploads:
    """ASGI middleware over the upload route; leaves no partial file when an upload ends early."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        folder: Path,
        limits: UploadLimits,
        idle_seconds: float = IDLE_SECONDS,
        upload_seconds: float = UPLOAD_SECONDS,
    ) -> None:
        self.app = app
        self._folder, self._limits = folder, limits
        self._idle_seconds, self._upload_seconds = idle_seconds, upload_seconds
        self._visitors: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()
        self._running = 0
        self._measured = (-HOUR, 0)
        self._since = 0  # bytes that came after the measurement

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_upload(scope):
            await self.app(scope, receive, send)
            return
        held, ended = Held(send), False

        async def noting() -> Message:
            nonlocal ended
            message = await receive()
            ended = not message.get("more_body", False)
            return message

        self._running += 1
        try:
            refused = await self._outcome(scope, noting, held)
        finally:
            self._running -= 1
            await asyncio.to_thread(self._delete_partial)
        if refused is None:
            await held.release()
        else:
            if refused is not TOO_SLOW and not ended:
                await drain(receive, at_most=4 * self._limits.request)
            answer = refusal(scope, refused.status, refused.sentence, connection="close")
            await answer(scope, receive, send)

    async def _outcome(self, scope: Scope, receive: Receive, held: Held) -> _RefusedError | None:
        """Let the application receive the files; why that failed, or None."""
        try:
            await self._receive(scope, receive, held)
        except _RefusedError as refused:
            return refused
        except TimeoutError:
            return TOO_SLOW
        except ClientDisconnect:
            log.info("An upload was broken off")
        except OSError as error:
            log.warning("An upload failed: %s", error.strerror)
            return NO_ROOM if error.errno in DISK_FULL else BAD_NAME
        except ValueError:  # a zero byte in a name
            return BAD_NAME
        except NO_FILES:  # Gradio takes every part of a form for a file with a name
            return NO_FILE
        return None

    async def _receive(self, scope: Scope, receive: Receive, held: Held) -> None:
        limits, visitor = self._limits, _visitor(scope)
        declared = int(Headers(scope=scope).get("content-length", 0))
        await asyncio.to_thread(self._measure)
        self._check(visitor, declared)
        received, deadline = 0, asyncio.get_running_loop().time() + self._upload_seconds

        async def counted() -> Message:
            nonlocal received
            now = asyncio.get_running_loop().time()
            async with asyncio.timeout_at(min(deadline, now + self._idle_seconds)):
                message = await receive()
            size = len(message.get("body", b""))
            received += size
            if received > limits.request:
                raise _RefusedError(413, _too_large(limits))
            self._count(visitor, size)
            self._check(visitor, 0)
            return message

        await self.app(scope, counted, held)

    def _check(self, visitor: str, declared: int) -> None:
        limits = self._limits
        if declared > limits.request:
            raise _RefusedError(413, _too_large(limits))
        taken = sum(size for _, size in self._of(visitor))
        if taken + declared > limits.visitor:
            sentence = (
                f"You have given {limits.visitor // MB} MB within an hour, which is the most; wait a while."
            )
            raise _RefusedError(429, sentence)
        if self._measured[1] + self._since + declared > limits.folder:
            raise NO_ROOM

    def _of(self, visitor: str) -> deque[tuple[float, int]]:
        """The visitor's pieces of the last hour."""
        pieces = self._visitors.setdefault(visitor, deque())
        self._visitors.move_to_end(visitor)
        while pieces and time.monotonic() - pieces[0][0] > HOUR:
            pieces.popleft()
        while len(self._visitors) > KNOWN_VISITORS:
            self._visitors.popitem(last=False)
        return pieces

    def _count(self, visitor: str, size: int) -> None:
        """Remember a piece; those of one second count as one, so that the list stays short."""
        self._since += size
        pieces, began = self._of(visitor), time.monotonic()
        if pieces and began - pieces[-1][0] < 1.0:
            began, earlier = pieces.pop()
            size += earlier
        pieces.append((began, size))

    def _measure(self) -> None:
        """How much the folder holds, and whether the disk has room."""
        now = time.monotonic()
        if now - self._measured[0] > MEASURED_SECONDS:
            self._measured, self._since = (now, _size(self._folder)), 0
        self._folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < self._limits.free:
            raise NO_ROOM

    def _delete_partial(self) -> None:
        """Delete what broken uploads left: everything when none runs, else what is older than any."""
        for path in self._folder.glob("tmp*"):
            try:
                age = time.time() - path.stat().st_mtime
                old = not self._running or age > self._upload_seconds
                if old and PARTIAL.fullmatch(path.name) and path.is_file():
                    path.unlink()
            except OSError:  # gone already
                continue


def _too_large(limits: UploadLimits) -> str:
    return f"A request may bring up to {(limits.request - FRAMING_BYTES) // 2**20} MB of files."


def _visitor(scope: Scope) -> str:
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # deleted meanwhile
            continue
    return total
