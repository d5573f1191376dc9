"""A sound while it is decoded: what its header says, and its samples block by block."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.limits import MAX_SECONDS, MIN_SECONDS, MISSING_SHARE


@dataclass(frozen=True)
class DecodedSound:
    """One pass over a sound.

    Attributes:
        rate: samples per second.
        channels: how many.
        format: of the file, such as ``WAV``; empty for samples in memory.
        seconds: as the header announces or lets guess; None where it says nothing.
        slack: how many seconds earlier it may end than announced: 0 where that is exact, infinity where
            the length is a guess.
        blocks: ``[n, channels]`` float32 or integers of their type's full scale, one after another.
        repaired: what was done so that it could be read; more is added while it is decoded.
    """

    rate: int
    channels: int
    format: str
    seconds: float | None
    slack: float
    blocks: Iterator[np.ndarray]
    repaired: list[str] = field(default_factory=list)


def check_seconds(seconds: float, name: str, *, at_least: float = MIN_SECONDS) -> None:
    """Refuse a sound that is too long or too short.

    Raises:
        InputError: it is.
    """
    # Rounded, because encoders such as MP3's pad a clip by some milliseconds.
    if round(seconds, 1) > MAX_SECONDS:
        raise InputError(
            f"{name} lasts {seconds:,.1f} s; sounds of up to {MAX_SECONDS:.0f} s can be explained, so cut it."
        )
    if round(seconds, 3) < at_least:
        raise InputError(f"{name} lasts {seconds:.3f} s; a sound must last at least {at_least} s.")


def check_missing(seconds: float, announced: float, name: str, *, slack: float = 0.0) -> str:
    """What to say of a sound that ends before its announced end; empty where nothing is missing.

    Raises:
        InputError: a good part is missing.
    """
    missing = announced - slack - seconds
    if missing <= 0:
        return ""
    if missing > MISSING_SHARE * announced:
        raise InputError(
            f"{name} is truncated: of the {announced:,.2f} s that its header announces, only "
            f"{seconds:,.2f} s are there; get the whole file."
        )
    return f"read although its last {announced - seconds:.3f} s are missing"
