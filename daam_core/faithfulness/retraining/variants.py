"""The same measurement on classifiers trained anew: other seeds, and the paper's plain gate.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.maps.methods import gated_maps
from daam_core.faithfulness.removal.curves import deletion_curve, random_curve
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.model import DaamClassifier
from daam_core.training.answers import right
from daam_core.training.settings import TrainingConfig

AS_SHIPPED = "as the model, trained again"
PLAIN = "the paper's plain gate"


@dataclass(frozen=True)
class Variant:
    """Deletion by Importance Factor on the gated cells of several classifiers, on inputs they never saw.

    Attributes:
        name: what was trained.
        seeds: one classifier each.
        accuracy: mean over seeds, interval over inputs.
        deletion: area under the curve, highest Importance Factor first; likewise.
        at_random: area under the curve of random orders; likewise.
        gain: ``at_random`` minus ``deletion``, in pairs of inputs.
        by_seed: each classifier's mean gain.
    """

    name: str
    seeds: tuple[int, ...]
    accuracy: Interval
    deletion: Interval
    at_random: Interval
    gain: Interval
    by_seed: tuple[float, ...]


def plain_variant(
    classifier: DaamClassifier, budget: TrainingConfig
) -> tuple[DaamClassifier, TrainingConfig]:
    """An untrained classifier with the paper's gate, and a budget like the paper's.

    No amplitude, every δ from 0, no gate penalty, and one learning rate for gate and decoder.
    """
    config = replace(classifier.config, amplitude="none", offset_spread=0.0)
    return DaamClassifier(config), replace(budget, gate_penalty=0.0, gate_learning_rate=budget.learning_rate)


def measure_variant(
    name: str,
    classifiers: Sequence[DaamClassifier],
    pooled: Tensor,
    labels: Tensor,
    *,
    orders: Sequence[int],
    seed: int = 0,
    check: Callable[[], None] | None = None,
) -> Variant:
    """Delete by each classifier's Importance Factor on ``pooled [N, L, F]``.

    Args:
        name: what was trained.
        classifiers: each with its seed in its configuration.
        pooled: inputs that no classifier was trained on.
        labels: ``[N]``.
        orders: seeds of the random orders.
        seed: of the intervals.
        check: called between batches; may raise to stop.
    """
    deleted, chance, answered = [], [], []
    for classifier in classifiers:
        cells = gated_cells(classifier, pooled)
        chance.append(random_curve(cells, seeds=orders, check=check).areas)
        deleted.append(deletion_curve(cells, gated_maps(classifier, pooled)["importance"], check=check).areas)
        with torch.no_grad():
            answered.append(right(classifier(pooled).logits, labels).double().numpy())
    gains = np.stack(chance) - np.stack(deleted)
    return Variant(
        name=name,
        seeds=tuple(classifier.config.seed for classifier in classifiers),
        accuracy=bootstrap_mean(np.mean(answered, axis=0), seed=seed),
        deletion=bootstrap_mean(np.mean(deleted, axis=0), seed=seed),
        at_random=bootstrap_mean(np.mean(chance, axis=0), seed=seed),
        gain=bootstrap_mean(gains.mean(0), seed=seed),
        by_seed=tuple(float(gain) for gain in gains.mean(1)),
    )
