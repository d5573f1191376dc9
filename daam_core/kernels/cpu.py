"""Kernels on the processor: compiled by numba where it is installed, run on as many threads as torch has.

They are compiled once for a machine and kept on disk beside this file, or in the user's cache directory
where that is read-only. :func:`prepare` compiles in the background; until then :func:`ready` says no.
"""

import importlib.util
import os
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from daam_core.kernels.heads import Heads, NotFiniteError

#: A vector's bytes; features must fill whole ones.
_VECTOR_BYTES = 64
#: Cells below which waking a second thread takes longer than it saves.
_WORTH_A_THREAD = 131_072
#: Bytes of an output that no cache holds until it is read: written past them.
_PAST_CACHES = 8_000_000
#: Parts of the batch that gradients of parameters are summed over one by one: whatever the number of
#: threads, the sums are the same to the last bit.
_PIECES = 4

_DTYPES = (torch.float32, torch.float64)
_prepared: dict[torch.dtype, threading.Event] = {}
_compiled: set[torch.dtype] = set()
_starting = threading.Lock()
_helpers: ThreadPoolExecutor | None = None
#: The module ``loops``, once it is prepared: it needs numba.
_loops: Any = None


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
    with _starting:
        done = _prepared.get(dtype)
        if done is None:
            done = _prepared[dtype] = threading.Event()
            threading.Thread(target=_compile, args=(dtype, done), daemon=True, name="daam-kernels").start()
    if wait:
        done.wait()
    return dtype in _compiled


def ready(x: Tensor) -> bool:
    """Whether the kernels can compute ``x [B, L, F]`` now; the first call for a dtype prepares them."""
    if x.dtype not in _DTYPES or x.shape[-1] * x.element_size() % _VECTOR_BYTES:
        return False
    return x.dtype in _compiled or prepare(x.dtype)


def _compile(dtype: torch.dtype, done: threading.Event) -> None:
    """Run both kernels once, on next to nothing: that compiles them for a dtype."""
    global _loops
    try:
        from daam_core.kernels import loops

        _loops = loops
        values, of_head = torch.ones(1, 3, 16, dtype=dtype), torch.ones(1, 16, dtype=dtype)
        heads = Heads(heads=1, layers=3, shared=True, mixture=False)
        forward(values, of_head, of_head, None, heads, False)
        backward(values, of_head, of_head, None, heads, values, None, True)
        _compiled.add(dtype)
    except Exception as error:  # whatever numba meets on this machine: the formulas remain
        warnings.warn(
            f"The fast kernels can't be compiled here, the plain ones remain: {error}", stacklevel=1
        )
    finally:
        done.set()


def forward(
    x: Tensor, offsets: Tensor, spreads: Tensor, amplitude: Tensor | None, heads: Heads, with_gate: bool
) -> tuple[Tensor, Tensor | None]:
    """``x [B, L, F]`` and parameters ``[H, F]``, ``[H, F]``, ``[H, L]`` or None, all contiguous → output, gate.

    Raises:
        NotFiniteError: an input's variance or a parameter is not finite.
    """
    B, L, F = x.shape
    H, cells = heads.heads, B * heads.rows * F
    output = x.new_empty(B, heads.rows, F)
    gate = torch.empty_like(output) if with_gate else None
    past_caches = cells * x.element_size() >= _PAST_CACHES and output.data_ptr() % _VECTOR_BYTES == 0
    arrays = *map(_flat, (x, offsets, spreads)), _heights(amplitude, x, heads), _flat(output), _flat(gate, x)
    sizes = B, L, F, H, heads.shared, heads.mixture, past_caches
    checks: list[float] = []

    def work(begin: int, end: int) -> None:
        checks.append(_loops.forward(*arrays, *sizes, begin, end))

    _share_out(B * -(-F // _loops.TILE), work, cells)
    if any(check != 0 for check in checks):  # NaN
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
) -> tuple[Tensor | None, Tensor, Tensor, Tensor]:
    """Gradients of x (None unless ``of_input``), offsets, spreads ``[H, F]`` and amplitude ``[H, L]``.

    ``of_output`` and ``of_gate`` ``[B, R, F]`` are what arrives, contiguous.
    """
    B, L, F = x.shape
    H, tiles, cells = heads.heads, -(-F // _loops.TILE), of_output.numel()
    pieces = min(B, _PIECES) if cells >= _WORTH_A_THREAD else 1
    of_x = torch.empty_like(x) if of_input else None
    of_offsets, of_spreads = x.new_zeros(pieces, H, F), x.new_zeros(pieces, H, F)
    of_amplitude = x.new_zeros(pieces * tiles, H, L)
    arrays = (
        *map(_flat, (x, offsets, spreads)),
        _heights(amplitude, x, heads),
        _flat(of_output),
        *(_flat(one, x) for one in (of_gate, of_x)),
        *map(_flat, (of_offsets, of_spreads, of_amplitude)),
    )
    sizes = B, L, F, H, pieces, heads.shared, heads.mixture

    def work(begin: int, end: int) -> None:
        _loops.backward(*arrays, *sizes, begin, end)

    _share_out(pieces * tiles, work, cells)
    return of_x, *(one[0] if len(one) == 1 else one.sum(0) for one in (of_offsets, of_spreads, of_amplitude))


def _heights(amplitude: Tensor | None, x: Tensor, heads: Heads) -> Any:
    return _flat(x.new_ones(heads.heads * heads.layers) if amplitude is None else amplitude)


def _flat(tensor: Tensor | None, like: Tensor | None = None) -> Any:
    """One row of numpy's, the same memory; empty for None."""
    if tensor is None:
        assert like is not None  # noqa: S101
        tensor = like.new_empty(0)
    return tensor.detach().view(-1).numpy()


def _share_out(parts: int, work: Callable[[int, int], None], cells: int) -> None:
    """Have ``work(begin, end)`` done for all parts, on as many threads as torch may use.

    numba's own threads are not used: of its layers one needs a library that may be missing, one breaks
    after a fork, and one ends the process when two visitors meet.
    """
    threads = min(torch.get_num_threads(), parts) if cells >= _WORTH_A_THREAD else 1
    if threads == 1:
        work(0, parts)
        return
    size = max(1, parts // (4 * threads))  # several turns each: a core that is held up does fewer
    turns = iter(range(0, parts, size))

    def take_turns() -> None:
        for begin in turns:
            work(begin, min(begin + size, parts))

    helpers = [_pool().submit(take_turns) for _ in range(threads - 1)]
    take_turns()
    for helper in helpers:
        if not helper.cancel():
            helper.result()


def _pool() -> ThreadPoolExecutor:
    global _helpers
    if _helpers is None:
        _helpers = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="daam-kernels")
    return _helpers


def _forget_helpers() -> None:
    """A fork has none of its parent's threads."""
    global _helpers
    _helpers = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
