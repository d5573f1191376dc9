"""The runs of one visitor, of which the newest can be cancelled."""

import threading
from typing import Generic, TypeVar

from .turns import Turns

Listed = TypeVar("Listed")


class Runs(Generic[Listed]):
    """Asks the newest run to stop. The run itself then says so: nothing that it says comes after that.

    Attributes:
        turns: of the visitor's runs, which show their results in the order in which they were asked for.
        newest: the session that the visitor's last action ended with. A run that was asked for before knows
            an older one.
    """

    newest: Listed | None = None

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self.turns = Turns()

    def begin(self) -> threading.Event:
        """For a new run: set once it is cancelled."""
        self._cancelled = threading.Event()
        return self._cancelled

    def cancel(self) -> None:
        """Ask the run that began last to stop."""
        self._cancelled.set()

    def __deepcopy__(self, _memo: object) -> "Runs[Listed]":
        """Every visitor's session begins as a copy of the same one."""
        return Runs()
