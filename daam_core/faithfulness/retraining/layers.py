"""Retraining on chosen layers (paper, 3.2): do layers with high Importance Factor carry more?

Letters: N inputs, H heads, L layers, F features.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.configuration import MIN_LAYERS_PER_HEAD, ModelConfig
from daam_core.errors import DataError
from daam_core.faithfulness.statistics import Interval, bootstrap_mean, rank_correlation, ranks
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.training.answers import right
from daam_core.training.baselines import LayerProbe
from daam_core.training.fitting import fit, predict, seeded, train_classifier
from daam_core.training.settings import TrainingConfig

SEEDS = (0, 1, 2)
#: Why layers were chosen: one after the other, by their share of the density attention, or all.
End = Literal["single", "highest", "lowest", "all"]
#: The same budget for every choice of layers.
BUDGET = TrainingConfig(epochs=30, patience=5)


@dataclass(frozen=True)
class TrainTestFeatures:
    """Features ``[N, L, F]`` and labels ``[N]`` or ``[N, C]`` to train on, and others to measure on."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]

    def __post_init__(self) -> None:
        for features, labels in (self.train, self.test):
            if features.ndim != 3 or len(labels) != len(features) or not len(features):
                raise DataError(
                    "Each part needs features [N, L, F] and labels [N] or [N, C] with N >= 1, got "
                    f"{list(features.shape)} and {list(labels.shape)}."
                )
        if self.train[0].shape[1:] != self.test[0].shape[1:]:
            raise DataError("Both parts must have the same layers and features.")


@dataclass(frozen=True)
class LayerChoice:
    """Some layers, and the accuracy of a classifier that saw only them.

    Attributes:
        end: why they were chosen: ``single``, ``highest`` or ``lowest`` share, or ``all``.
        layers: which, counted from 0.
        kind: ``density attention`` (three layers or more) or ``linear`` (one layer, where a gate has
            no variance to work with).
        accuracy: on the test part: mean over seeds, interval over inputs.
        by_seed: accuracy of each seed.
    """

    end: End
    layers: tuple[int, ...]
    kind: str
    accuracy: Interval
    by_seed: tuple[float, ...]

    @property
    def name(self) -> str:
        """``layer 3``, ``highest 1``, ``lowest 3`` or ``all layers``."""
        return choice_name(self.end, self.layers)


@dataclass(frozen=True)
class Retraining:
    """What layers are worth by themselves, against what the Importance Factor gives them.

    Attributes:
        share: ``[L]`` each layer's share of the summed density attention in percent, over heads.
        single: every layer alone, a linear classifier each.
        choices: highest and lowest 1 and 3 layers, and all layers.
        difference: highest minus lowest accuracy by number of layers, in pairs of inputs.
        correlation: rank correlation of ``share`` with single-layer accuracy over the L layers.
        p_value: share of orders of layers that correlate at least as much (all orders up to 8
            layers, else 20,000 at random).
        overlap: layers that are among both the highest and the lowest three.
        seeds: of training.
        budget: of training.
        train_inputs: size of the training part.
        test_inputs: size of the test part.
    """

    share: tuple[float, ...]
    single: tuple[LayerChoice, ...]
    choices: tuple[LayerChoice, ...]
    difference: dict[int, Interval]
    correlation: float
    p_value: float
    overlap: tuple[int, ...]
    seeds: tuple[int, ...]
    budget: TrainingConfig
    train_inputs: int
    test_inputs: int


def layer_shares(density_attention: Tensor) -> np.ndarray:
    """Each layer's share of a map ``[H, L, F]`` in percent, summed over heads: ``[L]``."""
    sums = density_attention.double().sum((0, 2))
    return (100 * sums / sums.sum()).numpy()


def retrain(
    classifier: DaamClassifier,
    split: TrainTestFeatures,
    *,
    seeds: Sequence[int] = SEEDS,
    budget: TrainingConfig = BUDGET,
    progress: Progress | None = None,
) -> Retraining:
    """Retrain on the layers that the classifier's mean map on the training part calls highest and
    lowest, and on every single layer, all with the same seeds and budget.

    Raises:
        DataError: the features are not this classifier's.
        CancelledError: the caller asked to stop.
    """
    progress = progress or Progress()
    config = classifier.config
    if split.train[0].shape[1:] != (config.n_layers, config.n_features):
        raise DataError(
            f"This classifier takes features [N, {config.n_layers}, {config.n_features}], "
            f"got {list(split.train[0].shape)}."
        )
    share = layer_shares(mean_density_attention(classifier, split.train[0]))
    chosen = chosen_layers(share)
    # Layers that two choices have in common, such as all of very few, are trained on once.
    right: dict[tuple[int, ...], np.ndarray] = {}
    for index, (end, layers) in enumerate(chosen):
        progress.report(index / len(chosen), f"Retraining on {choice_name(end, layers)}")
        if layers not in right:
            right[layers] = np.stack(
                [_right(config, split, layers, seed=seed, budget=budget, progress=progress) for seed in seeds]
            )
    choices = [_measured(end, layers, right[layers]) for end, layers in chosen]
    single = tuple(choice for choice in choices if choice.end == "single")
    alone = [choice.accuracy.mean for choice in single]
    ends = {(choice.end, len(choice.layers)): choice.layers for choice in choices}
    counts = sorted({count for end, count in ends if end == "highest"})
    return Retraining(
        share=tuple(float(value) for value in share),
        single=single,
        choices=tuple(choice for choice in choices if choice.end != "single"),
        difference={
            count: bootstrap_mean(
                (right[ends["highest", count]] - right[ends["lowest", count]]).mean(0), seed=0
            )
            for count in counts
        },
        correlation=rank_correlation(share, alone),
        p_value=permutation_p_value(share, np.asarray(alone)),
        overlap=tuple(sorted(set(ends["highest", counts[-1]]) & set(ends["lowest", counts[-1]]))),
        seeds=tuple(seeds),
        budget=budget,
        train_inputs=len(split.train[0]),
        test_inputs=len(split.test[0]),
    )


def chosen_layers(share: np.ndarray) -> list[tuple[End, tuple[int, ...]]]:
    """Every single layer, the highest and lowest 1 and 3 by their share ``[L]``, and all of them.

    >>> chosen_layers(np.array([5.0, 50.0, 20.0, 25.0]))[4:8]
    [('highest', (1,)), ('lowest', (0,)), ('highest', (1, 2, 3)), ('lowest', (0, 2, 3))]
    """
    rising = [int(layer) for layer in np.argsort(share, kind="stable")]
    found: list[tuple[End, tuple[int, ...]]] = [("single", (layer,)) for layer in range(len(share))]
    for count in (1, min(MIN_LAYERS_PER_HEAD, len(share))):
        found.append(("highest", tuple(sorted(rising[-count:]))))
        found.append(("lowest", tuple(sorted(rising[:count]))))
    return [*found, ("all", tuple(range(len(share))))]


def choice_name(end: End, layers: Sequence[int]) -> str:
    """What a choice of layers is called in tables.

    >>> choice_name("single", [2]), choice_name("lowest", [0, 1, 4]), choice_name("all", [0, 1])
    ('layer 2', 'lowest 3', 'all layers')
    """
    if end == "all":
        return "all layers"
    return f"layer {layers[0]}" if end == "single" else f"{end} {len(layers)}"


def _measured(end: End, layers: tuple[int, ...], right: np.ndarray) -> LayerChoice:
    """A choice with its accuracy, from what each seed ``[S, N]`` got right."""
    return LayerChoice(
        end=end,
        layers=layers,
        kind="density attention" if len(layers) >= MIN_LAYERS_PER_HEAD else "linear",
        accuracy=bootstrap_mean(right.mean(0), seed=0),
        by_seed=tuple(float(value) for value in right.mean(1)),
    )


@torch.no_grad()
def mean_density_attention(classifier: DaamClassifier, features: Tensor, *, batch_size: int = 256) -> Tensor:
    """Mean density attention ``[H, L, F]`` of a classifier over ``features [N, L, F]``."""
    attention = classifier.attention
    total = torch.zeros(len(attention.head_of_row), attention.n_features, dtype=torch.float64)
    for batch in torch.split(features.float(), batch_size):
        total += attention.gate(classifier.standardise(batch)).sum(0, dtype=torch.float64)
    return attention.by_head(attention.attend((total / len(features)).float()))


def permutation_p_value(
    first: np.ndarray, second: np.ndarray, *, draws: int = 20_000, seed: int = 0
) -> float:
    """Share of reorderings of ``first [L]`` whose rank correlation with ``second`` is at least as high.

    One-sided; all L! orders where they are at most ``draws``, else ``draws`` random ones.
    """
    observed = rank_correlation(first, second)
    if math.factorial(min(len(first), 20)) <= draws:
        orders = list(itertools.permutations(range(len(first))))
        exact = np.asarray([rank_correlation(first[list(order)], second) for order in orders])
        return float(np.mean(exact >= observed - 1e-12))
    # rank_correlation on many orders at once: correlation of ranks by one product.
    draw = np.random.default_rng(seed)
    a, b = (ranks(values) - (len(values) + 1) / 2 for values in (first, second))
    norm = np.sqrt((a @ a) * (b @ b))
    shuffled = draw.permuted(np.tile(a, (draws, 1)), axis=1)
    found = shuffled @ b / norm if norm > 0 else np.zeros(draws)
    return float((1 + np.sum(found >= observed - 1e-12)) / (draws + 1))


def subset_config(config: ModelConfig, layers: Sequence[int]) -> ModelConfig:
    """The same on fewer layers. Groups of layers become shared layers: too few are left to split.

    Of several levels each keeps one head, which sees all that are left.
    """
    if len(layers) == config.n_layers:
        return config
    if config.n_levels > 1:
        return replace(config, n_layers=len(layers), n_heads=config.n_levels)
    return replace(config, n_layers=len(layers), mode="shared")


def _right(
    config: ModelConfig,
    split: TrainTestFeatures,
    layers: tuple[int, ...],
    *,
    seed: int,
    budget: TrainingConfig,
    progress: Progress,
) -> np.ndarray:
    """``[N]``: 1 for each test input that a classifier trained on these layers alone gets right, else 0."""
    budget = replace(budget, seed=seed)
    (train, labels), (test, test_labels) = split.train, split.test
    train, test = train[:, list(layers)].float(), test[:, list(layers)].float()
    kept, held = held_out(len(train), seed=seed)
    arguments = (budget, train[kept], labels[kept])
    validation = (train[held], labels[held])
    if len(layers) >= MIN_LAYERS_PER_HEAD:
        smaller = replace(subset_config(config, layers), seed=seed)
        model: nn.Module = train_classifier(
            smaller, *arguments, validation=validation, on_epoch=lambda _: progress.check()
        )[0]
    else:
        seeded(seed)
        model = LayerProbe(
            len(layers), config.n_features, len(config.class_names), layers=tuple(range(len(layers)))
        )
        fit(model, *arguments, validation=validation, on_epoch=lambda _: progress.check())
    return right(predict(model, test), test_labels).double().numpy()


def held_out(count: int, *, seed: int, share: float = 0.15) -> tuple[Tensor, Tensor]:
    """Indices of inputs to train on, and of those that decide when to stop."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    held = max(1, round(share * count))
    return order[held:], order[:held]
