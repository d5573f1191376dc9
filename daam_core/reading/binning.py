"""Maps with more columns than can be drawn: several features share a column.

Letters in shapes: L layers, F features.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from daam_core.errors import ConfigError

Binning = Literal["max", "mean", "extreme"]


@dataclass(frozen=True)
class Binned:
    """Columns drawn together because there are fewer pixels than features.

    Attributes:
        values: ``[.., n]``.
        edges: ``[n + 1]``: bin i holds the features ``edges[i]`` to ``edges[i + 1] − 1``.
        how: ``max``, ``mean`` or ``extreme`` (the value of largest size, with its sign).
    """

    values: np.ndarray
    edges: np.ndarray
    how: Binning

    @property
    def binned(self) -> bool:
        return len(self.edges) - 1 < int(self.edges[-1])

    @property
    def statement(self) -> str:
        """One phrase for the figure, empty when every feature has its own column."""
        if not self.binned:
            return ""
        widths = np.unique(np.diff(self.edges))
        size = str(widths[0]) if len(widths) == 1 else f"{widths[0]}–{widths[-1]}"
        name = {"max": "maximum", "mean": "mean", "extreme": "value of largest size"}[self.how]
        return f"each column shows the {name} of {size} features"


def bin_columns(values: np.ndarray, max_columns: int, *, how: Binning = "max") -> Binned:
    """Reduces the last axis to at most ``max_columns`` bins of (almost) equal width.

    With ``max`` (or ``extreme`` for signed maps) a single hot cell stays visible however many
    features share its column. NaN cells are left out of their bin; a bin of NaN only is NaN.

    Args:
        values: ``[.., F]``.
        max_columns: at least 1; with F or more of them nothing is binned.
        how: ``max``, ``mean`` or ``extreme``.

    Raises:
        ConfigError: fewer than one column, or an unknown way of binning.

    >>> binned = bin_columns(np.array([0.0, 1.0, 0.0, 0.0, 0.5, 0.0]), 3)
    >>> binned.values, binned.statement
    (array([1. , 0. , 0.5]), 'each column shows the maximum of 2 features')
    """
    if max_columns < 1:
        raise ConfigError(f"Binning needs at least one column, got {max_columns}.")
    if how not in ("max", "mean", "extreme"):
        raise ConfigError(f"Unknown binning {how!r}; choose max, mean or extreme.")
    features = values.shape[-1]
    columns = min(features, max_columns)
    edges = np.arange(columns + 1) * features // columns
    if columns == features:
        return Binned(values, edges, how)
    starts = edges[:-1]
    if how == "max":
        return Binned(np.fmax.reduceat(values, starts, axis=-1), edges, how)
    if how == "extreme":
        highest = np.fmax.reduceat(values, starts, axis=-1)
        lowest = np.fmin.reduceat(values, starts, axis=-1)
        return Binned(np.where(-lowest > highest, lowest, highest), edges, how)
    present = ~np.isnan(values)
    sums = np.add.reduceat(np.where(present, values, 0), starts, axis=-1)
    counts = np.add.reduceat(present.astype(np.int64), starts, axis=-1)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return Binned(means, edges, how)
