"""Plain rivals of density attention on the same standardised pooled features ``[B, L, F]``.

Each standardises its input like the classifier itself, so that one training loop serves all.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from daam_core.layers import Standardisation


class Baseline(nn.Module):
    """A module ``[B, L, F] → logits [B, C]`` with a standardisation to fit."""

    def __init__(self, n_layers: int, n_features: int) -> None:
        super().__init__()
        self.standardisation = Standardisation(n_layers, n_features)

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """Parameters that are trained with the gate's learning rate: none by default."""
        return ()


class LinearProbe(Baseline):
    """Logistic regression on all layers' features together."""

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        self.decoder = nn.Linear(n_layers * n_features, n_classes)

    def forward(self, pooled: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.standardisation(pooled).flatten(1))
        return logits


class LayerProbe(Baseline):
    """Logistic regression on chosen layers, the last one by default."""

    def __init__(
        self, n_layers: int, n_features: int, n_classes: int, *, layers: tuple[int, ...] = (-1,)
    ) -> None:
        super().__init__(n_layers, n_features)
        self.layers = list(layers)
        self.decoder = nn.Linear(len(layers) * n_features, n_classes)

    def forward(self, pooled: Tensor) -> Tensor:
        logits: Tensor = self.decoder(self.standardisation(pooled)[:, self.layers].flatten(1))
        return logits


class WeightedLayerSum(Baseline):
    """One learned softmax weight per layer, then logistic regression on the weighted sum."""

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

    def forward(self, pooled: Tensor) -> Tensor:
        x = self.standardisation(pooled)
        logits: Tensor = self.decoder(torch.einsum("l,blf->bf", self.layer_weights, x))
        return logits


class MultiHeadAttention(Baseline):
    """Self-attention over layers, residual, mean over layers, then logistic regression."""

    def __init__(self, n_layers: int, n_features: int, n_classes: int, *, n_heads: int = 4) -> None:
        super().__init__(n_layers, n_features)
        self.attention = nn.MultiheadAttention(n_features, n_heads, batch_first=True)
        self.decoder = nn.Linear(n_features, n_classes)

    def layer_attention(self, pooled: Tensor) -> Tensor:
        """``[B, H, L]``: how much each layer is attended to, averaged over queries; sums to 1 over L."""
        x = self.standardisation(pooled)
        _, weights = self.attention(x, x, x, need_weights=True, average_attn_weights=False)
        to_layers: Tensor = weights.mean(-2)
        return to_layers

    def forward(self, pooled: Tensor) -> Tensor:
        x = self.standardisation(pooled)
        attended, _ = self.attention(x, x, x, need_weights=False)
        logits: Tensor = self.decoder((x + attended).mean(1))
        return logits


#: Name → builder ``(L, F, C) → module``.
BASELINES: dict[str, Callable[[int, int, int], Baseline]] = {
    "linear probe": LinearProbe,
    "last layer": LayerProbe,
    "weighted layer sum": WeightedLayerSum,
    "multi-head attention": MultiHeadAttention,
}
