"""The attention of the package gaussian-adaptive-attention (0.1.5): told by its parts, converted both ways.

The package itself is never imported. Letters: H heads, K Gaussians, N positions along an axis.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError
from daam_core.layers import SCALED_VARIANCE_RANGE, DensityAttention
from daam_core.levels import DensityStack

_HEAD = "attention_heads.{}."


def published_heads(module: nn.Module) -> list[nn.Module]:
    """The heads of a ``MultiHeadGaussianAdaptiveAttention``, or a ``GaussianAdaptiveAttention`` as its own.

    Each has ``mean_offsets [K]``, ``c [K]`` and ``norm_axis``. Empty for any other module.
    """
    several = getattr(module, "attention_heads", None)
    heads = list(several) if isinstance(several, nn.ModuleList) else [module]
    return heads if heads and all(map(_is_head, heads)) and hasattr(module, "norm_axis") else []


def _is_head(module: nn.Module) -> bool:
    offsets, scales = getattr(module, "mean_offsets", None), getattr(module, "c", None)
    return (
        isinstance(offsets, Tensor)
        and isinstance(scales, Tensor)
        and offsets.ndim == 1
        and offsets.shape == scales.shape
        and isinstance(getattr(module, "norm_axis", None), int)
    )


def from_published(module: nn.Module, *, n_layers: int, n_features: int) -> DensityAttention:
    """Our heads with a published attention's parameters: the same output to 1e-7 in double precision.

    One thing differs. The package multiplies densities and divides by their sum, or by 1e-8 where that is
    more; ours works with logarithms. Where narrow Gaussians make the sum S smaller than that, its gates
    are S / 1e-8 of ours and no longer sum to 1.

    Args:
        module: a ``GaussianAdaptiveAttention`` or a ``MultiHeadGaussianAdaptiveAttention``.
        n_layers: positions along its ``norm_axis``, which is ours before the last: L of ``[B, L, F]``.
        n_features: F.

    Raises:
        ConfigError: another module, one with a padding value, or parameters that ours cannot hold.
    """
    heads = published_heads(module)
    if not heads:
        raise ConfigError(
            "Expected a GaussianAdaptiveAttention or MultiHeadGaussianAdaptiveAttention, "
            f"got {type(module).__name__}; a GaussianBlock is converted one of its layers at a time."
        )
    if any(getattr(head, "padding_value", None) is not None for head in heads):
        raise ConfigError(
            "An attention with a padding_value counts padding as zeros in its statistics, which ours never "
            "does; convert it without, and give ours a mask (daam_core.blocks)."
        )
    offsets = torch.stack([head.get_parameter("mean_offsets") for head in heads]).detach()
    # Only its square counts, and the package starts it at numbers of either sign.
    scales = torch.stack([head.get_parameter("c") for head in heads]).detach().abs()
    low, high = SCALED_VARIANCE_RANGE
    if not bool(((scales >= low) & (scales <= high)).all()):
        raise ConfigError(f"A scale c of this attention is outside of {low:g} to {high:g}, ours stay inside.")
    attention = DensityAttention(
        n_layers=n_layers,
        n_features=n_features,
        n_heads=len(heads),
        mode="layer_groups",
        gate_kind="mixture",
        n_gaussians=offsets.shape[1],
    ).to(offsets)
    with torch.no_grad():
        attention.mean_offset.copy_(offsets)
        attention.log_scaled_variance.copy_(scales.log())
    return attention


def to_published(attention: DensityAttention) -> dict[str, Tensor]:
    """Our heads' parameters as the ``state_dict`` of a ``MultiHeadGaussianAdaptiveAttention``.

    It is to be made with the axis of L, H heads and K Gaussians, and no padding value.

    Raises:
        ConfigError: heads that the package does not have: density gates, layers shared by all heads, or
            an amplitude, several levels.
    """
    if isinstance(attention, DensityStack):
        raise ConfigError("The package's attention has one level; this one has several.")
    plain = attention.amplitude_logits is None
    if attention.gate_kind != "mixture" or attention.mode != "layer_groups" or not plain:
        raise ConfigError(
            "The package has mixture gates over groups of layers without amplitude; this attention has "
            f"{attention.gate_kind} gates, mode {attention.mode!r}{'' if plain else ', and an amplitude'}."
        )
    parts: Mapping[str, Tensor] = {"mean_offsets": attention.mean_offset, "c": attention.scaled_variance}
    return {
        f"{_HEAD.format(head)}{name}": values[head].detach().clone()
        for head in range(attention.n_heads)
        for name, values in parts.items()
    }
