"""Deletion in the input itself: words, seconds or patches go, and the encoder runs again.

Letters: N inputs, P parts, S shares, C classes.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daam_core.encoding import pool
from daam_core.explaining import explain_encoding
from daam_core.faithfulness.maps.cells import Cells
from daam_core.faithfulness.packages import measuring_packages
from daam_core.faithfulness.removal.curves import ORDERS, Curve, Order, deletion_curve, random_curve
from daam_core.faithfulness.removal.parts import BASELINES, UNITS, Parts, share_out, split
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.inputs import Input
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier

SHARES = tuple(float(share) for share in np.linspace(0, 1, 11))
RANDOM_SEEDS = (0, 1, 2)
TOKEN_ATTRIBUTION = "Token attribution"  # noqa: S105 a title, no secret
LEAVE_ONE_OUT = "Leave one out (captum FeatureAblation)"


@dataclass(frozen=True)
class PartDeletion:
    """A way to order an input's parts, and what their removal does.

    Attributes:
        method: its name.
        highest: ``[S]`` mean probability of the predicted class, parts of highest attribution first.
        lowest: ``[S]`` lowest first.
        deletion: area under ``highest``.
        insertion: area under ``lowest``, which is that of adding the highest first.
        gain: area under the random curve minus ``deletion``, in pairs.
        insertion_gain: ``insertion`` minus area under the random curve, in pairs.
    """

    method: str
    highest: np.ndarray
    lowest: np.ndarray
    deletion: Interval
    insertion: Interval
    gain: Interval
    insertion_gain: Interval


@dataclass(frozen=True)
class TokenLevel:
    """Deletion in the input space.

    Attributes:
        unit: what the parts are.
        baseline: what takes a removed part's place.
        shares: ``[S]`` of parts removed.
        random: ``[S]`` mean probability over random orders.
        at_random: area under it.
        seeds: of the random orders.
        methods: token attribution, and captum's leave-one-out in the input space.
        runs: how often the encoder ran.
    """

    unit: str
    baseline: str
    shares: np.ndarray
    random: np.ndarray
    at_random: Interval
    seeds: tuple[int, ...]
    methods: tuple[PartDeletion, ...]
    runs: int


def part_cells(model: TrainedClassifier, parts: Parts, *, ran: Callable[[], None] | None = None) -> Cells:
    """One input's parts as cells ``[1, P]`` of ones, whose logits run the encoder, once per choice of parts.

    Args:
        model: the trained classifier with its encoder.
        parts: of the input.
        ran: called before every run of the encoder; may raise to stop.
    """
    known: dict[bytes, Tensor] = {}

    def answer(keep: np.ndarray) -> Tensor:
        if keep.tobytes() not in known:
            if ran is not None:
                ran()
            pooled = pool(model.backbone.encode(parts.keeping(keep))).float()
            known[keep.tobytes()] = model.classifier(pooled[None]).logits
        return known[keep.tobytes()]

    def logits(keep: Tensor) -> Tensor:
        return torch.cat([answer(row.numpy() > 0.5) for row in keep])

    return Cells(torch.ones(1, len(parts)), logits, ("parts",), model.config.labels)


def part_attribution(model: TrainedClassifier, given: Input, parts: Parts) -> np.ndarray:
    """Token attribution of the predicted class, shared out over parts: ``[P]``, in logits."""
    explanation = explain_encoding(model, model.backbone.encode(given))
    return share_out(explanation.token_attribution, explanation.token_spans, parts)


@torch.no_grad()
def token_level(
    model: TrainedClassifier,
    inputs: Sequence[Input],
    *,
    seeds: Sequence[int] = RANDOM_SEEDS,
    shares: Sequence[float] = SHARES,
    leave_one_out: bool = True,
    progress: Progress | None = None,
) -> TokenLevel:
    """Delete parts of inputs in the order of their token attribution, at random, and by captum.

    Args:
        model: the trained classifier with its encoder.
        inputs: N of the model's modality.
        seeds: of random orders.
        shares: of parts removed, rising from 0 to 1.
        leave_one_out: whether to compare with ablation by captum, one run of the encoder per part.
        progress: told how far it is; stops when cancelled.
    """
    progress = progress or Progress()
    modality = model.config.modality
    runs = 0

    def ran() -> None:
        nonlocal runs
        runs += 1
        progress.check()

    curves: dict[tuple[str, Order], list[Curve]] = {}
    at_random: list[Curve] = []
    for index, given in enumerate(inputs):
        progress.report(index / len(inputs), f"Removing {UNITS[modality]} from input {index + 1}")
        parts = split(given)
        cells = part_cells(model, parts, ran=ran)
        scores = {TOKEN_ATTRIBUTION: part_attribution(model, given, parts)}
        if leave_one_out:
            scores[LEAVE_ONE_OUT] = one_part_attribution(cells)
        for (name, values), order in itertools.product(scores.items(), ORDERS):
            curve = deletion_curve(cells, torch.as_tensor(values), order=order, shares=shares, seed=index)
            curves.setdefault((name, order), []).append(curve)
        mixed = [7919 * (index + 1) + seed for seed in seeds]
        at_random.append(random_curve(cells, shares=shares, seeds=mixed))
    names = dict.fromkeys(name for name, _ in curves)
    return TokenLevel(
        unit=UNITS[modality],
        baseline=BASELINES[modality],
        shares=np.asarray(shares),
        random=_mean(at_random),
        at_random=bootstrap_mean(_areas(at_random), seed=0),
        seeds=tuple(seeds),
        methods=tuple(
            _part_deletion(name, curves[name, "highest"], curves[name, "lowest"], at_random) for name in names
        ),
        runs=runs,
    )


def one_part_attribution(cells: Cells) -> np.ndarray:
    """Fall of the predicted class's logit when one part alone is left out: ``[P]``, by captum."""
    with measuring_packages():
        from captum.attr import FeatureAblation

    target = int(cells.probabilities().argmax())
    attribution: np.ndarray = FeatureAblation(cells.logits).attribute(cells.values, target=target)[0].numpy()
    return attribution


def _part_deletion(
    name: str, highest: list[Curve], lowest: list[Curve], at_random: list[Curve]
) -> PartDeletion:
    chance = _areas(at_random)
    return PartDeletion(
        method=name,
        highest=_mean(highest),
        lowest=_mean(lowest),
        deletion=bootstrap_mean(_areas(highest), seed=0),
        insertion=bootstrap_mean(_areas(lowest), seed=0),
        gain=bootstrap_mean(chance - _areas(highest), seed=0),
        insertion_gain=bootstrap_mean(_areas(lowest) - chance, seed=0),
    )


def _areas(curves: list[Curve]) -> np.ndarray:
    """``[N]`` area under the curve of each input."""
    return np.concatenate([curve.areas for curve in curves])


def _mean(curves: list[Curve]) -> np.ndarray:
    """``[S]`` mean probability over inputs."""
    mean: np.ndarray = np.concatenate([curve.probability for curve in curves]).mean(0)
    return mean
