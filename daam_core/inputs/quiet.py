"""Decoders that write to standard error are not heard.

libtiff and mpg123 write their findings there from C, past everything that Python could set. What a person
is to know is said in an :class:`~daam_core.errors.InputError` or in the input's facts. Standard output is
left alone: the one decoder that writes there, libsndfile's of SDS, is not used.
"""

import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ERROR = 2
_lock = threading.Lock()
_running = 0
_copy: int | None = None  # of what standard error was; kept open, because another thread may be writing


@contextmanager
def silenced() -> Iterator[None]:
    """Nothing that C code writes to standard error arrives meanwhile.

    The descriptor is the whole process's. What Python writes, in this thread or another, arrives: its
    stream is moved to a copy of the descriptor for that time.
    """
    global _running
    with _lock:
        if _running == 0:
            _redirect()
        _running += 1
    try:
        yield
    finally:
        with _lock:
            _running -= 1
            if _running == 0 and _copy is not None:
                with suppress(OSError):
                    os.dup2(_copy, _ERROR)
                _move_streams(_copy, _ERROR)


def _redirect() -> None:
    global _copy
    with suppress(OSError):  # closed, as a daemon's is
        _copy = os.dup(_ERROR) if _copy is None else os.dup2(_ERROR, _copy)
        _move_streams(_ERROR, _copy)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _ERROR)
        os.close(nowhere)


def _move_streams(old: int, new: int) -> None:
    """Have Python's standard error write to another descriptor, for whoever holds it."""
    for stream in {sys.stderr, sys.__stderr__}:
        buffer = getattr(stream, "buffer", None)
        raw = getattr(buffer, "raw", buffer)  # unbuffered, it is the raw file itself
        if isinstance(raw, io.FileIO) and not raw.closed and raw.fileno() == old:
            # Made anew in place: loggers and progress bars keep the stream that they were given.
            raw.__init__(new, "wb", closefd=False)  # type: ignore[misc]
