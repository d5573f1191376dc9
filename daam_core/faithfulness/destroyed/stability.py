"""Stability: does the map stay when something that should not matter changes?

Letters: N inputs, H heads, L layers, F features.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from daam_core.backbones.base import Backbone
from daam_core.encoding import pool
from daam_core.faithfulness.destroyed.learned import at_start
from daam_core.faithfulness.destroyed.small_changes import Perturbation
from daam_core.faithfulness.maps.methods import gated_maps
from daam_core.faithfulness.retraining.layers import layer_shares, mean_density_attention
from daam_core.faithfulness.statistics import Interval, bootstrap_mean, correlation, rank_correlation
from daam_core.inputs import Input
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.training.answers import right
from daam_core.training.fitting import accuracy


@dataclass(frozen=True)
class SeedStability:
    """The data set's mean map over heads trained with different seeds.

    Attributes:
        seeds: of training.
        accuracy: of each classifier on the inputs measured.
        mean: ``[L, F]`` mean over seeds of the map summed over heads.
        deviation: ``[L, F]`` standard deviation over seeds.
        correlation: mean over pairs of seeds, cells of all heads.
        lowest_correlation: of the least alike pair.
        ranks: mean rank correlation over pairs.
        over_heads: mean correlation over pairs, maps summed over heads: heads may trade places.
        layers: mean rank correlation over pairs of the layers' shares.
        untrained: correlation of the trained maps' mean with the map of a classifier before training.
        count: how many inputs each map is the mean of.
    """

    seeds: tuple[int, ...]
    accuracy: tuple[float, ...]
    mean: np.ndarray
    deviation: np.ndarray
    correlation: float
    lowest_correlation: float
    ranks: float
    over_heads: float
    layers: float
    untrained: float
    count: int


@dataclass(frozen=True)
class InputStability:
    """A map before and after a small change of the input.

    Attributes:
        change: what was done, such as ``one typo``.
        importance: rank correlation of the Importance Factor's cells, mean over inputs.
        class_importance: likewise for the class-specific map, of the class predicted at first.
        relative_change: relative distance of the pooled values: how small the change was.
        same_prediction: share of inputs whose prediction stayed.
    """

    change: str
    importance: Interval
    class_importance: Interval
    relative_change: Interval
    same_prediction: Interval


def seed_stability(
    classifier: DaamClassifier, classifiers: Sequence[DaamClassifier], pooled: Tensor, labels: Tensor
) -> SeedStability:
    """Compare mean maps over ``pooled [N, L, F]`` of classifiers that were trained with different seeds.

    Args:
        classifier: the classifier they are like; its configuration gives the map before training.
        classifiers: at least two, each with its seed in its configuration.
        pooled: ``[N, L, F]``.
        labels: ``[N]``, for their accuracy.
    """
    maps = [mean_density_attention(each, pooled) for each in classifiers]
    start = mean_density_attention(at_start(classifier), pooled)
    pairs = list(itertools.combinations(maps, 2))
    alike = [correlation(a, b) for a, b in pairs]
    summed = torch.stack([map_.sum(0) for map_ in maps])
    return SeedStability(
        seeds=tuple(each.config.seed for each in classifiers),
        accuracy=tuple(accuracy(each, pooled, labels) for each in classifiers),
        mean=summed.mean(0).numpy(),
        deviation=summed.std(0, unbiased=False).numpy(),
        correlation=float(np.mean(alike)),
        lowest_correlation=float(np.min(alike)),
        ranks=float(np.mean([rank_correlation(a, b) for a, b in pairs])),
        over_heads=float(np.mean([correlation(a.sum(0), b.sum(0)) for a, b in pairs])),
        layers=float(np.mean([rank_correlation(layer_shares(a), layer_shares(b)) for a, b in pairs])),
        untrained=correlation(torch.stack(maps).mean(0), start),
        count=len(pooled),
    )


def input_stability(
    classifier: DaamClassifier,
    backbone: Backbone,
    inputs: Sequence[Input],
    perturbations: Sequence[Perturbation[Any]],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[InputStability]:
    """Change inputs a little, encode them again, and compare their maps."""
    progress = progress or Progress()
    total = len(inputs) * (1 + len(perturbations))
    done = 0

    def encoded(given: Input, what: str) -> Tensor:
        nonlocal done
        progress.report(done / total, what)
        done += 1
        return pool(backbone.encode(given)).float()

    before = torch.stack([encoded(given, "Encoding the inputs") for given in inputs])
    found = []
    for perturbation in perturbations:
        after = torch.stack(
            [
                encoded(perturbation.apply(given, seed + index), f"Encoding with {perturbation.name}")
                for index, given in enumerate(inputs)
            ]
        )
        found.append(compare_inputs(classifier, before, after, change=perturbation.name, seed=seed))
    return found


def compare_inputs(
    classifier: DaamClassifier, before: Tensor, after: Tensor, *, change: str, seed: int = 0
) -> InputStability:
    """Compare maps of the same inputs ``[N, L, F]`` before and after a change."""
    own = classifier.attention.own_rows
    first, second = gated_maps(classifier, before), gated_maps(classifier, after)
    with torch.no_grad():
        logits = classifier(before).logits
        said = logits.argmax(-1) if classifier.config.labels == "one" else logits >= 0
        same = right(classifier(after).logits, said)
        moved = classifier.standardise(after) - classifier.standardise(before)
        size = moved.flatten(1).norm(dim=1) / classifier.standardise(before).flatten(1).norm(dim=1)

    def alike(name: str) -> Interval:
        pairs = zip(first[name][:, own], second[name][:, own], strict=True)
        return bootstrap_mean([rank_correlation(a.detach(), b.detach()) for a, b in pairs], seed=seed)

    return InputStability(
        change=change,
        importance=alike("importance"),
        class_importance=alike("class_importance"),
        relative_change=bootstrap_mean(size.double().numpy(), seed=seed),
        same_prediction=bootstrap_mean(same.double().numpy(), seed=seed),
    )
