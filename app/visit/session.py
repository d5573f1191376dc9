"""One visitor's work: what was explained, compared and muted. Kept in that visitor's own state only.

Everything here is a frozen value; an action takes a session and returns another, so a failed or
cancelled action leaves the last result as it was.
"""

from dataclasses import dataclass, replace

from daam_core.encoding import Encoding
from daam_core.plain import PlainMapping
from daam_core.result import Explanation

from .inputs import Given
from .mutes import NOTHING_MUTED, Cell, Mutes

MAX_CACHED = 8  # encoded inputs kept for a visitor …
MAX_CACHED_BYTES = 128_000_000  # … and their size together
MAX_HISTORY = 100  # steps of undo
SESSION_SECONDS = 3600  # a visitor's state is forgotten after an idle hour


@dataclass(frozen=True)
class Result:
    """One explained input.

    Attributes:
        model: name of the model that explained it.
        given: the input.
        encoding: what the encoder made of it.
        explanation: of this encoding, with ``mutes`` and ``target`` applied.
        mutes: switched-off parts.
        target: index of the explained class, None for the predicted one.
        media: what the interactive view shows of a sound or picture.
    """

    model: str
    given: Given
    encoding: Encoding
    explanation: Explanation
    mutes: Mutes = NOTHING_MUTED
    target: int | None = None
    media: PlainMapping | None = None

    @property
    def title(self) -> str:
        """The input, the model, and what is muted."""
        muted = f", without {self.mutes.describe()}" if self.mutes else ""
        return f"{self.given.title} · {self.model}{muted}"


@dataclass(frozen=True)
class Session:
    """Everything the page shows one visitor.

    Attributes:
        current: the result on screen (B, where there is an A).
        original: the result that what-if changes of the input start from.
        baseline: A of a comparison.
        pinned: A was chosen by the visitor, so a new input does not replace it.
        cell: the selected (head, layer, feature).
        undo, redo: earlier and later states of ``current.mutes``.
        encodings: this visitor's cache, (key, encoding), oldest first.
    """

    current: Result | None = None
    original: Result | None = None
    baseline: Result | None = None
    pinned: bool = False
    cell: Cell | None = None
    undo: tuple[Mutes, ...] = ()
    redo: tuple[Mutes, ...] = ()
    encodings: tuple[tuple[str, Encoding], ...] = ()

    @property
    def pair(self) -> tuple[Result, Result] | None:
        """A and B, or None where there is nothing to compare."""
        if self.baseline is None or self.current is None or self.baseline is self.current:
            return None
        return self.baseline, self.current

    def cached(self, key: str) -> Encoding | None:
        return dict(self.encodings).get(key)

    def remembering(self, key: str, encoding: Encoding) -> "Session":
        """With an encoding put last in the cache, and the oldest ones dropped beyond its bounds."""
        kept = [entry for entry in self.encodings if entry[0] != key] + [(key, encoding)]
        kept = kept[-MAX_CACHED:]
        while len(kept) > 1 and sum(_size(entry[1]) for entry in kept) > MAX_CACHED_BYTES:
            kept.pop(0)
        return replace(self, encodings=tuple(kept))


def _size(encoding: Encoding) -> int:
    return encoding.hidden.numel() * encoding.hidden.element_size()
