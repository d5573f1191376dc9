"""How the server ends: at once, tidily and with status 0, whatever is being computed.

Python waits for no daemon thread, but tears down what they use; torch's then abort the process. So the
process ends itself when the server is closed and the files are gone.
"""

import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

CLOSE_SECONDS = 3.0


class Stop:
    """Waits for Ctrl-C or SIGTERM, from the moment it is made."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._asked = threading.Event()
        self._serving = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: object) -> None:
        if not self._serving or self._asked.is_set():  # nothing to close yet, or somebody is in a hurry
            self.leave()
        self._asked.set()

    def wait(self, close: Callable[[], None]) -> None:
        """Serve until asked to stop, close the server, and end the process."""
        self._serving = True
        self._asked.wait()
        # Answers that are cut short from now on are no defects.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        closing = threading.Thread(target=close, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
        self.leave()

    def leave(self) -> None:
        """End the process with status 0; it leaves no files."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        logging.shutdown()
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:  # nobody reads any more
                continue
        os._exit(0)
