"""A classifier of several labels an input on the page: what it says, against what, and if that is true."""

import pytest
from playwright.sync_api import expect

from daam_core import explain
from daam_core.explaining import explain_encoding
from daam_core.faithfulness.one_input import check_encoding
from daam_core.reading.sentences import STAND_ALONE, chances, changes_in_words
from tests.browser.app_page import WAIT
from tests.support.encode import encode

BOTH = "The striker scored twice in the second half. A new enzyme breaks plastic down within days."
NONE = "The cat slept on the warm roof."


def test_several_labels_from_the_answer_to_the_check(app, server):
    page, model = app.page, server.models["subjects"]
    e, none = explain(model, BOTH), explain(model, NONE)
    assert {e.class_names[index] for index in e.predicted} == {"sport", "science"}
    assert none.predicted == ()

    # The answer names all classes, each with a probability of its own.
    app.explain_text(BOTH, model="subjects")
    answer = page.locator("#prediction .dx-answer")
    expect(answer.locator("strong")).to_have_text(e.answer)
    expect(answer.locator(".dx-share")).to_have_text(chances(e).replace(" %", "\u00a0%"))
    assert app.probabilities() == pytest.approx(dict(enumerate(e.probabilities.tolist())), abs=1e-6)
    assert sum(app.probabilities().values()) > 1.05
    expect(page.locator("#prediction .dx-note").first).to_have_text(STAND_ALONE)
    expect(page.locator("#view .dv-in-words")).to_contain_text(
        f"most for “{e.explained_class}” and against its absence."
    )

    # Another of its classes is explained: its own evidence.
    other = next(index for index in e.predicted if index != e.explained)
    app.view_tab("Input")
    before = app.shown()
    choice = page.locator("#view").get_by_label("Explained class", exact=True)
    choice.select_option(label=model.class_names[other])
    app.changed_from(before)
    asked = explain(model, BOTH, target=other)
    app.view_tab("Map and cell")
    page.evaluate("DaamPage.shownView().state = {head: 1, cell: null}")
    app.hover_cell(1, 4, 100)
    wanted, numbers = asked.evidence[1, 4, 100], app.readout(100)
    assert any(number == pytest.approx(wanted, rel=1e-4) for number in numbers), (wanted, numbers)

    # Is it true? The explained class is followed.
    encoding = encode(model.backbone, BOTH)
    app.tab("Is it true?")
    page.click("#check")
    found = check_encoding(model, encoding, target=other)
    verdict = page.locator("#check-result .dx-verdict:visible")
    expect(verdict).to_have_text(found.sentence, timeout=WAIT)
    expect(page.locator("#check-result .dx-note").first).to_contain_text(f"{model.class_names[other]}, ")

    # A head is muted, for that class.
    app.tab("Mute parts")
    before = app.shown()
    page.locator("#mute-heads").get_by_label("Head 0").click()
    app.changed_from(before)
    keep = 1 - (asked.head_layers[:, :, None] & (asked.gate >= 0)).astype("float32") * [[[1]], [[0]]]
    muted = explain_encoding(model, encoding, target=other, keep=keep)
    assert app.probabilities() == pytest.approx(dict(enumerate(muted.probabilities.tolist())), abs=1e-6)
    app.does("#unmute")

    # An input with none of them, beside the first.
    app.tab("Results")
    page.locator("#results [aria-current=true]").get_by_text("Use as A").click()
    app.explain_text(NONE, model="subjects")
    expect(answer.locator("strong")).to_have_text("none of the classes reaches 50 %")
    expect(answer.locator(".dx-share")).to_contain_text(f"highest: {none.predicted_class}")
    expect(page.locator("#prediction .dx-before strong")).to_have_text(e.answer)
    page.get_by_role("button", name="Compare the maps").click()
    of_same = explain(model, NONE, target=other)
    expect(page.locator("#view .dv-changes")).to_contain_text(changes_in_words(asked, of_same)[0])
    assert app.problems == []
