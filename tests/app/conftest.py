"""One offer of small models for all tests of the app, and a visitor who has explained a text."""

import pytest

from app.visit.actions import explain_input
from app.visit.inputs import given_text
from app.visit.offer import Offer
from app.visit.session import Session
from daam_core.trained import TrainedClassifier, load_model
from tests.app.visitor import TEXT, Counting
from tests.support.small_heads import small_heads


@pytest.fixture(scope="session")
def models() -> list[TrainedClassifier]:
    return [load_model(folder) for folder in small_heads().values()]


@pytest.fixture
def offer(models) -> Offer:
    return Offer(models)


@pytest.fixture
def counted(models, monkeypatch) -> tuple[Offer, Counting]:
    """A offer whose text models share an encoder that counts."""
    offer = Offer(models)
    counting = Counting(offer["topics"].backbone)
    for name in ("topics", "topics-b"):
        monkeypatch.setitem(offer[name].__dict__, "backbone", counting)
    return offer, counting


@pytest.fixture
def session(offer) -> Session:
    """One visitor who has explained a text."""
    return explain_input(offer, Session(), "topics", given_text(TEXT))
