"""Gates of all heads in one pass over a tile of features, and their analytic gradients, compiled by numba.

Letters: B batch, H heads, L layers, F features, R rows, n the layers one head sees. Arrays are flat and
contiguous: ``x [B·L·F]``, parameters ``[H·F]`` and ``[H·L]``, rows ``[B·R·F]``. F is a whole number of
vectors. A *job* is one pass over all of them, told in numbers; its *parts* are independent of each other.

With a head's c = x − mean and variance v over its layers, offset δ, spread s and a = 1 / (2 s v):
density gate = exp(−a (c − δ)²), mixture gate = the same over its sum over the layers,
output = λ · gate · x.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numba import carray, cfunc, njit, types  # type: ignore[attr-defined]

from daam_core.floors import STANDARD_DEVIATION_FLOOR, VARIANCE_FLOOR
from daam_core.kernels import lanes
from daam_core.kernels.lanes import (
    fetch,
    half_to_the,
    lanes_of,
    load,
    multiply_add,
    pointer,
    root,
    smaller,
    spread,
    store,
    stream,
    take,
    total,
    widen,
)

#: Features of a tile: whole pages are not walked in steps, and a tile of 40 layers stays in a core's cache.
TILE = 128
#: Inputs whose gates are added up in a register, and after how many the sums move into double precision.
TOGETHER, SINGLE = 4, 64
#: Rows that a gradient is fetched ahead of its use: a line of the next row is in another page.
AHEAD = 4
_LOG2_E = 1.4426950408889634

#: Where a job's numbers stand: the next part that nobody has taken, how many there are, whether a number was
#: not finite; then the sizes B, L, F, H and what else there is; then address and length of each array.
NEXT, PARTS, FAILED, SIZES, ARRAYS, NUMBERS = 0, 1, 2, 3, 11, 32

_compiled = njit(error_model="numpy")


@_compiled
def _standardise(x, start, F, n, width, mixture, centred, variance):
    """Centre a tile of n layers, find its variances; NaN where one is not finite, else 0."""
    step, divisor = lanes_of(x), n - 1 if mixture else n
    floor = VARIANCE_FLOOR if mixture else VARIANCE_FLOOR + STANDARD_DEVIATION_FLOOR
    check = spread(x, 0.0)
    for j in range(0, width, step):
        mean, squares = spread(x, 0.0), spread(x, 0.0)
        for i in range(n):
            mean = mean + load(x, start + i * F + j)
        mean = mean * spread(x, 1.0 / n)
        for i in range(n):
            c = load(x, start + i * F + j) - mean
            store(centred, i * TILE + j, c)
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
        for i in range(n):
            t = (load(centred, i * TILE + j) - offset) * sharp
            store(gate, i * TILE + j, t * t)
            least = smaller(t * t, least)
        mass = spread(gate, 0.0)
        for i in range(n):
            bell = half_to_the(load(gate, i * TILE + j) - least)
            store(gate, i * TILE + j, bell)
            mass = mass + bell
        share = spread(gate, 1.0) / mass
        for i in range(n):
            store(gate, i * TILE + j, load(gate, i * TILE + j) * share)


@_compiled
def _array(address, length, dtype):
    return carray(pointer(address), (length,), dtype)


@_compiled
def _two(job, at, dtype):
    """Arrays number ``at`` and ``at + 1`` of a job."""
    place = ARRAYS + 2 * at
    return _array(job[place], job[place + 1], dtype), _array(job[place + 2], job[place + 3], dtype)


@_compiled
def _forward(job, dtype, _made_from):
    """Output, and gates unless their array is empty. A part is one tile of one sample.

    Sizes: B, L, F, H, shared, mixture, whether the output, which then begins a line, is written past the
    caches, and whether it is each head's mean over its layers ``[B·H·F]`` instead of all rows. Arrays: x,
    offsets, spreads, amplitude or empty: 1; output, gates.
    """
    L, F, H = job[SIZES + 1], job[SIZES + 2], job[SIZES + 3]
    shared, mixture, past_caches = job[SIZES + 4] != 0, job[SIZES + 5] != 0, job[SIZES + 6] != 0
    pooled = job[SIZES + 7] != 0
    x, offsets = _two(job, 0, dtype)
    spreads, amplitude = _two(job, 2, dtype)
    out, gates = _two(job, 4, dtype)
    step, tiles = lanes_of(x), (F + TILE - 1) // TILE
    R, raised, keep = H * L if shared else L, amplitude.size > 0, gates.size > 0
    centred, gate = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    variance, sharpness = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    added = np.empty(TILE, x.dtype)
    while True:
        part, check = take(job, NEXT, 1), 0.0
        if part >= job[PARTS]:
            return
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
            if pooled:
                added[:] = 0.0
            for i in range(n):
                height = spread(x, amplitude[h * L + first + i] if raised else 1.0)
                for j in range(0, width, step):
                    if mixture:
                        gate_here = load(gate, i * TILE + j)
                    else:
                        t = (load(centred, i * TILE + j) - load(offsets, of_head + j)) * load(sharpness, j)
                        gate_here = half_to_the(t * t)
                    gated = height * load(x, seen + i * F + j) * gate_here
                    if pooled:
                        store(added, j, load(added, j) + gated)
                    elif past_caches:
                        stream(out, to + i * F + j, gated)
                    else:
                        store(out, to + i * F + j, gated)
                    if keep:
                        store(gates, to + i * F + j, gate_here)
            if pooled:
                share = spread(x, 1.0 / n)
                for j in range(0, width, step):
                    store(out, (b * H + h) * F + f + j, load(added, j) * share)
        if np.isnan(check):
            job[FAILED] = 1


@_compiled
def _backward(job, dtype, _made_from):
    """Gradients. A part is one tile of one of several pieces of the batch.

    Sizes: B, L, F, H, shared, mixture, number of pieces, and whether the output was a mean over layers
    ``[B·H·F]``, as its gradient then is. Arrays: x, offsets, spreads, amplitude or empty;
    gradients of the output, and of the gates or empty; gradients of x or empty: not wanted, of offsets and
    of spreads ``[pieces·H·F]``, of the amplitude ``[parts·H·L]``. The last three are added to; their sum over
    the first axis is the gradient.
    """
    B, L, F, H = job[SIZES], job[SIZES + 1], job[SIZES + 2], job[SIZES + 3]
    shared, mixture, pieces = job[SIZES + 4] != 0, job[SIZES + 5] != 0, job[SIZES + 6]
    pooled = job[SIZES + 7] != 0
    row = 0 if pooled else F
    x, offsets = _two(job, 0, dtype)
    spreads, amplitude = _two(job, 2, dtype)
    out_gradient, gate_gradient = _two(job, 4, dtype)
    x_gradient = _array(job[ARRAYS + 12], job[ARRAYS + 13], dtype)
    parameter_gradients = _two(job, 7, dtype)
    amplitude_gradient = _array(job[ARRAYS + 18], job[ARRAYS + 19], dtype)
    step, tiles = lanes_of(x), (F + TILE - 1) // TILE
    R, raised, of_gate = H * L if shared else L, amplitude.size > 0, gate_gradient.size > 0
    centred, direct = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    gate, weighted = np.empty(L * TILE, x.dtype), np.empty(L * TILE, x.dtype)
    variance, sharpness = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    first_moment, second_moment = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    along_mean, along_variance = np.empty(TILE, x.dtype), np.empty(TILE, x.dtype)
    zero, minus_log_4 = spread(x, 0.0), spread(x, -2.0 / _LOG2_E)
    while True:
        part = take(job, NEXT, 1)
        if part >= job[PARTS]:
            return
        piece, f = part // tiles, part % tiles * TILE
        width = min(TILE, F - f)
        for b in range(piece * B // pieces, (piece + 1) * B // pieces):
            for h in range(H):
                first = 0 if shared else h * (L // H)
                n = L if shared else (L // H if h < H - 1 else L - first)
                seen, of_head = (b * L + first) * F + f, h * F + f
                to = (b * H + h) * F + f if pooled else (b * R + (h * L if shared else first)) * F + f
                share = 1.0 / n if pooled else 1.0
                if h == 0 or not shared:
                    _standardise(x, seen, F, n, width, mixture, centred, variance)
                    along_mean[:], along_variance[:], direct[:] = 0.0, 0.0, 0.0
                _sharpen(spreads, of_head, width, variance, sharpness)
                first_moment[:], second_moment[:] = 0.0, 0.0
                if mixture:
                    _shares(centred, offsets, of_head, n, width, sharpness, gate)
                # The gradient e of each gate's logarithm, and its pull at the offset, the spread and x.
                for i in range(n):
                    height = spread(x, share * (amplitude[h * L + first + i] if raised else 1.0))
                    of_row = zero
                    for j in range(0, width, step):
                        fetch(out_gradient, to + (i + AHEAD) * row + j)
                        d, sharp = (
                            load(centred, i * TILE + j) - load(offsets, of_head + j),
                            load(sharpness, j),
                        )
                        t = d * sharp
                        gate_here = load(gate, i * TILE + j) if mixture else half_to_the(t * t)
                        passed = load(out_gradient, to + i * row + j) * gate_here
                        to_x = multiply_add(height, passed, load(direct, i * TILE + j))
                        e = passed * load(x, seen + i * F + j)
                        of_row = of_row + e
                        e = e * height
                        if of_gate:
                            e = multiply_add(load(gate_gradient, to + i * row + j), gate_here, e)
                        if mixture:
                            store(weighted, i * TILE + j, e)
                            store(direct, i * TILE + j, to_x)
                        else:
                            pull = e * t
                            store(first_moment, j, load(first_moment, j) + pull)
                            store(second_moment, j, multiply_add(pull, t, load(second_moment, j)))
                            store(direct, i * TILE + j, multiply_add(sharp * minus_log_4, pull, to_x))
                    if raised:
                        amplitude_gradient[(part * H + h) * L + first + i] += share * total(of_row)
                moments, along = (first_moment, second_moment), (along_mean, along_variance)
                if mixture:
                    _through_shares(
                        centred, offsets, of_head, n, width, sharpness, gate, weighted, direct, moments
                    )
                at = (piece * H + h) * F + f
                _to_parameters(
                    spreads, of_head, width, variance, sharpness, moments, parameter_gradients, at, along
                )
                if x_gradient.size and (h == H - 1 or not shared):
                    _to_x(x_gradient, seen, F, n, width, mixture, centred, direct, along)


@_compiled
def _through_shares(centred, offsets, of_head, n, width, sharpness, gate, weighted, direct, moments):
    """Of a mixture, whose gate is a share of a sum: what raises all bells alike changes nothing."""
    zero, minus_log_4 = spread(centred, 0.0), spread(centred, -2.0 / _LOG2_E)
    for j in range(0, width, lanes_of(centred)):
        sharp, offset, everywhere = load(sharpness, j), load(offsets, of_head + j), zero
        for i in range(n):
            everywhere = everywhere + load(weighted, i * TILE + j)
        one, two = zero, zero
        for i in range(n):
            t = (load(centred, i * TILE + j) - offset) * sharp
            e = load(weighted, i * TILE + j) - load(gate, i * TILE + j) * everywhere
            pull = e * t
            one, two = one + pull, multiply_add(pull, t, two)
            place = i * TILE + j
            store(direct, place, multiply_add(sharp * minus_log_4, pull, load(direct, place)))
        store(moments[0], j, one)
        store(moments[1], j, two)


@_compiled
def _to_parameters(spreads, of_head, width, variance, sharpness, moments, gradients, at, along):
    """From both moments of the pull to the offset and the spread, and to the mean and variance of x."""
    for j in range(0, width, lanes_of(variance)):
        to_offset = spread(variance, 2.0 / _LOG2_E) * load(sharpness, j) * load(moments[0], j)
        to_logarithm = spread(variance, 1.0 / _LOG2_E) * load(moments[1], j)
        to_spread = to_logarithm / load(spreads, of_head + j)
        store(gradients[0], at + j, load(gradients[0], at + j) + to_offset)
        store(gradients[1], at + j, load(gradients[1], at + j) + to_spread)
        store(along[0], j, load(along[0], j) + to_offset)
        store(along[1], j, load(along[1], j) + to_logarithm / load(variance, j))


@_compiled
def _to_x(x_gradient, seen, F, n, width, mixture, centred, direct, along):
    """What a value changes itself, and by the mean and variance it is part of."""
    for j in range(0, width, lanes_of(centred)):
        evenly = load(along[0], j) * spread(centred, 1.0 / n)
        outwards = load(along[1], j) * spread(centred, 2.0 / (n - 1 if mixture else n))
        for i in range(n):
            to_x = load(direct, i * TILE + j) + evenly
            to_x = multiply_add(outwards, load(centred, i * TILE + j), to_x)
            store(x_gradient, seen + i * F + j, to_x)


@_compiled
def _gate_sums(job, stored, dtype, _made_from):
    """Sums over inputs of density gates, of values and of statistics. A part is one tile of one of several
    pieces of the batch.

    Sizes: B, L, F, H, shared, number of pieces. Arrays: features ``[B·L·F]`` as they are stored, their mean
    and one over their deviation ``[L·F]``, offsets, spreads; sums in double precision, which are added to: of
    gates ``[pieces·R·F]``, values ``[pieces·L·F]``, means and variances ``[pieces·S·F]``, where S is 1 for
    heads that share all layers, else H.
    """
    B, L, F, H = job[SIZES], job[SIZES + 1], job[SIZES + 2], job[SIZES + 3]
    shared, pieces = job[SIZES + 4] != 0, job[SIZES + 5]
    features = _array(job[ARRAYS], job[ARRAYS + 1], stored)
    mean_of, inverse = _two(job, 1, dtype)
    offsets, spreads = _two(job, 3, dtype)
    of_gates, of_values = _two(job, 5, np.float64)
    of_means, of_variances = _two(job, 7, np.float64)
    step, tiles = lanes_of(mean_of), (F + TILE - 1) // TILE
    R, S = H * L if shared else L, 1 if shared else H
    centred, sharpness = np.empty(L * TOGETHER * TILE, dtype), np.empty(TOGETHER * TILE, dtype)
    variance = np.empty(TOGETHER * TILE, dtype)
    gates, values = np.empty(R * TILE, dtype), np.empty(L * TILE, dtype)
    means, variances = np.empty(S * TILE, dtype), np.empty(S * TILE, dtype)
    while True:
        part = take(job, NEXT, 1)
        if part >= job[PARTS]:
            return
        piece, f = part // tiles, part % tiles * TILE
        width, begun, end = min(TILE, F - f), 0, (piece + 1) * B // pieces
        for b in range(piece * B // pieces, end, TOGETHER):
            if begun == 0:
                gates[:], values[:], means[:], variances[:] = 0.0, 0.0, 0.0, 0.0
            some = min(TOGETHER, end - b)
            for k in range(some):
                for i in range(L):
                    at, of = ((b + k) * L + i) * F + f, i * F + f
                    for j in range(0, width, step):
                        value = widen(features, at + j, mean_of) - load(mean_of, of + j)
                        value = value * load(inverse, of + j)
                        store(centred, (i * TOGETHER + k) * TILE + j, value)
                        store(values, i * TILE + j, load(values, i * TILE + j) + value)
            for h in range(H):
                first = 0 if shared else h * (L // H)
                n = L if shared else (L // H if h < H - 1 else L - first)
                of_head, row = h * F + f, h * L if shared else first
                if h == 0 or not shared:
                    _centre(centred, first, n, some, width, variance, means, variances, 0 if shared else h)
                for k in range(some):
                    for j in range(0, width, step):
                        half = spread(spreads, 0.5 * _LOG2_E)
                        varied = load(spreads, of_head + j) * load(variance, k * TILE + j)
                        store(sharpness, k * TILE + j, root(half / varied))
                for i in range(n):
                    # What comes next is asked for while there is much to compute.
                    for k in range(h * TOGETHER // H, (h + 1) * TOGETHER // H):
                        for j in range(0, width, 2 * step):
                            fetch(features, ((b + TOGETHER + k) * L + first + i) * F + f + j)
                    at = (first + i) * TOGETHER * TILE
                    for j in range(0, width, step):
                        offset, added = load(offsets, of_head + j), load(gates, (row + i) * TILE + j)
                        if some == TOGETHER:
                            for k in range(TOGETHER):
                                t = (load(centred, at + k * TILE + j) - offset) * load(
                                    sharpness, k * TILE + j
                                )
                                added = added + half_to_the(t * t)
                        else:
                            for k in range(some):
                                t = (load(centred, at + k * TILE + j) - offset) * load(
                                    sharpness, k * TILE + j
                                )
                                added = added + half_to_the(t * t)
                        store(gates, (row + i) * TILE + j, added)
            begun += some
            if begun >= SINGLE or b + some >= end:
                _add(of_gates, piece * R * F + f, F, gates, R, width)
                _add(of_values, piece * L * F + f, F, values, L, width)
                _add(of_means, piece * S * F + f, F, means, S, width)
                _add(of_variances, piece * S * F + f, F, variances, S, width)
                begun = 0


@_compiled
def _centre(centred, first, n, some, width, variance, means, variances, group):
    """Centre the layers of one group of each of some inputs; their means and variances are added up."""
    floor = VARIANCE_FLOOR + STANDARD_DEVIATION_FLOOR
    for k in range(some):
        for j in range(0, width, lanes_of(centred)):
            mean, squares = spread(centred, 0.0), spread(centred, 0.0)
            for i in range(first, first + n):
                mean = mean + load(centred, (i * TOGETHER + k) * TILE + j)
            mean = mean * spread(centred, 1.0 / n)
            for i in range(first, first + n):
                c = load(centred, (i * TOGETHER + k) * TILE + j) - mean
                store(centred, (i * TOGETHER + k) * TILE + j, c)
                squares = multiply_add(c, c, squares)
            v = squares * spread(centred, 1.0 / n)
            store(variance, k * TILE + j, v + spread(centred, floor))
            at = group * TILE + j
            store(means, at, load(means, at) + mean)
            store(variances, at, load(variances, at) + (v + spread(centred, VARIANCE_FLOOR)))


@_compiled
def _add(sums, start, F, part, rows, width):
    for i in range(rows):
        for j in range(width):
            sums[start + i * F + j] += part[i * TILE + j]


def sums_entry(kind: str) -> Any:
    """:func:`_gate_sums` in machine code, for features stored as ``f4`` or, in half precision, as ``u2``."""
    stored = np.dtype(kind).type
    made_from = Path(lanes.__file__).stat().st_mtime_ns

    def gate_sums(job):
        _gate_sums(carray(job, (NUMBERS,), np.int64), stored, np.float32, made_from)

    return _in_machine_code(gate_sums)


def entries(kind: str) -> tuple[Any, Any]:
    """Both passes in machine code: ``void pass(int64 job[])``, to be called in any number of threads.

    Each call takes parts of the job until none are left. ``kind`` is numpy's name of the
    numbers, such as ``f4``.
    """
    dtype = np.dtype(kind).type
    # What is kept on disk holds for this file as it is and for these values: so it does for the other file.
    made_from = Path(lanes.__file__).stat().st_mtime_ns

    def forward(job):
        _forward(carray(job, (NUMBERS,), np.int64), dtype, made_from)

    def backward(job):
        _backward(carray(job, (NUMBERS,), np.int64), dtype, made_from)

    return _in_machine_code(forward), _in_machine_code(backward)


def _in_machine_code(function):
    signature = types.void(types.CPointer(types.int64))
    try:
        return cfunc(signature, cache=True)(function)
    except RuntimeError:  # no folder to keep it in can be written to
        return cfunc(signature)(function)
