"""Retraining on chosen layers (paper, 3.2): do layers with high Importance Factor carry more?

Letters: N samples, H heads, L layers, F features.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.stats import rankdata
from torch import Tensor, nn

from daam_core.errors import DataError
from daam_core.faithfulness.statistics import Interval, bootstrap_mean, rank_correlation
from daam_core.layers import MIN_LAYERS_PER_HEAD
from daam_core.model import DaamClassifier, ModelConfig
from daam_core.progress import Progress
from daam_core.training.baselines import LayerProbe
from daam_core.training.fitting import TrainingConfig, fit, predict, seeded, train_classifier

SEEDS = (0, 1, 2)
#: The same budget for every choice of layers.
BUDGET = TrainingConfig(epochs=30, patience=5)


@dataclass(frozen=True)
class TrainTestFeatures:
    """Features ``[N, L, F]`` and labels ``[N]`` to train on, and others to measure on."""

    train: tuple[Tensor, Tensor]
    test: tuple[Tensor, Tensor]

    def __post_init__(self) -> None:
        for features, labels in (self.train, self.test):
            if features.ndim != 3 or labels.shape != features.shape[:1] or not len(features):
                raise DataError(
                    "Each part needs features [N, L, F] and labels [N] with N >= 1, got "
                    f"{list(features.shape)} and {list(labels.shape)}."
                )
        if self.train[0].shape[1:] != self.test[0].shape[1:]:
            raise DataError("Both parts must have the same layers and features.")


@dataclass(frozen=True)
class LayerChoice:
    """Some layers, and the accuracy of a head that saw only them.

    Attributes:
        name: ``highest 1``, ``lowest 3``, ``layer 4``, ….
        layers: which, counted from 0.
        head: ``density attention`` (three layers or more) or ``linear`` (one layer, where a gate has
            no variance to work with).
        accuracy: on the test part: mean over seeds, interval over samples.
        by_seed: accuracy of each seed.
    """

    name: str
    layers: tuple[int, ...]
    head: str
    accuracy: Interval
    by_seed: tuple[float, ...]


@dataclass(frozen=True)
class Retraining:
    """What layers are worth by themselves, against what the Importance Factor gives them.

    Attributes:
        share: ``[L]`` each layer's share of the summed density attention in percent, over heads.
        single: every layer alone, a linear head each.
        choices: highest and lowest 1 and 3 layers, and all layers.
        difference: highest minus lowest accuracy by number of layers, in pairs of samples.
        correlation: rank correlation of ``share`` with single-layer accuracy over the L layers.
        p_value: share of orders of layers that correlate at least as much (all orders up to 8
            layers, else 20,000 at random).
        overlap: layers that are among both the highest and the lowest three.
        seeds: of training.
        budget: of training.
        train_samples: size of the training part.
        test_samples: size of the test part.
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
    train_samples: int
    test_samples: int


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
            f"This head takes features [N, {config.n_layers}, {config.n_features}], "
            f"got {list(split.train[0].shape)}."
        )
    share = layer_shares(mean_density_attention(classifier, split.train[0]))
    rising = np.argsort(share, kind="stable")
    wide = min(MIN_LAYERS_PER_HEAD, config.n_layers)
    wanted: list[tuple[str, tuple[int, ...]]] = [
        (f"layer {layer + 1}", (layer,)) for layer in range(config.n_layers)
    ]
    wanted += [
        (f"{end} {count}", tuple(sorted(int(layer) for layer in chosen)))
        for count in (1, wide)
        for end, chosen in (("highest", rising[-count:]), ("lowest", rising[:count]))
    ]
    wanted.append(("all layers", tuple(range(config.n_layers))))

    right: dict[str, np.ndarray] = {}
    known: dict[tuple[int, ...], np.ndarray] = {}
    for index, (name, layers) in enumerate(wanted):
        progress.report(index / len(wanted), f"Retraining on {name}")
        if layers not in known:
            known[layers] = np.stack(
                [_right(config, split, layers, seed=seed, budget=budget, progress=progress) for seed in seeds]
            )
        right[name] = known[layers]
    choices = {
        name: LayerChoice(
            name=name,
            layers=layers,
            head="density attention" if len(layers) >= MIN_LAYERS_PER_HEAD else "linear",
            accuracy=bootstrap_mean(right[name].mean(0), seed=0),
            by_seed=tuple(float(value) for value in right[name].mean(1)),
        )
        for name, layers in wanted
    }
    single = [choice for name, choice in choices.items() if name.startswith("layer ")]
    alone = [choice.accuracy.mean for choice in single]
    return Retraining(
        share=tuple(float(value) for value in share),
        single=tuple(single),
        choices=tuple(choice for name, choice in choices.items() if not name.startswith("layer ")),
        difference={
            count: bootstrap_mean((right[f"highest {count}"] - right[f"lowest {count}"]).mean(0), seed=0)
            for count in (1, wide)
        },
        correlation=rank_correlation(share, alone),
        p_value=permutation_p_value(share, np.asarray(alone)),
        overlap=tuple(sorted(set(choices[f"highest {wide}"].layers) & set(choices[f"lowest {wide}"].layers))),
        seeds=tuple(seeds),
        budget=budget,
        train_samples=len(split.train[0]),
        test_samples=len(split.test[0]),
    )


@torch.no_grad()
def mean_density_attention(classifier: DaamClassifier, features: Tensor, *, batch_size: int = 256) -> Tensor:
    """Mean density attention ``[H, L, F]`` of a head over ``features [N, L, F]``."""
    attention = classifier.attention
    total = sum(
        attention.gate(classifier.standardise(batch)).sum(0, dtype=torch.float64)
        for batch in features.float().split(batch_size)
    )
    return attention.by_head(attention.attend((torch.as_tensor(total) / len(features)).float()))


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
    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (first, second)]
    norm = np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1]))
    shuffled = draw.permuted(np.tile(ranks[0], (draws, 1)), axis=1)
    found = shuffled @ ranks[1] / norm if norm > 0 else np.zeros(draws)
    return float((1 + np.sum(found >= observed - 1e-12)) / (draws + 1))


def subset_config(config: ModelConfig, layers: Sequence[int]) -> ModelConfig:
    """The same head on fewer layers. Groups of layers become shared layers: too few are left to split."""
    mode = config.mode if len(layers) == config.n_layers else "shared"
    return replace(config, n_layers=len(layers), mode=mode)


def _right(
    config: ModelConfig,
    split: TrainTestFeatures,
    layers: tuple[int, ...],
    *,
    seed: int,
    budget: TrainingConfig,
    progress: Progress,
) -> np.ndarray:
    """``[N]``: 1 for each test sample that a head trained on these layers alone gets right, else 0."""
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
    return (predict(model, test).argmax(-1) == test_labels).double().numpy()


def held_out(count: int, *, seed: int, share: float = 0.15) -> tuple[Tensor, Tensor]:
    """Indices of samples to train on, and of those that decide when to stop."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    held = max(1, round(share * count))
    return order[held:], order[:held]
