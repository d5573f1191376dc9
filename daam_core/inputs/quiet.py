"""Decoders that write to standard output and error are not heard.

libtiff and mpg123 write their findings to standard error, libsndfile's reader of SDS to standard output,
from C, past everything that Python could set. What a person is to know is said in an
:class:`~daam_core.errors.InputError` or in the input's facts.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_DESCRIPTORS = (1, 2)
_lock = threading.Lock()
_running = 0
_kept: list[tuple[int, int]] = []


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing reaches the process's standard output and error meanwhile.

    The descriptors are the whole process's: what another thread writes in these milliseconds is lost
    too. A server decodes in a process of its own, see :mod:`daam_core.inputs.apart`.
    """
    global _running
    with _lock:
        if _running == 0:
            _kept[:] = _redirect()
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if _running == 0:
                _restore()


def _redirect() -> list[tuple[int, int]]:
    """Point the descriptors nowhere; each with a copy of what it was."""
    _flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    kept = []
    for descriptor in _DESCRIPTORS:
        with suppress(OSError):  # closed, as a daemon's are
            kept.append((descriptor, os.dup(descriptor)))
            os.dup2(nowhere, descriptor)
    os.close(nowhere)
    return kept


def _restore() -> None:
    _flush()
    for descriptor, copy in _kept:
        os.dup2(copy, descriptor)
        os.close(copy)
    _kept.clear()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
