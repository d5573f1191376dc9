"""Kernels on the processor: compiled by numba where it is installed, run on as many threads as torch has.

They are compiled once for a machine and kept on disk beside this file, or in the user's cache directory
where that is read-only. :func:`prepare` compiles in the background; until then :func:`ready` says no.
"""

import ctypes
import importlib.util
import os
import threading
import warnings
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import torch
from torch import Tensor

from daam_core.kernels.heads import Heads, NotFiniteError

#: A vector's bytes; features must fill whole ones.
_VECTOR_BYTES = 64
#: Cells below which waking more threads takes longer than it saves: torch's own, which
#: are half awake, or others.
_WORTH_A_TEAM, _WORTH_A_POOL = 65_536, 262_144
#: Bytes of an output that no cache holds until it is read: written past them.
_PAST_CACHES = 8_000_000
#: Pieces of the batch that gradients of parameters are summed over one by one: whatever the number of
#: threads, the sums are the same to the last bit.
_PIECES = 4
#: As in ``loops``, which needs numba: features of a tile, numbers of a job.
_TILE, _NUMBERS = 128, 32
_PASS = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

_DTYPES = (torch.float32, torch.float64)
#: What is compiled at one time: both passes of ``loops`` for a dtype, or the sums of gates over features
#: stored in one.
_Kind = tuple[torch.dtype, bool]
_started: dict[_Kind, threading.Event] = {}
#: Both passes of ``loops``, forward and backward, and the sums, once they are compiled.
_passes: dict[torch.dtype, tuple[Any, ...]] = {}
_sums: dict[torch.dtype, Any] = {}
_kept: list[object] = []  # their machine code goes with numba's objects
_starting = threading.Lock()


def prepare(dtype: torch.dtype = torch.float32, *, wait: bool = False) -> bool:
    """Compile the kernels, or read them from disk, in a thread of its own.

    Args:
        dtype: float32 or float64.
        wait: until it is done; seconds on the first time on a machine, tenths of a second later.

    Returns:
        Whether they can be used now. False where numba is not installed.
    """
    if dtype not in _DTYPES or importlib.util.find_spec("numba") is None:
        return False
    done = _begin(dtype, sums=False)
    if wait:
        done.wait()
    return dtype in _passes


def prepare_sums(stored: torch.dtype) -> bool:
    """Compile :func:`gate_sums` for features in float32 or float16, or read it from disk; waits for it.

    Returns:
        Whether it can be used now.
    """
    if stored not in (torch.float32, torch.float16) or importlib.util.find_spec("numba") is None:
        return False
    _begin(stored, sums=True).wait()
    return stored in _sums


def _begin(dtype: torch.dtype, *, sums: bool) -> threading.Event:
    with _starting:
        done = _started.get((dtype, sums))
        if done is None:
            done = _started[dtype, sums] = threading.Event()
            given = (dtype, sums, done)
            threading.Thread(target=_compile, args=given, daemon=True, name="daam-kernels").start()
    return done


def fits(x: Tensor) -> bool:
    """Whether the kernels are for such an ``x [B, L, F]``: of their dtypes, its features whole vectors."""
    return x.dtype in _DTYPES and x.shape[-1] * x.element_size() % _VECTOR_BYTES == 0


def ready(x: Tensor) -> bool:
    """Whether the kernels can compute ``x [B, L, F]`` now; the first call for a dtype prepares them."""
    return fits(x) and (x.dtype in _passes or prepare(x.dtype))


def _compile(dtype: torch.dtype, sums: bool, done: threading.Event) -> None:
    try:
        from daam_core.kernels import loops

        if sums:
            entry = loops.sums_entry("f4" if dtype == torch.float32 else "u2")
            _kept.append(entry)
            _sums[dtype] = _PASS(entry.address)
            return
        both = loops.entries("f4" if dtype == torch.float32 else "f8")
        _kept.append(both)
        _passes[dtype] = tuple(_PASS(one.address) for one in both)
    except Exception as error:  # whatever numba meets on this machine: the formulas remain
        said = str(error).strip().partition("\n")[0]
        warnings.warn(f"The kernels can't be compiled here, the formulas remain: {said}", stacklevel=1)
    finally:
        done.set()


def forward(
    x: Tensor,
    offsets: Tensor,
    spreads: Tensor,
    amplitude: Tensor | None,
    heads: Heads,
    with_gate: bool,
    pooled: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """``x [B, L, F]``, offsets and spreads ``[H, F]``, amplitude ``[H, L]`` or None → output and gate.

    All are contiguous. ``pooled``: the output is each head's mean over its layers, ``[B, H, F]``.

    Raises:
        NotFiniteError: an input's variance or a parameter is not finite.
    """
    B, L, F = x.shape
    output = x.new_empty(B, heads.heads if pooled else heads.rows, F)
    gate = x.new_empty(B, heads.rows, F) if with_gate else None
    past_caches = output.nbytes >= _PAST_CACHES and output.data_ptr() % _VECTOR_BYTES == 0
    failed = _run(
        _passes[x.dtype][0],
        B * -(-F // _TILE),
        (B, L, F, heads.heads, heads.shared, heads.mixture, past_caches, pooled),
        (x, offsets, spreads, amplitude, output, gate),
        B * heads.rows * F,
    )
    if failed:
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
    pooled: bool = False,
) -> tuple[Tensor | None, Tensor, Tensor, Tensor | None]:
    """Gradients of x (None unless ``of_input``), offsets, spreads ``[H, F]`` and amplitude ``[H, L]`` if any.

    ``of_output`` and ``of_gate`` ``[B, R, F]`` are what arrives, contiguous; ``of_output`` is ``[B, H, F]``
    where the output was ``pooled``.
    """
    B, L, F = x.shape
    H, tiles, pieces = heads.heads, -(-F // _TILE), min(B, _PIECES)
    of_x = torch.empty_like(x) if of_input else None
    of_both = x.new_zeros(2, pieces, H, F)
    of_amplitude = None if amplitude is None else x.new_zeros(pieces * tiles, H, L)
    _run(
        _passes[x.dtype][1],
        pieces * tiles,
        (B, L, F, H, heads.shared, heads.mixture, pieces, pooled),
        (x, offsets, spreads, amplitude, of_output, of_gate, of_x, *of_both, of_amplitude),
        B * heads.rows * F,
    )
    return of_x, *of_both.sum(1), None if of_amplitude is None else of_amplitude.sum(0)


def gate_sums(
    features: Tensor,
    standardised: tuple[Tensor, Tensor],
    offsets: Tensor,
    spreads: Tensor,
    heads: Heads,
    into: tuple[Tensor, Tensor, Tensor, Tensor],
) -> None:
    """Add up density gates, values and statistics over inputs, see :func:`new_sums`.

    Args:
        features: ``[B, L, F]`` in float32 or float16, as they are stored, contiguous.
        standardised: by their mean and one over their deviation, ``[L, F]`` float32.
        offsets, spreads: ``[H, F]`` float32.
        heads: what each head sees; no mixture.
        into: what is added to.
    """
    B, L, F = features.shape
    pieces = len(into[0])
    _run(
        _sums[features.dtype],
        pieces * -(-F // _TILE),
        (B, L, F, heads.heads, heads.shared, pieces, 0, 0),
        (features, *standardised, offsets, spreads, *into),
        B * heads.rows * F,
    )


def new_sums(features: int, heads: Heads) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Zeros in double precision: of gates ``[P, R, F]``, values ``[P, L, F]``, means and variances
    ``[P, S, F]``, S 1 where heads share all layers, else H. The sum over P pieces is what is meant."""
    rows = heads.rows, heads.layers, *2 * (1 if heads.shared else heads.heads,)
    gates, values, means, variances = (
        torch.zeros(_PIECES, number, features, dtype=torch.float64) for number in rows
    )
    return gates, values, means, variances


def _run(
    work: Callable[[int], None],
    parts: int,
    sizes: tuple[int, ...],
    arrays: tuple[Tensor | None, ...],
    cells: int,
) -> bool:
    """Do a job, see ``loops``, on as many threads as torch may use; whether it met what is not finite.

    The threads are torch's own where they are GNU's: others would wait for those to fall asleep after
    each of torch's operations. numba's are not used: of its layers one brings threads of its own, one
    breaks after a fork, and one ends the process when two visitors meet.
    """
    places = [number for one in arrays for number in _place(one)]
    job = array("q", (0, parts, 0, *sizes, *places))
    job.extend([0] * (_NUMBERS - len(job)))
    place = job.buffer_info()[0]
    team = _team()
    threads = min(torch.get_num_threads(), parts)
    if threads == 1 or cells < (_WORTH_A_POOL if team is None else _WORTH_A_TEAM):
        work(place)
    elif team is not None:
        team(work, place, threads, 0)
    else:
        helpers = [_pool().submit(work, place) for _ in range(threads - 1)]
        work(place)
        for helper in helpers:
            if not helper.cancel():
                helper.result()
    return job[2] != 0


def _place(tensor: Tensor | None) -> tuple[int, int]:
    return (0, 0) if tensor is None else (tensor.data_ptr(), tensor.numel())


@cache
def _team() -> Callable[[Callable[[int], None], int, int, int], None] | None:
    """How GNU's OpenMP has a function called in a number of threads; None where torch has another one."""
    try:
        function = ctypes.CDLL("libgomp.so.1", mode=os.RTLD_NOLOAD | os.RTLD_NOW).GOMP_parallel
    except (AttributeError, OSError):
        return None
    function.argtypes, function.restype = (
        (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint),
        None,
    )
    called: Callable[[Callable[[int], None], int, int, int], None] = function
    return called


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="daam-kernels")


if hasattr(os, "register_at_fork"):  # a fork has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
