"""Deletion by many maps on the same cells, and by how much one map is better than another.

Letters: N inputs.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from torch import Tensor

from daam_core.faithfulness.maps.cells import Cells
from daam_core.faithfulness.maps.methods import MAP_KINDS
from daam_core.faithfulness.removal.curves import Comparison, compare, random_curve
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.progress import Progress


class Pair(NamedTuple):
    """Two methods to compare where both are defined: on the gated cells or on the input."""

    space: Literal["gated", "input"]
    first: str
    second: str

    @property
    def name(self) -> str:
        """Such as ``importance over gate``."""
        return f"{self.first} over {self.second}"


#: Differences that the findings rest on; above 0 where the first is better.
PAIRS = (
    Pair("gated", "importance", "gate"),
    Pair("gated", "importance", "amplitude"),
    Pair("input", "importance", "layer_sum"),
    Pair("input", "importance", "attention"),
    Pair("gated", "decision_importance", "importance"),
    Pair("input", "class_importance", "integrated_gradients"),
    Pair("input", "contrast_importance", "integrated_gradients"),
    Pair("input", "absolute_class_importance", "absolute_integrated_gradients"),
)


def deletions(
    cells: Cells,
    maps: Mapping[str, Tensor],
    labels: Tensor,
    orders: Sequence[int],
    progress: Progress,
) -> dict[str, Comparison]:
    """Every map's deletion on the same cells, beside the same random orders."""
    progress.report(0, "Removing cells at random")
    at_random = random_curve(cells, labels=labels, seeds=orders, check=progress.check)
    found = {}
    for index, (name, scores) in enumerate(maps.items()):
        progress.report((index + 1) / (len(maps) + 1), f"Removing cells by {MAP_KINDS[name].title}")
        found[name] = compare(cells, scores, at_random, seeds=orders, labels=labels, check=progress.check)
    return found


def differences(
    gated: Mapping[str, Comparison], of_input: Mapping[str, Comparison], *, seed: int
) -> dict[str, Interval]:
    """How much lower the first method's deletion is than the second's, input by input."""
    spaces = {"gated": gated, "input": of_input}
    found = {}
    for pair in PAIRS:
        by_method = spaces[pair.space]
        if pair.first in by_method and pair.second in by_method:
            first, second = by_method[pair.first], by_method[pair.second]
            found[pair.name] = bootstrap_mean(second.highest.areas - first.highest.areas, seed=seed)
    return found
