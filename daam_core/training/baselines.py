"""Plain rivals of density attention on the same standardised pooled features ``[B, L, F]``.

Each standardises its input like the classifier itself, so that one training loop serves all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from daam_core.layers import Standardisation


class Baseline(nn.Module, ABC):
    """Logistic regression on what :meth:`represent` makes of the standardised features.

    A module ``[B, L, F] → logits [B, C]`` with a standardisation to fit.
    """

    decoder: nn.Linear

    def __init__(self, n_layers: int, n_features: int) -> None:
        super().__init__()
        self.standardisation = Standardisation(n_layers, n_features)

    def standardise(self, pooled: Tensor) -> Tensor:
        """``[B, L, F] → [B, L, F]``."""
        x: Tensor = self.standardisation(pooled)
        return x

    @abstractmethod
    def represent(self, x: Tensor) -> Tensor:
        """``[B, L, F]`` standardised → ``[B, D]``, what the decoder sees."""

    def forward(self, pooled: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.represent(self.standardise(pooled)))
        return logits

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """Parameters that are trained with the gate's learning rate: none by default."""
        return ()


class LinearProbe(Baseline):
    """All layers' features together."""

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        self.decoder = nn.Linear(n_layers * n_features, n_classes)

    def represent(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class LayerProbe(Baseline):
    """Chosen layers, the last one by default."""

    def __init__(
        self, n_layers: int, n_features: int, n_classes: int, *, layers: tuple[int, ...] = (-1,)
    ) -> None:
        super().__init__(n_layers, n_features)
        self.layers = list(layers)
        self.decoder = nn.Linear(len(layers) * n_features, n_classes)

    def represent(self, x: Tensor) -> Tensor:
        return x[:, self.layers].flatten(1)


class WeightedLayerSum(Baseline):
    """Layers summed with one learned softmax weight each."""

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        self.weight_logits = nn.Parameter(torch.zeros(n_layers))
        self.decoder = nn.Linear(n_features, n_classes)

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        return (self.weight_logits,)

    @property
    def layer_weights(self) -> Tensor:
        """``[L]``, sums to 1."""
        return self.weight_logits.softmax(0)

    def represent(self, x: Tensor) -> Tensor:
        return torch.einsum("l,blf->bf", self.layer_weights, x)


class MultiHeadAttention(Baseline):
    """Self-attention over layers, residual, mean over layers."""

    def __init__(self, n_layers: int, n_features: int, n_classes: int, *, n_heads: int = 4) -> None:
        super().__init__(n_layers, n_features)
        self.attention = nn.MultiheadAttention(n_features, n_heads, batch_first=True)
        self.decoder = nn.Linear(n_features, n_classes)

    def layer_attention(self, pooled: Tensor) -> Tensor:
        """``[B, H, L]``: how much each layer is attended to, averaged over queries; sums to 1 over L."""
        x = self.standardise(pooled)
        weights: Tensor = self.attention(x, x, x, need_weights=True, average_attn_weights=False)[1]
        return weights.mean(-2)

    def represent(self, x: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return (x + attended).mean(1)


#: Name → builder ``(L, F, C) → module``.
BASELINES: dict[str, Callable[[int, int, int], Baseline]] = {
    "linear probe": LinearProbe,
    "last layer": LayerProbe,
    "weighted layer sum": WeightedLayerSum,
    "multi-head attention": MultiHeadAttention,
}
