"""A model of somebody's own with density attention inside, on the page: inputs given, results made."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import parse_qs

import numpy as np

from daam_core.attaching import Attached
from daam_core.errors import ConfigError, DaamError, InputError
from daam_core.faithfulness.parts_of_one_input import PartsCheck, check_parts
from daam_core.faithfulness.removal.parts import share_out, split
from daam_core.inputs import MODALITIES, Input, Modality, Sound, Text
from daam_core.progress import Progress
from daam_core.result import Explanation

from .actions import needed
from .inputs import Given
from .links import MAX_QUERY
from .media import page_media
from .session import Result, Session

log = logging.getLogger(__name__)


class OwnModel:
    """An attached model, asked by one visitor at a time.

    Args:
        attached: whose ``prepare`` takes what a visitor gives: a text as ``str``, a picture as a Pillow
            image, a sound as ``(samples, rate)``.
        modality: which of these it is.

    Raises:
        ConfigError: another modality.
    """

    def __init__(self, attached: Attached, modality: Modality) -> None:
        if modality not in MODALITIES:
            raise ConfigError(f"modality must be one of {', '.join(MODALITIES)}, got {modality!r}.")
        self.attached, self.modality = attached, modality
        self.attentions = [watched.name for watched in attached.attentions]
        self._asking = threading.Lock()

    def explain(self, session: Session, given: Given, attention: object) -> Session:
        """With a new input's result on screen."""
        return session.beginning(self._result(given, attention))

    def choose_attention(self, session: Session, attention: object) -> Session:
        """Another attention of the current result."""
        current = needed(session.current)
        result = self._result(current.given, attention, target=current.target)
        return session.showing(result, baseline=session.baseline, pinned=session.pinned)

    def choose_class(self, session: Session, attention: object, target: object) -> Session:
        """Another class of the current result, and of A."""
        index = target if isinstance(target, int) else None
        current = self._result(needed(session.current).given, attention, target=index)
        baseline = session.baseline
        if baseline is not None:
            baseline = replace(self._result(baseline.given, attention, target=index), at=baseline.at)
        return session.showing(current, baseline=baseline, pinned=session.pinned)

    def linked(self, query: object) -> str | None:
        """The attention that a page's query names, None where it names none of this model."""
        if not isinstance(query, str) or len(query) > MAX_QUERY:
            return None
        asked = parse_qs(query.removeprefix("?"), errors="replace").get("model", [""])[0]
        return next((name for name in self.attentions if asked == self.attached.title_of(name)), None)

    def check(self, session: Session, *, stopped: Callable[[], bool]) -> PartsCheck:
        """Take parts out of the current result's input, and let the model decide on the rest.

        Raises:
            InputError: no result, an attention that says nothing of the input's parts, or another class than
                the predicted one is explained.
            CancelledError: ``stopped`` said that nobody waits any more.
        """
        current = needed(session.current)
        e = current.explanation
        if not e.token_labels:
            raise InputError(
                f"The attention of {e.model} has no axis called token, so it does not say which parts of the "
                "input to take out: choose another attention, or name its axes with axes=…."
            )
        if e.explained != e.prediction:
            raise InputError(
                f"“{e.explained_class}” is explained, but the check is of the prediction: choose "
                f"“{e.predicted_class}” as the explained class first."
            )
        parts = split(current.given.input)
        if e.token_spans.shape[1] != parts.spans.shape[1]:
            raise InputError(
                f"The tokens of {e.model} have no place in the input, so no part can be taken out."
            )

        def logits(left: Input) -> np.ndarray:
            return next(iter(self._asked(left).values())).logits

        shares = share_out(e.token_attribution, e.token_spans, parts)
        progress = Progress(cancelled=stopped)
        return check_parts(parts, shares, logits, labels=self.attached.labels, progress=progress)

    def _asked(self, given: Input, *, target: int | None = None) -> Mapping[str, Explanation]:
        """The explanation of every attention.

        Raises:
            InputError: the model's own code raised anything at this input, which may be its way to refuse it.
        """
        try:
            with self._asking:
                return self.attached.explain(_content(given), target=target)
        except DaamError:
            raise
        except Exception as error:
            log.warning("The model's own code stopped at an input", exc_info=error)
            raise InputError(
                f"The model's own code stopped at this input with {type(error).__name__}; the server's log "
                "has the details. Give another input; who wrote prepare may raise "
                "daam_core.errors.InputError there to say what it takes."
            ) from error

    def _result(self, given: Given, attention: object, *, target: int | None = None) -> Result:
        found = self._asked(given.input, target=target)
        if attention not in found:
            raise InputError(f"There is no attention {attention!r}; there are {', '.join(found)}.")
        explanation = found[str(attention)]
        return Result(
            model=explanation.model,
            given=given.kept(),
            key=given.key,
            encoding=None,
            explanation=explanation,
            target=target,
            media=page_media(given),
        )


def _content(read: Input) -> object:
    if isinstance(read, Text):
        return read.content
    return (read.samples, read.rate) if isinstance(read, Sound) else read.rgb
