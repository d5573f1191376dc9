"""The runs of one visitor, of which the newest can be cancelled."""

import threading

from .turns import Turns


class Runs:
    """Asks the newest run to stop. The run itself then says so: nothing that it says comes after that."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self.turns = Turns()  # a visitor's runs show their results in the order in which they were asked for

    def begin(self) -> threading.Event:
        """For a new run: set once it is cancelled."""
        self._cancelled = threading.Event()
        return self._cancelled

    def cancel(self) -> None:
        """Ask the run that began last to stop."""
        self._cancelled.set()

    def __deepcopy__(self, _memo: object) -> "Runs":
        """Every visitor's session begins as a copy of the same one."""
        return Runs()
