"""What an action comes to on the page: its result, the one sentence on what was wrong, or a defect's.

Whatever fails, the last result stays on the page.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TypeVar

import gradio as gr

from daam_core.errors import CancelledError, DaamError

from ..server.working import Finished, working
from .html.frame import status
from .updates import Told, Updates, say

DEFECT = (
    "Something went wrong on the server, and it has been written to its log. Your last result is still here."
)

UNCHANGED = "The last result is unchanged."
CANCELLED = "Cancelled. The last result is still here."

log = logging.getLogger(__name__)
Worked = TypeVar("Worked")


def sentence_of(error: Exception) -> str:
    """What a visitor reads about an error; a defect goes to the log, and the visitor reads just that."""
    if isinstance(error, DaamError):
        return str(error)
    log.error("An action failed", exc_info=error)
    return DEFECT


def at_once(place: gr.HTML, action: Callable[[], Updates]) -> Updates:
    """What an action that runs no encoder shows.

    Args:
        place: beside the control that was used; tells of a failure.
        action: computes the updates.
    """
    try:
        return {place: ""} | action()
    except Exception as error:
        return {place: status(sentence_of(error), kind="error")}


def step_by_step(
    page: Told,
    work: Callable[[threading.Event], Worked],
    message: str,
    finished: Callable[[Worked], Updates],
    *,
    cancelled: threading.Event | None = None,
    place: gr.HTML | None = None,
    replaces: bool = False,
    meanwhile: Updates | None = None,
    afterwards: Updates | None = None,
) -> Iterator[Updates]:
    """What long work shows: that it lasts, then its result, or that it was cancelled.

    Args:
        page: whose status line tells how it goes.
        work: given an event that is set when nobody waits any more.
        message: what is being done.
        finished: what the work's result shows.
        cancelled: set once the visitor cancels it.
        place: beside the control that was used, to tell of a failure; the status line where there is none.
        replaces: the work is to replace the result on screen, which is the previous one while it lasts,
            and after a failure to explain what was given.
        meanwhile: shown while it lasts.
        afterwards: shown at its end, however it ends.
    """
    try:
        for step in working(work, message, cancelled=cancelled):
            if isinstance(step, Finished):
                yield ({place: ""} if place else {}) | finished(step.result) | (afterwards or {})
            else:
                yield say(page, step, kind="busy", previous=replaces) | (meanwhile or {})
    except CancelledError:
        yield say(page, CANCELLED, kind="info", previous=replaces) | (afterwards or {})
    except Exception as error:
        said = sentence_of(error)
        if place is None:
            told = say(page, said, kind="error", previous=replaces)
        else:
            told = {place: status(said, kind="error")} | say(page, UNCHANGED, kind="info")
        yield told | (afterwards or {})
