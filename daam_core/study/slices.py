"""Groups of inputs side by side: mean maps, and which cells truly differ.

Letters: H heads, L layers, F features, P permutations.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from daam_core.errors import DataError, ShapeError
from daam_core.study.dealing import Dealing, SingleInputs, Units, WholeUnits
from daam_core.study.folder import MapName, Study
from daam_core.study.selection import GROUP, unit_columns

#: Numbers held at a time while permutations are gone through.
BLOCK = 1 << 24
#: Where there are few ways to deal, the true one comes again: whatever rounding makes of it, it is reached.
SAME = 1 - 1e-6


def mean_map(study: Study, numbers: np.ndarray, name: MapName = "density_attention") -> np.ndarray:
    """Mean map of some explained inputs, ``[H, L, F]`` float64, or ``[L, F]`` of the values.

    Raises:
        DataError: there are none.
    """
    if not len(numbers):
        raise DataError("A mean needs one explained input at least; the group holds none.")
    total = np.zeros(study.facts.map_shape(name)[1:])
    for batch in study.batches(name, numbers):
        total += batch.sum(0, dtype=np.float64)
    return total / len(numbers)


@dataclass(frozen=True)
class Difference:
    """How the maps of two groups of inputs differ, cell by cell.

    Attributes:
        name: the map.
        sizes: inputs in each group.
        difference: ``[H, L, F]`` mean of the second group minus mean of the first.
        p: ``[H, L, F]`` permutation p value of each cell alone, two-sided, 1/(P + 1) at least; NaN
            where a head does not see a layer.
        q: ``[H, L, F]`` false discovery rate if this cell and all with a larger statistic are called
            different.
        permutations: P.
        seed: of the permutations.
        units: what was dealt as wholes; None where single inputs were.
    """

    name: MapName
    sizes: tuple[int, int]
    difference: np.ndarray
    p: np.ndarray
    q: np.ndarray
    permutations: int
    seed: int
    units: Units | None = None

    def holds(self, level: float = 0.05) -> np.ndarray:
        """``[H, L, F]`` bool: cells that differ, with at most ``level`` of them false on average."""
        return np.asarray(self.q <= level)


def compare_slices(
    study: Study,
    first: np.ndarray,
    second: np.ndarray,
    *,
    name: MapName = "density_attention",
    permutations: int = 500,
    seed: int = 0,
    units: str | None = GROUP,
) -> Difference:
    """Which cells differ between two groups of inputs, by permutation, with false discovery control.

    Each cell's statistic is compared with those after inputs were dealt to the groups at random: Welch's t
    of single inputs, or, where a column names what inputs have in common (a speaker, the thing in a
    photograph), that of :class:`~daam_core.study.dealing.WholeUnits`, which deals all inputs of one together.
    A cell's own p value counts its own; the false discovery rate counts, for each threshold, how many of
    all cells pass it after dealing, on average, against how many pass in truth (Tusher, Tibshirani and
    Chu, 2001). So the correlation of cells is kept, and one cell among thousands can be found with a
    few hundred permutations.

    Args:
        study: the study.
        first: numbers of explained inputs, two at least.
        second: others; an input is in one group only.
        name: the map that is compared.
        permutations: P.
        seed: of the permutations.
        units: the column whose values are dealt as wholes, or None for single inputs. ``group``, the
            default, is passed over where the study names no groups.

    Raises:
        DataError: a group is too small, they share an input, the study has no such column, or its values
            are too few in these groups.
    """
    if min(len(first), len(second)) < 2:
        raise DataError("A comparison needs two explained inputs in each group at least.")
    if len(np.unique([*first, *second])) < len(first) + len(second):
        raise DataError("The two groups share inputs; compare groups that do not.")
    if permutations < 1:
        raise ShapeError(f"At least one permutation is needed, got {permutations}.")
    numbers = np.concatenate([first, second])
    dealing = _dealing(study, first, second, units, permutations, seed)
    in_second = np.repeat(np.array([-1 / len(first), 1 / len(second)], np.float32), [len(first), len(second)])
    shape = study.facts.map_shape(name)[1:]
    seen = np.ones(shape, dtype=bool)
    if name != "values":
        seen &= study.head_layers[..., None]

    size, difference, larger = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for block, cells in _blocks(study, name, numbers, permutations):
        part = size[block].shape
        size[block] = SAME * np.abs(dealing.statistic(cells, "true")).reshape(part)
        difference[block] = (in_second @ (cells - cells.mean(0))).reshape(part)
    ordered = np.sort(size[seen])
    passes = np.zeros(len(ordered) + 1)  # dealt statistics by how many true ones they reach
    for block, cells in _blocks(study, name, numbers, permutations):
        dealt = np.abs(dealing.statistic(cells, "dealt"))
        larger[block] = (dealt >= size[block].ravel()).sum(0).reshape(size[block].shape)
        reached = np.searchsorted(ordered, dealt[:, seen[block].ravel()].ravel(), side="right")
        passes += np.bincount(reached, minlength=len(passes))
    q = np.full(shape, np.nan)
    q[seen] = _false_discovery(ordered, passes, permutations)[np.searchsorted(ordered, size[seen])]
    p = np.where(seen, (1 + larger) / (1 + permutations), np.nan)
    dealt_whole = dealing.units if isinstance(dealing, WholeUnits) else None
    return Difference(name, (len(first), len(second)), difference, p, q, permutations, seed, dealt_whole)


def _dealing(
    study: Study, first: np.ndarray, second: np.ndarray, units: str | None, permutations: int, seed: int
) -> Dealing:
    known = unit_columns(study)
    if units is None or (units == GROUP and GROUP not in known):
        return SingleInputs(len(first), len(second), permutations, seed)
    if units not in known:
        raise DataError(
            f"{units!r} is no column whose values several inputs share; {', '.join(known) or 'none'} is."
        )
    numbers = study.rows_of(np.concatenate([first, second]))
    names = study.rows[units].take(numbers).to_pylist()
    return WholeUnits(units, names, len(first), permutations, seed)


def _false_discovery(ordered: np.ndarray, passes: np.ndarray, permutations: int) -> np.ndarray:
    """False discovery rate of each true statistic ``[S]``, sorted, taken as the threshold.

    Args:
        ordered: the true statistics.
        passes: ``[S + 1]`` dealt statistics by how many true ones they reach.
        permutations: that the dealt statistics are from.
    """
    reaching = passes[::-1].cumsum()[::-1][1:]  # dealt statistics that reach each threshold
    called = len(ordered) - np.searchsorted(ordered, ordered, side="left")
    rates = np.minimum((reaching + 1) / permutations / called, 1)
    return np.minimum.accumulate(rates)  # a larger statistic is never less sure


def _blocks(
    study: Study, name: MapName, numbers: np.ndarray, permutations: int
) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
    """Parts of a map as ``[inputs, cells]`` float32: a layer of a head at a time, or as many as fit."""
    *rows, features = study.facts.map_shape(name)[1:]
    layers_at_once = max(1, BLOCK // (features * (permutations + len(numbers))))
    heads = [slice(h, h + 1) for h in range(rows[0])] if len(rows) == 2 else [None]
    for head in heads:
        for layer in range(0, rows[-1], layers_at_once):
            layers = slice(layer, layer + layers_at_once)
            block = (layers,) if head is None else (head, layers)
            (cells,) = study.batches(name, numbers, size=len(numbers), part=block)
            yield block, cells.reshape(len(numbers), -1)
