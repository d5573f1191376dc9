"""The tab that checks an explanation, on the real page, and its endpoint."""

import pytest
from gradio_client import Client
from playwright.sync_api import expect

from daam_core.faithfulness.one_input import check_encoding
from tests.support.encode import encode

TEXT = "The keeper saved two penalties."


@pytest.fixture(scope="module")
def expected(server):
    model = server.models["topics"]
    return check_encoding(model, encode(model.backbone, TEXT))


def test_a_check_shows_the_cores_numbers(app, expected):
    app.explain_text(TEXT)
    app.tab("Is it true?")
    app.page.click("#check")
    rows = app.page.locator("#check-result tr[data-method]")
    expect(rows).to_have_count(len(expected.maps), timeout=30_000)
    shown = rows.evaluate_all("rows => rows.map(row => [row.dataset.method, Number(row.dataset.deletion)])")
    assert dict(shown) == pytest.approx({item.method: item.deletion for item in expected.maps}, rel=1e-5)
    app.says("Checked.")
    expect(app.page.locator("#view .dv-in-words")).to_contain_text(expected.sentence)
    lowest = [item.p_value for item in expected.maps if item.p_value * (expected.orders + 1) < 1.01]
    assert lowest
    expect(rows.get_by_text("≤ 0.02", exact=True)).to_have_count(len(lowest))
    expect(app.page.locator("#check-result")).to_contain_text("p ≤ 0.02 is the lowest possible here.")
    verdict = app.page.locator("#check-result .dx-verdict:visible")
    expect(verdict).to_have_text(expected.sentence)
    # Another map on screen: its own verdict, here and beside what stands out.
    for quantity in ("gate", "class_importance"):
        app.page.evaluate("(quantity) => { DaamPage.shownView().state = {quantity}; }", quantity)
        expect(verdict).to_have_text(expected.sentences[quantity])
        expect(app.page.locator("#view .dv-in-words")).to_contain_text(expected.sentences[quantity])
    assert app.problems == []
    # Another input: what was checked is no longer on screen.
    app.explain_text("Shares fell after the report.")
    expect(app.page.locator("#check-result")).to_have_text("Not checked yet.")
    expect(app.page.locator("#view .dv-in-words")).to_contain_text("Not checked yet")


def test_the_endpoint_gives_the_same_numbers(server, expected):
    answer = Client(server.url, verbose=False).predict(TEXT, "topics", api_name="/check_text")
    assert answer["maps"]["importance"]["deletion"] == pytest.approx(expected.maps[0].deletion, rel=1e-5)
    assert answer["published"] is None
