"""The app's check of an explanation, without a browser."""

import re
from html import unescape

import pytest

from app.page import checks
from app.visit.actions import explain_input
from app.visit.inputs import given_text
from app.visit.offer import Offer
from app.visit.session import Session
from daam_core.errors import InputError
from daam_core.faithfulness.one_input import check_encoding
from daam_core.trained import load_model
from tests.support.small_heads import small_heads

TEXT = "The goalkeeper saved a penalty in the last minute."


@pytest.fixture(scope="module")
def offer() -> Offer:
    return Offer([load_model(folder) for folder in small_heads().values()])


@pytest.fixture(scope="module")
def session(offer: Offer) -> Session:
    return explain_input(offer, Session(), offer.names("text")[0], given_text(TEXT))


def test_the_check_shows_the_cores_numbers(offer, session):
    shown = checks.check_current(offer, session)
    model = offer[session.current.model]
    found = check_encoding(model, session.current.encoding)
    deletions = {
        name: float(value)
        for name, value in re.findall(r'data-method="(\w+)" data-deletion="([^"]+)"', shown)
    }
    assert deletions == {item.method: item.deletion for item in found.maps}
    for item in found.maps:
        assert item.verdict in unescape(shown)
    assert shown.count('<path class="dx-line') == 2 * (len(found.maps) + 1)
    assert f"{found.cells:,} cells" in shown
    assert "No measurement over a data set comes with this model." in shown


def test_programs_get_the_same_numbers(offer, session):
    model = offer[session.current.model]
    values = checks.check_values(model, session.current.encoding)
    found = check_encoding(model, session.current.encoding)
    assert values["prediction"] == model.class_names[found.prediction]
    assert values["maps"]["importance"]["deletion"] == found.maps[0].deletion
    assert values["maps"]["importance"]["highest_first"] == found.maps[0].highest.tolist()
    assert values["published"] is None


def test_published_findings_are_escaped(offer, session, monkeypatch):
    finding = {"question": "<b>Is it?</b>", "answer": "no", "sentence": "a < b"}
    summary = {"findings": [finding], "provenance": {"command": "daam <x>"}}
    monkeypatch.setattr(checks, "published", lambda _: summary)
    shown = checks.published_html(offer[session.current.model])
    assert "<b>" not in shown
    assert "&lt;b&gt;Is it?&lt;/b&gt;" in shown
    assert "<td>no</td>" in shown


def test_there_is_nothing_to_check_at_first(offer):
    with pytest.raises(InputError):
        checks.check_current(offer, Session())
