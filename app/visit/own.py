"""A model of somebody's own with density attention inside, on the page: inputs given, results made."""

import threading
from dataclasses import replace

from daam_core.attaching import Attached
from daam_core.errors import ConfigError, InputError
from daam_core.inputs import MODALITIES, Input, Modality, Sound, Text

from .actions import needed
from .inputs import Given
from .media import page_media
from .session import Result, Session


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

    def _result(self, given: Given, attention: object, *, target: int | None = None) -> Result:
        with self._asking:
            found = self.attached.explain(_content(given.input), target=target)
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
