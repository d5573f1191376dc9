"""Gates of all heads in one pass over a tile of features, and their analytic gradients, compiled by numba.

Letters: B batch, H heads, L layers, F features, R rows, n the layers one head sees. Arrays are flat and
contiguous: ``x [B·L·F]``, parameters ``[H·F]`` and ``[H·L]``, rows ``[B·R·F]``. F is a whole number of
vectors. A *part* is one tile of features of one piece of the batch; parts are independent of each other.

With a head's c = x − mean and variance v over its layers, offset δ, spread s and a = 1 / (2 s v):
density gate = exp(−a (c − δ)²), mixture gate = the same over its sum over the layers,
output = λ · gate · x.
"""

import numpy as np
from numba import njit

from daam_core.floors import STANDARD_DEVIATION_FLOOR, VARIANCE_FLOOR
from daam_core.kernels.lanes import (
    fetch,
    lanes_of,
    half_to_the,
    load,
    multiply_add,
    root,
    smaller,
    spread,
    store,
    stream,
    total,
)

#: Features of a tile: whole pages are not walked in steps, and a tile of 40 layers stays in a core's cache.
TILE = 128
#: Rows that a gradient is fetched ahead of its use: a line of the next row is in another page.
AHEAD = 4
_LOG2_E = 1.4426950408889634

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _standardise(x, start, F, n, width, mixture, centred, variance):
    """Centre a tile of n layers, find its variances; NaN where one is not finite, else 0."""
    step, divisor = lanes_of(x), n - 1 if mixture else n
    floor = VARIANCE_FLOOR if mixture else VARIANCE_FLOOR + STANDARD_DEVIATION_FLOOR
    check = spread(x, 0.0)
    for j in range(0, width, step):
        mean, squares = spread(x, 0.0), spread(x, 0.0)
        for l in range(n):
            mean = mean + load(x, start + l * F + j)
        mean = mean * spread(x, 1.0 / n)
        for l in range(n):
            c = load(x, start + l * F + j) - mean
            store(centred, l * TILE + j, c)
            squares = multiply_add(c, c, squares)
        v = multiply_add(squares, spread(x, 1.0 / divisor), spread(x, floor))
        check = check + v * spread(x, 0.0)
        store(variance, j, v)
    return total(check)


@_compiled
def _sharpen(spreads, start, width, variance, sharpness):
    """√(a · log₂ e) of a tile; NaN where one is not finite, else 0."""
    check = spread(spreads, 0.0)
    for j in range(0, width, lanes_of(spreads)):
        half = spread(spreads, 0.5 * _LOG2_E)
        sharp = root(half / (load(spreads, start + j) * load(variance, j)))
        check = check + sharp * spread(spreads, 0.0)
        store(sharpness, j, sharp)
    return total(check)


@_compiled
def _shares(centred, offsets, start, n, width, sharpness, gate):
    """Mixture gates of one head over a tile."""
    step = lanes_of(gate)
    for j in range(0, width, step):
        offset, sharp = load(offsets, start + j), load(sharpness, j)
        least = spread(gate, np.inf)
        for l in range(n):
            t = (load(centred, l * TILE + j) - offset) * sharp
            store(gate, l * TILE + j, t * t)
            least = smaller(t * t, least)
        mass = spread(gate, 0.0)
        for l in range(n):
            bell = half_to_the(load(gate, l * TILE + j) - least)
            store(gate, l * TILE + j, bell)
            mass = mass + bell
        share = spread(gate, 1.0) / mass
        for l in range(n):
            store(gate, l * TILE + j, load(gate, l * TILE + j) * share)


@_compiled
def forward(x, offsets, spreads, amplitude, out, gates, B, L, F, H, shared, mixture, past_caches, begin, end):
    """Outputs, and gates where ``gates`` is not empty, of parts begin to end; NaN where a number is not finite.

    A part is one tile of one sample. ``past_caches``: the output is not kept in them; it begins a line.
    """
    step, tiles = lanes_of(x), (F + TILE - 1) // TILE
    R, check, keep = H * L if shared else L, 0.0, gates.size > 0
    centred, gate = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    variance, sharpness = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    for part in range(begin, end):
        b, f = part // tiles, part % tiles * TILE
        width = min(TILE, F - f)
        for h in range(H):
            first = 0 if shared else h * (L // H)
            n = L if shared else (L // H if h < H - 1 else L - first)
            seen, of_head = (b * L + first) * F + f, h * F + f
            to = (b * R + (h * L if shared else first)) * F + f
            if h == 0 or not shared:
                check += _standardise(x, seen, F, n, width, mixture, centred, variance)
            check += _sharpen(spreads, of_head, width, variance, sharpness)
            if mixture:
                _shares(centred, offsets, of_head, n, width, sharpness, gate)
            for l in range(n):
                height = spread(x, amplitude[h * L + first + l])
                for j in range(0, width, step):
                    if mixture:
                        gate_here = load(gate, l * TILE + j)
                    else:
                        t = (load(centred, l * TILE + j) - load(offsets, of_head + j)) * load(sharpness, j)
                        gate_here = half_to_the(t * t)
                    gated = height * load(x, seen + l * F + j) * gate_here
                    if past_caches:
                        stream(out, to + l * F + j, gated)
                    else:
                        store(out, to + l * F + j, gated)
                    if keep:
                        store(gates, to + l * F + j, gate_here)
    return check


@_compiled
def backward(
    x,
    offsets,
    spreads,
    amplitude,
    out_gradient,
    gate_gradient,
    x_gradient,
    offset_gradient,
    spread_gradient,
    amplitude_gradient,
    B,
    L,
    F,
    H,
    pieces,
    shared,
    mixture,
    begin,
    end,
):
    """Gradients from parts begin to end. A part is one tile of one of ``pieces`` pieces of the batch.

    ``offset_gradient`` and ``spread_gradient`` ``[pieces·H·F]`` and ``amplitude_gradient [parts·H·L]`` are
    added to; their sum over the first axis is the gradient. ``gate_gradient`` may be empty: 0; so may ``x_gradient``:
    not wanted.
    """
    step, tiles = lanes_of(x), (F + TILE - 1) // TILE
    R, of_gate = H * L if shared else L, gate_gradient.size > 0
    centred, direct = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    gate, weighted = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    variance, sharpness = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    first_moment, second_moment = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    along_mean, along_variance = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    zero, minus_log_4 = spread(x, 0.0), spread(x, -2.0 / _LOG2_E)
    for part in range(begin, end):
        piece, f = part // tiles, part % tiles * TILE
        width = min(TILE, F - f)
        for b in range(piece * B // pieces, (piece + 1) * B // pieces):
            for h in range(H):
                first = 0 if shared else h * (L // H)
                n = L if shared else (L // H if h < H - 1 else L - first)
                seen, of_head = (b * L + first) * F + f, h * F + f
                to = (b * R + (h * L if shared else first)) * F + f
                if h == 0 or not shared:
                    _standardise(x, seen, F, n, width, mixture, centred, variance)
                    along_mean[:], along_variance[:], direct[:] = 0.0, 0.0, 0.0
                _sharpen(spreads, of_head, width, variance, sharpness)
                first_moment[:], second_moment[:] = 0.0, 0.0
                if mixture:
                    _shares(centred, offsets, of_head, n, width, sharpness, gate)
                # The gradient of each gate's logarithm, e, and what it pulls at: its offset, its spread and x.
                for l in range(n):
                    height, of_row = spread(x, amplitude[h * L + first + l]), zero
                    for j in range(0, width, step):
                        fetch(out_gradient, to + (l + AHEAD) * F + j)
                        d, sharp = (
                            load(centred, l * TILE + j) - load(offsets, of_head + j),
                            load(sharpness, j),
                        )
                        t = d * sharp
                        gate_here = load(gate, l * TILE + j) if mixture else half_to_the(t * t)
                        passed = load(out_gradient, to + l * F + j) * gate_here
                        to_x = multiply_add(height, passed, load(direct, l * TILE + j))
                        e = passed * load(x, seen + l * F + j)
                        of_row = of_row + e
                        e = e * height
                        if of_gate:
                            e = multiply_add(load(gate_gradient, to + l * F + j), gate_here, e)
                        if mixture:
                            store(weighted, l * TILE + j, e)
                            store(direct, l * TILE + j, to_x)
                        else:
                            pull = e * t
                            store(first_moment, j, load(first_moment, j) + pull)
                            store(second_moment, j, multiply_add(pull, t, load(second_moment, j)))
                            store(direct, l * TILE + j, multiply_add(sharp * minus_log_4, pull, to_x))
                    amplitude_gradient[(part * H + h) * L + first + l] += total(of_row)
                if mixture:  # a share of the sum: what raises all bells alike changes nothing
                    for j in range(0, width, step):
                        sharp, offset, everywhere = load(sharpness, j), load(offsets, of_head + j), zero
                        for l in range(n):
                            everywhere = everywhere + load(weighted, l * TILE + j)
                        one, two = zero, zero
                        for l in range(n):
                            t = (load(centred, l * TILE + j) - offset) * sharp
                            e = load(weighted, l * TILE + j) - load(gate, l * TILE + j) * everywhere
                            pull = e * t
                            one, two = one + pull, multiply_add(pull, t, two)
                            place = l * TILE + j
                            store(direct, place, multiply_add(sharp * minus_log_4, pull, load(direct, place)))
                        store(first_moment, j, one)
                        store(second_moment, j, two)
                for j in range(0, width, step):
                    to_offset = spread(x, 2.0 / _LOG2_E) * load(sharpness, j) * load(first_moment, j)
                    to_logarithm = spread(x, 1.0 / _LOG2_E) * load(second_moment, j)
                    place = (piece * H + h) * F + f + j
                    to_spread = to_logarithm / load(spreads, of_head + j)
                    store(offset_gradient, place, load(offset_gradient, place) + to_offset)
                    store(spread_gradient, place, load(spread_gradient, place) + to_spread)
                    store(along_mean, j, load(along_mean, j) + to_offset)
                    store(along_variance, j, load(along_variance, j) + to_logarithm / load(variance, j))
                if x_gradient.size and (h == H - 1 or not shared):
                    for j in range(0, width, step):
                        evenly = load(along_mean, j) * spread(x, 1.0 / n)
                        outwards = load(along_variance, j) * spread(x, 2.0 / (n - 1 if mixture else n))
                        for l in range(n):
                            to_x = load(direct, l * TILE + j) + evenly
                            to_x = multiply_add(outwards, load(centred, l * TILE + j), to_x)
                            store(x_gradient, seen + l * F + j, to_x)
