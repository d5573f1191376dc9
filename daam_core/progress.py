"""Progress and cancelling, shared by all measures and by whatever runs an encoder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from daam_core.errors import CancelledError

#: Called with the share done in [0, 1] and what is being done.
OnProgress = Callable[[float, str], None]


def _never() -> bool:
    return False


_STOPPED: ContextVar[Callable[[], bool]] = ContextVar("stopped", default=_never)


@contextmanager
def stoppable(stopped: Callable[[], bool]) -> Iterator[None]:
    """Let what runs inside stop when ``stopped`` says so; it asks between two parts of its work."""
    token = _STOPPED.set(stopped)
    try:
        yield
    finally:
        _STOPPED.reset(token)


def stop_if_asked() -> None:
    """Stop here if whoever waits for the result has gone; without :func:`stoppable`, never.

    Raises:
        CancelledError: nobody waits.
    """
    if _STOPPED.get()():
        raise CancelledError("Stopped, as asked; nothing was kept.")


def _silent(share: float, message: str) -> None:
    pass


@dataclass(frozen=True)
class Progress:
    """Reports how far a computation is, and stops it when asked to.

    Attributes:
        on_progress: told the share done and what is being done.
        cancelled: asked often; True stops the computation.
        start: share at which this part begins.
        end: share at which it ends.
    """

    on_progress: OnProgress = _silent
    cancelled: Callable[[], bool] = _never
    start: float = 0.0
    end: float = 1.0

    def check(self) -> None:
        """Stop here if the caller asked for it.

        Raises:
            CancelledError: the caller did.
        """
        if self.cancelled():
            raise CancelledError("Stopped, as asked; no report was made.")

    def report(self, share: float, message: str) -> None:
        """Say that ``share`` of this part is done, after a :meth:`check`."""
        self.check()
        self.on_progress(self.start + share * (self.end - self.start), message)

    def part(self, start: float, end: float) -> "Progress":
        """The same for a part of this part."""
        width = self.end - self.start
        return Progress(
            self.on_progress, self.cancelled, self.start + start * width, self.start + end * width
        )
