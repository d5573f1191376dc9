"""What a link holds, what it refuses, and the way back."""

import pytest
from playwright.sync_api import expect

from tests.browser.app_page import AppPage
from tests.support.small_heads import SENTENCES

TEXT = SENTENCES["sport"][0] + " " + SENTENCES["science"][1]


def test_a_link_restores_the_view(app, browser, server):
    app.tab("Text")
    app.choose("#model-text", "topics-b")
    app.example("Text", "news-telescope")
    app.page.evaluate(
        "DaamPage.shownView().state = "
        "{tab: 'heatmap', head: 2, scale: 'per_head', cell: {layer: 1, feature: 77}, pins: "
        "[{head: 2, layer: 1, feature: 77, note: 'sport? a.b & ü'}]}"
    )
    app.page.wait_for_function("location.search.includes('77')")
    app.page.click("#copy-link")
    said = "It restores the model, the example and the view. The pinned cells are in it with their notes."
    expect(app.page.locator("#link-note")).to_contain_text(said)
    query = app.page.url.removeprefix(server.url)
    assert "input=news-telescope" in query
    context = browser.new_context()
    other = AppPage(context.new_page(), server.url)
    other.open(query)
    other.changed_from("")
    assert other.probabilities() == app.probabilities()
    state = other.state()
    assert (state["tab"], state["head"], state["scale"]) == ("heatmap", 2, "per_head")
    assert state["cell"] == {"layer": 1, "feature": 77}
    assert state["pins"] == [{"head": 2, "layer": 1, "feature": 77, "note": "sport? a.b & ü"}]
    other.tab("Mute parts")
    expect(other.page.locator("#mutes")).to_contain_text("Selected cell: head 2, layer 1, feature 77.")
    expect(other.page.locator("#model-text input")).to_have_value("topics-b")
    assert other.problems == []
    context.close()
    # What is muted is not in a link, so there is no comparison in it, either.
    app.tab("Mute parts")
    app.types("#mute-features", "7, 20-24")
    app.does("#mute-apply")
    app.page.click("#copy-link")
    expect(app.page.locator("#link-note")).to_contain_text("Muted parts are not in it.")
    assert app.state()["side"] == "b"
    assert "cell=1.77" in app.page.url
    assert "&x=" not in app.page.url


def test_a_link_holds_a_changed_example_and_what_it_is_compared_with(app, browser, server):
    app.example("Sound", "speech-note")
    app.tab("Edit input")
    app.page.get_by_label("Add white noise").check()
    app.does("#run-changed-sound")
    app.page.evaluate("DaamPage.shownView().state = {side: 'difference', tab: 'compare'}")
    app.page.wait_for_function("location.search.includes('x=difference')")
    app.page.click("#copy-link")
    expect(app.page.locator("#link-note")).to_contain_text("its change, the result it is compared with")
    context = browser.new_context()
    other = AppPage(context.new_page(), server.url)
    other.open(app.page.url.removeprefix(server.url))
    other.changed_from("")
    assert other.probabilities() == app.probabilities()
    assert (other.state()["side"], other.state()["tab"]) == ("difference", "compare")
    numbers = "DaamPage.shownView().payload.%s.probabilities"
    for side in "ab":
        assert other.page.evaluate(numbers % side) == app.page.evaluate(numbers % side)
    assert other.page.inner_text("#prediction") == app.page.inner_text("#prediction")
    assert other.page.url == app.page.url
    context.close()


def test_a_link_holds_two_examples(app, browser, server):
    app.example("Text", "news-rates")
    app.tab("Results")
    app.does(".dx-results [data-does=compare]")
    app.example("Text", "news-final")
    assert app.state()["side"] == "b"
    app.page.wait_for_function("location.search.includes('x=b')")
    context = browser.new_context()
    other = AppPage(context.new_page(), server.url)
    other.open(app.page.url.removeprefix(server.url))
    other.changed_from("")
    assert other.state()["side"] == "b"
    numbers = "DaamPage.shownView().payload.%s.probabilities"
    for side in "ab":
        assert other.page.evaluate(numbers % side) == app.page.evaluate(numbers % side)
    context.close()


def test_back_returns_to_the_tab_and_the_cell_before(app):
    app.example("Text", "news-rates")
    app.page.wait_for_function("location.search.includes('news-rates')")
    app.view_tab("Map and cell")
    app.page.wait_for_function("location.search.includes('t=heatmap')")
    app.click_cell(0, 2, 40)
    app.page.wait_for_function("location.search.includes('cell=2.40')")
    app.view_tab("Layers")
    app.page.wait_for_function("location.search.includes('t=layers')")
    seen = []
    for _ in range(3):
        app.page.go_back()
        app.page.wait_for_timeout(200)
        seen.append((app.state()["tab"], app.state()["cell"]))
    assert seen == [("heatmap", {"layer": 2, "feature": 40}), ("heatmap", None), ("heads", None)]
    app.page.go_forward()
    app.page.wait_for_timeout(200)
    assert app.state()["tab"] == "heatmap"
    # What is explained meanwhile is what every step shows.
    app.example("Text", "news-final")
    app.page.go_back()
    app.page.wait_for_function("location.search.includes('news-final')")
    assert app.state()["tab"] == "heads"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?model=nope", "The link names the model “nope”, which is not here."),
        ("?model=topics&input=nope", "The link names the example “nope”, which is not here."),
        ("?model=topics&input=news-final&class=7", "topics has no class “7”."),
    ],
)
def test_a_bad_link_says_so(app, query, said):
    app.open(query)
    app.says(said)
    if "final" in query:
        app.says("Done")
        assert len(app.probabilities()) == 3


def test_a_link_to_a_cell_that_is_not_there_says_so(app):
    app.open("?model=topics&input=news-final&cell=3.9999&t=layers&h=2&q=nonsense")
    app.changed_from("")
    said = app.page.locator("#view .dx-unknown")
    expect(said).to_have_text(
        "The link asks for something that is not here: the map “nonsense”, the cell at layer 3, "
        "feature 9999. The rest is shown."
    )
    state = app.state()
    assert (state["tab"], state["head"], state["cell"]) == ("layers", 2, None)


def test_a_link_to_ones_own_input_does_not_carry_it(app, browser, server):
    app.explain_text("Nobody else may read this sentence.")
    app.page.evaluate("DaamPage.shownView().state = {tab: 'layers'}")
    app.page.wait_for_function("location.search.includes('layers')")
    app.page.click("#copy-link")
    expect(app.page.locator("#link-note")).to_contain_text("Your input is not in it")
    assert "Nobody" not in app.page.url
    context = browser.new_context()
    other = AppPage(context.new_page(), server.url)
    other.open(app.page.url.removeprefix(server.url))
    other.says("give the same input again")
    assert "Nobody else" not in other.page.content()
    other.explain_text("Another person's text.")
    assert other.state()["tab"] == "layers"
    context.close()


@pytest.mark.parametrize(
    "query",
    [
        "?model=%3Cscript%3Ealert(1)%3C/script%3E&input=../../etc/passwd&class=-1",
        "?model=topics&input=news-final&class=1e9&tab=__proto__&cell=999999,-1&head=abc&zoom=NaN,1,2&heads=1,1,1,99",
    ],
)
def test_a_hostile_link_does_no_harm(app, query):
    app.page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    app.open(query)
    app.page.wait_for_timeout(800)
    assert app.problems == []
    if "news-final" in query:
        app.says("Done")
    app.explain_text(TEXT)
