"""Long work with a word on how it goes, in a form that a generator can be stopped in."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from daam_core.errors import CancelledError

Worked = TypeVar("Worked")

POLL_SECONDS = 0.1
SPEAK_SECONDS = 1.0  # between two words on the time that has passed


@dataclass(frozen=True)
class Finished(Generic[Worked]):
    """The last step: what the work returned."""

    result: Worked


def working(
    work: Callable[[threading.Event], Worked], message: str, *, cancelled: threading.Event | None = None
) -> Iterator[str | Finished[Worked]]:
    """Run ``work`` in a thread of its own; yield what to say while it lasts, then its result.

    It ends early once ``cancelled`` is set, or when nobody reads its steps any more. The event that
    ``work`` was given is then set; what it may still return is dropped.

    Raises:
        CancelledError: ``cancelled`` was set before the work was done.
        whatever ``work`` raises.
    """
    results: list[Worked] = []
    errors: list[BaseException] = []
    done, stop = threading.Event(), threading.Event()

    def run() -> None:
        try:
            results.append(work(stop))
        except BaseException as error:  # raised again below, where somebody can answer it
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        yield f"{message}…"
        waited, spoken = 0.0, 0.0
        while not done.wait(POLL_SECONDS):
            if cancelled is not None and cancelled.is_set():
                raise CancelledError("Cancelled.")
            waited += POLL_SECONDS
            if waited - spoken >= SPEAK_SECONDS:
                spoken = waited
                yield f"{message}… {waited:.0f} s"
    finally:
        stop.set()
    if errors:
        raise errors[0]
    yield Finished(results[0])
