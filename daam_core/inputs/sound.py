"""Sounds as people bring them, made mono at one rate for the encoders.

Everything is checked from the header before it is decoded, so that a small file cannot claim a lot of
memory. Every refusal is an :class:`~daam_core.errors.InputError` of one sentence that names the file,
never its folder. soundfile and soxr are loaded on first use.
"""

import hashlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.arrays import as_array
from daam_core.inputs.base import BaseInput
from daam_core.inputs.decoded import DecodedSound, check_seconds
from daam_core.inputs.files import called, open_file, sha256_of
from daam_core.inputs.libsndfile import NotToItsEndError
from daam_core.inputs.limits import MIN_SECONDS
from daam_core.inputs.mixing import mono
from daam_core.inputs.modality import Modality
from daam_core.inputs.quiet import silenced
from daam_core.inputs.sound_files import opened_sound, says_its_length

SAMPLE_RATE = 16_000  # hertz; what speech encoders are trained on

_MOST_CHANNELS = 32  # of samples whose channels come first
_BLOCK = 1 << 20  # values mixed at a time


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
            ``format``; what was ``repaired`` so that it could be read, and what was ``noticed``.
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
            recognised by content, or one that FFmpeg knows: M4A, AAC, WebM, MP4, AMR, WMA;
            ``(samples, rate)`` with an array or tensor of samples ``[N]``, ``[N, channels]`` or
            ``[channels, N]``, floats of full scale 1 or integers of their type's full scale; or what
            🤗 datasets gives: ``{"array", "sampling_rate"}``, ``{"bytes", "path"}``.
        rate: samples per second of the result.

    Returns:
        The clip; silence is as good as any other.

    Raises:
        InputError: it is missing, empty, truncated, no sound, too short, too long, too loud to be
            scaled rightly, or holds NaN or infinity.
    """
    if isinstance(given, Mapping) and "array" in given:
        given = (given["array"], given.get("sampling_rate", given.get("sample_rate")))
    elif hasattr(given, "get_all_samples"):  # a decoder of TorchCodec, as 🤗 datasets gives them
        decoded = given.get_all_samples()
        given = (decoded.data, decoded.sample_rate)
    if isinstance(given, tuple):
        return _sound_from_array(*_samples_and_rate(given), rate=rate)
    return _sound_from_file(given, rate=rate)


def _samples_and_rate(given: tuple[Any, ...]) -> tuple[np.ndarray, int]:
    if len(given) != 2 or isinstance(given[0], (str, bytes)):
        raise InputError("A sound given as a tuple must be (samples, rate).")
    try:
        samples = as_array(given[0])
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
    if samples.ndim == 2 and samples.shape[0] <= _MOST_CHANNELS and samples.shape[1] >= MIN_SECONDS * rate:
        return samples.T, int(rate)  # channels first, as PyTorch has them: nothing has so many channels
    if samples.ndim == 2 and samples.shape[1] > max(samples.shape[0], 2):
        raise InputError(
            f"Samples of shape {list(samples.shape)} would be {samples.shape[1]:,} channels; "
            "channels come second, so transpose the array."
        )
    return samples, int(rate)


def _sound_from_array(samples: np.ndarray, original_rate: int, *, rate: int) -> Sound:
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    check_seconds(len(samples) / original_rate if channels else 0.0, "The sound")
    step = max(1, _BLOCK // channels)

    def decode() -> AbstractContextManager[DecodedSound]:
        parts = (samples[start : start + step] for start in range(0, len(samples), step))
        blocks = (_full_scale_one(part).reshape(len(part), channels) for part in parts)
        return nullcontext(
            DecodedSound(
                rate=original_rate, channels=channels, format="", seconds=None, slack=0.0, blocks=blocks
            )
        )

    mixed = mono(decode, rate=rate, name="The sound")
    seal = hashlib.sha256(f"{samples.dtype} {samples.shape} {original_rate}\n".encode())
    seal.update(np.ascontiguousarray(samples).data)
    return Sound(name="sound", facts=mixed.facts, sha256=seal.hexdigest(), samples=mixed.samples, rate=rate)


def _full_scale_one(samples: np.ndarray) -> np.ndarray:
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return samples.astype(np.float32)
    middle = 2.0 ** (bits - 1)
    return ((samples.astype(np.float64) - (middle if kind == "u" else 0.0)) / middle).astype(np.float32)


def _sound_from_file(given: object, *, rate: int) -> Sound:
    stream, known_as = open_file(given, kind="sound", other="or (samples, rate)")
    name = called(known_as, "sound")
    with stream, silenced():
        try:
            mixed = mono(lambda: opened_sound(stream, name), rate=rate, name=name)
        except NotToItsEndError:
            if not says_its_length(stream):  # nobody could tell how much is missing
                raise
            mixed = mono(lambda: opened_sound(stream, name, lenient=True), rate=rate, name=name)
        # Asked only now: a file that is refused from its header is not read to its end.
        sha256 = sha256_of(stream)
    return Sound(name=known_as or "sound", facts=mixed.facts, sha256=sha256, samples=mixed.samples, rate=rate)
