"""Other models' own explanations: a weighted layer sum's weights, and multi-head attention.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from daam_core.faithfulness.maps.cells import input_cells
from daam_core.faithfulness.maps.on_input import captum_maps
from daam_core.faithfulness.removal.curves import RANDOM_SEEDS, Comparison, compare, random_curve
from daam_core.faithfulness.retraining.layers import BUDGET, held_out
from daam_core.faithfulness.statistics import ranks
from daam_core.progress import Progress
from daam_core.training.baselines import MultiHeadAttention, WeightedLayerSum
from daam_core.training.fitting import accuracy, fit, seeded
from daam_core.training.settings import TrainingConfig

#: Models that come with layer weights, by name, and the map of theirs.
MAPS: dict[str, tuple[type[WeightedLayerSum | MultiHeadAttention], str]] = {
    "weighted layer sum": (WeightedLayerSum, "layer_sum"),
    "multi-head attention": (MultiHeadAttention, "attention"),
}


@dataclass(frozen=True)
class Rival:
    """A baseline model that explains itself by layer weights, measured on its own decision.

    Attributes:
        model: name of the baseline.
        method: key of its own map.
        accuracy: on the inputs measured.
        maps: method → ``[N, L, F]``: its own map, and captum's gradient × input beside it.
        deletion: method → deletion on this model's standardised input.
    """

    model: str
    method: str
    accuracy: float
    maps: dict[str, Tensor]
    deletion: dict[str, Comparison]


def rivals(
    train: tuple[Tensor, Tensor],
    pooled: Tensor,
    labels: Tensor,
    *,
    n_classes: int,
    budget: TrainingConfig = BUDGET,
    seed: int = 0,
    random_seeds: Sequence[int] = RANDOM_SEEDS,
    progress: Progress | None = None,
) -> list[Rival]:
    """Train the baselines that come with layer weights, and delete by those weights.

    Args:
        train: features ``[M, L, F]`` and labels to train on.
        pooled: inputs ``[N, L, F]`` to measure on.
        labels: ``[N]`` classes, or ``[N, C]`` of 0 and 1.
        n_classes: C.
        budget: of training.
        seed: of training.
        random_seeds: of the random orders.
        progress: told how far it is; stops when cancelled.
    """
    progress = progress or Progress()
    features, targets = train
    kept, held = held_out(len(features), seed=seed)
    found = []
    for index, (name, (build, method)) in enumerate(MAPS.items()):
        progress.report(index / len(MAPS), f"Training the baseline: {name}")
        seeded(seed)
        model = build(features.shape[1], features.shape[2], n_classes)
        fit(
            model,
            replace(budget, seed=seed),
            features[kept],
            targets[kept],
            validation=(features[held], targets[held]),
        )
        model.requires_grad_(False)
        with torch.no_grad():
            weights = model.layer_amounts(pooled)
        cells = input_cells(model, pooled, labels="one" if labels.ndim == 1 else "several")
        maps = {
            method: weights[..., None].expand_as(pooled).clone(),
            "gradient_input": captum_maps(cells, steps=2)["gradient_input"],
        }
        at_random = random_curve(cells, labels=labels, seeds=random_seeds, check=progress.check)
        deletion = {
            key: compare(cells, map_, at_random, labels=labels, seeds=random_seeds, check=progress.check)
            for key, map_ in maps.items()
        }
        found.append(Rival(name, method, accuracy(model, pooled, labels), maps, deletion))
    return found


def agreement(maps: dict[str, Tensor], *, most: int = 100) -> tuple[list[str], np.ndarray]:
    """Mean rank correlation between every two methods' maps, over the first inputs.

    Args:
        maps: method → ``[N, L, F]``, equal N.
        most: how many inputs at most.

    Returns:
        Names, and the matrix ``[M, M]``. A constant map agrees with nothing: 0, also with itself.
    """
    names = list(maps)
    count = min(most, *(len(map_) for map_ in maps.values()))
    total = np.zeros((len(names), len(names)))
    for index in range(count):
        ranked = np.stack([ranks(maps[name][index].detach().numpy().ravel()) for name in names])
        ranked -= ranked.mean(1, keepdims=True)
        norm = np.linalg.norm(ranked, axis=1, keepdims=True)
        unit = np.divide(ranked, norm, out=np.zeros_like(ranked), where=norm > 0)
        total += unit @ unit.T
    return names, total / count
