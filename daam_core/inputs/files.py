"""Files that people name: opened once, for reading, and hashed."""

import hashlib
import io
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from daam_core.errors import InputError
from daam_core.inputs.limits import MAX_HELD_BYTES

# Of a path, too, in which two slashes have become one.
_ADDRESS = re.compile(r"((https?|ftp|s3|gs|hf|file):/|data:)\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Opened:
    """A seekable file that is open already, and its name."""

    stream: IO[bytes]
    name: str | None


def is_address(given: str | Path) -> bool:
    """Whether this names something on another machine, or holds a file itself, rather than a path here.

    >>> is_address("https://example.org/a.wav"), is_address("a.wav"), is_address("data: seen twice")
    (True, False, False)
    """
    return bool(_ADDRESS.fullmatch(str(given)))


def describe(path: str | Path) -> str:
    """A file's name for messages: never its folder, which may be another person's upload directory."""
    return Path(path).name


def open_file(given: object, *, kind: str, other: str) -> tuple[IO[bytes], str | None]:
    """A seekable binary stream of a path, bytes or file, and its name where it has one.

    Args:
        given: what to open.
        kind: what it should be, for messages: ``sound`` or ``picture``.
        other: what is accepted besides, for messages.

    Raises:
        InputError: there is no such file, it cannot be read, or it is empty.
    """
    name = None
    if isinstance(given, Opened):
        return _not_empty(given.stream, given.name, kind), given.name
    if isinstance(given, Mapping):
        given, name = _stored(given, kind)
    if isinstance(given, (bytes, bytearray, memoryview)):
        stream: IO[bytes] = io.BytesIO(given)
    elif isinstance(given, (str, os.PathLike)):
        given = Path(given)
        name = describe(given) or None
        stream = opened_file(given, kind)
    elif hasattr(given, "read"):
        stream = io.BytesIO(_content(given, kind))
    else:
        raise InputError(
            f"A {kind} must be a path, bytes, a binary file, {other}, got {type(given).__name__}."
        )
    return _not_empty(stream, name, kind), name


def _not_empty(stream: IO[bytes], name: str | None, kind: str) -> IO[bytes]:
    if not stream.read(1):
        stream.close()
        raise InputError(f"{called(name, kind)} is empty (0 bytes).")
    stream.seek(0)
    return stream


def called(name: str | None, kind: str) -> str:
    """What messages call an input: its name, or ``The sound``."""
    return name or f"The {kind}"


def sha256_of(stream: IO[bytes]) -> str:
    """Of a stream's bytes from its beginning; its place is lost."""
    stream.seek(0)
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _stored(given: Mapping[object, object], kind: str) -> tuple[object, str | None]:
    """The bytes or the path, and the name, of what 🤗 datasets stores: ``{"bytes": …, "path": …}``."""
    content, path = given.get("bytes"), given.get("path")
    name = describe(path) if isinstance(path, (str, Path)) else None
    if content is None and path is None:
        keys = ", ".join(map(str, given)) or "none"
        also = ' or "array" and "sampling_rate"' if kind == "sound" else ""
        raise InputError(f'A {kind} given as a dict needs "bytes" or "path"{also}, got the keys {keys}.')
    return (path, None) if content is None else (content, name or None)


def _content(file: Any, kind: str) -> bytes:
    """Read whole: the caller keeps its file, a pipe will do, and a text file is noticed here."""
    try:
        if file.seekable():
            file.seek(0)
        content = file.read(MAX_HELD_BYTES + 1)
    except (OSError, ValueError) as e:
        raise InputError(f"The {kind} file cannot be read: {e}.") from e
    if not isinstance(content, bytes):
        raise InputError(f"The {kind} file must be opened in binary mode.")
    if len(content) > MAX_HELD_BYTES:
        raise InputError(
            f"The {kind} has more than {MAX_HELD_BYTES // 1_000_000} MB, too many to be held in memory; "
            "give the path of its file."
        )
    return content


def opened_file(path: Path, kind: str) -> IO[bytes]:
    """An ordinary file, open for reading.

    Args:
        path: of the file.
        kind: what it holds, for messages: ``sound``, ``picture``.

    Raises:
        InputError: there is none of that name, it is a folder, or it cannot be opened.
    """
    name = called(describe(path) or None, kind)
    if is_address(path):
        raise InputError(f"{name} is an address, and nothing is fetched from there; download it first.")
    try:
        found = path.is_file()  # a folder is not, nor a device that could be read forever
        stream: IO[bytes] = path.open("rb") if found else io.BytesIO()
    except (OSError, ValueError) as e:
        reason = getattr(e, "strerror", None) or "its name is not valid"
        raise InputError(f"{name} cannot be opened: {reason}.") from e
    if not found and path.is_dir():
        raise InputError(f"{name} is a folder; give one {kind} file of it.")
    if not found:
        raise InputError(f"There is no {kind} file called {name}.")
    return stream
