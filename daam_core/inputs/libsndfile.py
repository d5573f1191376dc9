"""Sounds that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF, AU, CAF and more.

soundfile is loaded on first use.
"""

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.decoded import DecodedSound
from daam_core.inputs.first_bytes import id3_bytes
from daam_core.inputs.repair import MendedFile

_BLOCK = 1 << 20  # values decoded at a time


class UnknownToLibsndfileError(Exception):
    """It does not open the file; another library may."""


class NotToItsEndError(InputError):
    """It stops before the file's end; another library may go on."""


@contextmanager
def opened(stream: MendedFile, name: str) -> Iterator[DecodedSound]:
    """A file's sound.

    Args:
        stream: of the file, without a name.
        name: what messages call it.

    Raises:
        UnknownToLibsndfileError: it is of no format that libsndfile knows, or its header is damaged.
        NotToItsEndError: while it is decoded: it is damaged.
    """
    import soundfile

    cut = _ends_inside_ogg_page(stream)
    guessed = _is_mp3_without_length(stream)
    try:
        file = soundfile.SoundFile(stream)
    except (soundfile.LibsndfileError, TypeError) as e:
        raise UnknownToLibsndfileError from e
    with file:
        if cut:
            raise InputError(f"{name} is truncated: it ends before its last page does; get the whole file.")
        seconds = file.frames / file.samplerate

        def blocks() -> Iterator[np.ndarray]:
            step = max(1, _BLOCK // file.channels)
            while True:
                try:
                    block = file.read(step, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as e:
                    raise NotToItsEndError(
                        f"{name} is truncated or damaged: it cannot be decoded to its end."
                    ) from e
                if not len(block):
                    return
                yield block

        yield DecodedSound(
            rate=file.samplerate,
            channels=file.channels,
            format=file.format,
            seconds=seconds * _announced_share(file.format, file.extra_info),
            slack=math.inf if guessed else 0.0,
            blocks=blocks(),
        )


def _announced_share(file_format: str, log: str) -> float:
    """How much longer than it is a sound says to be, by libsndfile's log of its header.

    Of WAV files that was looked at before; programs that write to a pipe announce 2³¹ bytes or more
    because they do not know: not a defect.
    """
    found = re.search(r"^ *(?:data|SSND) : (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    if found is None or file_format in ("WAV", "WAVEX"):
        return 1.0
    announced, there = int(found[1]), int(found[2])
    return announced / there if 0 < there < announced < 0x7FFF_0000 else 1.0


def _ends_inside_ogg_page(stream: MendedFile) -> bool:
    """Whether an OGG file's last page reaches beyond its end; libsndfile plays what there is."""
    longest = 27 + 255 + 255 * 255  # bytes of a page: header, segment table, segments
    stream.seek(0)
    magic = stream.read(4)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - longest))
    tail = stream.read() if magic == b"OggS" else b""
    stream.seek(0)
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    if len(tail) < page + 27:
        return True
    table = tail[page + 27 : page + 27 + tail[page + 26]]
    return page + 27 + tail[page + 26] + sum(table) > len(tail)


def _is_mp3_without_length(stream: MendedFile) -> bool:
    """Whether this is an MP3 that does not say how many frames it has.

    Its length is then guessed from its size, tags included, so a shorter sound is no sign of damage.
    """
    stream.seek(0)
    tag = id3_bytes(stream.read(10))
    stream.seek(tag)
    start = stream.read(266)
    stream.seek(0)
    is_mp3 = len(start) > 2 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0
    return is_mp3 and not any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))
