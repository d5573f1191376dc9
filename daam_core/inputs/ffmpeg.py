"""Sounds that libsndfile does not know, decoded by FFmpeg's libraries as PyAV brings them.

The container is told by the first bytes and named to FFmpeg, so that it never guesses: some of its
formats are lists of other files and addresses. PyAV is loaded on first use.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.decoded import DecodedSound
from daam_core.inputs.limits import MISSING_SHARE
from daam_core.inputs.repair import MendedFile

#: FFmpeg's name of each container that it may be given.
CONTAINERS = {
    "M4A": "mov",
    "MP4": "mov",
    "WEBM": "matroska",
    "AAC": "aac",
    "AMR": "amr",
    "WMA": "asf",
    "OGG": "ogg",
    "WAV": "wav",
    "AIFF": "aiff",
    "CAF": "caf",
    "AU": "au",
    "FLAC": "flac",
    "MP3": "mp3",
}
#: Those that libsndfile does not read at all.
ONLY_HERE = frozenset({"M4A", "MP4", "WEBM", "AAC", "AMR", "WMA"})
#: Seconds by which a sound may be shorter than the header of its container says; of the others its
#: length is a guess.
_SLACK = {"flac": 0.0, "mov": 0.1, "matroska": 0.1, "asf": 0.1}
_CODECS = frozenset(
    "aac aac_latm alac mp1float mp2float mp3float mp1 mp2 mp3 opus libopus vorbis flac speex libspeex "
    "amrnb amrwb libopencore_amrnb libopencore_amrwb wmav1 wmav2 wmapro wmalossless ac3 eac3".split()
)
_CODEC_KINDS = ("pcm_", "adpcm_")


@contextmanager
def opened(stream: MendedFile, container: str, name: str) -> Iterator[DecodedSound]:
    """The first sound track of a file.

    Args:
        stream: of the file.
        container: its name in :data:`CONTAINERS`.
        name: what messages call it.

    Raises:
        InputError: it cannot be read, holds no sound, or one of an unknown kind.
    """
    import av

    demuxer = CONTAINERS[container]
    try:
        file = av.open(_Plain(stream), mode="r", format=demuxer, metadata_errors="replace")
    except (av.FFmpegError, OSError, ValueError, RuntimeError) as e:
        raise InputError(
            f"{name} is truncated or damaged: it begins like {container}, but it cannot be read on."
        ) from e
    with file:
        if not file.streams.audio:
            raise InputError(f"{name} holds no sound track; give a file that has one.")
        track = file.streams.audio[0]
        codec = track.codec_context
        kind = "unknown" if codec is None else codec.name
        if kind not in _CODECS and not kind.startswith(_CODEC_KINDS):
            raise InputError(
                f"{name} holds a sound of the kind {kind}, which cannot be read; "
                "convert it to WAV, FLAC or MP3."
            )
        seconds = file.duration / av.time_base if file.duration else None
        try:
            rate, channels = codec.sample_rate, codec.channels
        except ValueError:
            rate = channels = 0
        if rate < 1 or channels < 1:
            raise InputError(f"{name} is truncated or damaged: its header has no sampling rate.")

        repaired: list[str] = []

        def blocks() -> Iterator[np.ndarray]:
            # One plane: of planar frames, PyAV reads no more than eight channels safely.
            resampler = av.AudioResampler("flt", codec.layout, rate)
            read = lost = 0
            try:
                for packet in file.demux(track):
                    read += 1
                    try:
                        frames = packet.decode()
                    except av.InvalidDataError:
                        lost += 1
                        continue
                    for frame in frames:
                        for part in resampler.resample(frame):
                            yield part.to_ndarray().reshape(-1, channels)
            except (av.FFmpegError, ValueError) as e:
                raise InputError(f"{name} is truncated or damaged: it cannot be decoded to its end.") from e
            if lost > max(1, MISSING_SHARE * read):
                raise InputError(f"{name} is damaged: {lost:,} of its {read:,} pieces cannot be decoded.")
            if lost:
                repaired.append(f"{lost:,} of its {read:,} pieces, which cannot be decoded, left out")

        yield DecodedSound(
            rate=rate,
            channels=channels,
            format=container,
            seconds=seconds,
            slack=_SLACK.get(demuxer, math.inf),
            blocks=blocks(),
            repaired=repaired,
        )


class _Plain:
    """A stream's methods that FFmpeg needs, and no name that it could take for a file's."""

    def __init__(self, stream: MendedFile) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell
