"""Plain rivals of density attention on the same standardised pooled features ``[B, L, F]``.

Each standardises its input like the classifier itself, so that one training loop serves all.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from daam_core.grouped_query import GroupedQueryAttention
from daam_core.layers import Standardisation

#: Units of the hidden layer of :class:`Perceptron`, and the share of them that training leaves out at random.
HIDDEN, DROPOUT = 256, 0.3


class Baseline(nn.Module, ABC):
    """Logistic regression on what :meth:`represent` makes of the standardised features.

    A module ``[B, L, F] → logits [B, C]`` with a standardisation to fit.

    Attributes:
        layer_quantity: what its :meth:`layer_amounts` are, by the name they have there.
    """

    decoder: nn.Linear
    layer_quantity: str

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

    @abstractmethod
    def layer_amounts(self, pooled: Tensor) -> Tensor:
        """``[B, L, F] → [B, L]``: how much it makes of each layer, not negative."""

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """Parameters that are trained with the gate's learning rate: none by default."""
        return ()


def _weights_by_layer(weight: Tensor, pooled: Tensor) -> Tensor:
    """Of weights ``[.., L·F]`` on standardised features the sum of sizes by layer, ``[B, L]``."""
    sizes: Tensor = weight.abs().sum(0).unflatten(0, pooled.shape[1:])  # [L, F]
    return sizes.sum(-1).expand(len(pooled), -1)


class LinearProbe(Baseline):
    """All layers' features together."""

    layer_quantity = "|decoder weight|"

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        self.decoder = nn.Linear(n_layers * n_features, n_classes)

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        return _weights_by_layer(self.decoder.weight, pooled)

    def represent(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class LayerProbe(Baseline):
    """Chosen layers, the last one by default."""

    layer_quantity = "|decoder weight|"

    def __init__(
        self, n_layers: int, n_features: int, n_classes: int, *, layers: tuple[int, ...] = (-1,)
    ) -> None:
        super().__init__(n_layers, n_features)
        self.layers = list(layers)
        self.decoder = nn.Linear(len(layers) * n_features, n_classes)

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        amounts = pooled.new_zeros(pooled.shape[:2])
        amounts[:, self.layers] = _weights_by_layer(self.decoder.weight, pooled[:, self.layers])
        return amounts

    def represent(self, x: Tensor) -> Tensor:
        return x[:, self.layers].flatten(1)


class WeightedLayerSum(Baseline):
    """Layers summed with one learned softmax weight each."""

    layer_quantity = "layer-sum weight"

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

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        return self.layer_weights.expand(len(pooled), -1)

    def represent(self, x: Tensor) -> Tensor:
        return torch.einsum("l,blf->bf", self.layer_weights, x)


class MultiHeadAttention(Baseline):
    """Self-attention over layers, residual, mean over layers; with batch norm of features where asked."""

    layer_quantity = "attention weight"

    def __init__(
        self, n_layers: int, n_features: int, n_classes: int, *, n_heads: int = 4, batch_norm: bool = False
    ) -> None:
        super().__init__(n_layers, n_features)
        self.attention = nn.MultiheadAttention(n_features, n_heads, batch_first=True)
        self.norm: nn.Module = nn.BatchNorm1d(n_features) if batch_norm else nn.Identity()
        self.decoder = nn.Linear(n_features, n_classes)

    def layer_attention(self, pooled: Tensor) -> Tensor:
        """``[B, H, L]``: how much each layer is attended to, averaged over queries; sums to 1 over L."""
        x = self.standardise(pooled)
        weights: Tensor = self.attention(x, x, x, need_weights=True, average_attn_weights=False)[1]
        return weights.mean(-2)

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        return self.layer_attention(pooled).mean(1)

    def represent(self, x: Tensor) -> Tensor:
        attended: Tensor = self.attention(x, x, x, need_weights=False)[0]
        mean: Tensor = self.norm((x + attended).transpose(1, 2)).mean(-1)
        return mean


class GroupedQuery(Baseline):
    """Grouped-query attention over layers, residual, mean over layers: 8 query and 2 key-value heads."""

    layer_quantity = "attention weight"

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        self.attention = GroupedQueryAttention(n_features)
        self.decoder = nn.Linear(n_features, n_classes)

    def layer_attention(self, pooled: Tensor) -> Tensor:
        """``[B, 8, L]``: how much each layer is attended to, averaged over queries; sums to 1 over L."""
        return self.attention.weights(self.standardise(pooled))

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        return self.layer_attention(pooled).mean(1)

    def represent(self, x: Tensor) -> Tensor:
        mean: Tensor = (x + self.attention(x)).mean(1)
        return mean


class Perceptron(Baseline):
    """One hidden layer on all layers' features together, with layer norm and dropout."""

    layer_quantity = "|hidden weight|"

    def __init__(self, n_layers: int, n_features: int, n_classes: int) -> None:
        super().__init__(n_layers, n_features)
        first = nn.Linear(n_layers * n_features, HIDDEN)
        self.hidden = nn.Sequential(first, nn.LayerNorm(HIDDEN), nn.GELU(), nn.Dropout(DROPOUT))
        self.decoder = nn.Linear(HIDDEN, n_classes)

    def layer_amounts(self, pooled: Tensor) -> Tensor:
        return _weights_by_layer(self.hidden.get_parameter("0.weight"), pooled)

    def represent(self, x: Tensor) -> Tensor:
        hidden: Tensor = self.hidden(x.flatten(1))
        return hidden
