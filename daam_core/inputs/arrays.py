"""Arrays of other libraries, told by what they can do: nothing of them is imported."""

from typing import Any

import numpy as np

from daam_core.errors import InputError


def is_tensor(given: object) -> bool:
    """Whether it is a tensor of PyTorch, whatever device it lies on."""
    return hasattr(given, "detach") and hasattr(given, "cpu") and hasattr(given, "numpy")


def as_array(given: Any) -> np.ndarray:
    """An array of an array, a tensor, or nested lists; the values are shared where they can be.

    Raises:
        InputError: it cannot be made one.
    """
    if is_tensor(given):
        given = given.detach().cpu()
        if str(given.dtype) == "torch.bfloat16":  # numpy has no such type
            given = given.float()
        given = given.numpy()
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as e:
        raise InputError(f"A {type(given).__name__} cannot be made an array: {e}.") from e
