"""One visitor's work: what was explained, compared and muted. Kept in that visitor's own state only.

Everything here is a frozen value; an action takes a session and returns another, so a failed or
cancelled action leaves the last result as it was.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from daam_core.encoding import Encoding
from daam_core.errors import InputError
from daam_core.plain import PlainMapping
from daam_core.result import Explanation

from .inputs import Given
from .mutes import NOTHING_MUTED, Cell, Mutes
from .runs import Runs

MAX_KEPT = 12  # results of a visit that can be shown again …
MAX_UNDO = 50  # … steps that can be undone …
MAX_KEPT_BYTES = 128_000_000  # … and the size of everything a session holds besides what is on screen
SESSION_SECONDS = 3600  # a visitor's state is forgotten after an idle hour


@dataclass(frozen=True)
class Result:
    """One explained input.

    Attributes:
        model: name of the model that explained it.
        given: the input.
        key: the same for the same input and encoder, whose encoding is the same.
        encoding: what the encoder made of it; None for a model of somebody's own, which shows none.
        explanation: of this encoding, with ``mutes`` and ``target`` applied.
        mutes: switched-off parts.
        target: index of the explained class, None for the predicted one.
        media: what the interactive view shows of a sound or picture.
        original: the result that this one is a change of, None where it is of an unchanged input.
        at: when it was explained, or parts were muted, in seconds since 1970.
        unmuted: ``[C]`` probabilities with nothing muted, where ``mutes`` are something.
    """

    model: str
    given: Given
    key: str
    encoding: Encoding | None
    explanation: Explanation
    mutes: Mutes = NOTHING_MUTED
    target: int | None = None
    media: PlainMapping | None = None
    original: "Result | None" = None
    at: float = field(default_factory=time.time)
    unmuted: np.ndarray | None = None

    @property
    def title(self) -> str:
        """The input, the model, and what is muted."""
        muted = f", without {self.mutes.describe()}" if self.mutes else ""
        return f"{self.given.title} · {self.model}{muted}"

    @property
    def encoded(self) -> Encoding:
        """What the encoder made of it.

        Raises:
            InputError: there is none.
        """
        if self.encoding is None:
            raise InputError("This model has no encoder apart that would be kept; explain the input again.")
        return self.encoding

    def is_of(self, other: "Result") -> bool:
        """Whether both are of the same input by the same model, whatever is muted."""
        return self.model == other.model and self.given.key == other.given.key


@dataclass(frozen=True)
class Kept:
    """A result that can be shown again, and its number in this visit, which no other gets."""

    number: int
    result: Result


@dataclass(frozen=True)
class Session:
    """Everything the page shows one visitor.

    Attributes:
        current: the result on screen (B, where there is an A).
        baseline: A of a comparison.
        pinned: A was chosen by the visitor, so a new input does not replace it.
        cell: the selected (head, layer, feature).
        kept: results of this visit, oldest first.
        counted: how many were kept so far.
        undo, redo: this session before and after its last changes, without what belongs to all of them.
        runs: the visitor's, the same in every session that comes of this one.
    """

    current: Result | None = None
    baseline: Result | None = None
    pinned: bool = False
    cell: Cell | None = None
    kept: tuple[Kept, ...] = ()
    counted: int = 0
    undo: tuple["Session", ...] = ()
    redo: tuple["Session", ...] = ()
    runs: "Runs[Session]" = field(default_factory=Runs, compare=False, repr=False)

    @property
    def pair(self) -> tuple[Result, Result] | None:
        """A and B, or None where there is nothing to compare."""
        if self.baseline is None or self.current is None or self.baseline is self.current:
            return None
        return self.baseline, self.current

    @property
    def original(self) -> Result | None:
        """The result that what-if changes of the input start from."""
        return None if self.current is None else self.current.original or self.current

    def cached(self, key: str) -> Encoding | None:
        """This visitor's encoding of an input, where a result with it is kept."""
        return next((kept.result.encoding for kept in self.kept if kept.result.key == key), None)

    def beginning(self, result: Result) -> "Session":
        """With a new input's result on screen. There is nothing to undo; a chosen A stays."""
        baseline = self.baseline if self.pinned else None
        began = replace(self, current=result, baseline=baseline, cell=None, undo=(), redo=())
        return began._keeping()

    def showing(self, result: Result, *, baseline: Result | None, pinned: bool = False) -> "Session":
        """With another result on screen, or another A beside it: a step that can be undone."""
        undo = (*self.undo, self._step())[-MAX_UNDO:]
        shown = replace(self, current=result, baseline=baseline, pinned=pinned, undo=undo, redo=())
        return shown._keeping()

    def undone(self) -> "Session":
        """Before the last change; there must have been one."""
        return self._at(self.undo[-1], self.undo[:-1], (*self.redo, self._step()))

    def redone(self) -> "Session":
        """After the change that was undone last; there must have been one."""
        return self._at(self.redo[-1], (*self.undo, self._step()), self.redo[:-1])

    def ended(self, before: "Session") -> "Session":
        """What the visitor's action that began with ``before`` ends with.

        Results that the visitor's other actions have added to the list since it began stay in it.
        """
        newest, session = self.runs.newest or before, self
        if newest.counted > before.counted:
            session = replace(self, kept=newest.kept, counted=newest.counted)
            for kept in self.kept:
                session = session._with_kept(kept.result) if kept.number > before.counted else session
            session = session._keeping()
        self.runs.newest = session
        return session

    def _at(self, step: "Session", undo: tuple["Session", ...], redo: tuple["Session", ...]) -> "Session":
        shared = {"cell": self.cell, "kept": self.kept, "counted": self.counted}
        return replace(step, **shared, undo=undo, redo=redo)  # type: ignore[arg-type]

    def _step(self) -> "Session":
        return replace(self, kept=(), counted=0, undo=(), redo=())

    def _keeping(self) -> "Session":
        """With what is on screen among the kept results, and the oldest ones dropped beyond the bounds."""
        session = self
        for result in (self.baseline, self.current):
            session = session if result is None else session._with_kept(result)
        session = replace(session, kept=session.kept[-MAX_KEPT:])
        while session._bytes() > MAX_KEPT_BYTES and (session.undo or len(session.kept) > 1):
            older = session.kept if len(session.kept) == 1 else session.kept[1:]
            session = replace(session, kept=older, undo=session.undo[1:])
        return session

    def _with_kept(self, result: Result) -> "Session":
        def is_this(kept: Kept) -> bool:
            return kept.result.is_of(result) and kept.result.mutes == result.mutes

        if any(map(is_this, self.kept)):  # another class of it is explained now, or it is explained again
            kept = tuple(replace(one, result=result) if is_this(one) else one for one in self.kept)
            return replace(self, kept=kept)
        earlier = self.kept
        # Of one series of mutes only the last is kept.
        if result.mutes and earlier and earlier[-1].result.mutes and earlier[-1].result.is_of(result):
            earlier = earlier[:-1]
        return replace(self, kept=(*earlier, Kept(self.counted + 1, result)), counted=self.counted + 1)

    def _bytes(self) -> int:
        """What the visitor's results hold, each thing counted once."""
        sizes: dict[int, int] = {}
        for result in self._results():
            shared = result.given.example is not None and result.given.change is None  # by all visitors
            sizes[id(result.encoding)] = 0 if shared else _size(result.encoding)
            arrays = (value for value in vars(result.explanation).values() if isinstance(value, np.ndarray))
            sizes[id(result.explanation)] = sum(array.nbytes for array in arrays)
            sizes[id(result.given.held)] = 0 if result.given.held is None else result.given.held.nbytes
            sizes[id(result.media)] = _letters(result.media)
        return sum(sizes.values())

    def _results(self) -> Iterator[Result]:
        for result in (self.current, self.baseline, *(kept.result for kept in self.kept)):
            if result is not None:
                yield result
                if result.original is not None:
                    yield result.original
        for step in (*self.undo, *self.redo):
            yield from step._results()


def _size(encoding: Encoding | None) -> int:
    return 0 if encoding is None else encoding.hidden.numel() * encoding.hidden.element_size()


def _letters(value: object) -> int:
    """The length of all texts in plain values, which are nearly all of a picture or a spectrogram."""
    if isinstance(value, Mapping):
        return sum(_letters(part) for part in value.values())
    return len(value) if isinstance(value, str) else 0
