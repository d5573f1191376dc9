"""Sums of density gates over many inputs, in one pass over features as they are stored.

Letters: N inputs, H heads, L layers, F features, R rows.
"""

import torch
from torch import Tensor

from daam_core.kernels import cpu
from daam_core.kernels.attend import kernels_allowed
from daam_core.kernels.heads import Heads

#: Gates below which the formulas are done before a kernel is read from disk.
SMALLEST = 1 << 26
#: Inputs given to the kernel at a time.
INPUTS = 1024


def summed_gates(
    features: Tensor, mean: Tensor, deviation: Tensor, offsets: Tensor, spreads: Tensor, heads: Heads
) -> tuple[Tensor, Tensor, Tensor, Tensor] | None:
    """Sums over inputs in double precision: of gates ``[R, F]``, of standardised values ``[L, F]``, of means
    and variances ``[H, F]``.

    Args:
        features: ``[N, L, F]``; may lie in a file that is mapped, in half precision as well.
        mean, deviation: ``[L, F]``, what features are standardised by.
        offsets, spreads: δ and ξ ``[H, F]``.
        heads: which layers each head sees.

    Returns:
        None where the formulas are to compute it: for mixtures, few inputs, other numbers than float32 on the
        processor, without numba, or where something is not finite.
    """
    used = (mean, deviation, offsets, spreads)
    if (
        not kernels_allowed()
        or heads.mixture
        or any(one.dtype != torch.float32 or one.device.type != "cpu" for one in used)
        or features.device.type != "cpu"
        or len(features) * heads.rows * features.shape[-1] < SMALLEST
        or not cpu.fits(mean)
        or not cpu.prepare_sums(features.dtype)
    ):
        return None
    mean, offsets, spreads = (one.detach().contiguous() for one in (mean, offsets, spreads))
    sums = cpu.new_sums(features.shape[-1], heads)
    for some in features.split(INPUTS):
        cpu.gate_sums(
            some.contiguous(), (mean, deviation.detach().reciprocal()), offsets, spreads, heads, sums
        )
    gates, values, means, variances = (pieces.sum(0) for pieces in sums)
    if not all(bool(torch.isfinite(one).all()) for one in (gates, values, variances)):
        return None
    return gates, values, means.expand(heads.heads, -1), variances.expand(heads.heads, -1)
