"""What changed between two explanations, A and B.

Letters in shapes: H heads, L layers, F features.
"""

import math
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from daam_core.reading.quantities import Quantity, quantity_map, top_cells
from daam_core.result import Explanation

#: Names, versions, and what the model has of its data: its averages, and how far inputs are from them.
_NOT_COMPARED = frozenset({"model", "provenance", "dataset", "outside"})


class CellChange(NamedTuple):
    """What a cell of a map is in A and in B."""

    head: int
    layer: int
    feature: int
    before: float
    after: float


def compared_quantity(a: Explanation, b: Explanation) -> Quantity:
    """The map that two explanations are first compared by: evidence where both have it, as the view shows."""
    return "importance" if a.evidence is None or b.evidence is None else "evidence"


def largest_changes(
    a: Explanation, b: Explanation, count: int = 5, *, quantity: Quantity = "importance"
) -> list[CellChange]:
    """The cells whose value in a map changed most, largest first; none for maps of unlike shape.

    Args:
        a: before.
        b: after.
        count: how many at most; cells that did not change are not among them.
        quantity: of which map.

    Raises:
        ConfigError: one of the two has no such map.
    """
    if a.shape != b.shape:
        return []
    before, after = quantity_map(a, quantity), quantity_map(b, quantity)
    change = after - before
    return [
        CellChange(
            head, layer, feature, float(before[head, layer, feature]), float(after[head, layer, feature])
        )
        for head, layer, feature in top_cells(change, count, absolute=True).tolist()
        if change[head, layer, feature] != 0
    ]


def map_correlation(a: Explanation, b: Explanation, *, quantity: Quantity = "importance") -> float | None:
    """Pearson correlation of two maps, None where there is none.

    Two explanations by one model are compared cell by cell. Heads of two models do not correspond, so the
    sum over all heads is compared, by layer and feature; of the density attention where the Importance
    Factor is asked for, which each model scales for itself.

    Raises:
        ConfigError: one of the two has no such map.
    """
    if a.model == b.model and a.shape == b.shape:
        seen = a.head_layers & b.head_layers
        one, other = (quantity_map(e, quantity)[seen].ravel() for e in (a, b))
    elif a.shape[1:] == b.shape[1:]:
        summed: Quantity = "density_attention" if quantity == "importance" else quantity
        one, other = (np.nansum(quantity_map(e, summed), axis=0).ravel() for e in (a, b))
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
        alike = not isinstance(a, np.ndarray) and not isinstance(b, np.ndarray) and a == b
        return 0.0 if alike else math.inf
    if a.shape != b.shape or a.dtype != b.dtype:
        return math.inf
    if a.size == 0 or np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
        return 0.0
    if a.dtype.kind == "b" or not np.array_equal(np.isnan(a), np.isnan(b)):
        return math.inf
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    largest = max(float(np.nanmax(np.abs(wide_a))), float(np.finfo(np.float32).tiny))
    return float(np.nanmax(np.abs(wide_a - wide_b))) / largest
