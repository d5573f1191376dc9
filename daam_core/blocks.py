"""Density adaptive attention inside a network: over tokens, features or layers, of any length, with padding.

Beside torch's ``nn.MultiheadAttention`` and ``nn.TransformerEncoderLayer``, with their arguments. Delegates
to ``gating``. Letters: B batch, H heads, N positions along the axis, F features, K Gaussians.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from daam_core.configuration import GateKind
from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import axis_statistics, density_gate, mixture_gate
from daam_core.layers import SCALED_VARIANCE_RANGE


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors are one, or the same part of one: ``x[:, :4]`` said twice."""
    if one is other:
        return True
    same_form = (one.shape, one.stride(), one.dtype) == (other.shape, other.stride(), other.dtype)
    return same_form and one.data_ptr() == other.data_ptr()


class DensityMultiheadAttention(nn.Module):
    """Density gates over any axis of ``x [B, .., F]`` in place of ``nn.MultiheadAttention``, batch first.

    Each head gates all values with its own offsets and variances; what all let through is projected back:
    ``output = W · concat_h(gate_h · x) + b``. Cost and memory grow with N, not N².

    Args:
        embed_dim: F.
        num_heads: H.
        axis: what the statistics run over: -2 for the tokens of ``[B, N, F]`` or the layers of
            ``[B, L, F]``, -1 for features, -3 for the layers of ``[B, L, T, F]``.
        gate_kind: ``density`` (Algorithm 1) or ``mixture`` (Algorithm 2).
        n_gaussians: K, mixture only.
        offset_spread: the heads' offsets start evenly spread over ± this value; equal heads stay equal.
        bias: whether the projection has one.

    Attributes:
        mean_offset: δ, ``[H, F]``; ``[H, 1]`` where the axis is the features'; a mixture's m, ``[H, K]``.
        initial_mean_offset: the same before training.
        initial_scaled_variance: ξ (a mixture's c) before training.

    Raises:
        ConfigError: a size below 1, or an axis that is not counted from the end.

    >>> import torch
    >>> attention = DensityMultiheadAttention(8, 2)
    >>> x, padding = torch.randn(3, 5, 8), torch.zeros(3, 5, dtype=torch.bool)
    >>> output, gate = attention(x, x, x, key_padding_mask=padding, average_attn_weights=False)
    >>> output.shape, gate.shape
    (torch.Size([3, 5, 8]), torch.Size([3, 2, 5, 8]))
    """

    initial_mean_offset: Tensor
    initial_scaled_variance: Tensor
    #: What torch's transformers ask of an attention: with these they take no path that bypasses it.
    batch_first = True
    in_proj_bias = None
    _qkv_same_embed_dim = False

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        *,
        axis: int = -2,
        gate_kind: GateKind = "density",
        n_gaussians: int = 1,
        offset_spread: float = 1.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = {"features": embed_dim, "heads": num_heads, "Gaussians": n_gaussians}
        for name, size in sizes.items():
            if size < 1:
                raise ConfigError(f"The number of {name} must be at least 1, got {size}.")
        if axis > -1:
            raise ConfigError(f"The axis is counted from the end: -1 features, -2 before them; got {axis}.")
        self.embed_dim, self.num_heads, self.axis = embed_dim, num_heads, axis
        self.gate_kind: GateKind = gate_kind
        width = n_gaussians if gate_kind == "mixture" else 1 if axis == -1 else embed_dim
        spread = torch.linspace(-offset_spread, offset_spread, num_heads) if num_heads > 1 else torch.zeros(1)
        offset = spread[:, None].repeat(1, width)
        variance = torch.full((num_heads, width), 2.0 if gate_kind == "density" else 1.0)
        self.mean_offset = nn.Parameter(offset.clone())
        self.log_scaled_variance = nn.Parameter(variance.log())
        self.register_buffer("initial_mean_offset", offset)
        self.register_buffer("initial_scaled_variance", variance)
        self.out_proj = nn.Linear(num_heads * embed_dim, embed_dim, bias=bias)

    @property
    def scaled_variance(self) -> Tensor:
        """Learned ξ (a mixture's c), of ``mean_offset``'s shape, within the range that ``layers`` names."""
        low, high = SCALED_VARIANCE_RANGE
        return self.log_scaled_variance.clamp(math.log(low), math.log(high)).exp()

    def gate(self, x: Tensor, key_padding_mask: Tensor | None = None) -> Tensor:
        """``x [B, .., F] → [B, H, .., F]``: each head's gate in [0, 1], 0 at padding.

        Args:
            x: any length along every axis but the last.
            key_padding_mask: ``x``'s shape without F: True (or −∞) for padding, which no statistic sees.

        Raises:
            ShapeError: shapes that do not fit, or values that cannot be gated.
        """
        return self._gated(x, self.counts(x, key_padding_mask))[1]

    def statistics(self, x: Tensor, key_padding_mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Mean and variance of ``x`` that the gates use; the axis is kept with length 1."""
        mask = self.counts(x, key_padding_mask)
        return axis_statistics(x, axis=self.axis, unbiased=self.gate_kind == "mixture", mask=mask)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """``x [B, .., F] → (output [B, .., F], gate)``; the gate is None where it is not needed.

        Args:
            query: x. A gate compares a tensor's values with each other, so ``key`` and ``value`` must be
                the same tensor, the same part of one, or left out.
            key_padding_mask: ``[B, ..]``, True (or −∞) for padding. Neither what padding holds nor how
                much there is of it changes the output elsewhere.
            average_attn_weights: whether the gate is the heads' mean, ``[B, .., F]``, or ``[B, H, .., F]``.

        Raises:
            ShapeError: shapes that do not fit, another key or value, a mask of pairs of positions.
        """
        if any(other is not None and not _same(other, query) for other in (key, value)):
            raise ShapeError("Density attention gates one tensor by itself: give it as query, key and value.")
        if attn_mask is not None or is_causal:
            raise ShapeError(
                "Density attention looks at no pairs of positions, so it takes no attn_mask and cannot be "
                "causal; leave positions out with key_padding_mask."
            )
        gated, gate = self._gated(query, self.counts(query, key_padding_mask))
        output: Tensor = self.out_proj(gated.movedim(1, -2).flatten(-2))
        if not need_weights:
            return output, None
        return output, gate.mean(1) if average_attn_weights else gate

    def of_gated(self, of_output: Tensor) -> Tensor:
        """Gradient by the output ``[B, .., F]`` → by what each head lets through, ``[B, H, .., F]``."""
        by_head: Tensor = (of_output @ self.out_proj.weight).unflatten(-1, (self.num_heads, self.embed_dim))
        return by_head.movedim(-2, 1)

    def counts(self, x: Tensor, key_padding_mask: Tensor | None) -> Tensor | None:
        """``[B, .., 1]``, True where a position of ``x`` is no padding; None where none is.

        Raises:
            ShapeError: shapes that do not fit.
        """
        if x.ndim < max(3, 1 - self.axis) or x.shape[-1] != self.embed_dim:
            raise ShapeError(
                f"Expected [B, N, {self.embed_dim}] or more axes after the batch's, one of them axis "
                f"{self.axis}, got {list(x.shape)}."
            )
        if key_padding_mask is None:
            return None
        if key_padding_mask.shape != x.shape[:-1]:
            raise ShapeError(
                f"key_padding_mask must be {list(x.shape[:-1])}, True for padding, "
                f"got {list(key_padding_mask.shape)}."
            )
        padding = key_padding_mask if key_padding_mask.dtype == torch.bool else key_padding_mask.isneginf()
        return ~padding[..., None]

    def _gated(self, x: Tensor, counts: Tensor | None) -> tuple[Tensor, Tensor]:
        """What every head lets through of ``x``, and its gate, ``[B, H, .., F]`` each."""
        place = max(self.axis, -2)  # where the gate finds its axis: others come last but one
        seen = x.movedim(self.axis, place).unsqueeze(1)
        mask = None if counts is None else counts.movedim(self.axis, place).unsqueeze(1)
        function = density_gate if self.gate_kind == "density" else mixture_gate
        between = (1,) * (x.ndim - 3)
        offsets, spreads = (
            one.unflatten(0, (self.num_heads, *between)) for one in (self.mean_offset, self.scaled_variance)
        )
        gate = function(seen, offsets, spreads, axis=place, mask=mask)
        gated = gate * (seen if mask is None else seen.where(mask, 0))
        return gated.movedim(place, self.axis), gate.movedim(place, self.axis)

    def extra_repr(self) -> str:
        return (
            f"{self.embed_dim}, {self.num_heads}, axis={self.axis}, gate_kind={self.gate_kind!r}, "
            f"parameters={list(self.mean_offset.shape)}"
        )


class DensityEncoderLayer(nn.TransformerEncoderLayer):
    """A block of a Density Adaptive Transformer: gate, residual, norm, feed-forward, residual, norm.

    torch's ``nn.TransformerEncoderLayer`` with density attention in place of ``self_attn``: called, stacked
    by ``nn.TransformerEncoder`` (with ``enable_nested_tensor=False``) and padded alike.

    Args:
        d_model: F.
        nhead: H.
        dim_feedforward: width of the feed-forward network.
        dropout: share of values dropped in training.
        activation: of the feed-forward network.
        norm_first: whether norms stand before attention and feed-forward rather than after them.
        axis, gate_kind, n_gaussians, offset_spread: as for :class:`DensityMultiheadAttention`.

    >>> import torch
    >>> layer = DensityEncoderLayer(8, 2, dim_feedforward=16)
    >>> layer(torch.randn(3, 5, 8)).shape
    torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Tensor], Tensor] = "relu",
        *,
        norm_first: bool = False,
        axis: int = -2,
        gate_kind: GateKind = "density",
        n_gaussians: int = 1,
        offset_spread: float = 1.0,
    ) -> None:
        # Its own attention is made with one head and thrown away: any number of ours fits.
        super().__init__(
            d_model, 1, dim_feedforward, dropout, activation, batch_first=True, norm_first=norm_first
        )
        self.self_attn: nn.Module = DensityMultiheadAttention(  # type: ignore[assignment]
            d_model,
            nhead,
            axis=axis,
            gate_kind=gate_kind,
            n_gaussians=n_gaussians,
            offset_spread=offset_spread,
        )
