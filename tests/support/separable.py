"""Data in which one layer says the class, and a short training."""

import torch

from daam_core.training.settings import TrainingConfig
from tests.support.planted import FEATURES, LAYERS

BUDGET = TrainingConfig(epochs=8, learning_rate=1e-2, gate_learning_rate=3e-2, batch_size=16)


def separable(count: int, *, layer: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise in which the features of one layer alone say the class."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    x = torch.randn(count, LAYERS, FEATURES, generator=draw)
    x[:, layer] += 2.0 * (2.0 * labels - 1)[:, None]
    return x, labels
