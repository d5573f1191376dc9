"""Which library decodes a sound file: libsndfile, and FFmpeg where libsndfile cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from daam_core.inputs import ffmpeg, libsndfile
from daam_core.inputs.decoded import DecodedSound
from daam_core.inputs.first_bytes import HEAD, format_of
from daam_core.inputs.refusals import unreadable
from daam_core.inputs.repair import whole_sound

_SDS = b"\xf0\x7e"  # MIDI sample dumps, of which libsndfile tells standard output


@contextmanager
def opened_sound(stream: IO[bytes], name: str, *, lenient: bool = False) -> Iterator[DecodedSound]:
    """A file's sound, for one pass.

    Args:
        stream: of the file.
        name: what messages call it.
        lenient: let FFmpeg decode what both know, which goes on behind damage.

    Raises:
        NotToItsEndError: while it is decoded: libsndfile stops at damage.
        InputError: it is no sound, of a kind that cannot be read, damaged, or a good part is missing.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    found = format_of(head)
    if head[:2] == _SDS:
        raise unreadable(head, name, "sound")
    view, repaired = whole_sound(stream, name, pad=lenient)
    container = found.name if found is not None else ""
    if container not in ffmpeg.ONLY_HERE and not (lenient and container in ffmpeg.CONTAINERS):
        try:
            with libsndfile.opened(view, name) as sound:
                sound.repaired.extend(repaired)
                yield sound
            return
        except libsndfile.UnknownToLibsndfileError as e:
            if container not in ffmpeg.CONTAINERS:
                raise unreadable(head, name, "sound") from e
    view.seek(0)
    with ffmpeg.opened(view, container, name) as sound:
        sound.repaired.extend(repaired)
        yield sound


def says_its_length(stream: IO[bytes]) -> bool:
    """Whether a file that both libraries know announces how long its sound is: FLAC does."""
    stream.seek(0)
    found = format_of(stream.read(HEAD))
    return found is not None and found.name == "FLAC"
