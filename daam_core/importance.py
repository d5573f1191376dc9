"""Importance Factor, layer contribution, token attribution and evidence: pure functions of tensors.

Source: arXiv 2401.11143v4, section 1.5 (Importance Factor) and figure 3 (layer contribution); token
attribution, the class-specific map and evidence are this project's own.
Letters: H heads, L layers, F features, T tokens, D directions, M prototypes.
"""

from typing import Literal, NamedTuple

import torch
from torch import Tensor

from daam_core.errors import ShapeError
from daam_core.gating import joint_gate

_NOT_FINITE = "Density attention must be finite floating point numbers."


class ImportanceFactor(NamedTuple):
    """Importance Factor and what it was scaled by.

    Attributes:
        importance: in [0, 1], of the density attention's shape.
        minimum: ``[.., H]`` the minimum used for each head.
        maximum: ``[.., H]`` the maximum used for each head.
        degenerate: whether a map was constant; its importance is 0 everywhere.
    """

    importance: Tensor
    minimum: Tensor
    maximum: Tensor
    degenerate: bool


def importance_factor(
    density_attention: Tensor,
    *,
    scale: Literal["all_heads", "per_head"] = "all_heads",
    head_layers: Tensor | None = None,
) -> ImportanceFactor:
    r"""Importance Factor of one sample's map, or of a data set's mean map (paper, 1.5).

    .. math:: IF = \frac{DA - \min DA}{\max DA - \min DA}

    For a data set, average the density attention over samples first and scale the mean. For a batch
    every sample is scaled by its own minimum and maximum.

    Args:
        density_attention: DA, ``[.., H, L, F]``, finite.
        scale: ``all_heads`` takes minimum and maximum over all heads together, so that heads can be
            compared; ``per_head`` takes each head's own.
        head_layers: ``[H, L]`` bool, the layers each head sees; others stay out of minimum and
            maximum, and get 0. By default every head sees every layer.

    Returns:
        Importance, the range it was scaled by, and whether a map was constant (then 0, never NaN).

    Raises:
        ShapeError: not ``[.., H, L, F]``, empty, or not finite.

    >>> import torch
    >>> importance_factor(torch.tensor([[[0.2, 0.4], [0.3, 0.6]]])).importance
    tensor([[[0.0000, 0.5000],
             [0.2500, 1.0000]]])
    """
    if density_attention.ndim < 3 or density_attention.numel() == 0:
        raise ShapeError(f"Expected density attention [.., H, L, F], got {list(density_attention.shape)}.")
    if not density_attention.is_floating_point():
        raise ShapeError(_NOT_FINITE)
    if scale not in ("all_heads", "per_head"):
        raise ShapeError(f"scale must be 'all_heads' or 'per_head', got {scale!r}.")
    heads, layers, _ = density_attention.shape[-3:]
    if head_layers is None:
        seen = torch.ones(heads, layers, 1, dtype=torch.bool, device=density_attention.device)
    elif head_layers.shape == (heads, layers) and bool(head_layers.any(-1).all()):
        seen = head_layers.bool()[..., None]
    else:
        raise ShapeError(
            f"head_layers must be [{heads}, {layers}] with at least one layer per head, "
            f"got {list(head_layers.shape)}."
        )
    axes = (-3, -2, -1) if scale == "all_heads" else (-2, -1)
    whole = bool(seen.all())  # then each step over all cells that would leave some out is spared
    low, high = (
        density_attention if whole else density_attention.masked_fill(~seen, end)
        for end in (torch.inf, -torch.inf)
    )
    low, high = low.amin(axes, keepdim=True), high.amax(axes, keepdim=True)
    # What is not finite shows in the range, where nothing is left out.
    ranged = torch.stack([low, high]) if whole else density_attention
    if not bool(torch.isfinite(ranged).all()):
        raise ShapeError(_NOT_FINITE)
    constant = high <= low
    width = torch.where(constant, torch.ones_like(high), high - low)
    scaled = (density_attention - low) / width
    if not bool(torch.isfinite(width).all()):
        # A range that overflows its type is scaled through halves; both forms are equal otherwise.
        half_width = (high / 2 - low / 2).where(~constant, torch.ones_like(high))
        half = (density_attention / 2 - low / 2) / half_width
        scaled = torch.where(torch.isfinite(width), scaled, half)
    degenerate = bool(constant.any())
    if degenerate or not whole:
        scaled = torch.where(constant | ~seen, torch.zeros_like(scaled), scaled)
    per_head = density_attention.shape[:-2]
    return ImportanceFactor(
        scaled,
        low.flatten(-3).expand(per_head),
        high.flatten(-3).expand(per_head),
        degenerate,
    )


def layer_contribution(density_attention: Tensor) -> Tensor:
    """Share of the summed density attention by head and layer (paper, figure 3).

    Args:
        density_attention: ``[.., H, L, F]``, non-negative.

    Returns:
        ``[.., H, L]`` in percent; all heads and layers together sum to 100. Zero everywhere when
        the density attention is zero everywhere.

    >>> import torch
    >>> layer_contribution(torch.tensor([[[1.0, 1.0], [3.0, 3.0]]]))
    tensor([[25., 75.]])
    """
    if density_attention.ndim < 3 or bool((density_attention < 0).any()):
        raise ShapeError(
            f"Expected non-negative density attention [.., H, L, F], got {list(density_attention.shape)}."
        )
    sums = density_attention.sum(-1)
    total = sums.sum((-2, -1), keepdim=True)
    return 100 * sums / torch.where(total > 0, total, torch.ones_like(total))


def token_attribution(weight: Tensor, density_attention: Tensor, hidden: Tensor, shares: Tensor) -> Tensor:
    r"""Each token's share in what the gated features say of the explained class, by head, in logits.

    Pooling is a mean over tokens, so with the gate held fixed the gated features split over tokens:

    .. math:: a[h, t] = \sum_{l,f} ω[h,l,f] \, DA[h,l,f] \, ĥ[l,t,f] \, w_t

    With the gradient of the class's logit by the gated features as weight ω it is each token's share in that
    logit, and sums to gradient × gated value over all cells; with :func:`evidence_weight` it is each token's
    share in the evidence, and sums to that.

    Args:
        weight: ω ``[H, L, F]``.
        density_attention: ``[H, L, F]``.
        hidden: ĥ ``[L, T, F]``, hidden states standardised like the pooled values.
        shares: w ``[T]``, sums to 1: 1 / T each where all tokens count the same.

    Returns:
        ``[H, T]``.
    """
    if weight.shape != density_attention.shape or hidden.shape[0] != weight.shape[1]:
        raise ShapeError(
            f"Weight and density attention must both be [H, L, F] with the L of hidden [L, T, F], got "
            f"{list(weight.shape)}, {list(density_attention.shape)} and {list(hidden.shape)}."
        )
    heads = weight.shape[0]
    weights = (weight * density_attention).flatten(1)  # [H, L·F]
    tokens = hidden.transpose(0, 1).flatten(1)  # [T, L·F]
    return (weights @ tokens.T).view(heads, -1) * shares


def evidence(
    gated: Tensor,
    directions: Tensor,
    prototypes: Tensor,
    scaled_variance: Tensor,
    lead: Tensor,
) -> Tensor:
    r"""How much each cell changes the joint log gates for one class and against another, in logits.

    A density decoder sees :math:`u_d = \sum_{h,l,f} P[d,l,f] \, x[h,l,f]` of the gated values x, and its
    joint gates are :math:`g_m = \exp(-\lVert u - δ_m \rVert^2 / 2ξ)`. Their logarithm is quadratic in the
    cells; from all cells at the training mean, 0, to x it changes by

    .. math:: \log \frac{g_m(x)}{g_m(0)} = \sum_{h,l,f} x[h,l,f] \, \frac{1}{ξ} \sum_d P[d,l,f] \,
              \left(δ_{m,d} - \tfrac{1}{2} u_d\right)

    exactly, where what two cells do together is shared between them by halves (the Shapley value of this
    quadratic form). The evidence weighs it by what each prototype adds to the lead of one class's logit over
    the other's:

    .. math:: E[h,l,f] = x[h,l,f] \, \frac{1}{ξ} \sum_m lead_m \, g_m(x) \sum_d P[d,l,f]
              \left(δ_{m,d} - \tfrac{1}{2} u_d\right)

    It sums to :math:`\sum_m lead_m \, g_m(x) \, \log (g_m(x) / g_m(0))`.

    Args:
        gated: x ``[.., H, L, F]``, amplitude · gate · value.
        directions: P ``[D, L, F]``.
        prototypes: δ ``[M, D]``.
        scaled_variance: ξ > 0, ``[]`` or ``[1]``.
        lead: ``[.., M]``, the weight of each joint gate in the logit of the explained class minus that in
            the other's, or where the other is the class's absence, whose logit is 0, the first alone.

    Returns:
        ``[.., H, L, F]``; positive cells speak for the class.

    Raises:
        ShapeError: shapes that do not fit each other.
    """
    return gated * evidence_weight(gated, directions, prototypes, scaled_variance, lead)


def evidence_weight(
    gated: Tensor,
    directions: Tensor,
    prototypes: Tensor,
    scaled_variance: Tensor,
    lead: Tensor,
    *,
    joint: tuple[Tensor, Tensor] | None = None,
) -> Tensor:
    """What :func:`evidence` multiplies each gated value by, the same for all heads: ``[.., 1, L, F]``.

    Arguments and errors are those of :func:`evidence`, and

    Args:
        joint: u ``[.., D]`` and g(x) ``[.., M]``, where they are known already.
    """
    fits = (
        gated.ndim >= 3
        and directions.shape[1:] == gated.shape[-2:]
        and prototypes.shape == (lead.shape[-1], directions.shape[0])
        and lead.shape[:-1] == gated.shape[:-3]
    )
    if not fits:
        raise ShapeError(
            "Evidence needs gated values [.., H, L, F], directions [D, L, F], prototypes [M, D] and a lead "
            f"[.., M], got {list(gated.shape)}, {list(directions.shape)}, {list(prototypes.shape)} and "
            f"{list(lead.shape)}."
        )
    if joint is None:
        seen = gated.sum(-3).flatten(-2) @ directions.flatten(1).T  # u [.., D]
        joint = seen, joint_gate(seen, prototypes, scaled_variance)
    seen, gates = joint
    share = lead * gates  # [.., M]
    pull = (share @ prototypes - share.sum(-1, keepdim=True) * seen / 2) / scaled_variance  # [.., D]
    return (pull @ directions.flatten(1)).reshape(*pull.shape[:-1], 1, *directions.shape[1:])
