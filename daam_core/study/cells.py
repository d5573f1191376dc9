"""What a cell, a head, a layer or a feature answers to: over the inputs of a study.

Letters: M explained inputs, H heads, L layers, F features.
"""

from dataclasses import dataclass

import numpy as np

from daam_core.errors import ShapeError, is_whole
from daam_core.study.folder import MapName, Study


@dataclass(frozen=True)
class Place:
    """A cell, or all cells of a head, a layer or a feature; None stands for all of an axis.

    >>> str(Place(head=2, feature=164))
    'head 2, feature 164'
    """

    head: int | None = None
    layer: int | None = None
    feature: int | None = None

    def __str__(self) -> str:
        said = (("head", self.head), ("layer", self.layer), ("feature", self.feature))
        return ", ".join(f"{name} {number}" for name, number in said if number is not None) or "all cells"


def scores(study: Study, place: Place, name: MapName = "density_attention") -> np.ndarray:
    """How strongly a place answers to each explained input: ``[M]``, the mean over its cells.

    Layers that a head does not see are left out. ``values`` have no heads: the head is ignored there.

    Raises:
        ShapeError: there is no such place.
    """
    facts = study.facts
    sizes = {"head": facts.heads, "layer": facts.layers, "feature": facts.features}
    for axis, size in sizes.items():
        number = getattr(place, axis)
        if number is not None and not (is_whole(number) and 0 <= number < size):
            raise ShapeError(f"There is no {axis} {number!r}; they go from 0 to {size - 1}.")
    if name != "values" and place.head is not None and place.layer is not None and place.feature is not None:
        if not study.head_layers[place.head, place.layer]:
            raise ShapeError(f"Head {place.head} does not see layer {place.layer}.")
        cell = (place.head, place.layer, place.feature)
        return study.column(name, cell).astype(np.float64)  # without the rest of the map
    part = tuple(
        slice(None) if number is None else slice(number, number + 1)
        for number in (place.head, place.layer, place.feature)
    )
    if name == "values":
        parts = (batch.mean((1, 2)) for batch in study.batches(name, study.numbers, part=part[1:]))
    else:
        seen = study.head_layers[part[:2]]
        if not seen.any():
            raise ShapeError(f"Head {place.head} does not see layer {place.layer}.")
        parts = (
            batch.mean(-1).mean((1, 2), where=seen) for batch in study.batches(name, study.numbers, part=part)
        )
    return np.concatenate([*parts, np.empty(0)])


def extreme_inputs(study: Study, found: np.ndarray, count: int = 20, *, lowest: bool = False) -> np.ndarray:
    """Numbers of the inputs with the highest (or lowest) scores ``[M]``, in order; ties by number."""
    order = np.argsort(found if lowest else -found, kind="stable")
    chosen: np.ndarray = study.numbers[order[:count]]
    return chosen


def class_preference(study: Study, found: np.ndarray) -> dict[str, float]:
    """Area under the ROC curve of scores ``[M]`` for each label against all others, by class name.

    1 where every input of the class scores above all others, 0.5 where the score says nothing of it.
    Classes that no explained input, or every one, is of are left out.
    """
    from sklearn.metrics import roc_auc_score

    areas = {}
    for name in study.facts.class_names:
        of_class = study.of_class(name)
        if of_class.any() and not of_class.all():
            areas[name] = float(roc_auc_score(of_class, found))
    return areas


def cells_like(
    study: Study, cell: tuple[int, int, int], count: int = 10, name: MapName = "density_attention"
) -> list[tuple[tuple[int, ...], float]]:
    """Cells whose map goes up and down over the inputs as this one's does: Pearson's r, largest first.

    Args:
        study: of two explained inputs at least.
        cell: (head, layer, feature); the head is ignored for ``values``.
        count: how many.
        name: the map.
    """
    index = cell[1:] if name == "values" else cell
    own = study.column(name, index)
    if len(own) < 2:
        raise ShapeError("Cells can be compared over two explained inputs or more.")
    own -= own.mean()
    total = squares = products = np.zeros(())
    shift: np.ndarray | None = None
    start = 0
    for batch in study.batches(name, study.numbers):
        maps = batch.reshape(len(batch), -1)
        shift = maps.mean(0) if shift is None else shift  # keeps the sums of squares exact in float32
        maps -= shift
        total = total + maps.sum(0, dtype=np.float64)
        squares = squares + np.einsum("ic,ic->c", maps, maps).astype(np.float64)
        products = products + (own[start : start + len(maps)] @ maps).astype(np.float64)
        start += len(maps)
    varying = np.maximum(squares - total**2 / len(own), 0)
    spread = np.sqrt(varying * float(own.astype(np.float64) @ own))
    # What is left of a constant cell is rounding of float16 maps and their sums.
    varies = (varying > 1e-6 * squares) & (spread > 0)
    alike = np.divide(products, spread, out=np.full(spread.shape, -np.inf), where=varies)
    shape = study.facts.map_shape(name)[1:]
    alike[np.ravel_multi_index(index, shape)] = -np.inf
    order = [int(flat) for flat in np.argsort(-alike, kind="stable")[:count]]
    return [
        (tuple(int(i) for i in np.unravel_index(flat, shape)), float(alike[flat]))
        for flat in order
        if np.isfinite(alike[flat])
    ]


@dataclass(frozen=True)
class Histogram:
    """How often scores lie where.

    Attributes:
        edges: ``[B + 1]`` of the bins, rising.
        counts: ``[B]``, how many explained inputs lie in each; the last bin holds its upper edge too.
        by_class: the same, ``[B]``, of each label's inputs.
    """

    edges: np.ndarray
    counts: np.ndarray
    by_class: dict[str, np.ndarray]

    def bin_of(self, score: float) -> int:
        """The bin that a score lies in, or the nearest one: where a given input stands."""
        found = int(np.searchsorted(self.edges, score, side="right")) - 1
        return min(max(found, 0), len(self.counts) - 1)


def histogram(study: Study, found: np.ndarray, bins: int = 40) -> Histogram:
    """Histogram of scores ``[M]``, such as of a cell's gate or values over the data set.

    Raises:
        ShapeError: there is no bin, or no explained input.
    """
    if not is_whole(bins) or bins < 1:
        raise ShapeError(f"A histogram has one bin at least, got {bins!r}.")
    if not len(found):
        raise ShapeError("A histogram needs one explained input at least.")
    edges = np.histogram_bin_edges(found, bins)
    members = {name: study.of_class(name) for name in study.facts.class_names}
    of_class = {
        name: np.histogram(found[inside], edges)[0] for name, inside in members.items() if inside.any()
    }
    return Histogram(edges, np.histogram(found, edges)[0], of_class)
