"""Pictures given as arrays or tensors."""

from typing import TYPE_CHECKING, Any

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.arrays import as_array, is_tensor
from daam_core.inputs.picture_files import check_size

if TYPE_CHECKING:
    from PIL.Image import Image

_CHANNELS = (1, 3, 4)


def image_of_array(given: Any) -> tuple["Image", list[str]]:
    """A Pillow image of an array or tensor, and what was done to make it one.

    Channels come last, or first where only that makes sense; of a tensor of PyTorch they come first
    wherever that makes sense.

    Args:
        given: ``[height, width]``, ``[height, width, 1|3|4]`` or ``[1|3|4, height, width]`` of uint8,
            uint16, bool, other integers in 0…255, or floats in [0, 1].

    Raises:
        InputError: another shape, type or range, or too many pixels.
    """
    from PIL import Image

    array, said = _channels_last(as_array(given), first_by_default=is_tensor(given))
    check_size((array.shape[1], array.shape[0]), "The array")
    pixels = _bytes(array)
    return Image.fromarray(
        np.ascontiguousarray(pixels.squeeze(2) if pixels.shape[2:] == (1,) else pixels)
    ), said


def _channels_last(array: np.ndarray, *, first_by_default: bool) -> tuple[np.ndarray, list[str]]:
    if array.ndim == 4:
        raise InputError(
            f"A picture array of shape {list(array.shape)} is a batch of pictures; give one of them, such as "
            "batch[0]."
        )
    if array.ndim == 3:
        first, last = array.shape[0] in _CHANNELS, array.shape[2] in _CHANNELS
        if first and (first_by_default or not last):
            return array.transpose(1, 2, 0), ["channels, which came first, put last"]
        if last:
            return array, []
    elif array.ndim == 2:
        return array, []
    raise InputError(
        "A picture array must have the shape [height, width], [height, width, 1, 3 or 4] or "
        f"[1, 3 or 4, height, width], got {list(array.shape)}."
    )


def _bytes(array: np.ndarray) -> np.ndarray:
    kind = array.dtype.kind
    if array.dtype == np.uint16:
        array, kind = array / np.float32(65535), "f"
    if kind == "f" or array.dtype == bool:
        # The negated comparison also catches NaN.
        if not bool((array >= 0).all() and (array <= 1).all()):
            low, high = float(array.min()), float(array.max())
            raise InputError(
                f"A picture array of floats must lie in [0, 1], got {low:g} to {high:g}; "
                + ("undo its normalisation." if low < 0 else "divide it, or use uint8.")
            )
        return np.rint(array * np.float32(255)).astype(np.uint8)
    if array.dtype == np.uint8:
        return array
    if kind in "iu":
        if array.min() >= 0 and array.max() <= 255:
            return array.astype(np.uint8)
        raise InputError(
            f"A picture array of {array.dtype} must lie in 0…255, got {array.min()} to {array.max()}; "
            "scale it, or use uint16 with its full scale of 65535."
        )
    raise InputError(f"A picture array must be uint8, uint16, bool or floats in [0, 1], got {array.dtype}.")
