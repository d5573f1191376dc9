"""Sanity checks (Adebayo et al., NeurIPS 2018): a true map changes when the model is destroyed.

Letters: N inputs, H heads, L layers, F features, R rows (see ``layers``).
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from daam_core.faithfulness.maps.methods import MAP_KINDS, gated_maps
from daam_core.faithfulness.retraining.layers import BUDGET, held_out
from daam_core.faithfulness.statistics import Interval, bootstrap_mean, rank_correlation, structure_similarity
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.reading.numbers import fixed
from daam_core.training.fitting import accuracy, train_classifier
from daam_core.training.settings import TrainingConfig

SEEDS = (0, 1, 2)
#: Rank correlation from which a map counts as unchanged, and below which it counts as changed.
UNCHANGED, CHANGED = 0.9, 0.5
#: A destroyed model's map this close to the yardstick's correlation cannot be told from an honest one.
INDISTINCT = 0.05
#: Nothing is destroyed: how alike maps of equally good classifiers are.
YARDSTICK = "the classifier is trained again with another seed"
SHUFFLED = "the labels are shuffled in training"
#: Maps that are looked at.
CHECKED = ("importance", "weighted_importance", "class_importance")


@dataclass(frozen=True)
class Similarity:
    """How alike a map is before and after the model was destroyed.

    Attributes:
        method: key of :data:`~daam_core.faithfulness.maps.methods.MAP_KINDS`.
        destroyed: what was destroyed.
        ranks: rank correlation over cells, mean over inputs (each averaged over seeds).
        structure: structural similarity, likewise.
        within_layers: rank correlation inside each head's layers, which the layer amplitude alone
            cannot make or break.
        accuracy: of the destroyed model on the same inputs, or None without labels.
        seeds: of the destruction.
        verdict: one sentence.
        yardstick: rank correlation with classifiers that were trained again honestly, where the destroyed
            classifiers were trained too, or None.
    """

    method: str
    destroyed: str
    ranks: Interval
    structure: Interval
    within_layers: Interval
    accuracy: float | None
    seeds: tuple[int, ...]
    verdict: str
    yardstick: float | None = None

    @property
    def answer(self) -> Literal["yes", "no", "open"] | None:
        """Whether the map changed enough; None for the yardstick, where nothing was destroyed."""
        if self.destroyed == YARDSTICK:
            return None
        return judge(self.ranks.mean, self.yardstick)


@torch.no_grad()
def randomise_gate(classifier: DaamClassifier, *, seed: int) -> DaamClassifier:
    """A copy whose δ, ξ and layer amplitude are drawn anew: as widely spread as those learned, and at
    least as δ ~ N(0, 1), log ξ ~ N(log 2, 1), amplitude logits ~ N(0, 1)."""
    other, draw = copy.deepcopy(classifier), torch.Generator().manual_seed(seed)
    attention = other.attention

    def normal(like: Tensor, centre: Tensor | float) -> Tensor:
        width = max(1.0, float(like.std()) if like.numel() > 1 else 0.0)
        return centre + width * torch.randn(like.shape, generator=draw)

    start = attention.initial_scaled_variance.log()
    attention.mean_offset.copy_(normal(attention.mean_offset, 0.0))
    attention.log_scaled_variance.copy_(normal(attention.log_scaled_variance, start))
    if attention.amplitude_logits is not None:
        attention.amplitude_logits.copy_(normal(attention.amplitude_logits, 0.0))
    return other


@torch.no_grad()
def randomise_decoder(classifier: DaamClassifier, *, seed: int) -> DaamClassifier:
    """A copy whose decoder's weights are drawn anew, with the same deviation; the gate is left alone."""
    other, draw = copy.deepcopy(classifier), torch.Generator().manual_seed(seed)
    for parameter in other.decoder.parameters():
        width = float(parameter.std()) if parameter.numel() > 1 else 1.0
        parameter.copy_(width * torch.randn(parameter.shape, generator=draw))
    return other


def randomise_all(classifier: DaamClassifier, *, seed: int) -> DaamClassifier:
    """A copy with gate and decoder drawn anew: only the data's standardisation is left."""
    return randomise_decoder(randomise_gate(classifier, seed=seed), seed=seed)


def shuffled_labels(
    classifier: DaamClassifier,
    features: Tensor,
    labels: Tensor,
    *,
    seed: int,
    budget: TrainingConfig = BUDGET,
    check: Callable[[], None] | None = None,
) -> DaamClassifier:
    """A classifier like ``classifier`` trained on ``features [N, L, F]`` with labels that mean nothing.

    It stops after the budget's epochs, not when validation stops improving, which here is at once.
    """
    draw = torch.Generator().manual_seed(seed)
    shuffled = labels[torch.randperm(len(labels), generator=draw)]
    config = replace(classifier.config, seed=seed)
    trained, _ = train_classifier(
        config,
        replace(budget, seed=seed),
        features,
        shuffled,
        on_epoch=None if check is None else lambda _: check(),
    )
    return trained


def trained_again(
    classifier: DaamClassifier,
    features: Tensor,
    labels: Tensor,
    *,
    seed: int,
    budget: TrainingConfig = BUDGET,
    check: Callable[[], None] | None = None,
) -> DaamClassifier:
    """A classifier like ``classifier`` trained on the true labels with another seed, stopped in time."""
    kept, held = held_out(len(features), seed=seed)
    trained, _ = train_classifier(
        replace(classifier.config, seed=seed),
        replace(budget, seed=seed),
        features[kept],
        labels[kept],
        validation=(features[held], labels[held]),
        on_epoch=None if check is None else lambda _: check(),
    )
    return trained


def similarity(
    before: DaamClassifier,
    after: Sequence[DaamClassifier],
    pooled: Tensor,
    *,
    destroyed: str,
    labels: Tensor | None = None,
    methods: Sequence[str] = CHECKED,
    yardstick: Mapping[str, float] | None = None,
    check: Callable[[], None] | None = None,
) -> list[Similarity]:
    """Compare each input's maps of a model with those of destroyed copies of it.

    Class-specific maps are about each model's own prediction.

    Args:
        before: the model.
        after: destroyed copies, one per seed.
        pooled: ``[N, L, F]``.
        destroyed: what was destroyed, for the record.
        labels: ``[N]``, for the accuracy of what is left.
        methods: which maps.
        yardstick: by method, rank correlation with classifiers trained again honestly.
        check: called between copies; may raise to stop.
    """
    original = {name: _maps(before, pooled, name) for name in methods}
    seen = before.attention.head_layers.numpy()
    scores = {name: np.zeros((3, len(pooled))) for name in methods}
    right = []
    for destroyed_copy in after:
        if check is not None:
            check()
        for name in methods:
            scores[name] += _alike(original[name], _maps(destroyed_copy, pooled, name), seen)
        if labels is not None:
            right.append(accuracy(destroyed_copy, pooled, labels))
    found = []
    for name in methods:
        ranks, structure, within_layers = (
            bootstrap_mean(values / len(after), seed=0) for values in scores[name]
        )
        expected = (yardstick or {}).get(name)
        found.append(
            Similarity(
                method=name,
                destroyed=destroyed,
                ranks=ranks,
                structure=structure,
                within_layers=within_layers,
                accuracy=float(np.mean(right)) if right else None,
                seeds=tuple(range(len(after))),
                verdict=verdict(MAP_KINDS[name].title, destroyed, ranks.mean, yardstick=expected),
                yardstick=expected,
            )
        )
    return found


def _alike(first: np.ndarray, second: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """How alike maps ``[N, H, L, F]`` are: ranks, structure, ranks inside layers, ``[3, N]``."""
    return np.array(
        [
            (
                rank_correlation(a[seen], b[seen]),
                structure_similarity(a, b),
                np.mean([rank_correlation(x, y) for x, y in zip(a[seen], b[seen], strict=True)]),
            )
            for a, b in zip(first, second, strict=True)
        ]
    ).T


def judge(ranks: float, yardstick: float | None) -> Literal["yes", "no", "open"]:
    """Whether a map changed enough, by the rank correlation of before and after.

    Correlations count with the two digits that are printed: equal numbers get equal words.
    """
    ranks = round(ranks, 2)
    if ranks < CHANGED:
        return "yes"
    indistinct = yardstick is not None and ranks >= round(yardstick - INDISTINCT, 2)
    return "no" if ranks >= UNCHANGED or indistinct else "open"


def verdict(title: str, destroyed: str, ranks: float, *, yardstick: float | None = None) -> str:
    """What a rank correlation before and after means, in words."""
    ranks = round(ranks, 2)  # as printed
    alike = f"rank correlation {fixed(ranks, 2)}"
    if destroyed == YARDSTICK:
        again = f"{title} of classifiers trained again"
        return f"Yardstick: {again} correlates at {fixed(ranks, 2)} with the model's."
    if yardstick is not None and judge(ranks, yardstick) == "no" and ranks < UNCHANGED:
        return (
            f"Fails: {title} is as it is when {destroyed} ({alike}; {fixed(yardstick, 2)} with "
            "classifiers trained again on the true labels); what was learned from the labels leaves "
            "no mark on it."
        )
    if ranks >= UNCHANGED:
        return (
            f"Fails: {title} does not change when {destroyed} ({alike}); "
            "it says nothing about that part of the model."
        )
    if ranks >= CHANGED:
        return f"Partly: {title} changes, but much of it stays when {destroyed} ({alike})."
    return f"Passes: {title} becomes another map when {destroyed} ({alike})."


def sanity_checks(
    classifier: DaamClassifier,
    pooled: Tensor,
    labels: Tensor,
    train: tuple[Tensor, Tensor],
    *,
    again: Sequence[DaamClassifier] = (),
    seeds: Sequence[int] = SEEDS,
    budget: TrainingConfig = BUDGET,
    progress: Progress | None = None,
) -> list[Similarity]:
    """All checks: gate randomised, decoder randomised, both, labels shuffled in training.

    The yardstick beside them: classifiers trained again on the true labels, with other seeds.

    Args:
        classifier: the trained classifier.
        pooled: inputs ``[N, L, F]`` whose maps are compared.
        labels: ``[N]``.
        train: features and labels for the retrained classifiers.
        again: classifiers trained again on the true labels; none leaves the yardstick out.
        seeds: of each destruction.
        budget: of retraining.
        progress: told how far it is; stops when cancelled.
    """
    progress = progress or Progress()
    check = progress.check

    ways: dict[str, Callable[[int], DaamClassifier]] = {
        "the gate's parameters are randomised": lambda seed: randomise_gate(classifier, seed=seed),
        "the decoder is randomised": lambda seed: randomise_decoder(classifier, seed=seed),
        "gate and decoder are randomised": lambda seed: randomise_all(classifier, seed=seed),
        SHUFFLED: lambda seed: shuffled_labels(classifier, *train, seed=seed, budget=budget, check=check),
    }
    honest = (
        similarity(classifier, again, pooled, destroyed=YARDSTICK, labels=labels, check=check)
        if again
        else []
    )
    yardstick = {item.method: item.ranks.mean for item in honest}
    found = []
    for index, (destroyed, build) in enumerate(ways.items()):
        progress.report(index / len(ways), f"Sanity check: {destroyed}")
        found += similarity(
            classifier,
            [build(seed) for seed in seeds],
            pooled,
            destroyed=destroyed,
            labels=labels,
            yardstick=yardstick if destroyed == SHUFFLED else None,
            check=check,
        )
    return found + honest


def _maps(classifier: DaamClassifier, pooled: Tensor, method: str) -> np.ndarray:
    """``[N, H, L, F]``; absolute, since a sign is not importance."""
    maps = gated_maps(classifier, pooled)
    return classifier.attention.by_head(maps[method]).detach().abs().numpy()
