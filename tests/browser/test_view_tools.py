"""What a reader does with the maps: look for a feature, pin cells, save a panel, play a part of a sound."""

import base64
import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Browser, Error, Locator, Page, expect

from daam_core.reading.heads import head_similarity
from daam_core.reading.quantities import CAUTION
from daam_core.result import Explanation, Outside
from daam_core.view.media import picture_media, sound_media
from daam_core.view.page import view_html
from tests.browser.barriers import serious
from tests.browser.view_page import colour_of, number, settle
from tests.support.builders import make_explanation

SVG = "{http://www.w3.org/2000/svg}"
STATE = "document.querySelector('daam-view').state"


def opened(browser: Browser, file: Path, page_text: str, **options: object) -> Page:
    """A saved page from a file, under its own policy; complaints of its console are failures."""
    file.write_text(page_text, encoding="utf-8")
    page = browser.new_context(**options).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", lambda m: pytest.fail(m.text) if m.type == "error" else None)
    page.goto(file.as_uri())
    settle(page)
    return page


def saved(panel: Locator, kind: str) -> tuple[str, bytes]:
    """Name and content of what "Save this" gives; its menu is open."""
    button = panel.get_by_role("group", name="Save this panel as").get_by_role("button", name=kind)
    for patience in (5_000, 60_000):  # on a busy machine a panel may be drawn anew under the pointer
        try:
            with panel.page.expect_download(timeout=patience) as started:
                button.click()
            break
        except Error:
            if patience > 5_000:
                raise
    expect(panel.get_by_role("status")).to_have_text(f"Saved as {started.value.suggested_filename}")
    return started.value.suggested_filename, Path(started.value.path()).read_bytes()


def pdf(content: bytes, mm: float) -> tuple[list[str], int]:
    """Lines of text of a saved PDF as wide as that, and how many pictures are on it."""
    (page,) = pypdfium2.PdfDocument(content)
    assert page.get_size()[0] == pytest.approx(mm / 25.4 * 72, abs=0.01)
    assert page.get_size()[1] <= 257 / 25.4 * 72 + 0.01
    lines = page.get_textpage().get_text_range().split("\r\n")
    return lines, sum(isinstance(one, pypdfium2.PdfImage) for one in page.get_objects())


def numbers_of(e: Explanation) -> dict[str, np.ndarray]:
    """What the last columns of each panel's table are, by the panel's name in the file's."""
    assert e.dataset is not None
    one, other, mean = (array.reshape(-1) for array in (*e.importance, e.dataset.importance[0]))
    learned = {"mean-offset-δ": (e.mean_offset, e.initial_mean_offset)}
    learned["scaled-variance-ξ"] = (e.scaled_variance, e.initial_scaled_variance)
    return {
        "prediction": np.stack([e.probabilities, e.logits], 1),
        "all-heads": e.importance.reshape(-1, 1),
        "one-head-minus-another": np.stack([one, other, one - other], 1),
        "how-alike-the-heads-are": head_similarity(e.gate, e.head_layers),
        "one-head-layers-features": one[:, None],
        "layer-profile": np.stack([*e.layer_contribution, e.layer_contribution.sum(0)], 1),
        **{name: np.concatenate(arrays).T for name, arrays in learned.items()},
        "against-the-data-set": np.stack([one, mean, one - mean], 1),
    }


def test_maps_are_searched_pinned_and_saved_on_a_page_without_a_server(
    browser: Browser, tmp_path: Path
) -> None:
    e = make_explanation(heads=2, features=400)
    text = view_html(e, names=("News / today", ""))
    size = {"width": 1280, "height": 800}
    page = opened(browser, tmp_path / "view.html", text, viewport=size, color_scheme="dark")
    panel = page.get_by_role("region", name="All heads", exact=True)

    # The menu: closed at first, opened and closed by the keyboard, and what was set in it stays.
    menu = panel.get_by_role("button", name="Display")
    rank = panel.get_by_role("radio", name="Rank")
    assert rank.count() == 0
    # What says what is shown stands in sight, how it is drawn in the menu.
    in_sight = panel.locator(".dv-controls .dv-label:visible")
    assert in_sight.all_inner_texts() == ["Show", "Scale", "Zoom", "Find feature"]
    menu.focus()
    page.keyboard.press("Enter")
    ways = panel.get_by_role("group", name="Display").locator(".dv-label:visible")
    assert ways.all_inner_texts() == [
        "Colours",
        "Palette",
        "Binning",
        "Rows of tables",
        "Order by",
        "Heads side by side (up to 8)",
    ]
    rank.check()
    assert page.evaluate(STATE)["display"] == "open"
    assert serious(page, within="main") == []
    rank.focus()
    page.keyboard.press("Escape")
    expect(menu).to_be_focused()
    assert rank.count() == 0
    shown = page.evaluate(STATE)
    assert (shown["display"], shown["colours"]) == ("closed", "rank")

    # The search: a sentence for what is not there, and the cell of what is.
    box = panel.get_by_label("Find feature")
    box.fill("5.900")
    box.press("Enter")
    said = panel.get_by_role("alert")
    expect(said).to_have_text("There is no feature 900; features go from 0 to 399.")
    assert box.get_attribute("aria-invalid") == "true"
    box.fill("3.123")
    box.press("Enter")
    expect(said).to_be_hidden()
    shown = page.evaluate(STATE)
    assert shown["cell"] == {"layer": 3, "feature": 123}
    assert shown["zoom"] == {"x0": 104, "x1": 144, "y0": 0, "y1": 6}
    gate = panel.locator(".dv-readout-list > div", has_text="Gate").locator("data").get_attribute("value")
    assert np.float32(number(gate or "")) == e.gate[0, 3, 123]
    box.fill("200-259")
    panel.get_by_role("button", name="Go").click()
    strongest = np.unravel_index(e.importance[0, :, 200:260].argmax(), (6, 60))
    assert page.evaluate(STATE)["cell"] == {
        "layer": int(strongest[0]),
        "feature": 200 + int(strongest[1]),
    }
    assert page.evaluate(STATE)["zoom"] == {"x0": 200, "x1": 260, "y0": 0, "y1": 6}

    # Pins: the selected cell with a note, its numbers, and its mark on its head's map alone.
    panel.get_by_role("button", name="Show everything").click()
    page.evaluate(f"{STATE.replace('.state', '')}.state = {{colours: 'linear'}}")
    panel.get_by_role("button", name="Pin this cell").click()
    pins = page.get_by_role("region", name="Pinned cells", exact=True)
    note = pins.get_by_label("Note of pin 1")
    note.fill("looks like sport")
    note.press("Tab")
    cell = int(strongest[0]), 200 + int(strongest[1])
    pinned = {"head": 0, "layer": cell[0], "feature": cell[1], "note": "looks like sport"}
    assert page.evaluate(STATE)["pins"] == [pinned]
    value = pins.locator("table data").get_attribute("value")
    assert number(value or "") == pytest.approx(float(e.importance[(0, *cell)]), rel=1e-5)
    white = page.evaluate(
        """() => Array.from(document.querySelectorAll('.dv-multiples .dv-map-overlay'), (c) => {
            const {data} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
            let white = 0;
            for (let at = 0; at < data.length; at += 4) {
                if (Math.min(...data.slice(at, at + 4)) > 250) white += 1;
            }
            return white;
        })"""
    )
    assert white[0] > 50
    assert white[1] == 0
    assert serious(page, within="main") == []

    # The panel as files, named by classifier, input and panel.
    panel.get_by_role("button", name="Save this").click()
    name, content = saved(panel, "CSV")
    assert name == f"{e.model}_news-today_all-heads.csv"
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8"), newline="")))
    assert len(rows) == e.importance.size
    found = np.array([float(row["IF"]) for row in rows], np.float32).reshape(e.importance.shape)
    np.testing.assert_allclose(found, e.importance, rtol=1e-5, atol=1e-7)
    assert [int(rows[-1][key]) for key in ("Head", "Layer", "Feature")] == [1, 5, 399]

    name, content = saved(panel, "SVG")
    assert name.endswith("_all-heads.svg")
    drawing = ET.fromstring(content)
    texts = [part.text for part in drawing.iter(f"{SVG}text")]
    assert texts[:2] == ["All heads", f"News / today · {e.model}"]  # an IF is of no class
    assert {"Layer", "Feature", "300", "Head 0", "Head 1"} <= set(texts)
    assert "Display" not in texts
    maps = [part for part in drawing.iter(f"{SVG}image") if part.get("style")]
    assert len(maps) == 2
    picture = Image.open(io.BytesIO(base64.b64decode((maps[0].get("href") or "").split(",")[1]))).convert(
        "RGB"
    )
    head, layer, feature = np.unravel_index(e.importance.argmax(), e.importance.shape)
    picture = Image.open(io.BytesIO(base64.b64decode((maps[head].get("href") or "").split(",")[1])))
    at = int((feature + 0.5) / 400 * picture.width), int((layer + 0.5) / 6 * picture.height)
    assert picture.convert("RGB").getpixel(at) == colour_of("cividis", 1.0)
    assert picture.width > 400  # each feature has a pixel of its own, which it has not on the page
    # Light, though the page is dark, and as wide as was chosen, whatever the window.
    assert page.evaluate("getComputedStyle(document.querySelector('.dv')).color") == "rgb(231, 235, 240)"
    assert {part.get("fill") for part in drawing.iter(f"{SVG}text")} == {
        "rgb(28, 36, 48)",
        "rgb(85, 96, 110)",
    }
    for print_, mm in (("double", 183), ("single", 89)):
        panel.get_by_label("Width of figures").select_option(print_)
        drawing = ET.fromstring(saved(panel, "SVG")[1])
        assert drawing.get("width") == f"{mm}mm"
        assert (drawing.get("viewBox") or "").split()[2] == str(round(mm * 144 / 25.4))
    picture = Image.open(io.BytesIO(saved(panel, "PNG")[1]))
    assert picture.width == round(89 / 25.4 * 400)
    assert picture.info["dpi"] == pytest.approx((400, 400), rel=1e-3)
    assert picture.convert("RGB").getpixel((1, 1)) == (255, 255, 255)
    said, drawn = pdf(saved(panel, "PDF")[1], mm=89)
    assert said[:2] == ["All heads", f"News / today · {e.model}"]
    assert {"Layer", "Feature"} <= set(said)
    assert CAUTION in " ".join(said)
    assert drawn == 5  # two maps with the marks on them, the colour bar
    assert page.locator(".dv-print").count() == 0

    # Every panel of every tab can be saved, charts and tables as well; in a PDF a chart is no picture.
    axes = {
        "_layer-profile": ["Layer", "Percent"],
        "_mean-offset-δ": ["Mean offset δ", "Features", "Feature"],
    }
    tables = {}
    for tab in ("summary", "heads", "input", "heatmap", "layers", "parameters", "dataset"):
        page.evaluate(f"tab => {{ {STATE.replace('.state', '')}.state = {{tab}}; }}", tab)
        settle(page)
        for one in page.locator(".dv-figure").all():
            one.get_by_role("button", name="Save this").click()
            name, content = saved(one, "CSV")
            lines = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
            tables[name.split("_")[2].removesuffix(".csv")] = list(lines)[1:]
            for title in [title for title in axes if title in name]:
                said, drawn = pdf(saved(one, "PDF")[1], mm=89)
                assert said[1] == f"News / today · {e.model}"
                assert set(axes.pop(title)) <= set(said)
                assert drawn == (0 if title == "_layer-profile" else 3), title
        _, content = saved(one, "SVG")
        # What is only said to whoever has the page before them is not printed.
        assert b"Point at" not in content, name
        assert len(list(ET.fromstring(content).iter(f"{SVG}text"))) > 3, name
    for name, wanted in numbers_of(e).items():
        found = np.array([row[-wanted.shape[1] :] for row in tables.pop(name)], float)
        np.testing.assert_allclose(found, wanted, rtol=2e-5, atol=1e-6, err_msg=name)
    summed_up = {"each-head-in-numbers", "one-cell-the-learned-gaussians", "top-features", "what-was-learned"}
    summed_up.add("pinned-cells")
    words = [float(row[1]) for row in tables.pop("back-to-the-text")]
    assert sum(words) == pytest.approx(float(e.token_attribution.sum()), rel=1e-5)
    assert set(tables) == summed_up
    assert all(tables.values())
    page.evaluate(f"() => {{ {STATE.replace('.state', '')}.state = {{tab: 'dataset', cell: null}}; }}")
    assert axes == {}
    told = page.get_by_text("Point at", exact=False).first
    expect(told).to_be_visible()
    page.emulate_media(media="print")
    expect(told).to_be_hidden()
    page.emulate_media(media="screen")
    pins.get_by_role("button", name="Remove pin 1").click() if pins.count() else None
    page.context.close()


def test_nothing_of_the_tools_is_cut_off_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    e = make_explanation(heads=8, features=400)
    pins = [{"head": 0, "layer": 1, "feature": 2, "note": "a note of some length about this cell"}]
    text = view_html(e, state={"pins": pins, "display": "open", "cell": {"layer": 1, "feature": 2}})
    page = opened(browser, tmp_path / "view.html", text, viewport={"width": 390, "height": 800})
    panel = page.get_by_role("region", name="All heads", exact=True)
    panel.get_by_label("Find feature").fill("nothing")
    panel.get_by_role("button", name="Go").click()
    panel.get_by_role("button", name="Save this").click()
    expect(panel.get_by_role("alert")).to_contain_text("“nothing” is no feature: write a number such as 17")
    for part in (
        *panel.locator("button:visible, input:visible, select:visible, .dv-wrong, .dv-segments-row").all(),
        *page.locator(".dv-tab").all(),
    ):
        box = part.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390, part.inner_text()
    # A table that goes on beyond the window says so, until one has scrolled to its end.
    table = page.get_by_role("region", name="Pinned cells, 1")
    expect(table).to_contain_text("Scroll sideways for more")
    table.evaluate("frame => { frame.scrollLeft = frame.scrollWidth; }")
    expect(table).not_to_contain_text("Scroll sideways for more")
    page.get_by_role("button", name="Remove pin 1").click()
    assert page.evaluate(STATE)["pins"] == []
    expect(page.get_by_role("region", name="Pinned cells", exact=True)).to_have_count(0)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert serious(page, within="main") == []
    page.context.close()


def test_a_part_of_a_sound_is_selected_played_and_looped(browser: Browser, tmp_path: Path) -> None:
    e = make_explanation("audio", tokens=100)
    sound = np.sin(np.arange(16_000) * 0.3).astype(np.float32) * 0.3
    text = view_html(e, media=sound_media(sound, 8000), state={"tab": "input"})
    size = {"width": 1280, "height": 900}
    page = opened(browser, tmp_path / "view.html", text, viewport=size, bypass_csp=True)
    stage = page.locator(".dv-sound-stage")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    play = page.get_by_role("button", name="Play part")
    expect(play).to_be_disabled()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 20, steps=3)
    page.mouse.up()
    group = page.get_by_role("group", name="Part of the sound")
    expect(group.get_by_role("status")).to_have_text("Selected: 0.80 to 1.00 s")
    part = page.locator(".dv-part").bounding_box()
    assert part
    assert part["width"] == pytest.approx(box["width"] * 0.1, abs=2)
    audio = "document.querySelector('audio')"
    page.evaluate(f"{audio}.muted = true")
    play.click()
    page.wait_for_function(f"{audio}.paused && {audio}.currentTime >= 1")
    assert page.evaluate(f"{audio}.currentTime") < 1.5  # it did not go on to the end
    page.get_by_role("button", name="Loop").click()
    page.evaluate(
        f"""() => {{
            window.jumps = 0;
            {audio}.addEventListener('seeked', () => {{ jumps += 1; }});
        }}"""
    )
    play.click()
    page.wait_for_function("jumps >= 2")
    assert not page.evaluate(f"{audio}.paused")
    page.get_by_role("button", name="Loop").click()
    page.wait_for_function(f"{audio}.paused")
    # By the keyboard: from the cursor on, up to the cursor, and none.
    stage.focus()
    for key, said in (
        ("Home", "Selected: 0.80 to 1.00 s"),
        ("[", "Selected: 0.00 to 1.00 s"),
        ("PageUp", "Selected: 0.00 to 1.00 s"),
        ("]", "Selected: 0.00 to 0.20 s"),
        ("Escape", "Drag over the sound to select a part"),
    ):
        page.keyboard.press(key)
        expect(group.get_by_role("status")).to_have_text(said)
    page.context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_stands_beside_its_colours_where_there_is_room(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    text = view_html(
        make_explanation("image", tokens=49), media=picture_media(picture), state={"tab": "input"}
    )
    page = opened(browser, tmp_path / "view.html", text, viewport={"width": width, "height": 800})
    coloured, alone = page.locator(".dv-picture-frame"), page.locator(".dv-original")
    expect(alone).to_have_count(1 if width == 1280 else 0)
    if width == 1280:
        one, other = coloured.bounding_box(), alone.bounding_box()
        assert one
        assert other
        assert (one["y"], one["width"], one["height"]) == pytest.approx(
            (other["y"], other["width"], other["height"]), abs=1
        )
        assert other["x"] > one["x"] + one["width"]
        assert re.match(r"data:image/jpeg", alone.get_attribute("src") or "")
    page.context.close()


def test_a_saved_prediction_has_the_warning_that_stands_above_the_tabs(
    browser: Browser, tmp_path: Path
) -> None:
    far = Outside(distance=3.0, threshold=2.0, percentile=98.0, samples=200)
    text = view_html(replace(make_explanation("text"), outside=far), state={"tab": "summary"})
    page = opened(browser, tmp_path / "view.html", text)
    expect(page.get_by_role("note").filter(has_text="Outside what it knows.")).to_have_count(1)
    panel = page.locator(".dv-figure")
    panel.get_by_role("button", name="Save this").click()
    drawing = ET.fromstring(saved(panel, "SVG")[1])
    assert "Outside what it knows." in " ".join(part.text or "" for part in drawing.iter(f"{SVG}text"))
    page.context.close()
