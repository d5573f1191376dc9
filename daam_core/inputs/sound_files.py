"""Which library decodes a sound file: libsndfile, and FFmpeg where libsndfile cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from daam_core.errors import InputError
from daam_core.inputs import ffmpeg, libsndfile
from daam_core.inputs.decoded import DecodedSound
from daam_core.inputs.first_bytes import HEAD, format_of
from daam_core.inputs.repair import whole_sound


@contextmanager
def opened_sound(stream: IO[bytes], name: str) -> Iterator[DecodedSound]:
    """A file's sound, for one pass.

    Raises:
        InputError: it is no sound, of a kind that cannot be read, damaged, or a good part is missing.
    """
    stream.seek(0)
    found = format_of(stream.read(HEAD))
    view, repaired = whole_sound(stream, name)
    container = found.name if found is not None else ""
    if container not in ffmpeg.ONLY_HERE:
        try:
            with libsndfile.opened(view, name) as sound:
                sound.repaired.extend(repaired)
                yield sound
            return
        except libsndfile.UnknownToLibsndfileError as e:
            if container not in ffmpeg.CONTAINERS:
                raise InputError(
                    f"{name} is not a sound that can be read, or is damaged; WAV, FLAC, OGG, MP3 and M4A can."
                ) from e
    view.seek(0)
    with ffmpeg.opened(view, container, name) as sound:
        sound.repaired.extend(repaired)
        yield sound
