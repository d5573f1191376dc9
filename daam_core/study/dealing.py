"""What is dealt to two slices again by a permutation test: single inputs, or all of one speaker together.

Inputs of one speaker, or photographs of one thing, are alike for reasons of their own. Dealt one by one,
they would count as so many independent observations, and the test would find too much. So the speaker is
dealt: one who is on one side alone changes it with all inputs, one who is on both sides swaps them.

Letters: N inputs, U units (speakers, things), P permutations.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import Literal, Protocol

import numpy as np

from daam_core.errors import DataError

#: Which deal: as the inputs are, or at random.
Deal = Literal["true", "dealt"]


class Dealing(Protocol):
    """A way to deal inputs to two slices, and the statistic that it is judged by."""

    def statistic(self, cells: np.ndarray, deal: Deal) -> np.ndarray:
        """``[1 or P, cells]`` of ``[N, cells]`` float32; 0 where a cell does not vary."""


class SingleInputs:
    """Every input is dealt alone; the statistic is Welch's t of the second slice against the first."""

    def __init__(self, first: int, second: int, permutations: int, seed: int) -> None:
        draw = np.random.default_rng(seed)
        true = np.repeat(np.array([0, 1], np.float32), [first, second])
        dealt = np.stack([draw.permutation(true) for _ in range(permutations)])
        self._in_second: dict[Deal, np.ndarray] = {"true": true[None], "dealt": dealt}

    def statistic(self, cells: np.ndarray, deal: Deal) -> np.ndarray:
        return welch(cells, self._in_second[deal])


def welch(cells: np.ndarray, in_second: np.ndarray) -> np.ndarray:
    """Welch's t ``[groupings, cells]`` of the second group; 0 where a cell does not vary."""
    cells = cells - cells.mean(0)  # for the sums of squares
    n = in_second.sum(1, keepdims=True)
    m = len(cells) - n
    total, squares = cells.sum(0), (cells**2).sum(0)
    sum_second, squares_second = in_second @ cells, in_second @ cells**2
    mean_second, mean_first = sum_second / n, (total - sum_second) / m
    variance_second = np.maximum(squares_second / n - mean_second**2, 0) * n / (n - 1)
    variance_first = np.maximum((squares - squares_second) / m - mean_first**2, 0) * m / (m - 1)
    error = np.sqrt(variance_second / n + variance_first / m)
    return np.asarray((mean_second - mean_first) / np.maximum(error, _least_error(cells)))


def _least_error(cells: np.ndarray) -> np.ndarray:
    """A float16 map that does not vary within slices leaves only rounding: one unit of it is the least."""
    return np.asarray(1e-7 + 1e-4 * np.sqrt((cells**2).mean(0)))


@dataclass(frozen=True)
class Units:
    """What was dealt as wholes.

    Attributes:
        column: whose values are the units, such as ``group``.
        in_both: units with inputs in both slices, which swap them; 0 where there is one only, which
            cannot tell how units differ.
        only_first, only_second: units with inputs in one slice alone, which change it; 0 where they cannot.
        left_out: units that take no part: one in both slices, or those in one alone with none in the other.
        arrangements: ways to deal them, the one that is there counted; no p value is below its inverse.
    """

    column: str
    in_both: int
    only_first: int
    only_second: int
    left_out: int
    arrangements: int


class WholeUnits:
    """All inputs of a unit are dealt together.

    A unit in both slices counts by the difference of its two means, whose sign is drawn (t of the mean
    difference against 0). One in one slice alone counts by its mean, whose slice is drawn (t with the pooled
    variance). Both estimates together, weighted by their certainty, are the statistic.

    Args:
        column: whose values are the units.
        names: ``[N]`` the unit of each input; None is one of its own.
        first: how many of the inputs, from the beginning, are in the first slice.
        permutations: P.
        seed: of the permutations.

    Raises:
        DataError: too few units to tell how they differ.
    """

    def __init__(
        self, column: str, names: Sequence[str | None], first: int, permutations: int, seed: int
    ) -> None:
        keys = [(name,) if name is not None else (None, number) for number, name in enumerate(names)]
        index = {key: unit for unit, key in enumerate(dict.fromkeys(keys))}
        unit_of = np.array([index[key] for key in keys])
        counts = np.stack([np.bincount(part, minlength=len(index)) for part in np.split(unit_of, [first])])
        both = (counts > 0).all(0)
        alone = [(counts[side] > 0) & ~both for side in (0, 1)]
        sizes = [int(side.sum()) for side in alone]
        swapping = int(both.sum()) if both.sum() > 1 else 0
        changing = sizes if min(sizes) and sum(sizes) > 2 else [0, 0]
        if not swapping and not any(changing):
            raise DataError(
                f"The two groups hold too few different values of {column} ({len(index)}) to tell how those "
                "differ; deal single inputs, or compare other groups."
            )
        arrangements = 2**swapping * comb(sum(changing), changing[1])
        left_out = len(index) - swapping - sum(changing)
        self.units = Units(column, swapping, changing[0], changing[1], left_out, arrangements)
        # One row a unit: its mean in the second slice less that in the first, or its mean.
        means = np.zeros((2, len(index), len(names)), np.float32)
        for side, part in enumerate(np.split(np.arange(len(names)), [first])):
            means[side, unit_of[part], part] = 1 / counts[side, unit_of[part]]
        self._swap = (means[1] - means[0])[both] if swapping else np.zeros((0, len(names)), np.float32)
        units_alone = [means[side][alone[side]] for side in (0, 1)] if any(changing) else [self._swap[:0]] * 2
        self._change = np.concatenate(units_alone)
        draw = np.random.default_rng(seed)
        in_second = np.repeat(np.array([0, 1], np.float32), changing)
        signs = draw.choice(np.array([-1, 1], np.float32), (permutations, swapping))
        self._signs: dict[Deal, np.ndarray] = {"true": np.ones((1, swapping), np.float32), "dealt": signs}
        dealt = np.stack([draw.permutation(in_second) for _ in range(permutations)])
        self._in_second: dict[Deal, np.ndarray] = {"true": in_second[None], "dealt": dealt}

    def statistic(self, cells: np.ndarray, deal: Deal) -> np.ndarray:
        cells = cells - cells.mean(0)
        least = _least_error(cells) ** 2
        estimates = []
        if count := len(self._swap):
            differences = self._swap @ cells.astype(np.float64)
            mean = self._signs[deal] @ differences / count
            variance = ((differences**2).sum(0) - count * mean**2) / (count * (count - 1))
            estimates.append((mean, np.maximum(variance, least)))
        if count := len(self._change):
            units, in_second = self._change @ cells.astype(np.float64), self._in_second[deal]
            n = in_second.sum(1, keepdims=True)
            sum_second, total = in_second @ units, units.sum(0)
            mean_second, mean_first = sum_second / n, (total - sum_second) / (count - n)
            within = (units**2).sum(0) - n * mean_second**2 - (count - n) * mean_first**2
            variance = within / (count - 2) * (1 / n + 1 / (count - n))
            estimates.append((mean_second - mean_first, np.maximum(variance, least)))
        certainty = sum(1 / variance for _, variance in estimates)
        weighted = sum(mean / variance for mean, variance in estimates)
        return np.asarray(weighted / np.sqrt(certainty))
