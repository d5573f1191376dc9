"""What changed between two explanations, A and B.

Letters in shapes: H heads, L layers, F features.
"""

import math
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from daam_core.reading.quantities import quantity_map, top_cells
from daam_core.result import Explanation

#: Names, versions, and what the model has of its data: its averages, and how far inputs are from them.
_NOT_COMPARED = frozenset({"model", "provenance", "dataset", "outside"})


class CellChange(NamedTuple):
    """A cell's Importance Factor in A and in B."""

    head: int
    layer: int
    feature: int
    before: float
    after: float


def largest_changes(a: Explanation, b: Explanation, count: int = 5) -> list[CellChange]:
    """The cells whose Importance Factor changed most, largest first; none for maps of unlike shape.

    Args:
        a: before.
        b: after.
        count: how many at most; cells that did not change are not among them.
    """
    if a.shape != b.shape:
        return []
    before, after = quantity_map(a, "importance"), quantity_map(b, "importance")
    change = after - before
    return [
        CellChange(
            head, layer, feature, float(before[head, layer, feature]), float(after[head, layer, feature])
        )
        for head, layer, feature in top_cells(change, count, absolute=True).tolist()
        if change[head, layer, feature] != 0
    ]


def map_correlation(a: Explanation, b: Explanation) -> float | None:
    """Pearson correlation of two maps, None where there is none.

    Two explanations by one model are compared cell by cell, by their Importance Factor. Heads of two
    models do not correspond, so the density attention of all heads together is compared, by layer and
    feature.
    """
    if a.model == b.model and a.shape == b.shape:
        seen = a.head_layers & b.head_layers
        one, other = (np.asarray(e.importance[seen], dtype=np.float64).ravel() for e in (a, b))
    elif a.shape[1:] == b.shape[1:]:
        one, other = (np.asarray(e.density_attention, dtype=np.float64).sum(axis=0).ravel() for e in (a, b))
    else:
        return None
    return correlation(one, other)


def correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Pearson correlation of two lists of numbers, None where one of them is constant or empty.

    >>> correlation(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.5]))
    0.99...
    >>> correlation(np.array([1.0, 2.0]), np.array([1.0, 1.0])) is None
    True
    """
    if one.size < 2 or one.std() == 0 or other.std() == 0:
        return None
    one, other = (one - one.mean()) / one.std(), (other - other.mean()) / other.std()
    return float(np.clip((one * other).mean(), -1, 1))


def differences_by_part(a: Explanation, b: Explanation) -> dict[str, float]:
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
