"""A sound's channels made one, at one rate; noticing where they would cancel each other."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.decoded import DecodedSound, check_missing, check_seconds

LOUDEST = 10.0  # full scale is 1; more than 20 dB above it means integers passed as floats
#: Of the loudest channel's deviation, what the channels' sum must have so that they do not cancel each other.
CANCELS = 0.1
SILENT = 1e-5  # of full scale: deviation of a channel that counts as silent
QUIET_DB = -60.0  # of full scale: a sound whose root mean square lies below is called nearly silent

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


@dataclass(frozen=True)
class Mono:
    """A sound made mono, and what is to be said of it.

    Attributes:
        samples: ``[N]`` float32.
        facts: ``seconds``, ``rate``, ``channels`` and, for files, ``format`` of the original;
            ``repaired`` and ``noticed`` where there is something to say.
    """

    samples: np.ndarray
    facts: dict[str, str | int | float]


def mono(decode: Callable[[], AbstractContextManager[DecodedSound]], *, rate: int, name: str) -> Mono:
    """Mix down to one channel and resample, block by block.

    The mean of the channels, except where they cancel each other (one wired the wrong way round, a
    "vocals removed" recording): then the loudest of them, which takes a second pass.

    Args:
        decode: opens the sound for one pass.
        rate: of the result.
        name: what messages call it.

    Raises:
        InputError: too long, too short, too loud to be scaled rightly, not finite, or a good part is missing.
    """
    with decode() as sound:
        mixer = _Mixer(sound, rate, name)
        seconds = mixer.take(sound)
        repaired = list(sound.repaired)
        facts: dict[str, str | int | float] = {
            "seconds": seconds,
            "rate": sound.rate,
            "channels": sound.channels,
        }
        if sound.format:
            facts["format"] = sound.format
        if sound.seconds is not None:
            repaired.append(check_missing(seconds, sound.seconds, name, slack=sound.slack))
    if (alone := mixer.to_take_alone()) is not None:
        with decode() as sound:
            mixer = _Mixer(sound, rate, name, channel=alone)
            mixer.take(sound)
        channel = _ORDINALS[alone] if alone < len(_ORDINALS) else f"{alone + 1}th"
        repaired.append(f"{channel} channel alone taken, because the channels cancel each other")
    samples = mixer.finish()
    if said := ", ".join(filter(None, repaired)):
        facts["repaired"] = said
    if said := _quietness(samples):
        facts["noticed"] = said
    return Mono(samples, facts)


class _Mixer:
    """Blocks ``[n, channels]`` in, one mono float32 ``[N]`` at another rate out."""

    def __init__(self, sound: DecodedSound, rate: int, name: str, *, channel: int | None = None) -> None:
        import soxr

        self._name, self._channel = name, channel
        self._resampler = (
            None if sound.rate == rate else soxr.ResampleStream(sound.rate, rate, 1, dtype="float32")
        )
        self._parts: list[np.ndarray] = []
        # Of each channel and of their sum: values, sums and sums of squares.
        self._count = 0
        self._sums = np.zeros((2, sound.channels + 1))

    def take(self, sound: DecodedSound) -> float:
        """All blocks of a sound; its length in seconds."""
        if sound.seconds is not None:
            # Compressed formats only estimate their length until they are decoded.
            check_seconds(sound.seconds, self._name)
        frames = 0
        for block in sound.blocks:
            frames += len(block)
            check_seconds(frames / sound.rate, self._name, at_least=0.0)
            self._add(block)
        check_seconds(frames / sound.rate, self._name)
        return frames / sound.rate

    def _add(self, block: np.ndarray) -> None:
        loudest = float(np.abs(block).max(initial=0.0))
        if not np.isfinite(loudest):
            raise InputError(f"{self._name} holds samples that are NaN or infinite.")
        if loudest > LOUDEST:
            raise InputError(
                f"{self._name} has floating-point samples up to {loudest:,.0f}; their full scale must be 1, "
                "so divide them, or give integers."
            )
        if self._channel is None:
            mixed = block.mean(axis=1, dtype=np.float32)
            if block.shape[1] > 1:
                self._measure(block, mixed)
        else:
            mixed = np.ascontiguousarray(block[:, self._channel])
        self._parts.append(mixed if self._resampler is None else self._resampler.resample_chunk(mixed))

    def _measure(self, block: np.ndarray, mixed: np.ndarray) -> None:
        self._count += len(block)
        for index in range(block.shape[1]):
            channel = np.ascontiguousarray(block[:, index])
            self._sums[:, index] += channel.sum(dtype=np.float64), np.vdot(channel, channel)
        self._sums[:, -1] += mixed.sum(dtype=np.float64), np.vdot(mixed, mixed)

    def to_take_alone(self) -> int | None:
        """The loudest channel where the channels cancel each other; None where they do not."""
        if self._count == 0:
            return None
        means, squares = self._sums / self._count
        *channels, mixed = np.sqrt(np.maximum(0.0, squares - means**2))
        loudest = int(np.argmax(channels))
        cancel = mixed * len(channels) < CANCELS * channels[loudest]
        return loudest if cancel and channels[loudest] > SILENT else None

    def finish(self) -> np.ndarray:
        if self._resampler is not None:
            self._parts.append(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        return np.concatenate(self._parts)


def _quietness(samples: np.ndarray) -> str:
    """What to say of a sound that is hardly there."""
    square = float(np.vdot(samples, samples)) / max(1, len(samples))
    if square == 0:
        return "silent: every sample is 0"
    level = 10 * np.log10(square)
    return f"nearly silent: {level:.0f} dB of full scale" if level < QUIET_DB else ""
