"""Density adaptive gates: pure functions, no state.

Source: Ioannides, Chadha, Elkins, "Density Adaptive Attention is All You Need",
arXiv 2401.11143v4. Letters: N positions along the axis of statistics (layers), F features,
K Gaussians.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from daam_core.errors import ShapeError
from daam_core.floors import STANDARD_DEVIATION_FLOOR, VARIANCE_FLOOR


def _require(holds: Callable[[], Tensor], refusal: str) -> None:
    """Check values; not while a graph is traced (``torch.export``, ``torch.compile``), which has none yet."""
    if not torch.compiler.is_compiling() and not bool(holds().all()):
        raise ShapeError(refusal)


def _kept(x: Tensor, mask: Tensor | None) -> Tensor:
    return x if mask is None else x.where(mask, 0)


def axis_statistics(
    x: Tensor, *, axis: int = -2, unbiased: bool = False, mask: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Mean and variance of a gate along ``axis``, which is kept with length 1.

    ``var = E[(x − mean)²] + 1e-8``: the ``|E[x²] − mean²| + 1e-8`` of Algorithm 1 without its
    cancellation. Half precision is raised to float32.

    Args:
        x: ``[.., N, F]``, real.
        axis: the axis of statistics, N values each.
        unbiased: the sample's variance, over N − 1 (Algorithm 2); needs N ≥ 2.
        mask: bool, broadcasts to ``x``; False for values that do not count, whatever they hold, NaN
            included. Where one value or none counts, the variance is its floor.

    Raises:
        ShapeError: the input is not real floating point, has too few positions, is not finite, or is
            so large that its variance is not.
    """
    if not x.is_floating_point() or x.ndim < 2 or x.shape[axis] == 0:
        raise ShapeError(
            f"A gate needs a real tensor [.., N, F] with at least one position along axis {axis}, "
            f"got {x.dtype} of shape {list(x.shape)}."
        )
    positions = x.shape[axis]
    if unbiased and positions < 2:
        raise ShapeError("A mixture gate needs at least two positions along its axis: one has no variance.")
    if x.dtype in (torch.float16, torch.bfloat16):
        x = x.float()
    if mask is None:
        mean = x.mean(axis, keepdim=True)
        variance = (x - mean).square().mean(axis, keepdim=True)
        if unbiased:
            variance = variance * (positions / (positions - 1))
    else:
        # Multiplying by the mask would keep NaN, so padding is replaced.
        seen = mask.expand(x.shape)
        count = seen.sum(axis, keepdim=True)
        mean = _kept(x, seen).sum(axis, keepdim=True) / count.clamp_min(1)
        squares = _kept(x - mean, seen).square().sum(axis, keepdim=True)
        variance = squares / (count - int(unbiased)).clamp_min(1)
    variance = variance + VARIANCE_FLOOR
    _require(
        lambda: torch.isfinite(variance),
        f"The input holds NaN, infinity or values whose variance overflows {x.dtype}; "
        "standardise it, or use float64.",
    )
    return mean, variance


def density_gate(
    x: Tensor,
    mean_offset: Tensor,
    scaled_variance: Tensor,
    *,
    axis: int = -2,
    statistics: tuple[Tensor, Tensor] | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Density gate of Algorithm 1: how typical each value is for its feature.

    .. math:: gate = \exp\left(-\frac{z^2}{2ξ}\right), \quad
              z = \frac{x - mean - δ}{\sqrt{var + 10^{-5}}}

    The paper's prose writes :math:`2c^2`; its Algorithm 1 and experiments use :math:`2c`, and so
    does this function.

    Args:
        x: ``[.., N, F]``, real; float16 and bfloat16 are computed in float32.
        mean_offset: δ, broadcasts against ``x`` with ``axis`` reduced, such as ``[F]``; or ``[H, F]``
            against ``x [B, 1, N, F]`` for H heads on one input.
        scaled_variance: ξ > 0, same broadcasting.
        axis: the axis of statistics, N values each.
        statistics: what :func:`axis_statistics` says of ``x``, where it is known already.
        mask: bool, broadcasts to ``x``; False for padding, which no statistic sees and whose gate is 0.

    Returns:
        The gate in [0, 1], of ``x``'s dtype and (broadcast) shape; the caller multiplies.

    Raises:
        ShapeError: ``x`` is unusable (see :func:`axis_statistics`) or a ξ is not positive.

    >>> import torch
    >>> x = torch.tensor([[-1.0], [0.0], [1.0]])
    >>> density_gate(x, torch.zeros(1), torch.full((1,), 2.0)).squeeze(-1)
    tensor([0.6873, 1.0000, 0.6873])
    """
    _require(lambda: scaled_variance > 0, "Every scaled variance must be positive and finite.")
    axis = axis % x.ndim - x.ndim  # counted from the end, as parameters may have fewer dimensions
    x = _kept(x, mask)
    mean, variance = statistics or axis_statistics(x, axis=axis, mask=mask)
    # Factors that are constant along the axis are combined while they are small; the mean is taken off
    # first, since values may be large and offsets small.
    sharpness = (variance + STANDARD_DEVIATION_FLOOR).rsqrt() * (2 * scaled_variance.unsqueeze(axis)).rsqrt()
    centred = (x.to(mean.dtype) - mean) - mean_offset.unsqueeze(axis)
    return _kept(torch.exp((centred * sharpness).square().neg_()).to(x.dtype), mask)


def product_of_gaussians(mean_offsets: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
    r"""The one Gaussian that K Gaussians' product is, up to a factor.

    .. math:: v = \Big(\sum_k c_k^{-2}\Big)^{-1}, \quad m = v \sum_k m_k c_k^{-2}

    Args:
        mean_offsets: m ``[.., K]``.
        scales: c ``[.., K]``.

    Returns:
        Its offset ``[..]`` and variance ``[..]``.

    >>> import torch
    >>> product_of_gaussians(torch.tensor([0.0, 2.0]), torch.ones(2))
    (tensor(1.), tensor(0.5000))
    """
    precision = scales.square().reciprocal()
    variance = precision.sum(-1).reciprocal()
    return variance * (mean_offsets * precision).sum(-1), variance


def mixture_gate(
    x: Tensor,
    mean_offsets: Tensor,
    scales: Tensor,
    *,
    axis: int = -2,
    statistics: tuple[Tensor, Tensor] | None = None,
    mask: Tensor | None = None,
) -> Tensor:
    r"""Mixture gate of Algorithm 2 (appendix B): a normalised product of K Gaussians.

    .. math:: gate = \mathrm{softmax}_{axis}\left(-\sum_k \frac{z_k^2}{2c_k^2}\right), \quad
              z_k = \frac{x - mean - m_k}{\sqrt{var + 10^{-8}}}

    with the unbiased variance. Computed in log space, as the one Gaussian that the product is (see
    :func:`product_of_gaussians`): constant factors cancel in the normalisation, and a product of many
    small densities does not underflow.

    Args:
        x: ``[.., N, F]``, real, N ≥ 2 along ``axis``; float16 and bfloat16 are computed in float32.
        mean_offsets: m, ``[K]`` or ``[*heads, K]`` with heads broadcasting against ``x``'s dimensions
            before the last two.
        scales: c ≠ 0, same shape.
        axis: the axis of statistics and normalisation, one of the last two.
        statistics: what :func:`axis_statistics` says of ``x``, unbiased, where it is known already.
        mask: bool, broadcasts to ``x``; False for padding, which no statistic sees and whose gate is 0.

    Returns:
        The gate, of ``x``'s dtype, in [0, 1], sums to 1 along ``axis`` (0 where all is padding); the caller
        multiplies.

    Raises:
        ShapeError: unusable ``x``, fewer than two positions, a scale of zero, or parameters whose
            shapes do not match.

    >>> import torch
    >>> x = torch.tensor([[-1.0], [0.0], [1.0]])
    >>> mixture_gate(x, torch.zeros(2), torch.ones(2)).squeeze(-1)
    tensor([0.2119, 0.5761, 0.2119])
    """
    if mean_offsets.shape != scales.shape or mean_offsets.ndim == 0 or mean_offsets.shape[-1] == 0:
        raise ShapeError(
            "Mixture offsets and scales must both be [.., K] with K >= 1, "
            f"got {list(mean_offsets.shape)} and {list(scales.shape)}."
        )
    _require(lambda: scales != 0, "No mixture scale may be zero.")
    x = _kept(x, mask)
    mean, variance = statistics or axis_statistics(x, axis=axis, unbiased=True, mask=mask)
    offset, spread = (one[..., None, None] for one in product_of_gaussians(mean_offsets, scales))
    centred = (x.to(mean.dtype) - mean) - offset
    exponent = (centred * (2 * spread * variance).rsqrt()).square().neg_()
    if mask is not None:  # the lowest finite number: all of it padding gives no NaN
        exponent = exponent.where(mask, torch.finfo(exponent.dtype).min)
    return _kept(exponent.softmax(axis).to(x.dtype), mask)


def joint_gate(
    x: Tensor, prototypes: Tensor, scaled_variance: Tensor, *, squares: Tensor | None = None
) -> Tensor:
    r"""Product over all directions of each prototype's Gaussian gate: how typical a whole input is for it.

    .. math:: gate_m = \prod_d \exp\left(-\frac{(x_d - δ_{m,d})^2}{2ξ}\right)
                     = \exp\left(-\frac{\lVert x - δ_m \rVert^2}{2ξ}\right)

    A prototype is a head that looks at everything at once, at a point δ of its own. Computed in log space.

    Args:
        x: ``[.., D]``, real.
        prototypes: δ ``[M, D]``.
        scaled_variance: ξ > 0, ``[]`` or ``[1]``, one for all.
        squares: ``[M]`` squared lengths of the prototypes, where they are known already.

    Returns:
        ``[.., M]`` in [0, 1].

    Raises:
        ShapeError: the prototypes do not fit ``x``, or ξ is not positive.

    >>> import torch
    >>> joint_gate(torch.tensor([1.0, 1.0]), torch.tensor([[1.0, 1.0], [0.0, 0.0]]), torch.tensor(1.0))
    tensor([1.0000, 0.3679])
    """
    if prototypes.ndim != 2 or x.ndim < 1 or x.shape[-1] != prototypes.shape[-1]:
        raise ShapeError(
            f"A joint gate needs x [.., D] and prototypes [M, D], got {list(x.shape)} and "
            f"{list(prototypes.shape)}."
        )
    _require(lambda: scaled_variance > 0, "Every scaled variance must be positive and finite.")
    products = x @ prototypes.T
    if squares is None:
        squares = prototypes.square().sum(-1)
    squares = x.square().sum(-1, keepdim=True) + squares
    return torch.exp(-(squares - 2 * products).clamp_min(0) / (2 * scaled_variance))
