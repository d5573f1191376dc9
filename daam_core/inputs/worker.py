"""The process that decodes for :mod:`daam_core.inputs.apart`: one file after another, within limits."""

import json
import os
import socket
import traceback
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from daam_core.errors import InputError
from daam_core.inputs.apart import HEADER
from daam_core.inputs.base import BaseInput
from daam_core.inputs.files import Opened, called
from daam_core.inputs.picture import Picture, read_picture
from daam_core.inputs.sound import read_sound
from daam_core.plain import PlainObject

_REQUEST = 65_536  # bytes of a request, at most
_BAND = 1 << 20  # pixels sent at a time

#: Plain values, how many bytes of samples or pixels follow, and these.
Answer = tuple[dict[str, object], int, Iterable[bytes]]


def main(descriptor: int, memory_mb: int) -> None:
    """Decode until the other end of the socket is closed."""
    connection = socket.socket(fileno=descriptor)
    _load_decoders()
    _limit(memory_mb)
    while True:
        message, files, _, _ = socket.recv_fds(connection, _REQUEST, 1)
        if not files:
            return
        os.lseek(files[0], 0, os.SEEK_SET)  # its place is shared with who opened it
        with os.fdopen(files[0], "rb") as stream:
            answer, size, pieces = _answer(json.loads(message[HEADER.size :]), stream, memory_mb)
        said = json.dumps(answer).encode()
        connection.sendall(HEADER.pack(len(said), size) + said)
        for piece in pieces:
            connection.sendall(piece)


def _answer(request: PlainObject, stream: Any, memory_mb: int) -> Answer:
    """What was read, or why it cannot be read."""
    given = Opened(stream, request["name"])
    try:
        if request["modality"] == "audio":
            sound = read_sound(given, rate=request["rate"])
            said = _described(sound) | {"rate": sound.rate}
            return said, sound.nbytes, [sound.samples.tobytes()]
        picture = read_picture(given)
        said = _described(picture) | {"width": picture.width, "height": picture.height}
        return said, picture.nbytes, _bands(picture)
    except InputError as error:
        return {"error": str(error)}, 0, ()
    except MemoryError:
        name = called(request["name"], "file")
        return {"error": f"{name} needs more than {memory_mb} MB to be decoded; give a smaller one."}, 0, ()
    except Exception:
        return {"defect": traceback.format_exc()}, 0, ()


def _bands(picture: Picture) -> Iterator[bytes]:
    """Rows of pixels: all of them at once would be another copy."""
    step = max(1, _BAND // picture.width)
    for top in range(0, picture.height, step):
        yield picture.rgb.crop((0, top, picture.width, min(top + step, picture.height))).tobytes()


def _described(given: BaseInput) -> dict[str, object]:
    return {"name": given.name, "sha256": given.sha256, "facts": dict(given.facts)}


def _load_decoders() -> None:
    """Before the first file: loading them is not its memory, nor its time."""
    import av
    import PIL.Image
    import pillow_heif
    import soundfile
    import soxr

    del av, pillow_heif, soundfile, soxr
    PIL.Image.preinit()


def _limit(memory_mb: int) -> None:
    """No more memory than that beside what the loaded libraries take, no files written, no core dumped."""
    with suppress(ImportError, OSError, ValueError):  # there is no such thing on Windows
        import resource

        taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory_mb * 1_000_000,) * 2)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
