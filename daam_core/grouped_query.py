"""Attention over layers by products of queries and keys, several query heads sharing keys and values.

Source: Ainslie et al., "GQA: Training Generalized Multi-Query Transformer Models", 2023.
The paper puts it behind its density gate. Letters: B batch, N positions (layers or rows), F features.
"""

import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError

QUERY_HEADS, KEY_VALUE_HEADS = 8, 2


class GroupedQueryAttention(nn.Module):
    """``[B, N, F] → [B, N, F]``: self-attention whose query heads share keys and values in groups.

    Args:
        n_features: F, a multiple of ``query_heads``.
        query_heads: how many; a multiple of ``key_value_heads``.
        key_value_heads: how many.

    Raises:
        ConfigError: the numbers do not divide.
    """

    def __init__(
        self, n_features: int, *, query_heads: int = QUERY_HEADS, key_value_heads: int = KEY_VALUE_HEADS
    ) -> None:
        super().__init__()
        if n_features % query_heads or query_heads % key_value_heads:
            raise ConfigError(
                f"Grouped-query attention with {query_heads} query and {key_value_heads} key-value heads "
                f"needs a number of features that {query_heads} divides, got {n_features}; take another "
                "method or encoder."
            )
        self.query_heads, self.key_value_heads = query_heads, key_value_heads
        width = n_features // query_heads
        self.query = nn.Linear(n_features, n_features)
        self.key = nn.Linear(n_features, key_value_heads * width)
        self.value = nn.Linear(n_features, key_value_heads * width)
        self.output = nn.Linear(n_features, n_features)

    def forward(self, x: Tensor) -> Tensor:
        query = (
            self.query(x).unflatten(-1, (self.query_heads, -1)).transpose(1, 2)
        )  # [B, heads, N, F / heads]
        key, value = (
            part(x).unflatten(-1, (self.key_value_heads, -1)).transpose(1, 2)
            for part in (self.key, self.value)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)
        found: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return found

    @torch.no_grad()
    def weights(self, x: Tensor) -> Tensor:
        """``[B, query heads, N]``: how much each position is attended to, mean over queries; sums to 1."""
        query = self.query(x).unflatten(-1, (self.query_heads, -1)).transpose(1, 2)
        key = self.key(x).unflatten(-1, (self.key_value_heads, -1)).transpose(1, 2)
        key = key.repeat_interleave(self.query_heads // self.key_value_heads, dim=1)
        scores: Tensor = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        return scores.softmax(-1).mean(-2)
