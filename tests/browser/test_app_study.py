"""The page of a whole data set, on a study of 10,000 inputs with a cell that fires for one class alone."""

import csv
import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app.main import build_demo, launch
from app.serving import Serving
from app.visit.study import Studies
from daam_core import explain
from daam_core.study.selection import selections
from daam_core.trained import load_model
from tests.browser.app_page import WAIT, AppPage
from tests.browser.barriers import Barriers
from tests.browser.conftest import free_port
from tests.support.studies import drawn_study

INPUTS = 10_000
PLANTED = (1, 2, 7)
BEGINNINGS = (
    "Shares of the bank fell.",
    "A telescope found a planet.",
    "She won the marathon.",
    "Talks began.",
)
CLASSES = ("Business", "Sci/Tech", "Sports", "World")  # of the built-in model; the cell fires for the last
#: A filter's answer, from a key pressed to the frame that shows it, on a quiet machine below 100.
MOST_MILLISECONDS = 100
BUSY = 5  # times slower a machine may be on which many tests run


def _row(number: int) -> dict[str, object]:
    """Every 50th is taken for business, with a probability that falls with the number."""
    label = CLASSES[number % 4]
    text = f"{BEGINNINGS[number % 4]} No. {number}"
    prediction = "Business" if number % 50 == 0 else label
    return {
        "speaker": f"{number // 4 % 4:02}",  # each says as much of every class
        "text": text,
        "prediction": prediction,
        "right": prediction == label,
        "confidence": 0.99 - 0.4 * number / INPUTS,
        "probabilities": [0.1, 0.1, 0.2, 0.6],
        "token_spans": [0.0, 3.0],
        "token_attribution": [1.0],
    }


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The study, its model, and the address of a page that shows it."""
    model = load_model("news-topic")
    facts = {
        "model": model.name,
        "checkpoint_sha256": model.sha256,
        "class_names": CLASSES,
        "encoder": model.config.encoder.name,
    }
    folder = tmp_path_factory.mktemp("studies") / "ten thousand"
    study = drawn_study(folder, inputs=INPUTS, planted=PLANTED, facts=facts, row=_row)
    studies = Studies([study], {model.name: model})
    demo = build_demo([model], studies)
    url = launch(demo, Serving(port=free_port()), tmp_path_factory.mktemp("uploads"), studies)
    yield study, model, url
    demo.close(verbose=False)


def open_page(page: Page, url: str, query: str = "") -> AppPage:
    """The page of the data set, by its tab or by a link."""
    app = AppPage(page, url)
    if query:
        page.goto(url + query)
    else:
        app.open()
        page.get_by_role("tab", name="Data set", exact=True).first.click()
    expect(page.locator("#study .ds-summary")).to_be_visible(timeout=WAIT)
    return app


def frame_after(page: Page, action: str) -> float:
    """Milliseconds from an action in the page until what it changed is drawn."""
    script = (
        "async () => { const begin = performance.now(); "
        f"{action}; "
        "await new Promise((shown) => requestAnimationFrame(() => setTimeout(shown))); "
        "return performance.now() - begin; }"
    )
    return float(page.evaluate(script))


def typed(text: str) -> str:
    return (
        "const field = document.querySelector('.ds-search'); "
        f"field.value = {json.dumps(text)}; field.dispatchEvent(new Event('input', {{ bubbles: true }}))"
    )


#: Buttons whose words do not fit into them, or that leave what they stand in.
OVERFLOWING = """() => [...document.querySelectorAll('#study .dv-button')]
  .filter((button) => button.offsetParent && !button.closest('.dv-figure-head')
    && (button.scrollWidth > button.clientWidth + 1
    || button.getBoundingClientRect().right > button.parentElement.getBoundingClientRect().right + 1))
  .map((button) => button.textContent)"""


def test_errors_are_on_top_and_every_part_narrows_the_table(page, shown):
    study, _, url = shown
    app = open_page(page, url)
    rows = page.locator("#study .ds-row")
    table = study.to_pandas()
    wrong = table[table["right"] == False].sort_values("confidence", ascending=False)  # noqa: E712
    top = rows.evaluate_all("rows => rows.slice(0, 3).map((row) => Number(row.dataset.number))")
    assert top == wrong["number"].head(3).tolist()
    expect(page.locator("#study .ds-summary")).to_contain_text(f"{len(wrong)} errors")
    assert rows.count() < 40  # of 10,000
    barriers = Barriers(page)
    barriers.look("inputs")

    # The matrix narrows the table; pressed again, it lets go.
    taken = int(((table["label"] == "Sports") & (table["prediction"] == "Business")).sum())
    count = page.locator("#study .ds-count")
    cell = page.get_by_role("button", name=f"Sports taken for Business: {taken} of ")
    cell.click()
    expect(count).to_contain_text(f"{taken} of 10,000")
    assert "dfl=2&dfp=0" in page.url
    cell.click()
    expect(count).to_contain_text("10,000 of 10,000")

    # What is left gets a name, is kept with the study and can be compared.
    cell.click()
    page.get_by_role("button", name="Keep this selection").click()
    page.get_by_label("Name", exact=True).fill("lost matches")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(count).to_contain_text(f"“lost matches” holds {taken} inputs and is kept with the study.")
    lost = table[(table["label"] == "Sports") & (table["prediction"] == "Business")]["number"]
    assert selections(study)["lost matches"].tolist() == lost.tolist()
    page.get_by_role("button", name="Compare “lost matches” with all others").click()
    expect(page.locator("#study .ds-slices")).to_contain_text(f"{taken} inputs against {INPUTS - taken:,}")
    page.get_by_role("tab", name="Inputs", exact=True).click()
    page.get_by_role("button", name="Show all").click()
    expect(count).to_contain_text("10,000 of 10,000")
    page.get_by_text("Kept selections (1)").click()
    page.get_by_role("button", name="Rename lost matches").click()
    page.get_by_label("New name of “lost matches”").fill("matches")
    page.keyboard.press("Enter")
    expect(page.locator("#study .ds-kept")).to_contain_text("“lost matches” is called “matches” now.")
    assert list(selections(study)) == ["matches"]

    # So does a rectangle over the plane, and a point in it is the row.
    stage = page.locator("#study .ds-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 2, steps=3)
    page.mouse.up()
    expect(count).to_contain_text("marked on the plane")
    marked = int(re.sub(r"\D", "", count.locator("strong").inner_text()))
    assert 0 < marked < INPUTS
    beside = page.locator("#study .ds-plane .ds-count-here")
    expect(beside).to_contain_text(f"{marked:,} of 10,000 marked")
    barriers.look("marked, and kept selections", "#study")
    expect(beside).to_be_in_viewport(ratio=1)

    # It gets a long name there; what is said of it follows the name, and ends with the selection.
    beside.get_by_role("button", name="Keep this selection").click()
    name = "a cloud far from all the others"
    field = beside.get_by_label("Name", exact=True)
    field.fill(name)
    assert field.evaluate("field => field.scrollWidth <= field.clientWidth")
    page.keyboard.press("Enter")
    expect(beside).to_contain_text(f"“{name}” holds {marked:,} inputs and is kept with the study.")
    kept = selections(study)[name].tolist()
    assert len(kept) == marked
    assert page.evaluate(OVERFLOWING) == []
    page.get_by_role("button", name=f"Rename {name}").click()
    page.get_by_label(f"New name of “{name}”").fill("cloud")
    page.keyboard.press("Enter")
    expect(beside).to_contain_text(f"“cloud” holds {marked:,} inputs")
    expect(beside.get_by_role("button", name="Compare “cloud” with all others")).to_be_visible()
    page.get_by_role("button", name="Remove cloud").click()
    expect(beside).not_to_contain_text("cloud")
    expect(page.get_by_role("button", name="Compare “")).to_have_count(0)
    assert list(selections(study)) == ["matches"]
    page.get_by_role("button", name="Undo: keep cloud again").click()
    expect(page.locator("#study .ds-kept")).to_contain_text("“cloud” is back.")
    assert selections(study)["cloud"].tolist() == kept
    page.get_by_role("button", name="Show all").click()

    # The table by keys; the chosen input is marked on the plane and told in full.
    listed = page.get_by_role("listbox")
    listed.focus()
    page.keyboard.press("End")
    last = rows.and_(page.locator("[aria-selected=true]"))
    expect(last).to_have_attribute("aria-posinset", "10000")
    number = last.get_attribute("data-number")
    expect(page.locator("#study .ds-large")).to_contain_text(f"No. {number}")
    expect(page.locator("#study .ds-mark-chosen")).to_be_visible()
    expect(page.locator("#study .ds-large")).to_be_in_viewport(ratio=0.9)

    # 10,000 inputs stay fluent.
    frame_after(page, typed("no. 1"))
    times = [frame_after(page, typed(text)) for text in ("no. 12", "no. 123", "no. 12", "marathon", "")]
    print(f"\nfilter of {INPUTS:,} inputs: {', '.join(f'{time:.0f}' for time in times)} ms")
    assert min(times) < MOST_MILLISECONDS * BUSY
    frame_after(page, typed("no. 123"))
    fitting = int(table["text"].str.lower().str.contains("no. 123", regex=False).sum())
    expect(count).to_contain_text(f"{fitting} of 10,000")
    frame_after(page, typed("nothing of the kind"))
    expect(count).to_contain_text("0 of 10,000")
    barriers.look("nothing left", "#study")
    assert barriers.found == {}
    assert app.problems == []


def test_a_planted_cell_is_found_by_groups_and_by_its_page_and_a_link_restores_it(page, shown):
    study, _, url = shown
    app = open_page(page, url, "?study=ten+thousand&dt=slices&da=label.3&db=others")
    found = page.locator("#study .ds-slices")
    expect(found).to_contain_text("1 of 120 cells differs", timeout=WAIT)
    expect(found).to_contain_text("true class World")
    barriers = Barriers(page)
    barriers.look("groups", "#study")
    found.get_by_role("button", name="head 1, layer 2, feature 7").click()

    cells = page.locator("#study .ds-cells")
    expect(cells.get_by_role("heading", name="Head 1, layer 2, feature 7")).to_be_visible()
    areas = cells.locator(".ds-area")
    expect(areas.first).to_have_attribute("data-class", "World")
    expect(areas.first).to_contain_text("1.000")
    for end, wanted in (("highest", {"World"}), ("lowest", set(CLASSES[:3]))):
        cards = cells.locator(f"[data-end={end}] .ds-card")
        expect(cards).to_have_count(20, timeout=WAIT)
        numbers = cards.evaluate_all("cards => cards.map((card) => Number(card.dataset.number))")
        assert {CLASSES[number % 4] for number in numbers} <= wanted
    scores = study.column("density_attention", PLANTED)
    barriers.look("a cell", "#study")
    highest = cells.locator("[data-end=highest] .ds-card").first
    assert int(highest.get_attribute("data-number")) == study.numbers[np.argmax(scores)]

    # A card far down leads to the table, which comes into sight with its input.
    lowest = cells.locator("[data-end=lowest] .ds-card").last
    row = page.locator(f"#study .ds-row[data-number='{lowest.get_attribute('data-number')}']")
    lowest.get_by_role("button", name="Show in table").click()
    expect(row).to_be_in_viewport()
    expect(row).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(cells.locator("[data-end=highest] .ds-card")).to_have_count(20, timeout=WAIT)

    # The panel's numbers as a file.
    page.go_back()
    page.get_by_role("button", name="Save this").click()
    barriers.look("a panel's menu", "#study .ds-slices")
    with page.expect_download() as saved:
        page.get_by_role("button", name="CSV", exact=True).click()
    with saved.value.path().open(encoding="utf-8", newline="") as file:
        cells_saved = {(int(r["Head"]), int(r["Layer"]), int(r["Feature"])): r for r in csv.DictReader(file)}
    assert len(cells_saved) == 120
    assert {cell for cell, row in cells_saved.items() if float(row["q"]) <= 0.05} == {PLANTED}
    page.go_forward()

    # A null comparison finds nothing; the way back leads to the cell, and its link to the same page.
    link = page.url
    assert "dt=cells" in link
    assert "dp=1.2.7" in link
    page.get_by_role("tab", name="How groups differ").click()
    page.get_by_label("Group 1").select_option("group.speaker.0")
    expect(found).to_contain_text("No cell differs for certain", timeout=WAIT)
    # The maps are not blank then: they show every difference.
    expect(found).to_contain_text("The maps show every difference, each of which may be chance.")
    expect(found.get_by_label("Only cells whose difference holds")).to_be_disabled()
    expect(found.get_by_label("Only cells whose difference holds")).not_to_be_checked()
    barriers.look("no difference", "#study")
    page.go_back()
    page.go_back()
    expect(cells.get_by_role("heading", name="Head 1, layer 2, feature 7")).to_be_visible()
    page.goto(link)
    expect(cells.locator("[data-end=highest] .ds-card")).to_have_count(20, timeout=WAIT)
    expect(page.get_by_role("tab", name="What a cell answers to")).to_have_attribute("aria-selected", "true")

    # What a link asks for and is not here is said, or left out.
    page.goto(f"{url}?study=another&dt=cells&dp=99.0.0")
    expect(page.locator("#study")).to_contain_text(
        "names the study “another”, which is not here", timeout=WAIT
    )
    barriers.look("a bad link", "#study")
    assert barriers.found == {}
    assert app.problems == []


def test_an_input_of_the_study_is_explained_in_the_ordinary_view(page, shown):
    study, model, url = shown
    app = open_page(page, url)
    number = int(page.locator("#study .ds-row").first.get_attribute("data-number"))
    app.does("#study .ds-large .ds-primary")
    row = study.to_pandas().set_index("number").loc[number]
    e = explain(model, row["text"])
    hit = "✓ predicted" if e.answer == row["label"] else "✗ not predicted"
    expect(page.locator("#prediction .dx-truth")).to_have_text(f"True class: {row['label']} {hit}")
    # A long name of a cell, to be found on the data set's page.
    page.evaluate("document.querySelector('daam-view').state = { head: 1, cell: { layer: 0, feature: 126 } }")
    shares = app.probabilities()
    assert shares[e.prediction] == pytest.approx(e.probabilities[e.prediction], abs=1e-4)
    expect(page.locator("#study")).to_be_hidden()
    assert "study=" not in page.url

    # It is marked among all inputs where a place is looked at.
    page.get_by_role("tab", name="Data set", exact=True).first.click()
    page.get_by_role("tab", name="What a cell answers to").click()
    expect(page.get_by_role("heading", name="Head 1, layer 2, feature 7")).to_be_visible(timeout=WAIT)
    page.locator("#study").get_by_label("Head", exact=True).select_option("0")
    expect(page.get_by_role("heading", name="Head 0, layer 2, feature 7")).to_be_visible()
    button = page.get_by_role("button", name="Head 1, layer 0, feature 126, as in the view of one input")
    expect(button).to_be_visible()
    assert page.evaluate(OVERFLOWING) == []
    marks = page.locator("#study .dv-keys")
    expect(marks).to_contain_text("the input on screen", timeout=WAIT)
    shown_number = float(re.search(r"on screen: ([\d.]+)", marks.inner_text())[1])
    assert shown_number == pytest.approx(e.density_attention[0, 2, 7], rel=1e-2, abs=1e-4)
    assert app.problems == []
