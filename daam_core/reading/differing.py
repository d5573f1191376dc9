"""How far two explanations are from each other, part by part."""

import math
from dataclasses import fields

import numpy as np

from daam_core.result import Explanation

_NOT_COMPARED = frozenset({"model", "provenance", "dataset"})  # names, versions; the model's own averages


def differences(a: Explanation, b: Explanation) -> dict[str, float]:
    """For each field, the largest difference as a share of the largest value; 0 is bit for bit.

    What has another shape, type or text differs by infinity. NaN equals NaN.
    """
    return {
        field.name: _difference(getattr(a, field.name), getattr(b, field.name))
        for field in fields(Explanation)
        if field.name not in _NOT_COMPARED
    }


def _difference(a: object, b: object) -> float:
    if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
        return 0.0 if a == b else math.inf
    if a.shape != b.shape or a.dtype != b.dtype:
        return math.inf
    if a.size == 0 or np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return 0.0
    if a.dtype.kind == "b" or not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    largest = max(float(np.nanmax(np.abs(wide_a))), float(np.finfo(np.float32).tiny))
    return float(np.nanmax(np.abs(wide_a - wide_b))) / largest
