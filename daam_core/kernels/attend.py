"""Output and gate of all heads as one function of torch's, whichever kernel computes it.

Letters: B batch, H heads, L layers, F features, K Gaussians, R rows. A *spread* is what a head's Gaussian
has in place of ξ: ξ itself ``[H, F]``, or the variance of a mixture's product ``[H, 1]``.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from daam_core.gating import product_of_gaussians
from daam_core.kernels import cpu
from daam_core.kernels.heads import Heads, NotFiniteError

#: Cells of the output below which the plain formulas take no longer. One input's explanation stays below
#: for the built-in encoders: the numbers that a person sees never depend on what was compiled when.
SMALLEST = 32_768

#: ``(x, offsets, scales, amplitude) → (output, gate)`` by the plain formulas.
Plain = Callable[[Tensor, Tensor, Tensor, Tensor | None], tuple[Tensor, Tensor]]


_formulas_alone: ContextVar[bool] = ContextVar("formulas_alone", default=False)


@contextmanager
def formulas_alone() -> Iterator[None]:
    """Within the block no kernel is used: for a second opinion, or numbers equal to the last bit."""
    before = _formulas_alone.set(True)
    try:
        yield
    finally:
        _formulas_alone.reset(before)


def kernels_allowed() -> bool:
    """Whether no block of :func:`formulas_alone` is open."""
    return not _formulas_alone.get()


def kernel_for(x: Tensor, heads: Heads) -> ModuleType | None:
    """The module whose kernels compute ``x [B, L, F]``; None where the plain formulas are to.

    The first call for inputs large enough starts compiling in the background.
    """
    if (
        torch.compiler.is_compiling()
        or not kernels_allowed()
        or type(x) not in (Tensor, torch.nn.Parameter)
        or not _large(x, heads)
        or torch._C._get_tracing_state() is not None
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
    ):
        return None
    if x.device.type == "cpu":
        return cpu if cpu.ready(x) else None
    if x.device.type == "cuda":
        from daam_core.kernels import cuda

        return cuda if cuda.ready(x) else None
    return None


def prepare(x: Tensor, heads: Heads) -> None:
    """Wait until the kernel for inputs of this kind and size, if any, is compiled."""
    if x.device.type == "cpu" and cpu.fits(x) and _large(x, heads):
        cpu.prepare(x.dtype, wait=True)


def _large(x: Tensor, heads: Heads) -> bool:
    return len(x) * heads.rows * x.shape[-1] >= SMALLEST


def attend(
    x: Tensor,
    offsets: Tensor,
    scales: Tensor,
    amplitude: Tensor | None,
    *,
    heads: Heads,
    plain: Plain,
    with_gate: bool = False,
    pooled: bool = False,
) -> tuple[Tensor, Tensor | None] | None:
    """``x [B, L, F] → (output [B, R, F], gate [B, R, F] or None)``, ``output = λ · gate · x``.

    Args:
        x: any input.
        offsets: δ ``[H, F]``, or a mixture's m ``[H, K]``.
        scales: ξ ``[H, F]``, or a mixture's c ``[H, K]``.
        amplitude: λ ``[H, L]``, None for 1.
        heads: what is computed.
        plain: the same by the plain formulas, for gradients of gradients.
        with_gate: whether the gate is wanted.
        pooled: the output is each head's mean over its layers ``[B, H, F]``, as ``plain``'s then is; the
            gate cannot be had besides.

    Returns:
        None where no kernel can be used, or where one met a number that is not finite: the plain formulas
        compute it, or say what is wrong.
    """
    kernel = kernel_for(x, heads)
    if (
        kernel is None
        or x.dtype != offsets.dtype
        or x.device != offsets.device
        or (pooled and kernel is not cpu)
    ):
        return None
    if heads.mixture:
        offsets, scales = (one.unsqueeze(-1) for one in product_of_gaussians(offsets, scales))
    try:
        made = _Attend.apply(x, offsets, scales, amplitude, kernel, heads, plain, with_gate, pooled)  # type: ignore[no-untyped-call]
    except NotFiniteError:
        return None
    return made[0], made[1] if with_gate else None


class _Attend(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        offsets: Tensor,
        spreads: Tensor,
        amplitude: Tensor | None,
        kernel: ModuleType,
        heads: Heads,
        plain: Plain,
        with_gate: bool,
        pooled: bool,
    ) -> tuple[Tensor, ...]:
        ctx.kernel, ctx.heads, ctx.plain = kernel, heads, plain
        ctx.more = {"pooled": True} if pooled else {}
        ctx.save_for_backward(x, offsets, spreads, amplitude)
        ctx.set_materialize_grads(False)
        output, gate = kernel.forward(*_whole(x, offsets, spreads, amplitude), heads, with_gate, **ctx.more)
        return (output, gate) if with_gate else (output,)

    @staticmethod
    def backward(ctx: Any, of_output: Tensor | None, of_gate: Tensor | None = None) -> tuple[object, ...]:
        given = ctx.saved_tensors
        if torch.is_grad_enabled():  # gradients of these gradients are wanted: only the formulas have them
            x, offsets, spreads, amplitude = given
            scales = spreads.sqrt() if ctx.heads.mixture else spreads
            outputs = zip(ctx.plain(x, offsets, scales, amplitude), (of_output, of_gate), strict=True)
            reached = [(output, gradient) for output, gradient in outputs if gradient is not None]
            wanted = [tensor for tensor, needed in zip(given, ctx.needs_input_grad, strict=False) if needed]
            found = iter(
                torch.autograd.grad(
                    [output for output, _ in reached],
                    wanted,
                    [gradient for _, gradient in reached],
                    create_graph=True,
                    allow_unused=True,
                )
            )
            gradients = [next(found) if needed else None for needed in ctx.needs_input_grad]
            return tuple(gradients)
        x, offsets, spreads, amplitude = given
        if of_output is None:
            of_output = x.new_zeros(len(x), ctx.heads.heads if ctx.more else ctx.heads.rows, x.shape[-1])
        of_x, of_offsets, of_spreads, of_amplitude = ctx.kernel.backward(
            *_whole(x, offsets, spreads, amplitude),
            ctx.heads,
            of_output.contiguous(),
            None if of_gate is None else of_gate.contiguous(),
            ctx.needs_input_grad[0],
            **ctx.more,
        )
        if offsets.shape[-1] == 1:
            of_offsets, of_spreads = of_offsets.sum(-1, keepdim=True), of_spreads.sum(-1, keepdim=True)
        return of_x, of_offsets, of_spreads, of_amplitude, None, None, None, None, None


def _whole(
    x: Tensor, offsets: Tensor, spreads: Tensor, amplitude: Tensor | None
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """Contiguous, and parameters for every feature."""
    features = x.shape[-1]
    if offsets.shape[-1] != features:
        offsets, spreads = (one.expand(-1, features) for one in (offsets, spreads))
    heights = None if amplitude is None else amplitude.contiguous()
    return x.contiguous(), offsets.contiguous(), spreads.contiguous(), heights
