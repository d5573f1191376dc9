"""Is this explanation true? The check of one input as plain values."""

import pytest

from app.visit.actions import mute_parts
from app.visit.faithfulness import check_current, check_values
from app.visit.session import Session
from daam_core.errors import InputError
from daam_core.faithfulness.one_input import check_encoding


def test_programs_get_the_cores_numbers(offer, session):
    model = offer[session.current.model]
    values = check_values(model, session.current.encoding, stopped=lambda: False)
    found = check_encoding(model, session.current.encoding)
    assert values["prediction"] == model.class_names[found.prediction]
    assert values["maps"]["importance"]["deletion"] == found.maps[0].deletion
    assert values["maps"]["importance"]["highest_first"] == found.maps[0].highest.tolist()
    assert values["published"] is None


def test_a_check_of_a_muted_result_says_that_nothing_was_muted_for_it(offer, session):
    whole = check_current(offer, session).sentences["importance"]
    muted = check_current(offer, mute_parts(offer, session, ["0"], [], "")).sentences["importance"]
    assert muted == f"With nothing muted: t{whole[1:]}"


def test_there_is_nothing_to_check_at_first(offer):
    with pytest.raises(InputError, match="There is no result yet"):
        check_current(offer, Session())
