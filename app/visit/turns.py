"""Whose turn the encoder is, and one run for all who ask for the same."""

import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import count
from typing import Generic, TypeVar

from daam_core.errors import CancelledError

POLL_SECONDS = 0.1  # between two looks whether somebody still waits

Made = TypeVar("Made")


class Turns:
    """One run at a time, in the order asked, since a run uses every core by itself.

    A run of several parts, such as the windows of a long text, lets those who wait go first between two of
    them: then it waits behind them, so that nobody waits for more than a part of each.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition()
        self._line: deque[object] = deque()  # the first one runs

    @contextmanager
    def turn(self, stopped: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Wait for one's turn, and have it for the block.

        Args:
            stopped: whether nobody waits for this run any more.

        Yields:
            What to call before each part: but for the first it waits for those who wait by then, and
            returns whether to stop.

        Raises:
            CancelledError: nobody waited any more before its turn came.
        """
        run, parts = object(), count()

        def part() -> bool:
            with self._moved:
                if next(parts) > 0 and len(self._line) > 1:
                    self._line.rotate(-1)
                    self._moved.notify_all()
                    self._come_first(run, stopped)
            return stopped()

        with self._moved:
            self._line.append(run)
        try:
            with self._moved:
                self._come_first(run, stopped)
            if stopped():
                raise CancelledError("Cancelled before the encoder ran.")
            yield part
        finally:
            with self._moved:
                self._line.remove(run)
                self._moved.notify_all()

    def _come_first(self, run: object, stopped: Callable[[], bool]) -> None:
        """Until it is first in the line, or nobody waits for it."""
        while self._line[0] is not run and not stopped():
            self._moved.wait(POLL_SECONDS)


class Alike(Generic[Made]):
    """Who asks for what is being made already gets the same; nothing is kept once it is made."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._making: dict[Hashable, Future[Made]] = {}

    def once(self, key: Hashable, make: Callable[[], Made], stopped: Callable[[], bool]) -> Made:
        """What ``make`` returns, or another's whose key is the same and who asked before.

        Args:
            key: the same for the same thing.
            make: makes it.
            stopped: whether nobody waits for it any more.

        Raises:
            CancelledError: nobody waits any more.
            whatever ``make`` raises; but for another's ``CancelledError``, after which it is made here.
        """
        while True:
            with self._lock:
                other = self._making.get(key)
                if other is None:
                    own = self._making[key] = Future()
                    break
            if (result := self._of_another(other, stopped)) is not None:
                return result.result()
        try:
            own.set_result(make())
        except BaseException as error:  # whoever waits gets it too
            own.set_exception(error)
        finally:
            with self._lock:
                del self._making[key]
        return own.result()

    def _of_another(self, other: "Future[Made]", stopped: Callable[[], bool]) -> "Future[Made] | None":
        """When it is done, unless its asker has left."""
        while True:
            try:
                if isinstance(other.exception(POLL_SECONDS), CancelledError):
                    return None
            except TimeoutError:
                if stopped():
                    raise CancelledError("Cancelled before the encoder ran.") from None
            else:
                return other
