"""Small damage that sound files often have, put right without touching the file.

Programs that write to a pipe leave the length out of a WAV file's header, others write the whole file's
length there; taggers put an ID3 tag before formats that have none.
"""

import io
import struct
from typing import IO

from daam_core.errors import InputError
from daam_core.inputs.first_bytes import HEAD, format_of, id3_bytes
from daam_core.inputs.limits import MISSING_SHARE

PADDING = 64  # bytes

_MOST_CHUNKS = 100
_UNKNOWN = 0x7FFF_0000  # bytes; programs that do not know the length announce at least this


class MendedFile(io.RawIOBase):
    """A stream from a place on, some bytes replaced, zeros behind it: without a name and open to any seek.

    Without a name, libsndfile goes by the content. It also seeks to wherever a damaged header says; an
    error in that callback would be printed.
    """

    def __init__(
        self, stream: IO[bytes], *, start: int = 0, patch: tuple[int, bytes] = (0, b""), padding: int = 0
    ) -> None:
        super().__init__()
        self._stream, self._start, self._patch = stream, start, patch
        self._place = 0
        self._held = max(0, stream.seek(0, io.SEEK_END) - start)
        self.size = self._held + padding

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        self._place = min(max(0, begin + offset), self.size)
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int = -1, /) -> bytes:
        return super().read(size) or b""

    def readinto(self, buffer: object) -> int:
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            self._stream.seek(self._start + self._place)
            found = self._stream.read(len(target))
            if self.size > self._held:
                found += bytes(min(len(target) - len(found), self.size - self._place - len(found)))
        except (OSError, ValueError):
            found = b""
        target[: len(found)] = found
        at, new = self._patch
        for index, byte in enumerate(new, at - self._place):
            if 0 <= index < len(found):
                target[index] = byte
        self._place += len(found)
        return len(found)


def whole_sound(stream: IO[bytes], name: str, *, pad: bool = False) -> tuple[MendedFile, list[str]]:
    """The sound of a file as its writer meant it, and what was done.

    Args:
        stream: of the file.
        name: what messages call it.
        pad: put zeros behind it: a decoder then takes a last piece that lacks its checksum.

    Raises:
        InputError: a good part of it is missing.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    tag, start, done = id3_bytes(head), 0, []
    if tag:
        stream.seek(tag)
        behind = format_of(stream.read(HEAD))
        if behind is not None and behind.name in ("WAV", "FLAC", "OGG", "AIFF"):
            start = tag
            done.append("ID3 tag before the sound skipped")
    view = MendedFile(stream, start=start)
    lacking = _lacking_of_boxes(view) if head[4:8] == b"ftyp" else PADDING if pad else 0
    if 0 < lacking <= PADDING:
        done.append("zeros put in place of its last bytes, which are missing")
        return MendedFile(stream, start=start, padding=lacking), done
    at, announced = _wav_data(view)
    there = view.size - at
    if at == 0 or announced == there:
        return view, done
    if announced == 0 and there > 0 and not _is_chunk(view, at):
        done.append("length taken from the file, its header says 0 bytes")
        return MendedFile(stream, start=start, patch=(at - 4, struct.pack("<I", there))), done
    if announced >= _UNKNOWN and there < announced:
        done.append("length taken from the file, its header leaves it open")
    elif announced > there:
        surplus = announced - there
        # Up to the header's own length the count is wrong rather than the sound cut.
        if surplus > at and surplus > MISSING_SHARE * announced:
            raise InputError(
                f"{name} is truncated: its header announces {announced:,} bytes of sound, and only "
                f"{there:,} are there; get the whole file."
            )
        unit = "byte" if surplus == 1 else "bytes"
        done.append(f"its header announces {surplus:,} {unit} of sound more than there are")
    return view, done


def _lacking_of_boxes(view: MendedFile) -> int:
    """How many bytes an MP4 file is shorter than its last box says."""
    at = 0
    for _ in range(_MOST_CHUNKS):
        view.seek(at)
        head = view.read(16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if len(head) < 8 or size < 8:  # of 0 bytes: up to the end
            return 0
        at += size
        if at >= view.size:
            return at - view.size
    return 0


def _wav_data(view: MendedFile) -> tuple[int, int]:
    """Where the samples of a WAV file begin and how many bytes its header announces; 0, 0 of others."""
    if not _begins_wav(view):
        return 0, 0
    at = 12
    for _ in range(_MOST_CHUNKS):
        view.seek(at)
        chunk = view.read(8)
        if len(chunk) < 8:
            break
        size = int.from_bytes(chunk[4:], "little")
        if chunk[:4] == b"data":
            return at + 8, size
        at += 8 + size + size % 2
    return 0, 0


def _begins_wav(view: MendedFile) -> bool:
    view.seek(0)
    head = view.read(12)
    return head[:4] == b"RIFF" and head[8:] == b"WAVE"


def _is_chunk(view: MendedFile, at: int) -> bool:
    """Whether another chunk of a plausible length begins there, so that one of 0 bytes is really empty."""
    view.seek(at)
    head = view.read(8)
    size = int.from_bytes(head[4:], "little")
    return head[:4].isalnum() and head[:4].isascii() and at + 8 + size <= view.size
