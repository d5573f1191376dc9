"""Deletion and insertion: take cells away in a map's order and watch the decision.

Petsiuk, Das, Saenko, "RISE", BMVC 2018, on cells instead of pixels. N inputs, S shares.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from daam_core.errors import DataError
from daam_core.faithfulness.maps.cells import Cells
from daam_core.faithfulness.statistics import Interval, area, bootstrap_mean
from daam_core.result import LEAST

Order = Literal["highest", "lowest"]
#: Which cells are removed first.
ORDERS: tuple[Order, ...] = ("highest", "lowest")

#: Shares of cells removed at which the decision is looked at.
SHARES = tuple(float(share) for share in np.linspace(0, 1, 21))
RANDOM_SEEDS = (0, 1, 2, 3, 4)
#: Cells held in memory at a time.
BATCH_CELLS = 4_000_000


@dataclass(frozen=True)
class Curve:
    """What removing cells does to each input's decision.

    Attributes:
        shares: ``[S]`` of cells removed, from 0 to 1.
        probability: ``[N, S]`` of the class predicted before anything was removed, or of that asked for.
        correct: ``[N, S]`` bool, whether the prediction is the label, or the labels; None without them.
    """

    shares: np.ndarray
    probability: np.ndarray
    correct: np.ndarray | None

    @cached_property
    def areas(self) -> np.ndarray:
        """``[N]`` area under each input's curve of probability, in [0, 1]."""
        return area(self.shares, self.probability)

    @property
    def accuracy(self) -> np.ndarray | None:
        """``[S]``."""
        return None if self.correct is None else self.correct.mean(0)


@dataclass(frozen=True)
class Comparison:
    """One map's deletion beside random orders, on the same inputs.

    Removing the highest cells first is *deletion* (low is good). Removing the lowest first is
    *insertion* read from the right: its area equals that of adding the highest first (high is good).

    Attributes:
        highest: curve of removing the highest cells first.
        lowest: curve of removing the lowest first.
        random: mean curve over the seeds of random orders.
        seeds: of the random orders.
        deletion: area under ``highest``.
        insertion: area under ``lowest``.
        at_random: area under ``random``.
        gain: random minus deletion, in pairs; above 0 where the map finds what decides.
        insertion_gain: insertion minus random, in pairs.
    """

    highest: Curve
    lowest: Curve
    random: Curve
    seeds: tuple[int, ...]
    deletion: Interval
    insertion: Interval
    at_random: Interval
    gain: Interval
    insertion_gain: Interval


def removal_order(scores: Tensor, *, order: Order = "highest", seed: int = 0) -> Tensor:
    """Place of every cell in the order of removal, ``[N, ..] → [N, M]``, 0 is removed first.

    Equal scores are ordered at random by ``seed``, so that a constant map is a random order.
    """
    flat = scores.detach().flatten(1)
    if not bool(torch.isfinite(flat).all()):
        raise DataError("A map to order cells by must be finite.")
    shuffle = torch.argsort(torch.rand(flat.shape, generator=torch.Generator().manual_seed(seed)), dim=1)
    sorted_cells = torch.argsort(flat.gather(1, shuffle), dim=1, descending=order == "highest", stable=True)
    removed = shuffle.gather(1, sorted_cells)
    places = torch.arange(flat.shape[1]).expand_as(removed)
    return torch.empty_like(removed).scatter_(1, removed, places)


@torch.no_grad()
def deletion_curve(
    cells: Cells,
    scores: Tensor,
    *,
    order: Order = "highest",
    labels: Tensor | None = None,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    target: int | None = None,
    check: Callable[[], None] | None = None,
) -> Curve:
    """Remove each input's cells in the order of its scores.

    Args:
        cells: what can be removed.
        scores: ``[N, ..]`` of the cells' shape, or one map ``[..]`` for all inputs.
        order: which end goes first.
        labels: ``[N]`` classes, or ``[N, C]`` of 0 and 1, for the accuracy.
        shares: of cells removed, rising from 0 to 1.
        seed: of the order among equal scores.
        target: the class whose probability is followed; each input's most probable one by default.
        check: called between batches; may raise to stop.

    Raises:
        DataError: the scores do not fit the cells, or the shares do not rise from 0 to 1.
    """
    if scores.shape == cells.values.shape[1:]:
        scores = scores.expand_as(cells.values)
    if scores.shape != cells.values.shape:
        raise DataError(
            f"The map must have the cells' shape {list(cells.values.shape)}, got {list(scores.shape)}."
        )
    grid = np.asarray(shares, dtype=np.float64)
    if grid.ndim != 1 or len(grid) < 2 or grid[0] != 0 or grid[-1] != 1 or (np.diff(grid) <= 0).any():
        raise DataError("Shares of cells removed must rise from 0 to 1.")
    # With few cells several shares are the same number of cells: decided once.
    counts, which = np.unique(np.round(grid * cells.per_input).astype(int), return_inverse=True)

    probability, right = [], []
    size = max(1, BATCH_CELLS // cells.per_input)
    for start in range(0, len(cells), size):
        if check is not None:
            check()
        values = cells.values[start : start + size]
        place = torch.full(values.shape, values[0].numel())  # after all that can be removed
        free = scores[start : start + size, cells.removable]
        place[:, cells.removable] = removal_order(free, order=order, seed=seed + start).view(free.shape)
        answers = torch.stack([cells.probabilities(values * (place >= count)) for count in counts], 1)
        followed = answers[:, 0].argmax(-1)
        if target is not None:
            followed = torch.full_like(followed, target)
        probability.append(answers[torch.arange(len(values)), :, followed][:, which])
        if labels is not None:
            right.append(_right(answers, labels[start : start + size])[:, which])
    correct = torch.cat(right).numpy() if right else None
    return Curve(grid, torch.cat(probability).numpy(), correct)


def _right(probabilities: Tensor, labels: Tensor) -> Tensor:
    """``[N, S, C] → [N, S]`` bool: what :func:`~daam_core.training.answers.right` says of logits."""
    if labels.ndim == 1:
        return probabilities.argmax(-1) == labels[:, None]
    return ((probabilities >= LEAST) == labels[:, None].bool()).all(-1)


def random_curve(
    cells: Cells,
    *,
    labels: Tensor | None = None,
    shares: Sequence[float] = SHARES,
    seeds: Sequence[int] = RANDOM_SEEDS,
    check: Callable[[], None] | None = None,
) -> Curve:
    """The mean over several random orders; its ``correct`` holds shares of orders, not booleans."""
    constant = torch.zeros(cells.values.shape[1:])
    curves = [
        deletion_curve(
            cells, constant, labels=labels, shares=shares, seed=1_000_003 * (seed + 1), check=check
        )
        for seed in seeds
    ]
    right = [curve.correct for curve in curves if curve.correct is not None]
    correct = np.mean(right, axis=0) if right else None
    return Curve(curves[0].shares, np.mean([curve.probability for curve in curves], axis=0), correct)


def compare(
    cells: Cells,
    scores: Tensor,
    random: Curve,
    *,
    seeds: Sequence[int] = RANDOM_SEEDS,
    labels: Tensor | None = None,
    seed: int = 0,
    check: Callable[[], None] | None = None,
) -> Comparison:
    """Deletion by a map, highest and lowest first, against a random curve of the same cells."""
    shares = random.shares.tolist()
    highest, lowest = (
        deletion_curve(cells, scores, order=order, labels=labels, shares=shares, seed=seed, check=check)
        for order in ORDERS
    )
    return Comparison(
        highest=highest,
        lowest=lowest,
        random=random,
        seeds=tuple(seeds),
        deletion=bootstrap_mean(highest.areas, seed=seed),
        insertion=bootstrap_mean(lowest.areas, seed=seed),
        at_random=bootstrap_mean(random.areas, seed=seed),
        gain=bootstrap_mean(random.areas - highest.areas, seed=seed),
        insertion_gain=bootstrap_mean(lowest.areas - random.areas, seed=seed),
    )
