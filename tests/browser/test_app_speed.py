"""What ``daam bench view`` finds in a real browser, on small sizes; what the page says of its encoders."""

from playwright.sync_api import expect

from daam_core.bench.browser import _app, _view


def test_every_action_is_timed_and_the_page_weighed(browser, server):
    found = _view(browser, (3, 6, 32), 1)
    assert found.file_bytes > 300_000
    actions = {action.name: action for action in found.actions}
    assert {"open", "sort", "choose head", "point at a cell", "zoom", "open two", "compare"} < set(actions)
    assert all(0 < action.frame_ms <= action.drawn_ms for action in found.actions if action.redraws)
    assert actions["open"].redraws >= 3
    assert actions["change quantity"].redraws >= 3
    assert actions["choose head"].redraws >= 1
    assert {action.bytes for action in found.actions} == {0}  # a saved page asks nobody

    weights, acted = _app(browser, server.url, 1)
    assert {"scripts of ours", "scripts of Gradio", "styles of Gradio"} < {one.kind for one in weights}
    page = next(one for one in weights if one.kind.startswith("page"))
    assert 0 < page.sent_bytes < page.bytes / 3
    opened, explained, muted = acted
    assert opened.bytes > 100_000
    assert explained.bytes > 10_000 < muted.bytes


def test_the_page_says_that_the_encoder_is_ready(app):
    app.tab("Text")
    said = app.page.locator("#about-text [data-encoder-of]")
    expect(said).to_have_text("Model ready.", timeout=20_000)
    # What the chosen model is stands right below the choice.
    about = app.page.locator("#about-text summary")
    for model in ("topics", "topics-b"):
        app.choose("#model-text", model)
        expect(about).to_have_text(f"{model.capitalize()} tells apart sport, money, science")
        choice = app.page.locator("#model-text").bounding_box()
        assert 0 <= about.bounding_box()["y"] - choice["y"] - choice["height"] < 32
    app.tab("Sound")
    expect(app.page.locator("#about-audio [data-encoder-of]")).to_have_text("Model ready.")
