"""From the decision to its reasons on the real page: the view, comparisons, what-ifs, links, saving."""

import base64
import json
import re
import zipfile

import numpy as np
import pytest
from playwright.sync_api import expect

from app.page.parts.save import FORMATS
from app.page.updates import UNCHECKED
from app.visit import downloads
from app.visit.examples import EXAMPLES
from daam_core import export
from daam_core.explaining import explain, explain_encoding
from daam_core.inputs import Edit, Region, SoundChange, changed, read_picture, read_sound, read_text
from daam_core.reading.numbers import percent
from daam_core.reading.sentences import changes_in_words, what_stands_out
from tests.browser.app_page import AppPage
from tests.support.encode import encode
from tests.support.small_heads import SENTENCES

TEXT = SENTENCES["sport"][0] + " " + SENTENCES["science"][1]
CHANGED = SENTENCES["money"][0]


@pytest.fixture
def topics(server):
    return server.models["topics"]


def ask(app: AppPage, path: str, data: str) -> int:
    """Status of a request without the page."""
    return app.page.request.get(app.url + path + data).status


def test_a_cells_numbers_are_the_cores(app, topics):
    app.explain_text(TEXT)
    e = explain(topics, TEXT)
    app.view_tab("Map and cell")
    app.page.evaluate("DaamPage.shownView().state = {head: 2, cell: null}")
    app.hover_cell(2, 4, 100)
    numbers = app.readout(100)
    for wanted in (
        e.values[4, 100],
        e.gate[2, 4, 100],
        e.density_attention[2, 4, 100],
        e.importance[2, 4, 100],
    ):
        assert any(np.float32(number) == np.float32(wanted) for number in numbers), (wanted, numbers)


def test_exact_arrays_come_from_the_visitors_own_session(app, topics):
    """What the view asks for when a map is too large to be sent exactly."""
    app.explain_text(TEXT)
    e = explain(topics, TEXT)
    for name, head in (("gate", 1), ("class_importance", 3), ("values", None)):
        answer = app.page.evaluate(
            "([name, head]) => DaamPage.shownView().requests.ask({side: 'a', name, head})", [name, head]
        )
        wanted = getattr(e, name) if head is None else getattr(e, name)[head]
        found = np.frombuffer(base64.b64decode(answer["data"]), "<f4").reshape(answer["shape"])
        np.testing.assert_array_equal(found, wanted)
    nothing = "DaamPage.shownView().requests.ask({side: 'a', name: '__class__', head: 0})"
    assert app.page.evaluate(nothing) is None


def test_a_selected_cell_reaches_the_server_and_can_be_muted(app, topics):
    app.explain_text(TEXT)
    app.view_tab("Map and cell")
    app.page.evaluate("DaamPage.shownView().state = {head: 1}")
    app.click_cell(1, 5, 200)
    app.tab("Mute parts")
    expect(app.page.locator("#mutes")).to_contain_text("Selected cell: head 1, layer 5, feature 200.")
    app.does("#mute-cell")
    e = explain(topics, TEXT)
    keep = np.ones(e.shape, np.float32)
    keep[1, 5, 200] = 0
    muted = explain_encoding(topics, encode(topics.backbone, TEXT), target=e.explained, keep=keep)
    assert app.probabilities() == dict(enumerate(muted.probabilities.tolist()))
    expect(app.page.locator("#mutes")).to_contain_text("Muted: 1 cell.")


def test_muting_recomputes_at_once_and_can_be_undone(app, server, topics):
    app.explain_text(TEXT)
    e = explain(topics, TEXT)
    encoding = encode(topics.backbone, TEXT)
    whole = app.probabilities()
    app.tab("Mute parts")
    buttons = app.page.locator("#mute-apply, #mute-cell, #mute-count input, #mute-top, #unmute")
    ends = buttons.evaluate_all("all => all.map((one) => one.getBoundingClientRect().bottom)")
    assert len(ends) == 5
    assert max(ends) - min(ends) < 1, "on one line"
    before = app.shown()
    app.page.locator("#mute-heads").get_by_label("Head 3").click()
    app.changed_from(before)
    keep = np.ones(e.shape, np.float32)
    keep[3] = 0
    without_head = explain_encoding(topics, encoding, target=e.explained, keep=keep).probabilities.tolist()
    assert app.probabilities() == dict(enumerate(without_head))
    app.types("#mute-features", "0-9")
    app.does("#mute-apply")
    keep[:, :, :10] = 0
    without_both = explain_encoding(topics, encoding, target=e.explained, keep=keep).probabilities.tolist()
    assert app.probabilities() == dict(enumerate(without_both))
    app.says("Done: the answer is computed anew.")
    app.does("#undo")
    assert app.probabilities() == dict(enumerate(without_head))
    app.does("#undo")
    assert app.probabilities() == whole
    expect(app.page.locator("#undo")).to_be_disabled()
    app.does("#redo")
    assert app.probabilities() == dict(enumerate(without_head))
    app.types("#mute-features", "7-x")
    app.page.click("#mute-apply")
    expect(app.page.locator("#said-mute")).to_contain_text("Features are written as numbers")
    app.does("#unmute")
    assert app.probabilities() == whole


def test_choosing_a_class_explains_it(app, topics):
    app.explain_text(TEXT)
    app.view_tab("Input")
    before = app.shown()
    choice = app.page.locator("#view").get_by_label("Explained class", exact=True)
    choice.select_option(label=topics.class_names[1])
    app.changed_from(before)
    e = explain(topics, TEXT, target=1)
    expect(app.page.locator("#prediction .dx-explained").first).to_have_attribute("data-class", "1")
    total = app.page.locator("#view").get_by_text(re.compile(r"sum [+−]")).first.inner_text()
    shown = float(re.search(r"[+−]?\d[\d.e−-]*", total)[0].replace("−", "-"))
    assert shown == pytest.approx(float(e.token_attribution.sum()), rel=2e-3)
    assert "class=1" in app.page.url


@pytest.mark.slow
def test_any_two_results_of_a_visit_are_compared_and_every_change_undone(app, server, topics):
    page, rows = app.page, app.page.locator(".dx-results li")
    a, c = explain(topics, TEXT), explain(server.models["topics-b"], TEXT)

    def listed() -> list[tuple[str, float, str]]:
        read = "rows => rows.map(r => [r.querySelector('.dx-what').innerText, r.dataset.probability, "
        read += "r.querySelector('.dx-letter').innerText])"
        return [(what, float(share), letter) for what, share, letter in rows.evaluate_all(read)]

    app.explain_text(TEXT)
    app.tab("Edit input")
    expect(page.locator("#changed-text textarea")).to_have_value(TEXT)
    app.types("#changed-text", CHANGED)
    app.does("#run-changed-text")
    assert app.probabilities() == dict(enumerate(explain(topics, CHANGED).probabilities.tolist()))
    expect(page.locator("#changed-text textarea")).to_have_value(CHANGED)  # what the visitor wrote stays
    expect(page.locator("#prediction .dx-before")).to_contain_text(percent(a.probabilities.max()))
    # Both answers stand in one place; the view has none of its own.
    tabs = ["Input", "Heads", "Map and cell", "Layers", "Parameters", "Average", "Compare"]
    assert page.locator("#view [role=tab]").all_inner_texts() == tabs
    expect(page.locator(".dx-answer")).to_have_count(1)
    expect(page.locator(".dv-prediction")).to_have_count(0)
    page.get_by_role("button", name="Compare the maps").click()
    expect(page.locator("#view").get_by_role("tab", name="Compare")).to_have_attribute(
        "aria-selected", "true"
    )
    b = explain(topics, changed(read_text(TEXT), Edit(CHANGED)), target=a.explained)
    expect(page.locator("#view .dv-changes")).to_contain_text(" ".join(changes_in_words(a, b)))
    # Every view knows A, B and B − A; the map of the difference is the core's.
    page.evaluate(
        "DaamPage.shownView().state = {side: 'difference', quantity: 'gate', head: 0, tab: 'heatmap'}"
    )
    app.hover_cell(0, 3, 30)
    difference = np.float32(b.gate[0, 3, 30]) - np.float32(a.gate[0, 3, 30])
    numbers = app.readout(30)
    assert any(number == pytest.approx(difference, rel=1e-3) for number in numbers), (difference, numbers)
    app.tab("Results")
    app.does("#end-comparison")
    app.does("#compare-models")
    assert app.probabilities()[0] == explain(server.models["topics-b"], CHANGED).probabilities[0]
    app.does("#undo")
    app.does("#undo")
    assert app.probabilities() == dict(enumerate(b.probabilities.tolist()))
    expect(page.locator("#prediction .dx-before")).to_be_visible()
    app.does("#undo")
    assert app.probabilities() == dict(enumerate(a.probabilities.tolist()))
    expect(page.locator("#undo")).to_be_disabled()
    app.does("#redo")
    assert app.probabilities() == dict(enumerate(b.probabilities.tolist()))
    # Three results are listed, the newest first; the oldest is shown again, and beside it the second as A.
    assert [(share, letter) for _, share, letter in listed()] == [
        (pytest.approx(explain(server.models["topics-b"], CHANGED).probabilities.max()), ""),
        (pytest.approx(b.probabilities.max()), "B"),
        (pytest.approx(a.probabilities.max()), "A"),
    ]
    app.does(".dx-results li:nth-child(3) [data-does=show]")
    assert app.probabilities() == dict(enumerate(a.probabilities.tolist()))
    assert [letter for *_, letter in listed()] == ["", "", ""]
    app.does(".dx-results li:nth-child(2) [data-does=compare]")
    assert [letter for *_, letter in listed()] == ["", "A", "B"]
    app.does("#swap")
    assert app.probabilities() == dict(enumerate(b.probabilities.tolist()))
    assert [letter for *_, letter in listed()] == ["", "B", "A"]
    # A chosen A stays for the next input; two models are said to be two.
    app.explain_text(TEXT, model="topics-b")
    assert app.probabilities() == dict(enumerate(c.probabilities.tolist()))
    said = page.locator("#view .dv-apart")
    page.evaluate("DaamPage.shownView().state = {side: 'b', tab: 'heads'}")
    expect(said).to_be_hidden()
    page.evaluate("DaamPage.shownView().state = {side: 'difference'}")
    expect(said).to_contain_text("A and B are two models, whose heads were trained apart")
    assert app.problems == []


def test_what_if_the_sound_were_noisy(app, server):
    app.example("Sound", "speech-note")
    app.tab("Edit input")
    app.page.get_by_label("Add white noise").check()
    app.does("#run-changed-sound")
    model = server.models["tones"]
    path = EXAMPLES["speech-note"].path
    noisy = changed(read_sound(path), SoundChange(snr=10.0))
    b = explain(model, noisy)
    assert app.probabilities() == dict(enumerate(b.probabilities.tolist()))
    expect(app.page.locator("#prediction .dx-input-name")).to_contain_text("noise at 10 dB")


def test_what_if_a_region_were_covered(app, server):
    app.example("Picture", "photo-lion")
    app.tab("Edit input")
    stage = app.page.locator("#region .dx-stage")
    stage.scroll_into_view_if_needed()
    expect(stage.locator("img")).to_be_visible()
    box = stage.bounding_box()
    app.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.2 * box["height"])
    app.page.mouse.down()
    app.page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.9 * box["height"], steps=4)
    app.page.mouse.up()
    edges = json.loads(app.page.evaluate("DaamPage.markedText()"))
    assert edges == pytest.approx({"left": 0.1, "top": 0.2, "right": 0.6, "bottom": 0.9}, abs=0.02)
    app.page.get_by_label("Bottom, %").fill("80")  # the keyboard's way
    edges["bottom"] = 0.8
    app.does("#run-changed-image")
    masked = changed(read_picture(EXAMPLES["photo-lion"].path), Region(**edges))
    b = explain(server.models["colours"], masked)
    assert app.probabilities() == dict(enumerate(b.probabilities.tolist()))


def test_the_saved_page_holds_the_comparison(app, topics, tmp_path, page):
    app.explain_text(TEXT)
    app.tab("Results")
    app.does(".dx-results [data-does=compare]")
    app.explain_text(CHANGED)
    pins = [{"head": 1, "layer": 2, "feature": 3, "note": "worth a look"}]
    app.page.evaluate("pins => { DaamPage.shownView().state = {pins}; }", pins)
    app.choose("#save-format", dict(map(reversed, FORMATS))["html"])
    with app.page.expect_download() as started:
        app.page.click("#save")
    path = tmp_path / "page.html"
    started.value.save_as(path)
    app.choose("#save-format", dict(map(reversed, FORMATS))["json"])
    with app.page.expect_download():
        app.page.click("#save")
    expect(app.page.locator("#said-save")).to_contain_text("It holds B alone; HTML and ZIP hold both.")
    page.goto(path.as_uri())
    page.evaluate("document.querySelector('daam-view').state = {tab: 'compare'}")
    assert page.evaluate("document.querySelector('daam-view').state.pins") == pins
    rows = page.locator("table").first.locator("tbody tr").all_inner_texts()
    a, b = explain(topics, TEXT), explain(topics, CHANGED)
    shown = {row.split("\t")[0]: row.split("\t")[1:] for row in rows}
    for index, name in enumerate(topics.class_names):
        for e, text in zip((a, b), shown[name], strict=False):
            found = float(text.strip("<> %"))
            assert found == pytest.approx(100 * e.probabilities[index], abs=0.0101)


@pytest.mark.slow
def test_files_are_saved_and_what_has_no_width_asks_for_none(app, topics, tmp_path):
    """Every format is in the archive of everything."""
    app.explain_text(TEXT)
    e = explain(topics, TEXT)
    width = app.page.locator("#save-width input").first
    maps = app.page.locator("#save-quantity input")
    app.page.evaluate("DaamPage.shownView().state = {quantity: 'gate', scale: 'per_head'}")
    width.check()  # a width chosen here is that of every panel, too
    panel = app.page.locator("#view .dv-figure").first
    panel.get_by_role("button", name="Save this").click()
    expect(panel.get_by_label("Width of figures")).to_have_value("single")
    for title, format_ in FORMATS:
        app.choose("#save-format", title)
        has_width, has_maps = format_ in downloads.FIGURES, format_ in (*downloads.FIGURES, "html")
        expect(width).to_be_enabled(enabled=has_width)
        expect(maps).to_be_enabled(enabled=has_maps)
        if format_ not in ("json", "svg", "zip"):
            continue
        if format_ == "zip":  # other maps than those on screen, by choice
            app.choose("#save-quantity", "Class importance")
        with app.page.expect_download(timeout=60_000) as started:
            app.page.click("#save")
        path = tmp_path / started.value.suggested_filename
        started.value.save_as(path)
        assert path.name == f"topics_text.{format_}"
        # The maps that are shown are those that are saved.
        of = f" Its maps are of {'Class importance' if format_ == 'zip' else 'Gate'}." if has_maps else ""
        expect(app.page.locator("#said-save")).to_have_text(f"Saved {path.name}.{of}")
        if format_ == "json":
            np.testing.assert_array_equal(export.load(path).gate, e.gate)
            assert export.load(path).scale == "per_head"  # as on screen
        if format_ == "svg":
            drawing = path.read_text("utf-8")
            assert "Gate (1 = the value is typical for its feature)" in drawing
            assert "own lowest to its own highest" in drawing.replace("\n", " ")
    with zipfile.ZipFile(path) as archive:
        assert "CONTENTS.txt" in archive.namelist()
        archive.extractall(tmp_path / "all")
    np.testing.assert_array_equal(export.load(tmp_path / "all" / "topics_text.npz").gate, e.gate)


def test_what_stands_out_is_said_above_the_maps(app, topics):
    app.explain_text(TEXT)
    said = app.page.locator("#view .dv-in-words p").first
    for text in (TEXT, CHANGED):
        app.explain_text(text)
        expect(said).to_have_text(" ".join([*what_stands_out(explain(topics, text)), UNCHECKED]))


def test_what_has_no_effect_cannot_be_set(app):
    app.example("Sound", "speech-note")
    app.tab("Edit input")
    slider = app.page.locator("#snr input[type=range]")
    expect(slider).to_be_disabled()
    app.page.get_by_label("Add white noise").check()
    expect(slider).to_be_enabled()
    app.page.get_by_label("Add white noise").uncheck()
    expect(slider).to_be_disabled()
