"""Work of visitors who have gone is dropped.

Gradio drops what a visitor waits for when the stream of news on it breaks. Who never opened one, or
asked and left before, keeps a place in the queue: such work is dropped here after some seconds.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from gradio.context import LocalContext
from starlette.types import ASGIApp, Receive, Scope, Send

from .answers import API, refusal

GRACE_SECONDS = 15.0  # from asking to listening
LOOK_SECONDS = 1.0
NOTHING_ASKED = "Nothing was asked for under this name, or its answer was given before."

log = logging.getLogger(__name__)


class Listeners:
    """Who listens at the moment, by session or by the id of a piece of work.

    Args:
        queue: gives Gradio's queue once the page is served.
    """

    def __init__(self, queue: Callable[[], Any]) -> None:
        self._queue = queue
        self._open: Counter[str] = Counter()
        self._alone: dict[str, float] = {}  # work that nobody listens for, and since when

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """ASGI middleware that counts the streams, and refuses those that could bring nothing."""

        async def listening(scope: Scope, receive: Receive, send: Send) -> None:
            name = _listens_to(scope)
            if name is None:
                await app(scope, receive, send)
                return
            if not _knows(self._queue(), name):  # Gradio would break the stream off when it has begun
                await refusal(scope, 404, NOTHING_ASKED)(scope, receive, send)
                return
            self._open[name] += 1
            try:
                await app(scope, receive, send)
            finally:
                self._open[name] -= 1
                self._open += Counter()  # forgets the zeros

        return listening

    def departed(self, work: dict[str, str], *, now: float, grace: float = GRACE_SECONDS) -> list[str]:
        """Ids of the work, given with its session, that nobody has listened for in a while."""
        alone = {one for one, session in work.items() if not self._open[one] and not self._open[session]}
        self._alone = {one: self._alone.get(one, now) for one in alone}
        return [one for one, since in self._alone.items() if now - since > grace]

    def lifespan(self) -> Callable[[object], object]:
        """What a server runs beside its answers: looks at the queue, and drops what nobody waits for."""

        async def look_for_ever() -> None:
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                waiting = {event._id: event.session_hash for event in _events(self._queue())}
                for one in self.departed(waiting, now=time.monotonic()):
                    await self._queue().clean_events(event_id=one)

        @asynccontextmanager
        async def running(_app: object) -> AsyncIterator[None]:
            task = asyncio.create_task(look_for_ever())
            yield
            task.cancel()

        return running


def asker_has_left() -> Callable[[], bool]:
    """Asked in the function of an event: what tells whether whoever asked for it has gone since."""
    blocks, own = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    if blocks is None or own is None:  # called without a queue
        return lambda: False
    event = next((event for event in _events(blocks._queue) if event._id == own), None)
    return lambda: event is not None and not event.alive


def _events(queue: Any) -> Iterator[Any]:
    """Work that waits or runs, of Gradio's queue."""
    for line in list(queue.event_queue_per_concurrency_id.values()):
        yield from list(line.queue)
    for job in list(queue.active_jobs):
        yield from (event for event in job or () if event.alive)


def _knows(queue: Any, name: str) -> bool:
    """Whether there is something to tell of a session, or of a piece of work."""
    sessions = queue.pending_messages_per_session
    asked = name in sessions or name in queue.event_ids_to_events
    return asked or any(name in ids for ids in queue.pending_event_ids_session.values())


def _listens_to(scope: Scope) -> str | None:
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path: str = scope["path"]
    if path == f"{API}queue/data":
        query: bytes = scope["query_string"]
        return next(iter(parse_qs(query.decode("latin-1")).get("session_hash", ())), None)
    if path.startswith(f"{API}call/"):
        return path.rstrip("/").rpartition("/")[2]
    return None
