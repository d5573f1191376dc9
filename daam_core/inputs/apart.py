"""Files of strangers decoded in a process of their own, with limits of memory and time.

Decoders are C code that reads what anybody may have made. What goes wrong there, from a line on standard
error to a crash, ends in that process: the caller gets a sentence, and the next file another process.
It is handed the opened file and gives back plain values and bytes, nothing that would be unpickled.
"""

import json
import queue
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.files import called, open_file
from daam_core.inputs.picture import Picture
from daam_core.inputs.sound import SAMPLE_RATE, Sound
from daam_core.plain import PlainMapping, PlainObject

MEMORY_MB = 350  # beside the 60 that its loaded libraries take
SECONDS = 30.0  # ten minutes of any format, or 30 million pixels, take up to 5 on one slow core
PROCESSES = 2
#: Length of a message's JSON part and of the bytes behind it.
HEADER = struct.Struct("!II")
MAX_BYTES = 200_000_000  # of an answer; 30 million pixels are 90 million

#: Starts the worker without running the package's own module, which loads torch: 200 MB and seconds.
_START = f"""
import sys, types
package = sys.modules["daam_core"] = types.ModuleType("daam_core")
package.__path__ = [{str(Path(__file__).parents[1])!r}]
from daam_core.inputs.worker import main
main(int(sys.argv[1]), int(sys.argv[2]))
"""
_KINDS = {"audio": "sound", "image": "picture"}


class Apart:
    """A few processes that decode, started when they are needed and started anew when they end."""

    def __init__(
        self, *, processes: int = PROCESSES, memory_mb: int = MEMORY_MB, seconds: float = SECONDS
    ) -> None:
        self._memory_mb, self._seconds = memory_mb, seconds
        self._idle: queue.LifoQueue[_Process | None] = queue.LifoQueue()  # the last one used is warm
        for _ in range(processes):
            self._idle.put(None)

    def read(self, path: str | Path, modality: str, *, rate: int = SAMPLE_RATE) -> Sound | Picture:
        """What :func:`~daam_core.inputs.read_input` makes of a sound or picture file.

        Args:
            path: of the file.
            modality: ``audio`` or ``image``.
            rate: of a sound's result.

        Raises:
            InputError: it cannot be read, or not within the limits.
        """
        kind = _KINDS[modality]
        stream, name = open_file(path, kind=kind, other="")
        request = {"modality": modality, "name": name, "rate": rate}
        with stream, self._process() as process:
            try:
                answer, content = process.ask(request, stream.fileno())
            except TimeoutError:
                process.end()
                raise InputError(
                    f"{called(name, kind)} takes longer than {self._seconds:.0f} s to decode; "
                    "save it anew in a usual format, or give a smaller one."
                ) from None
            except (OSError, EOFError):
                process.end()
                raise InputError(
                    f"{called(name, kind)} cannot be decoded: the decoder broke down over it; save it anew "
                    "in a usual format."
                ) from None
        if "error" in answer:
            raise InputError(str(answer["error"]))
        if "defect" in answer:
            raise RuntimeError(f"Decoding failed: {answer['defect']}")
        return _sound(answer, content) if modality == "audio" else _picture(answer, content)

    @contextmanager
    def _process(self) -> Iterator["_Process"]:
        process = self._idle.get()
        if process is None or not process.lives():
            process = _Process(memory_mb=self._memory_mb, seconds=self._seconds)
        try:
            yield process
        finally:
            self._idle.put(process if process.lives() else None)


class _Process:
    """One process that decodes one file at a time."""

    def __init__(self, *, memory_mb: int, seconds: float) -> None:
        self._socket, theirs = socket.socketpair()
        with closing(theirs):
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno()), str(memory_mb)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # an interrupt from the keyboard is the server's
            )
        self._socket.settimeout(seconds)

    def lives(self) -> bool:
        return self._socket.fileno() >= 0 and self._process.poll() is None

    def ask(self, request: Mapping[str, object], file: int) -> tuple[PlainObject, bytearray]:
        """A file's answer; the file is handed over open.

        Raises:
            TimeoutError: there is none in time.
            OSError, EOFError: the process ended, or answered nonsense.
        """
        said = json.dumps(request).encode()
        socket.send_fds(self._socket, [HEADER.pack(len(said), 0) + said], [file])
        return receive(self._socket)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def __del__(self) -> None:
        # Without its socket it ends by itself; waiting for it here would hold up whoever is collecting.
        with suppress(AttributeError):
            self._socket.close()


def receive(connection: socket.socket) -> tuple[PlainObject, bytearray]:
    """One message: its JSON part and the bytes behind it.

    Raises:
        EOFError: the other side is gone, or it says nonsense.
    """
    said, size = HEADER.unpack(_exactly(connection, HEADER.size))
    if said + size > MAX_BYTES:
        raise EOFError
    try:
        parsed = json.loads(_exactly(connection, said))
    except ValueError as e:
        raise EOFError from e
    return parsed, _exactly(connection, size)


def _exactly(connection: socket.socket, size: int) -> bytearray:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        received = connection.recv_into(view)
        if received == 0:
            raise EOFError
        view = view[received:]
    return content


def _sound(answer: PlainMapping, content: bytearray) -> Sound:
    samples = np.frombuffer(content, np.float32)
    return Sound(
        name=answer["name"],
        facts=answer["facts"],
        sha256=answer["sha256"],
        rate=answer["rate"],
        samples=samples,
    )


def _picture(answer: PlainMapping, content: bytearray) -> Picture:
    from PIL import Image

    rgb = Image.frombytes("RGB", (answer["width"], answer["height"]), bytes(content))
    return Picture(name=answer["name"], facts=answer["facts"], sha256=answer["sha256"], rgb=rgb)
