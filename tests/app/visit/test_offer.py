"""The models on offer."""

import threading

import pytest

from app.visit.actions import explain_input, explain_once
from app.visit.inputs import given_text
from app.visit.offer import Offer
from app.visit.session import Session
from daam_core.errors import CancelledError, ConfigError, InputError
from tests.app.visitor import TEXT


def test_names_by_modality(offer):
    assert offer.names("text") == ["topics", "topics-b"]
    assert offer.modalities == ["audio", "text", "image"]


def test_an_unknown_model_lists_those_on_offer(offer):
    for name in ("nope", None, 3, ["topics"]):
        with pytest.raises(InputError, match="choose one of tones, topics, topics-b, colours"):
            offer[name]


def test_a_text_is_not_given_to_a_sound_model(offer):
    with pytest.raises(InputError, match="tones explains audio"):
        explain_input(offer, Session(), "tones", given_text(TEXT))


def test_names_must_differ(models):
    with pytest.raises(ConfigError, match="each with a name of its own"):
        Offer([models[0], models[0]])
    with pytest.raises(ConfigError, match="at least one model"):
        Offer([])


def test_an_encoder_does_not_start_for_nobody(counted):
    offer, counting = counted
    stop = threading.Event()
    stop.set()
    with pytest.raises(CancelledError):
        explain_input(offer.until(stop.is_set), Session(), "topics", given_text(TEXT))
    assert counting.runs == 0


def test_an_encoder_does_not_go_on_for_nobody(offer):
    """It is asked before each window of a text, and stops at the third."""
    asked = []

    def stopped() -> bool:
        asked.append(None)
        return len(asked) > 3

    with pytest.raises(CancelledError, match="nothing was kept"):
        explain_once(offer.until(stopped), "topics", given_text("word " * 2_000))
    assert len(asked) == 4  # before it started, and at three windows of eight
    assert explain_once(offer, "topics", given_text("word " * 2_000)).predicted_class
