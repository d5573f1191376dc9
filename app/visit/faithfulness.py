"""Is this explanation true? The check of one input as plain values, and what was measured of its model."""

from collections.abc import Callable
from dataclasses import dataclass

from daam_core.encoding import Encoding
from daam_core.faithfulness.maps.methods import MAP_KINDS
from daam_core.faithfulness.one_input import InputCheck, check_encoding
from daam_core.faithfulness.report.published import published
from daam_core.plain import PlainMapping
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier

from .actions import needed
from .offer import Offer
from .session import Session


@dataclass(frozen=True)
class Checked:
    """What the check of the result on screen found.

    Attributes:
        title: of the input.
        model: name of the model.
        predicted_class: its prediction with every part switched on; where an input may have several labels,
            the class that is explained.
        found: the check's numbers.
        published: what was measured of the model over a data set, None where nothing was.
        muted: whether parts are muted in the result on screen, which the check switched on again.
    """

    title: str
    model: str
    predicted_class: str
    found: InputCheck
    published: PlainMapping | None
    muted: bool

    @property
    def sentences(self) -> dict[str, str]:
        """What the check says of each map on screen, by its quantity; of what is muted it says nothing."""
        if not self.muted:
            return self.found.sentences
        return {
            name: f"With nothing muted: {sentence[:1].lower()}{sentence[1:]}"
            for name, sentence in self.found.sentences.items()
        }


def check_current(offer: Offer, session: Session) -> Checked:
    """Check the result on screen; muted parts are switched on again.

    Raises:
        InputError: there is no result.
    """
    result = needed(session.current)
    model = offer[result.model]
    e = result.explanation
    found = check_encoding(model, result.encoded, target=e.explained if e.labels == "several" else None)
    predicted = model.class_names[found.prediction]
    muted = bool(result.mutes)
    return Checked(result.given.title, result.model, predicted, found, published(model), muted)


def check_values(
    model: TrainedClassifier, encoding: Encoding, *, stopped: Callable[[], bool]
) -> dict[str, object]:
    """The same for programs.

    Raises:
        CancelledError: ``stopped`` said that nobody waits any more.
    """
    found = check_encoding(model, encoding, progress=Progress(cancelled=stopped))
    return {
        "model": model.name,
        "prediction": model.class_names[found.prediction],
        "probability": found.probability,
        "cells": found.cells,
        "random_orders": found.orders,
        "seed": found.seed,
        "shares": found.shares.tolist(),
        "random": found.random.tolist(),
        "area_at_random": found.at_random,
        "maps": {
            item.method: {
                "title": MAP_KINDS[item.method].title,
                "class_specific": MAP_KINDS[item.method].class_specific,
                "deletion": item.deletion,
                "insertion": item.insertion,
                "p_value": item.p_value,
                "gate_randomised": item.randomised,
                "before_training": item.start,
                "highest_first": item.highest.tolist(),
                "verdict": item.verdict,
            }
            for item in found.maps
        },
        "in_words": found.sentence,
        "published": published(model),
    }
