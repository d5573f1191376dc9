"""Kernels on CUDA, by Triton, which torch's own builds for it bring along. Float32; the same numbers.

A program holds one tile of features of one sample, all layers that a head sees, in registers: where heads
share the layers it takes one head after another, else each head has programs of its own. The grid is
[B, tiles, 1 or H]; a kernel is compiled on its first use for a number of layers, and Triton keeps it on disk.

Only to be imported where CUDA is there.
"""

import importlib.util

import torch
from torch import Tensor

from daam_core.floors import STANDARD_DEVIATION_FLOOR, VARIANCE_FLOOR
from daam_core.kernels.heads import Heads, NotFiniteError

if importlib.util.find_spec("triton") is not None:
    import triton
    import triton.language as tl

    _LOG2_E = tl.constexpr(1.4426950408889634)

    @triton.jit
    def _head_layers(h, L, H, shared: tl.constexpr):
        """First layer and number of layers of a head."""
        if shared:
            first, n = 0, L
        else:
            first = h * (L // H)
            n = tl.where(h == H - 1, L - first, L // H)
        return first, n

    @triton.jit
    def _standardised(x, real, n, floor, mixture: tl.constexpr):
        """Centred values and variances of a tile of n layers."""
        c = tl.where(real, x - (tl.sum(x, 0) / n)[None, :], 0.0)
        divisor = n - 1 if mixture else n
        return c, tl.sum(c * c, 0) / divisor + floor

    @triton.jit
    def _gate(c, offset, a, real, mixture: tl.constexpr):
        """Distances from a head's offset, and gates; a = 1 / (2 s v)."""
        d = c - offset[None, :]
        y = -d * d * (a * _LOG2_E)[None, :]
        if mixture:
            y = tl.where(real, y, float("-inf"))
            bell = tl.exp2(y - tl.max(y, 0)[None, :])
            gate = bell / tl.sum(bell, 0)[None, :]  # NaN beside the last feature
        else:
            gate = tl.exp2(y)
        return d, tl.where(real, gate, 0.0)

    @triton.jit
    def _forward(
        x_at,
        offsets_at,
        spreads_at,
        amplitude_at,
        out_at,
        gates_at,
        checks_at,
        L,
        F,
        H,
        floor,
        ROWS: tl.constexpr,
        TILE: tl.constexpr,
        shared: tl.constexpr,
        mixture: tl.constexpr,
        raised: tl.constexpr,
        with_gate: tl.constexpr,
    ):
        b, tile, own = tl.program_id(0).to(tl.int64), tl.program_id(1), tl.program_id(2)
        first, n = _head_layers(own, L, H, shared)
        rows = H * L if shared else L
        layer, f = tl.arange(0, ROWS), tile * TILE + tl.arange(0, TILE)
        inside, real = f < F, (layer < n)[:, None] & (f < F)[None, :]
        cell = layer[:, None] * F + f[None, :]
        x = tl.load(x_at + (b * L + first) * F + cell, mask=real, other=0.0)
        c, v = _standardised(x, real, n, floor, mixture)
        check = v * 0.0
        for turn in range(H if shared else 1):
            h = turn if shared else own
            row = h * L if shared else first
            offset = tl.load(offsets_at + h * F + f, mask=inside, other=0.0)
            a = 0.5 / (tl.load(spreads_at + h * F + f, mask=inside, other=1.0) * v)
            check += a * 0.0
            gate = _gate(c, offset, a, real, mixture)[1]
            out = gate * x
            if raised:
                out *= tl.load(amplitude_at + h * L + first + layer, mask=layer < n, other=0.0)[:, None]
            place = (b * rows + row) * F + cell
            tl.store(out_at + place, out, mask=real)
            if with_gate:
                tl.store(gates_at + place, gate, mask=real)
        part = (b * tl.num_programs(1) + tile) * tl.num_programs(2) + own
        tl.store(checks_at + part, tl.sum(tl.where(inside, check, 0.0), 0))

    @triton.jit
    def _backward(
        x_at,
        offsets_at,
        spreads_at,
        amplitude_at,
        of_out_at,
        of_gate_at,
        of_x_at,
        of_offsets_at,
        of_spreads_at,
        of_amplitude_at,
        L,
        F,
        H,
        floor,
        ROWS: tl.constexpr,
        TILE: tl.constexpr,
        shared: tl.constexpr,
        mixture: tl.constexpr,
        raised: tl.constexpr,
        of_gate: tl.constexpr,
        of_input: tl.constexpr,
    ):
        b, tile, own = tl.program_id(0).to(tl.int64), tl.program_id(1), tl.program_id(2)
        first, n = _head_layers(own, L, H, shared)
        rows = H * L if shared else L
        layer, f = tl.arange(0, ROWS), tile * TILE + tl.arange(0, TILE)
        inside, real = f < F, (layer < n)[:, None] & (f < F)[None, :]
        cell = layer[:, None] * F + f[None, :]
        x = tl.load(x_at + (b * L + first) * F + cell, mask=real, other=0.0)
        c, v = _standardised(x, real, n, floor, mixture)
        direct = tl.zeros_like(x)
        along_mean, along_variance = tl.zeros_like(v), tl.zeros_like(v)
        for turn in range(H if shared else 1):
            h = turn if shared else own
            row = h * L if shared else first
            place = (b * rows + row) * F + cell
            offset = tl.load(offsets_at + h * F + f, mask=inside, other=0.0)
            s = tl.load(spreads_at + h * F + f, mask=inside, other=1.0)
            a = 0.5 / (s * v)
            d, gate = _gate(c, offset, a, real, mixture)
            passed = tl.load(of_out_at + place, mask=real, other=0.0) * gate
            if raised:
                of_row = tl.sum(passed * x, 1)
                part = (b * tl.num_programs(1) + tile) * H + h
                tl.store(of_amplitude_at + part * L + first + layer, of_row, mask=layer < n)
                passed *= tl.load(amplitude_at + h * L + first + layer, mask=layer < n, other=0.0)[:, None]
            direct += passed
            e = passed * x
            if of_gate:
                e += tl.load(of_gate_at + place, mask=real, other=0.0) * gate
            if mixture:
                e -= gate * tl.sum(e, 0)[None, :]
            pull = e * d
            direct -= 2 * a[None, :] * pull
            to_offset = 2 * a * tl.sum(pull, 0)
            to_logarithm = a * tl.sum(pull * d, 0)
            tl.store(of_offsets_at + (b * H + h) * F + f, to_offset, mask=inside)
            tl.store(of_spreads_at + (b * H + h) * F + f, to_logarithm / s, mask=inside)
            along_mean += to_offset
            along_variance += to_logarithm / v
        if of_input:
            divisor = n - 1 if mixture else n
            of_x = direct + (along_mean / n)[None, :] + c * (2 * along_variance / divisor)[None, :]
            tl.store(of_x_at + (b * L + first) * F + cell, of_x, mask=real)


def ready(x: Tensor) -> bool:
    """Whether the kernels can compute ``x``: float32, and Triton is installed."""
    return x.dtype == torch.float32 and importlib.util.find_spec("triton") is not None


def forward(
    x: Tensor, offsets: Tensor, spreads: Tensor, amplitude: Tensor | None, heads: Heads, with_gate: bool
) -> tuple[Tensor, Tensor | None]:
    """As :func:`daam_core.kernels.cpu.forward`."""
    B, L, F = x.shape
    output = x.new_empty(B, heads.rows, F)
    gate = torch.empty_like(output) if with_gate else None
    grid, settings = _launch(x, heads)
    checks = x.new_empty(grid)
    with torch.cuda.device(x.device):
        _forward[grid](
            x,
            offsets,
            spreads,
            x if amplitude is None else amplitude,
            output,
            output if gate is None else gate,
            checks,
            L,
            F,
            heads.heads,
            _floor(heads),
            raised=amplitude is not None,
            with_gate=with_gate,
            **settings,
        )
    if checks.sum().item() != 0:  # NaN
        raise NotFiniteError
    return output, gate


def backward(
    x: Tensor,
    offsets: Tensor,
    spreads: Tensor,
    amplitude: Tensor | None,
    heads: Heads,
    of_output: Tensor,
    of_gate: Tensor | None,
    of_input: bool,
) -> tuple[Tensor | None, Tensor, Tensor, Tensor | None]:
    """As :func:`daam_core.kernels.cpu.backward`."""
    B, L, F = x.shape
    H = heads.heads
    grid, settings = _launch(x, heads)
    of_x = torch.empty_like(x) if of_input else None
    of_offsets, of_spreads = x.new_empty(B, H, F), x.new_empty(B, H, F)
    of_amplitude = None if amplitude is None else x.new_zeros(B * grid[1], H, L)
    with torch.cuda.device(x.device):
        _backward[grid](
            x,
            offsets,
            spreads,
            x if amplitude is None else amplitude,
            of_output,
            of_output if of_gate is None else of_gate,
            x if of_x is None else of_x,
            of_offsets,
            of_spreads,
            x if of_amplitude is None else of_amplitude,
            L,
            F,
            H,
            _floor(heads),
            raised=amplitude is not None,
            of_gate=of_gate is not None,
            of_input=of_input,
            **settings,
        )
    summed = None if of_amplitude is None else of_amplitude.sum(0)
    return of_x, of_offsets.sum(0), of_spreads.sum(0), summed


def _floor(heads: Heads) -> float:
    return VARIANCE_FLOOR + (0.0 if heads.mixture else STANDARD_DEVIATION_FLOOR)


def _tile(rows: int) -> tuple[int, int]:
    """Features of a tile and warps of a program with so many layers: 32 cells of each array to a thread.

    With more, registers spill; with more warps, sums over layers go through shared memory. A sweep on an
    H200 had this within 10 % of the best at 3, 6, 24 and 40 layers.
    """
    tile = 128 if rows <= 8 else 64
    return tile, max(1, rows * tile // 1024)


def _launch(x: Tensor, heads: Heads) -> tuple[tuple[int, int, int], dict[str, int | bool]]:
    """The grid, and what a kernel is compiled for."""
    B, L, F = x.shape
    H = heads.heads
    rows = triton.next_power_of_2(L if heads.shared else L - (H - 1) * (L // H))
    tile, warps = _tile(rows)
    settings = {"ROWS": rows, "TILE": tile, "num_warps": warps}
    kind = {"shared": heads.shared, "mixture": heads.mixture}
    return (B, triton.cdiv(F, tile), 1 if heads.shared else H), settings | kind
