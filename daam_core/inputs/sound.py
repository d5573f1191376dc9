"""Sounds as people bring them, made mono at one rate for the encoders.

Everything is checked from the header before it is decoded, so that a small file cannot claim a lot of
memory. Every refusal is an :class:`~daam_core.errors.InputError` of one sentence that names the file,
never its folder. soundfile and soxr are loaded on first use.
"""

import hashlib
import io
import re
from dataclasses import dataclass, field, replace
from typing import IO, Any, ClassVar

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.base import BaseInput
from daam_core.inputs.files import called, open_file, sha256_of
from daam_core.inputs.modality import Modality

SAMPLE_RATE = 16_000  # hertz; what speech encoders are trained on
MIN_SECONDS = 0.1
MAX_SECONDS = 600.0
LOUDEST = 10.0  # full scale is 1; more than 20 dB above it means integers passed as floats

_BLOCK = 1 << 20  # values decoded at a time


@dataclass(frozen=True)
class SoundChange:
    """A part of the clip, with noise on top.

    Attributes:
        start: seconds.
        end: seconds; None is the clip's end.
        snr: signal-to-noise ratio of added white noise in decibels; None adds none.
        seed: of the noise.
    """

    start: float = 0.0
    end: float | None = None
    snr: float | None = None
    seed: int = 0

    def describe(self) -> str:
        parts = []
        if self.start > 0 or self.end is not None:
            parts.append(f"{self.start:.2f} s to {'the end' if self.end is None else f'{self.end:.2f} s'}")
        if self.snr is not None:
            parts.append(f"noise at {self.snr:.0f} dB")
        return ", ".join(parts) or "unchanged"


@dataclass(frozen=True, kw_only=True)
class Sound(BaseInput):
    """A mono clip.

    Attributes:
        samples: ``[N]`` float32, full scale 1, read-only.
        rate: samples per second.
        facts: of the original: its duration in ``seconds``, ``rate``, ``channels`` and, for files,
            ``format``.
    """

    modality: ClassVar[Modality] = "audio"
    samples: np.ndarray = field(repr=False, compare=False)
    rate: int
    change: SoundChange | None = None

    def __post_init__(self) -> None:
        own = self.samples.view()
        own.flags.writeable = False
        object.__setattr__(self, "samples", own)

    @property
    def seconds(self) -> float:
        """Length as it is explained; that of the original stands in ``facts``."""
        return len(self.samples) / self.rate

    @property
    def nbytes(self) -> int:
        """Memory that the samples take."""
        return self.samples.nbytes

    def at(self, rate: int) -> "Sound":
        """The clip at another rate; what was lost when it was read does not come back."""
        if rate == self.rate:
            return self
        import librosa

        samples = librosa.resample(self.samples, orig_sr=self.rate, target_sr=rate, res_type="soxr_hq")
        return replace(self, samples=samples, rate=rate)


def read_sound(given: object, *, rate: int = SAMPLE_RATE) -> Sound:
    """Decode, mix down to mono and resample a clip of 0.1 s to 10 min.

    Files are read in blocks, so the memory used is that of the mono result whatever the rate and the
    number of channels of the original.

    Args:
        given: path, bytes or binary file of WAV, FLAC, OGG, MP3 or another format libsndfile knows,
            recognised by content; or ``(samples, rate)`` with samples ``[N]`` or ``[N, channels]``,
            floats of full scale 1 or integers of their type's full scale.
        rate: samples per second of the result.

    Returns:
        The clip; silence is as good as any other.

    Raises:
        InputError: it is missing, empty, truncated, no sound, too short, too long, too loud to be
            scaled rightly, or holds NaN or infinity.
    """
    if isinstance(given, tuple):
        return _sound_from_array(*_samples_and_rate(given), rate=rate)
    return _sound_from_file(given, rate=rate)


def _samples_and_rate(given: tuple[Any, ...]) -> tuple[np.ndarray, int]:
    if len(given) != 2 or isinstance(given[0], (str, bytes)):
        raise InputError("A sound given as a tuple must be (samples, rate).")
    try:
        samples = np.asarray(given[0])
        rate = float(given[1])
    except (TypeError, ValueError, RuntimeError) as e:
        raise InputError("A sound given as a tuple must be (samples, rate), an array and a number.") from e
    if not (np.isfinite(rate) and rate >= 1 and rate == int(rate)):
        raise InputError(f"The sampling rate must be a whole number of hertz from 1, got {given[1]}.")
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "iuf":
        raise InputError(
            f"Samples must be real numbers of shape [N] or [N, channels], "
            f"got {samples.dtype} of shape {list(samples.shape)}."
        )
    if samples.ndim == 2 and samples.shape[1] > max(samples.shape[0], 2):
        raise InputError(
            f"Samples of shape {list(samples.shape)} would be {samples.shape[1]:,} channels; "
            "channels come second, so transpose the array."
        )
    return samples, int(rate)


def _sound_from_array(samples: np.ndarray, original_rate: int, *, rate: int) -> Sound:
    name = "The sound"
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    check_seconds(len(samples) / original_rate if channels else 0.0, name)
    mixer = _Mixer(original_rate, rate, name)
    step = max(1, _BLOCK // channels)
    for start in range(0, len(samples), step):
        block = samples[start : start + step]
        mixer.add(_full_scale_one(block).reshape(len(block), channels))
    seal = hashlib.sha256(f"{samples.dtype} {samples.shape} {original_rate}\n".encode())
    seal.update(np.ascontiguousarray(samples).data)
    return Sound(
        name="sound",
        facts={"seconds": len(samples) / original_rate, "rate": original_rate, "channels": channels},
        sha256=seal.hexdigest(),
        samples=mixer.finish(),
        rate=rate,
    )


def _full_scale_one(samples: np.ndarray) -> np.ndarray:
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return samples.astype(np.float32)
    middle = 2.0 ** (bits - 1)
    return ((samples.astype(np.float64) - (middle if kind == "u" else 0.0)) / middle).astype(np.float32)


def _sound_from_file(given: object, *, rate: int) -> Sound:
    import soundfile

    stream, known_as = open_file(given, kind="sound", other="or (samples, rate)")
    name = called(known_as, "sound")
    with stream:
        cut = _ends_inside_ogg_page(stream)
        guessed = _is_mp3_without_length(stream)
        try:
            # Without its name, which would make libsndfile trust the extension.
            file = soundfile.SoundFile(_Nameless(stream))
        except (soundfile.LibsndfileError, TypeError) as e:
            raise InputError(
                f"{name} is not a sound that can be read, or is damaged; WAV, FLAC, OGG and MP3 can be read."
            ) from e
        with file:
            if cut or _ends_inside_chunk(file.extra_info):
                raise InputError(f"{name} is truncated: it ends before the sound that its header announces.")
            # Compressed formats only estimate their length until they are decoded.
            check_seconds(file.frames / file.samplerate, name)
            mixer = _Mixer(file.samplerate, rate, name)
            step = max(1, _BLOCK // file.channels)
            frames = 0
            while True:
                try:
                    block = file.read(step, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as e:
                    raise InputError(
                        f"{name} is truncated or damaged: it cannot be decoded to its end."
                    ) from e
                if not len(block):
                    break
                frames += len(block)
                check_seconds(frames / file.samplerate, name, at_least=0.0)
                mixer.add(block)
            if frames < file.frames and not guessed:
                raise InputError(f"{name} is truncated: it ends before the sound that its header announces.")
            facts = {
                "seconds": frames / file.samplerate,
                "rate": file.samplerate,
                "channels": file.channels,
                "format": file.format,
            }
        # Asked only now: a file that is refused from its header is not read to its end.
        sha256 = sha256_of(stream)
    return Sound(name=known_as or "sound", facts=facts, sha256=sha256, samples=mixer.finish(), rate=rate)


class _Nameless:
    """A binary stream without the attribute ``name``."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell
        self.readinto = stream.readinto  # type: ignore[attr-defined]


class _Mixer:
    """Blocks ``[n, channels]`` in, one mono float32 ``[N]`` at another rate out."""

    def __init__(self, original_rate: int, rate: int, name: str) -> None:
        import soxr

        self._name = name
        self._resampler = (
            None if original_rate == rate else soxr.ResampleStream(original_rate, rate, 1, dtype="float32")
        )
        self._parts: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        loudest = float(np.abs(block).max(initial=0.0))
        if not np.isfinite(loudest):
            raise InputError(f"{self._name} holds samples that are NaN or infinite.")
        if loudest > LOUDEST:
            raise InputError(
                f"{self._name} has floating-point samples up to {loudest:,.0f}; their full scale must be 1, "
                "so divide them, or give integers."
            )
        mono = block.mean(axis=1, dtype=np.float32)
        self._parts.append(mono if self._resampler is None else self._resampler.resample_chunk(mono))

    def finish(self) -> np.ndarray:
        if self._resampler is not None:
            self._parts.append(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        return np.concatenate(self._parts)


def check_seconds(seconds: float, name: str, *, at_least: float = MIN_SECONDS) -> None:
    # Rounded, because encoders such as MP3's pad a clip by some milliseconds.
    if round(seconds, 1) > MAX_SECONDS:
        raise InputError(
            f"{name} lasts {seconds:,.1f} s; sounds of up to {MAX_SECONDS:.0f} s can be explained, so cut it."
        )
    if round(seconds, 3) < at_least:
        raise InputError(f"{name} lasts {seconds:.3f} s; a sound must last at least {at_least} s.")


def _ends_inside_chunk(log: str) -> bool:
    """Whether libsndfile's log says that a WAV or AIFF file is shorter than its sound chunk.

    Programs that write to a pipe announce 2³¹ bytes or more because they do not know: not a defect.
    """
    found = re.search(r"^ *(?:data|SSND) : (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    return found is not None and int(found[2]) < int(found[1]) < 0x7FFF_0000


def _ends_inside_ogg_page(stream: IO[bytes]) -> bool:
    """Whether an OGG file's last page reaches beyond its end; libsndfile plays what there is."""
    longest = 27 + 255 + 255 * 255  # bytes of a page: header, segment table, segments
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


def _is_mp3_without_length(stream: IO[bytes]) -> bool:
    """Whether this is an MP3 that does not say how many frames it has.

    Its length is then guessed from its size, tags included, so a shorter sound is no sign of damage.
    """
    start = stream.read(10)
    if start[:3] == b"ID3" and len(start) == 10:
        size = sum(byte << shift for byte, shift in zip(start[6:], (21, 14, 7, 0), strict=True))
        stream.seek(10 + size)
        start = b""
    start += stream.read(256)
    stream.seek(0)
    is_mp3 = len(start) > 2 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0
    return is_mp3 and not any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))
