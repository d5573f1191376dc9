"""A model of somebody's own behind the page, where its code does not expect what it is given."""

import pytest

from app.visit.inputs import given_text
from app.visit.own import OwnModel
from app.visit.session import Session
from daam_core import attach
from daam_core.errors import InputError
from tests.support.own_models import CLASSES, WORDS, prepare, trained

TEXT = "the old river thunder near a house gale"


def test_what_prepare_raises_refuses_the_input_and_no_more():
    def strict(text):
        [WORDS.index(word) for word in text.split()]  # ValueError where a word is unknown
        return prepare(text)

    with attach(trained("block"), TEXT, prepare=strict, class_names=CLASSES, axes=("token", "feature")) as it:
        own = OwnModel(it, "text")
        with pytest.raises(InputError, match="stopped at this input with ValueError; the server's log has"):
            own.explain(Session(), given_text("an unknown zebra"), own.attentions[0])
        session = own.explain(Session(), given_text(TEXT), own.attentions[0])
        # Without words an ellipsis is left, which it does not know either.
        found = own.check(session, stopped=lambda: False)
    assert found.parts == 8
    assert 0 < found.refused < found.runs
