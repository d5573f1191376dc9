"""Greyscale pictures of more than eight bits made eight, by what their values say of their full scale."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from daam_core.errors import InputError

if TYPE_CHECKING:
    from PIL.Image import Image

#: Full scales that greyscale pictures are stored with: of floats, and of 8, 10, 12, 14 and 16 bits.
FULL_SCALES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)
#: Percentage of the values that must lie within the full scale; a few hot pixels lie above it.
WITHIN = 99.5
#: How far above a full scale those may still reach: what sharpening and resizing add.
OVERSHOOT = 1.05
#: Share of the full scale below which floats are too dark to be stored with it.
DARKEST = 1 / 16

_SAMPLED = 1_000_000  # values that percentiles are taken over
_BAND = 1 << 20  # values looked at a time


def eight_bits(picture: "Image", name: str) -> tuple["Image", str]:
    """A greyscale picture of mode ``I``, ``I;16`` or ``F`` with 8 bits, and how it was scaled.

    The full scale is the smallest usual one that :data:`WITHIN` percent of the values lie in, and their
    own percentile where none fits; what lies outside of it becomes black or white.

    Args:
        picture: decoded.
        name: what messages call it.

    Raises:
        InputError: it holds NaN, infinity, or negative values that are no outliers.
    """
    from PIL import Image

    low, high, integers = _range(picture, name)
    full = _full_scale(high, integers=integers)
    if low < 0 and (high <= 0 or low < (1 - OVERSHOOT) * full):
        raise InputError(
            f"{name} has values from {low:g} to {high:g}; greyscale pictures need values from 0 up, such as "
            "0…1 or 0…65535, so shift and scale them."
        )
    made = np.empty((picture.height, picture.width), np.uint8)
    outside = top = 0
    for rows in _bands(picture):
        rows = rows.astype(np.float32)
        outside += int(np.count_nonzero((rows < 0) | (rows > full)))
        made[top : top + len(rows)] = np.rint(np.clip(rows, 0, full) * np.float32(255 / full))
        top += len(rows)
    said = f"scaled to 8 bits from 0…{full:g}"
    if outside:
        said += f" ({outside:,} {'value' if outside == 1 else 'values'} outside of it cut off)"
    return Image.fromarray(made), said


def _bands(picture: "Image") -> Iterator[np.ndarray]:
    """Its values, some rows at a time: all of them at once would be another copy."""
    step = max(1, _BAND // picture.width)
    for top in range(0, picture.height, step):
        yield np.asarray(picture.crop((0, top, picture.width, min(top + step, picture.height))))


def _range(picture: "Image", name: str) -> tuple[float, float, bool]:
    """Robust percentiles of the values, the full range but for a few outliers; whether they are integers."""
    share = min(1.0, _SAMPLED / (picture.width * picture.height))
    draw = np.random.default_rng(0)
    drawn, lowest, highest, kind = [], np.inf, -np.inf, ""
    for rows in _bands(picture):
        flat, kind = rows.reshape(-1), rows.dtype.kind
        lowest, highest = np.minimum(lowest, flat.min()), np.maximum(highest, flat.max())  # NaN stays NaN
        # Drawn, because every n-th might all stand in one column.
        drawn.append(flat if share == 1 else flat[draw.integers(0, flat.size, round(share * flat.size))])
    if not np.isfinite([lowest, highest]).all():
        raise InputError(
            f"{name} has values from {lowest:g} to {highest:g}; greyscale pictures need finite ones."
        )
    low, high = np.percentile(np.concatenate(drawn).astype(np.float64), [100 - WITHIN, WITHIN])
    return float(low), float(high), kind in "iub"


def _full_scale(high: float, *, integers: bool) -> float:
    usual = FULL_SCALES[1:] if integers else FULL_SCALES
    fits = next((full for full in usual if high <= OVERSHOOT * full), None)
    if fits is not None and (integers or high <= 1 or high >= DARKEST * fits):
        return fits
    return high
