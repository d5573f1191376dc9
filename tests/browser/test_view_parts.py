"""Cells, parameters, layers, input and comparison in the interactive view, against the core."""

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from daam_core.reading.colours import NEGATIVE, POSITIVE
from daam_core.reading.gaussians import effective_gaussian, parameter_summary
from daam_core.reading.heads import gate_entropy, head_similarity
from daam_core.view.media import picture_media, sound_media
from daam_core.view.payload import view_payload
from tests.browser import view_page
from tests.browser.view_page import (
    MAP,
    colour_of,
    hover,
    number,
    open_table,
    readout,
    set_state,
    settle,
    state,
    table,
)
from tests.support.builders import make_explanation
from tests.view.node import evaluate

view = view_page.view


# ---- cell, parameters, layers ---------------------------------------------------------------------


def test_the_cell_panel_follows_the_selection(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="cell", state={"cell": {"layer": 2, "feature": 11}})
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[5])) for row in rows] == list(e.gate[:, 2, 11])
    assert page.locator(".dv-chart .dv-dot").count() == 6  # three heads, input and data set
    assert page.locator(".dv-chart .dv-ring").count() == 3  # the data set's mean gates
    page.get_by_label("Feature", exact=True).fill("4")
    page.get_by_label("Feature", exact=True).press("Enter")
    assert state(page)["cell"] == {"layer": 2, "feature": 4}
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[5])) for row in rows] == list(e.gate[:, 2, 4])
    assert e.dataset is not None
    means = page.evaluate(
        """() => Array.from(document.querySelectorAll('#here table')[1].tBodies[0].rows)
            .map((r) => r.cells[r.cells.length - 1].querySelector('data').value)"""
    )
    assert [np.float32(number(m)) for m in means] == list(e.dataset.gate[:, 2, 4])


def test_boxes_note_and_curves_are_about_one_cell(view: Callable[..., Page]) -> None:
    """Whether the cell is the chosen head's strongest one, or was typed in, within the map or beyond it."""
    e = make_explanation(heads=3)
    page = view(e, state={"tab": "heatmap"})
    layer, feature = (page.get_by_role("spinbutton", name=name) for name in ("Layer", "Feature"))

    def told() -> tuple[int, int]:
        note = page.locator(".dv-note", has_text="layer").last.inner_text()
        found = re.search(r"layer (\d+), feature (\d+)", note)
        assert found
        return int(found[1]), int(found[2])

    for head in (2, 0, 1):
        page.get_by_label("Head", exact=True).select_option(str(head))
        settle(page)
        strongest = np.unravel_index(e.density_attention[head].argmax(), e.shape[1:])
        assert told() == (int(layer.input_value()), int(feature.input_value())) == strongest
        value = page.locator(".dv-side .dv-number").first.inner_text().removeprefix("value ")
        assert number(value) == pytest.approx(float(e.values[strongest]), rel=6e-4)
    for wanted in ("9999", "9998", "3"):  # twice the same cell, the last one
        feature.fill(wanted)
        feature.press("Enter")
        settle(page)
        assert told() == (int(layer.input_value()), int(feature.input_value()))
        assert told()[1] == min(int(wanted), e.shape[2] - 1)


def test_a_cell_shows_what_was_learned_for_its_feature(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, state={"tab": "heatmap", "head": 1, "cell": {"layer": 2, "feature": 7}})
    rows = table(page, "Mean over layers")
    titles = page.locator(".dv-side table").first.locator("thead th").all_inner_texts()
    for name, wanted in {"δ": e.mean_offset, "ξ": e.scaled_variance}.items():
        column = titles.index(name)
        assert [np.float32(number(row[column])) for row in rows] == wanted[:, 7].tolist()
    # The same cell is marked in the parameters, and its numbers are said.
    set_state(page, tab="parameters")
    said = page.locator(".dv-note.dv-number").all()
    for note, wanted in zip(said, (e.mean_offset, e.scaled_variance), strict=False):
        assert note.inner_text().startswith("Head 1, feature 7: ")
        learned = note.locator("data").first  # read with four digits, whole where it is pointed at
        assert number(learned.inner_text()) == pytest.approx(float(wanted[1, 7]), rel=5e-4)
        assert learned.get_attribute("value") == learned.get_attribute("title")
        assert np.float32(number(learned.get_attribute("value") or "")) == wanted[1, 7]
    marked = page.evaluate(
        """() => {
            const [overlay] = document.querySelectorAll('.dv-map-overlay');
            const box = overlay.getBoundingClientRect();
            const [x, y] = [7.5 / FEATURES * overlay.width, 1.5 / 3 * overlay.height];
            const data = overlay.getContext('2d').getImageData(0, 0, overlay.width, overlay.height).data;
            const pink = [];
            for (let at = 0; at < data.length; at += 4) {
                if (data[at] > 240 && data[at + 1] < 120 && data[at + 3] > 200) {
                    pink.push([(at / 4) % overlay.width - x, Math.floor(at / 4 / overlay.width) - y]);
                }
            }
            const mean = (k) => pink.reduce((s, p) => s + p[k], 0) / pink.length;
            return [pink.length, mean(0), mean(1)];
        }""".replace("FEATURES", str(e.shape[2]))
    )
    assert marked[0] > 20
    assert abs(marked[1]) < 8  # a cell is four times as wide
    assert abs(marked[2]) < 8


def test_each_head_in_numbers(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=4, layers=5)
    page = view(e, state={"tab": "heads"})
    rows = table(page, "Heads, the largest share first")
    shares = e.layer_contribution.sum(1)
    heads = [int(row[0].removeprefix("Head ")) for row in rows]
    assert heads == np.argsort(-shares, kind="stable").tolist()
    similarity = head_similarity(e.gate, e.head_layers)
    np.fill_diagonal(similarity, -2)
    entropies = gate_entropy(e.gate, e.head_layers)
    for head, row in zip(heads, rows, strict=True):
        assert number(row[1]) == pytest.approx(shares[head], abs=0.051)
        layers = [int(layer) for layer in row[2].split(", ")]
        own = e.layer_contribution[head]
        assert own[layers].sum() >= own.sum() / 2
        assert own[layers].min() >= np.delete(own, layers).max()
        means = e.density_attention[head].sum(0)
        assert [int(f) for f in row[3].split(", ")] == np.argsort(-means)[:3].tolist()
        for texts, learned in ((row[4:6], e.mean_offset[head]), (row[6:8], e.scaled_variance[head])):
            assert [np.float32(number(text)) for text in texts] == [learned.min(), learned.max()]
        assert number(row[8]) == pytest.approx(entropies[head], rel=1e-6)
        nearest = int(similarity[head].argmax())
        assert row[9] == f"Head {nearest}"
        assert number(row[10]) == pytest.approx(similarity[head, nearest], rel=1e-5)


def test_numbers_of_a_column_stand_below_each_other(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=6)
    page = view(e, state={"tab": "heatmap", "cell": {"layer": 2, "feature": 7}})
    points = page.evaluate(
        """() => Array.from(document.querySelectorAll('.dv-side table')).flatMap((table) =>
            [1, 2, 3, 4].map((column) => Array.from(table.tBodies[0].rows).map((row) => {
                const cell = row.cells[column];
                const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
                for (let node = walk.nextNode(); node; node = walk.nextNode()) {
                    const at = node.data.indexOf('.');
                    if (at < 0) continue;
                    const range = document.createRange();
                    range.setStart(node, at);
                    range.setEnd(node, at + 1);
                    return range.getBoundingClientRect().left;
                }
                return null;
            }).filter((x) => x !== null)))"""
    )
    assert len(points) == 8
    for column in points:
        assert len(column) >= 3
        assert max(column) - min(column) <= 1


def test_parameters_are_summed_up_as_in_the_core(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="parameters")
    rows = table(page, "Range of the learned parameters")
    wanted = parameter_summary(e)
    assert len(rows) == len(wanted) == 8
    for row, one in zip(rows, wanted, strict=True):
        numbers = (one.lowest, one.highest, one.mean, one.deviation, one.mean_change, one.largest_change)
        assert [number(t) for t in row[2:]] == pytest.approx(numbers, rel=1e-3, abs=1e-6)
        assert row[1] == ("all" if one.head is None else f"Head {one.head}")
    assert page.locator(".dv-start").count() == 6
    box = page.locator(MAP).first.bounding_box()
    assert box is not None
    page.locator(MAP).first.hover(position={"x": box["width"] * 4.5 / 32, "y": box["height"] / 2})
    note = page.locator(".dv-note", has_text="Head 1, feature 4: ")
    assert ", at the start " in note.inner_text()
    found = [number(data.get_attribute("value") or "") for data in note.locator("data").all()]
    assert [np.float32(one) for one in found] == [e.mean_offset[1, 4], e.initial_mean_offset[1, 4]]


def test_a_mixture_shows_the_one_gaussian_it_amounts_to(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3, gate_kind="mixture")
    page = view(e, section="parameters")
    mean, variance = effective_gaussian(e.mean_offset, e.scaled_variance)
    rows = table(page, "One Gaussian per head")
    assert [number(row[1]) for row in rows] == pytest.approx(mean, rel=1e-5)
    assert [number(row[2]) for row in rows] == pytest.approx(variance, rel=1e-5)


def test_layer_profile_and_top_features(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="layers", state={"display": "open"})
    open_table(page, "Layer profile")
    rows = table(page, "Percent of all density attention")
    found = np.array([[number(t) for t in row[1:]] for row in rows])
    assert np.allclose(found[:, :3], e.layer_contribution.T, rtol=1e-3, atol=1e-6)
    assert found[:, 3].sum() == pytest.approx(100, abs=0.05)
    page.get_by_label("Show", exact=True).select_option("gate")
    mean = e.gate.astype(np.float64).mean((0, 1))
    top = table(page, "Top 10 features by mean gate")
    assert [int(row[1]) for row in top] == list(np.argsort(-mean)[:10])
    assert [number(row[2]) for row in top] == pytest.approx(np.sort(mean)[::-1][:10], rel=1e-3)
    page.get_by_role("button", name=f"Look at feature {top[0][1]} ").click()
    assert state(page)["cell"]["feature"] == int(top[0][1])
    bars = page.locator(".dv-chart rect").count()
    page.get_by_role("radio", name="Lines").check()
    assert bars == 18
    assert page.locator(".dv-chart path").count() == 3


# ---- back to the input ----------------------------------------------------------------------------


def test_words_carry_the_sum_of_their_pieces(view: Callable[..., Page]) -> None:
    e = make_explanation("text", tokens=30, heads=2)
    page = view(e, section="input")
    assert page.locator(".dv-words").inner_text().strip() == (e.text or "").strip()
    pieces = [i for i, label in enumerate(e.token_labels) if label in ("annou", "##nceme", "##nt")][:3]
    word = page.locator(".dv-word", has_text="announcement").first
    word.hover()
    tip = page.locator(".dv-tip").inner_text()
    assert number(tip.split("” ")[1].split(" logits")[0]) == pytest.approx(
        e.token_attribution[pieces].sum(), rel=5e-4
    )
    assert tip.endswith("pieces: annou ##nceme ##nt")
    page.get_by_label("Heads", exact=True).select_option("1")
    page.locator(".dv-word", has_text="announcement").first.hover()
    tip = page.locator(".dv-tip").inner_text()
    wanted = e.head_token_attribution[1, pieces].sum()
    assert number(tip.split("” ")[1].split(" logits")[0]) == pytest.approx(wanted, rel=5e-4)
    text = page.locator("#here").inner_text()
    assert "Not part of the text:" in text
    assert "[CLS]" in text


def test_words_are_coloured_by_sign_and_size(view: Callable[..., Page]) -> None:
    e = make_explanation("text", tokens=30)
    words = view_payload(e)["a"]["words"]
    values = np.array([e.token_attribution[w["tokens"]].sum() for w in words["list"]])
    page = view(e, section="input", state={"display": "open"})

    def colour(index: int) -> np.ndarray:
        text = page.locator(f"[data-word='{index}']").evaluate("w => getComputedStyle(w).backgroundColor")
        return np.array([int(v) for v in text[4:-1].split(",")])

    strongest = int(np.abs(values).argmax())
    assert np.array_equal(
        colour(strongest), [0x7F, 0x27, 0x04] if values[strongest] > 0 else [0x08, 0x30, 0x6B]
    )
    page.get_by_role("radio", name="Size only").check()
    assert np.array_equal(colour(strongest), colour_of("cividis", 1.0))


def test_marks_of_the_tokenizer_do_not_wash_out_a_long_text(view: Callable[..., Page]) -> None:
    """[CLS] and [SEP] can have a hundred times the share of a word among thousands."""
    e = make_explanation("text")
    special = np.isnan(e.token_spans[:, 0])
    assert special.any()
    shares = np.where(special, 5.0, e.token_attribution * 1e-3).astype(np.float32)
    page = view(replace(e, token_attribution=shares), section="input")
    words = page.evaluate("() => view.payload.a.words.list")
    largest = max(abs(float(sum(shares[t] for t in word["tokens"]))) for word in words if not word["special"])
    numbers = [number(text) for text in page.locator(".dv-bar-numbers span").all_inner_texts()]
    assert numbers == pytest.approx([-largest, 0, largest], rel=1e-3)
    index = max(
        (i for i, word in enumerate(words) if not word["special"]),
        key=lambda i: abs(sum(shares[t] for t in words[i]["tokens"])),
    )
    colours = page.evaluate("() => view.payload.colours.diverging")
    strongest = page.locator(f"[data-word='{index}']").first.evaluate(
        "w => getComputedStyle(w).backgroundColor"
    )
    ends = [tuple(int(end[i : i + 2], 16) for i in (1, 3, 5)) for end in (colours[0], colours[-1])]
    assert strongest in [f"rgb({red}, {green}, {blue})" for red, green, blue in ends]


def test_words_are_read_out_by_the_keyboard(view: Callable[..., Page]) -> None:
    page = view(make_explanation("text", tokens=20), section="input")
    page.locator(".dv-words").focus()
    live = page.locator(".dv-words-box [aria-live]")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("“Markets”")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("“fell”")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    expect(live).to_contain_text("“Markets”")


@pytest.mark.slow
def test_a_moment_is_read_and_playback_moves_the_cursor(view: Callable[..., Page]) -> None:
    e = make_explanation("audio", tokens=50)
    rate = 8000
    sound = np.sin(np.arange(rate) * 0.3).astype(np.float32) * 0.3
    page = view(e, section="input", payload={"media": sound_media(sound, rate)})
    stage = page.locator(".dv-sound-stage")
    box = stage.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.505, box["y"] + 10)
    note = page.locator(".dv-note").first.inner_text()
    assert note.startswith("0.50 s: ")
    shown = number(note.split(": ")[1].removesuffix(" logits"))
    assert shown == pytest.approx(e.token_attribution[25], rel=5e-4)
    assert page.evaluate("() => document.querySelector('audio').currentTime") == pytest.approx(
        0.505, abs=0.01
    )
    stage.focus()
    page.keyboard.press("ArrowLeft")
    assert float(stage.get_attribute("aria-valuenow") or "0") == pytest.approx(0.485, abs=0.011)
    page.keyboard.press("Home")
    page.evaluate("() => { document.querySelector('audio').muted = true; }")
    page.keyboard.press(" ")
    page.wait_for_function("() => document.querySelector('audio').ended", timeout=10_000)
    page.wait_for_function(
        "() => Number(document.querySelector('.dv-sound-stage').getAttribute('aria-valuenow')) > 0.9"
    )
    assert float(page.locator(".dv-playhead").evaluate("h => h.style.left.replace('%', '')")) > 90


def test_the_sound_can_be_zoomed_into(view: Callable[..., Page]) -> None:
    e = make_explanation("audio", tokens=200)
    rate = 8000
    page = view(e, section="input", payload={"media": sound_media(np.zeros(4 * rate, np.float32), rate)})
    # Silence is like the page: light on a light one, dark on a dark one.
    middle = """() => {
        const c = document.querySelector('.dv-mel');
        return c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0];
    }"""
    for theme, lowest, highest in (("light", 220, 255), ("dark", 0, 35)):
        page.evaluate("(theme) => { view.options = {theme}; }", theme)
        settle(page)
        assert lowest <= page.evaluate(middle) <= highest, theme
        assert f"{'light' if theme == 'dark' else 'dark'} is loud" in page.inner_text("body")
    page.evaluate("() => { view.options = {theme: 'light'}; }")
    stage = page.locator(".dv-sound-stage")
    ticks = page.locator(".dv-sound .dv-ticks span")
    box = stage.bounding_box()
    assert box is not None
    assert ticks.last.inner_text() == "4.0 s"
    page.mouse.click(box["x"] + box["width"] * 0.5005, box["y"] + 10)
    stage.focus()
    for _ in range(2):
        page.keyboard.press("+")
    # A quarter of the sound around the moment that was chosen, 2.002 s: from 1.502 to 2.502 s.
    expect(ticks.first).to_have_text("1.6 s")
    expect(ticks.last).to_have_text("2.5 s")
    page.mouse.move(box["x"] + box["width"] * 0.2525, box["y"] + 10)
    found = page.locator(".dv-note").first.inner_text()
    token = next(t for t in range(200) if e.token_spans[t][0] <= 1.7545 < e.token_spans[t][1])
    shown = number(found.removeprefix(f"{e.token_labels[token]}: ").removesuffix(" logits"))
    assert shown == pytest.approx(e.token_attribution[token], rel=5e-4)
    page.keyboard.press("End")  # beyond what is shown: the page turns
    expect(ticks.last).to_have_text("4.0 s")
    assert page.locator(".dv-playhead").is_visible()
    page.get_by_role("button", name="Show the whole sound").click()
    expect(ticks.first).to_have_text("0.0 s")
    expect(ticks.last).to_have_text("4.0 s")
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 10)
    page.mouse.wheel(0, -400)  # with the focus elsewhere the page scrolls
    expect(ticks.last).to_have_text("4.0 s")
    stage.focus()
    page.mouse.wheel(0, -400)
    expect(ticks.last).not_to_have_text("4.0 s")
    part = page.locator(".dv-scroll")
    part.fill("1")  # to the end
    expect(ticks.last).to_have_text("4.0 s")
    expect(ticks.first).not_to_have_text("0.0 s")
    stage.focus()
    page.mouse.wheel(0, 2000)
    page.mouse.wheel(0, 2000)
    expect(part).to_be_hidden()
    expect(ticks.first).to_have_text("0.0 s")
    expect(ticks.last).to_have_text("4.0 s")


def test_the_moment_of_largest_share_has_the_strongest_colour(view: Callable[..., Page]) -> None:
    e = make_explanation("audio", tokens=40)
    page = view(e, section="input", state={"tokenMode": "absolute"})
    t = int(np.abs(e.token_attribution).argmax())
    colour = page.evaluate(
        """share => {
            const c = document.querySelector('.dv-sound-canvas');
            return Array.from(c.getContext('2d').getImageData(Math.floor(share * c.width), 2, 1, 1).data);
        }""",
        (t + 0.5) / 40,
    )
    assert tuple(colour[:3]) == colour_of("cividis", 1.0)


def test_regions_lie_where_they_belong_and_opacity_is_adjustable(view: Callable[..., Page]) -> None:
    e = make_explanation("image", tokens=49)
    picture = np.full((70, 140, 3), 120, np.uint8)
    page = view(
        e,
        section="input",
        payload={"media": picture_media(picture)},
        state={"tokenMode": "absolute", "display": "open"},
    )
    box = page.locator(".dv-picture-overlay").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(2, rel=0.02)
    strongest = int(np.abs(e.token_attribution).argmax())
    row, column = divmod(strongest, 7)

    def overlay() -> list[int]:
        colour: list[int] = page.evaluate(
            """([x, y]) => {
                const c = document.querySelector('.dv-picture-overlay');
                return Array.from(c.getContext('2d').getImageData(x * c.width, y * c.height, 1, 1).data);
            }""",
            [(column + 0.5) / 7, (row + 0.5) / 7],
        )
        return colour

    assert np.abs(np.subtract(overlay()[:3], colour_of("cividis", 1.0))).max() <= 2
    assert overlay()[3] == pytest.approx(0.6 * 255, abs=2)
    page.get_by_label("Overlay").fill("0.2")
    assert overlay()[3] == pytest.approx(0.2 * 255, abs=2)
    page.mouse.move(box["x"] + box["width"] * (column + 0.5) / 7, box["y"] + box["height"] * (row + 0.5) / 7)
    note = page.locator(".dv-note").first.inner_text()
    assert note.startswith(f"row {row + 1}, column {column + 1}: ")
    shown = number(note.split(": ")[1].removesuffix(" logits"))
    assert shown == pytest.approx(e.token_attribution[strongest], rel=5e-4)
    page.locator(".dv-picture-overlay").focus()
    page.mouse.move(0, 0)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".dv-note").first.inner_text().startswith("row 2, column 2: ")
    # In words it is orange and blue, and so it is over the picture, on a light and on a dark page.
    wanted = POSITIVE if e.token_attribution[strongest] > 0 else NEGATIVE
    for theme in ("light", "dark"):
        page.evaluate(
            "(theme) => { view.options = {theme}; view.state = {tokenMode: 'signed', opacity: 1}; }", theme
        )
        settle(page)
        assert overlay() == [*(int(wanted[i : i + 2], 16) for i in (1, 3, 5)), 255], theme


def test_another_class_can_be_asked_for(view: Callable[..., Page], page: Page) -> None:
    e = make_explanation("text")
    view(e, section="input", serves=["target"])
    page.evaluate(
        "() => { window.classes = []; view.addEventListener('target', (e) => classes.push(e.detail.index)); }"
    )
    wanted = (e.explained + 1) % 4
    page.get_by_label("Explained class", exact=True).select_option(str(wanted))
    assert page.evaluate("() => classes") == [wanted]


# ---- data set and comparison ----------------------------------------------------------------------


def test_the_data_set_stands_beside_the_input(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    assert e.dataset is not None
    page = view(e, section="dataset", state={"head": 1})
    box = page.locator(MAP).nth(2).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 6.5 / 32, box["y"] + box["height"] * 2.5 / 6)
    note = page.locator(".dv-note").last.inner_text()
    assert note.startswith("Head 1, layer 2, feature 6, IF. This input: ")
    numbers = [number(part.split(": ")[1]) for part in note.rstrip(".").split(". ")[1].split("; ")]
    own, mean = float(e.importance[1, 2, 6]), float(e.dataset.importance[1, 2, 6])
    assert numbers == pytest.approx([own, mean, own - mean], rel=5e-4, abs=1e-6)
    assert "mean of 20 inputs" in page.locator("#here").inner_text()


def test_the_data_set_is_compared_with_both_inputs(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    assert a.dataset is not None
    assert b.dataset is not None
    page = view(a, section="dataset", payload={"compare": b}, state={"side": "difference", "head": 2})
    captions = page.locator(".dv-map-caption").all_inner_texts()
    assert captions == ["A − data set", "B − data set", "B − A"]
    one = a.importance[2] - a.dataset.importance[2]
    other = b.importance[2] - b.dataset.importance[2]
    difference = other - one
    open_table(page, "Against the data set")
    rows = table(page, "Head 2: the 10 largest differences")
    for row, flat in zip(rows, np.argsort(-np.abs(difference).ravel())[:10], strict=True):
        assert [int(row[0]), int(row[1])] == list(np.unravel_index(flat, difference.shape))
        wanted = [array.ravel()[flat] for array in (one, other, difference)]
        assert [number(text) for text in row[2:]] == pytest.approx(wanted, rel=1e-4, abs=1e-6)
    page.get_by_label("Input", exact=True).select_option("b")
    assert page.locator(".dv-map-caption").all_inner_texts() == [
        "B",
        "Data set, mean of 20 inputs",
        "Difference",
    ]


def test_a_result_without_a_data_set_says_so_beside_one_that_has(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9, dataset=False)
    page = view(a, section="dataset", payload={"compare": b}, state={"side": "b"})
    assert (
        page.locator(".dv-missing:visible").all_inner_texts()
        == ["The checkpoint holds no averages over a data set."] * 2
    )
    page.get_by_label("Input", exact=True).select_option("a")
    assert page.locator(".dv-missing:visible").count() == 0


def test_cells_and_heads_are_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    wanted = {"side": "difference", "cell": {"layer": 2, "feature": 7}, "pair": [2, 0]}
    page = view(a, section="cell", payload={"compare": b}, state=wanted)
    rows = {row[0]: row[1:] for row in table(page, "Change of the value and of each gate")}
    assert [np.float32(number(text)) for text in rows["Value"]] == [
        a.values[2, 7],
        b.values[2, 7],
        b.values[2, 7] - a.values[2, 7],
    ]
    for head in range(a.shape[0]):
        gates = [e.gate[head, 2, 7] for e in (a, b)]
        found = [np.float32(number(text)) for text in rows[f"Gate, head {head}"]]
        assert found == [*gates, gates[1] - gates[0]]
    titles = page.locator(".dv-side strong").all_inner_texts()
    assert titles == ["A", "B", "Data set’s average"]

    page = view(a, section="heads", payload={"compare": b}, state=wanted)
    change = table(page, "Change of the correlation")
    for one in range(a.shape[0]):
        for other in range(a.shape[0]):
            before, after = (np.corrcoef(e.gate[one].ravel(), e.gate[other].ravel())[0, 1] for e in (a, b))
            assert number(change[one][1 + other]) == pytest.approx(after - before, abs=0.0051)
    open_table(page, "One head minus another")
    maps = [e.importance[2].astype(np.float64) - e.importance[0] for e in (a, b)]
    largest = table(page, "Head 2 and Head 0: the 10 largest differences")[0]
    flat = int(np.abs(maps[1] - maps[0]).argmax())
    assert [int(largest[0]), int(largest[1])] == list(np.unravel_index(flat, maps[0].shape))
    assert number(largest[4]) == pytest.approx((maps[1] - maps[0]).ravel()[flat], rel=1e-4)


def test_without_a_data_set_the_view_says_so(view: Callable[..., Page]) -> None:
    page = view(make_explanation(dataset=False), section="dataset")
    assert "holds no averages" in page.locator("#here").inner_text()


def test_two_results_and_their_difference(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    page = view(a, payload={"compare": b, "names": ("before", "after")}, state={"tab": "compare", "head": 2})
    rows = {row[0]: row for row in table(page, "Probabilities")}
    for i, name in enumerate(a.class_names):
        both = a.probabilities[i], b.probabilities[i]
        wanted = [*both, float(both[1]) - float(both[0])]
        assert [number(text) for text in rows[name][1:]] == pytest.approx(wanted, rel=1e-6)
        points = page.locator("#here table tr", has_text=name).first.locator("data").last.inner_text()
        assert number(points.removesuffix(" points")) == pytest.approx(100 * wanted[2], abs=0.006)
    page.get_by_label("Show", exact=True).select_option("density_attention")
    open_table(page, "Maps")
    difference = b.density_attention[2] - a.density_attention[2]
    top = table(page, "Head 2: the 10 largest differences")
    for row, flat in zip(top, np.argsort(-np.abs(difference).ravel())[:10], strict=True):
        layer, feature = np.unravel_index(flat, difference.shape)
        assert [int(row[0]), int(row[1])] == [layer, feature]
        assert np.float32(number(row[2])) == a.density_attention[2, layer, feature]
        assert np.float32(number(row[3])) == b.density_attention[2, layer, feature]
    # What the sentence names is one press away: its map, its head, and the maps in sight.
    change = b.importance - a.importance
    head, layer, feature = (int(i) for i in np.unravel_index(np.abs(change).argmax(), change.shape))
    there = page.get_by_role("button", name=f"Show it in head {head}")
    about = "This is about the Importance Factor; the maps below show the density attention."
    expect(page.locator(".dv-changes")).to_contain_text(about)
    there.click()
    expect(page.locator(".dv-changes")).not_to_contain_text("This is about")
    shown = page.evaluate("view.state")
    assert (shown["head"], shown["cell"]) == (head, {"layer": layer, "feature": feature})
    assert shown["quantity"] == "importance"
    expect(page.locator(".dv-three")).to_be_in_viewport()


@pytest.mark.parametrize("tab", ["heads", "heatmap"])
def test_every_map_can_show_the_difference(view: Callable[..., Page], tab: str) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    page = view(a, payload={"compare": b}, state={"tab": tab, "quantity": "gate"})
    page.get_by_label("Input", exact=True).first.select_option("difference")
    settle(page)
    found = hover(page, 0, 3, 8)
    assert np.float32(number(found["Gate, A"])) == a.gate[0, 3, 8]
    assert np.float32(number(found["Gate, B"])) == b.gate[0, 3, 8]
    assert np.float32(number(found["Difference"])) == b.gate[0, 3, 8] - a.gate[0, 3, 8]


OTHERS = {
    "fewer heads": {"heads": 2},
    "fewer layers and features": {"layers": 4, "features": 9},
    "groups of layers": {"mode": "layer_groups", "heads": 2},
    "mixture": {"gate_kind": "mixture"},
    "a sound": {"modality": "audio", "tokens": 7},
    "a picture": {"modality": "image", "heads": 3},
    "other classes": {"class_names": ("x", "y")},
    "no data set": {"dataset": False},
}


@pytest.mark.slow
@pytest.mark.parametrize(("other", "turned"), [(other, i % 2 == 1) for i, other in enumerate(OTHERS)])
def test_every_section_goes_from_one_result_to_quite_another(
    view: Callable[..., Page], page: Page, other: str, turned: bool
) -> None:
    """Heads, layers or cells that only one of them has are no trap, whichever comes first."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    results = [make_explanation(**{"modality": "text", **change}) for change in ({}, OTHERS[other])]
    a, b = results[::-1] if turned else results
    heads, layers, features = b.shape
    beyond = {"head": 3, "tokenHead": 3, "pair": [3, 1], "heads": [2, 3], "colours": "rank"}
    beyond |= {"cell": {"layer": 5, "feature": 31}, "order": "contribution"}
    page = view(a, payload={"compare": b}, state=beyond)
    for tab in ("summary", "input", "heads", "heatmap", "layers", "parameters", "dataset", "compare"):
        for side in ("a", "b", "difference", "b", "a"):
            set_state(page, tab=tab, side=side)
            settle(page)
            assert problems == [], (tab, side)
        set_state(page, tab=tab, side="b")
        settle(page)
        shown = state(page)
        assert shown["side"] == "b"
        assert shown["head"] is None or shown["head"] < heads
        if shown["cell"]:
            assert shown["cell"]["layer"] < layers
            assert shown["cell"]["feature"] < features
        if tab == "input":
            title = {"text": "text", "audio": "sound", "image": "picture"}[b.modality]
            assert page.locator("h3").first.inner_text() == f"Back to the {title}"
        if tab == "summary":
            assert b.predicted_class in page.locator(".dv-prediction").inner_text()
        if tab == "layers":
            assert page.locator(".dv-legend").first.locator("li").count() == heads
        set_state(page, side="a", head=3 if a.shape[0] > 3 else 0)


def test_a_cursor_that_the_other_result_does_not_have_is_forgotten(
    view: Callable[..., Page], page: Page
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    a, b = make_explanation(heads=2, features=10), make_explanation(heads=4, features=32, seed=2)
    page = view(a, section="heatmap", payload={"compare": b}, state={"side": "b", "head": 3})
    page.locator(MAP).focus()
    page.keyboard.press("End")
    assert readout(page)["Feature"] == "31"
    page.get_by_label("Input", exact=True).select_option("a")
    settle(page)
    assert problems == []
    assert readout(page)["Feature"] == "–"


def test_what_only_one_of_two_heads_sees_is_not_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1, heads=2), make_explanation(seed=9, heads=2, mode="layer_groups")
    page = view(a, section="heatmap", payload={"compare": b}, state={"side": "difference"})
    open_table(page, "One head: layers × features")
    rows = table(page, "Top 10 cells")
    assert len(rows) == 10
    assert {int(row[1]) for row in rows} <= set(np.flatnonzero(b.head_layers[0]))
    page = view(a, section="heads", payload={"compare": b}, state={"side": "difference"})
    change = table(page, "Change of the correlation")
    assert change[0][1:] == ["0", "–"]  # B's heads share no layer: there is no change to speak of
    groups = make_explanation(heads=2, mode="layer_groups")
    page = view(groups, section="heads")
    open_table(page, "One head minus another")
    assert table(page, "Head 0 and Head 1: the 0 largest differences") == []


def test_a_muted_cell_has_no_density_attention(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    density = e.density_attention.copy()
    density[1, 2, 4] = 0
    page = view(
        replace(e, density_attention=density), section="cell", state={"cell": {"layer": 2, "feature": 4}}
    )
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[7])) for row in rows] == list(density[:, 2, 4])
    assert number(rows[1][5]) > 0  # its gate is as it was


def test_an_edited_text_shows_how_the_share_of_each_word_changes(view: Callable[..., Page]) -> None:
    a, b = make_explanation("text", tokens=12, seed=1), make_explanation("text", tokens=20, seed=9)
    words = [[word for word in view_payload(e)["a"]["words"]["list"] if not word["special"]] for e in (a, b)]
    shares = [
        [float(e.token_attribution[word["tokens"]].sum()) for word in list_]
        for e, list_ in zip((a, b), words, strict=True)
    ]
    texts = [[word["text"] for word in list_] for list_ in words]
    page = view(a, section="input", payload={"compare": b}, state={"side": "difference"})
    pairs = evaluate("{ alignWords } from sections/pairs.js", "alignWords(...data)", texts)
    assert len(pairs) > 3
    largest = max(pairs, key=lambda pair: abs(shares[1][pair[1]] - shares[0][pair[0]]))
    row = table(page, f"Largest changes among the {len(pairs)} words")[0]
    assert row[0] == texts[0][largest[0]]
    before, after = shares[0][largest[0]], shares[1][largest[1]]
    assert [number(text) for text in row[1:]] == pytest.approx([before, after, after - before], rel=1e-4)
    only = page.locator(".dv-note", has_text="Only in B: ").inner_text()
    assert only.count("(") == len(texts[1]) - len(pairs)


@pytest.mark.parametrize("start", [0.0, 0.2, 0.207])
def test_a_trimmed_sound_is_compared_by_the_clips_time(view: Callable[..., Page], start: float) -> None:
    a, b = make_explanation("audio", tokens=50), make_explanation("audio", tokens=20, seed=5)
    rate = 8000
    media = [
        sound_media(np.zeros(int(0.02 * len(e.token_labels) * rate), np.float32), rate, start=s)
        for e, s in ((a, 0.0), (b, start))
    ]
    page = view(
        a,
        section="input",
        payload={"compare": b, "media": media[0], "compare_media": media[1]},
        state={"side": "difference", "top": 25},
    )
    first = round(start / 0.02)
    change = b.token_attribution - a.token_attribution[first : first + 20]
    open_table(page, "Back to the sound")
    rows = table(page, "B − A. First 20 of 20")
    assert [np.float32(number(row[1])) for row in rows] == list(change)
    assert [row[0] for row in rows] == list(b.token_labels)
    assert page.locator("audio").count() == 2  # the difference cannot be heard


def test_two_parts_of_equal_length_are_not_taken_for_the_same(view: Callable[..., Page]) -> None:
    a, b = make_explanation("audio", tokens=20), make_explanation("audio", tokens=20, seed=5)
    media = [sound_media(np.zeros(3200, np.float32), 8000, start=start) for start in (0.0, 0.2)]
    payload = {"compare": b, "media": media[0], "compare_media": media[1]}
    page = view(a, section="input", payload=payload, state={"side": "difference"})
    open_table(page, "Back to the sound")
    rows = table(page, "B − A. First 10 of 10")
    assert [np.float32(number(row[1])) for row in rows] == list(
        b.token_attribution[:10] - a.token_attribution[10:]
    )


def test_sounds_that_share_no_moment_are_not_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation("audio", tokens=5), make_explanation("audio", tokens=8, seed=5)
    media = sound_media(np.zeros(800, np.float32), 8000, start=30.0)
    page = view(
        a, section="input", payload={"compare": b, "compare_media": media}, state={"side": "difference"}
    )
    assert "cannot be subtracted part by part" in page.locator("#here").inner_text()


def test_a_difference_between_classes_says_so(view: Callable[..., Page]) -> None:
    a = make_explanation("image", seed=1)
    other = (a.explained + 1) % len(a.class_names)
    page = view(
        a, section="input", payload={"compare": replace(a, explained=other)}, state={"side": "difference"}
    )
    names = a.class_names
    said = f"“{names[other]}” minus “{names[a.explained]}”: the two explain different classes."
    assert page.locator(".dv-note", has_text=said).count() == 1
    page = view(a, section="input", payload={"compare": a}, state={"side": "difference"})
    assert "different classes" not in page.locator("#here").inner_text()


def test_equal_parameters_are_said_to_be_equal(view: Callable[..., Page]) -> None:
    e = make_explanation()
    page = view(e, section="parameters", payload={"compare": e}, state={"side": "difference"})
    assert page.locator(".dv-note", has_text="A and B have the same parameters.").count() == 1
    assert page.get_by_label("Input", exact=True).count() == 0
    assert page.locator(MAP).count() == 2


def test_parameters_and_features_of_two_models_are_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    page = view(a, payload={"compare": b}, state={"tab": "parameters", "side": "difference"})
    change = b.mean_offset - a.mean_offset
    rows = table(page, "Change of the learned parameters, B − A")
    assert rows[0][0] == "Mean offset δ (change)"
    assert [number(t) for t in rows[0][2:5]] == pytest.approx(
        [change.min(), change.max(), change.mean()], rel=1e-3
    )
    open_table(page, "Mean offset δ")
    first = table(page, "First 20 of 32")
    assert [np.float32(number(t)) for t in first[7][1:]] == list(change[:, 7])
    set_state(page, tab="layers", quantity="gate")
    open_table(page, "Layer profile")
    shares = b.layer_contribution - a.layer_contribution
    rows = table(page, "Change in percentage points")
    found = np.array([[number(text) for text in row[1:]] for row in rows])
    assert found[:, :4] == pytest.approx(shares.T, rel=1e-3, abs=1e-6)
    assert found[:, 4] == pytest.approx(shares.sum(0), rel=2e-3, abs=1e-5)
    mean = (b.gate - a.gate).astype(np.float64).mean((0, 1))
    top = table(page, "Top 10 features by mean gate change")
    assert [int(row[1]) for row in top] == list(np.argsort(-np.abs(mean))[:10])


def test_words_of_two_results_stand_below_each_other(view: Callable[..., Page]) -> None:
    a, b = make_explanation("text", seed=1), make_explanation("text", seed=9)
    page = view(a, payload={"compare": b, "names": ("before", "after")}, section="input")
    page.get_by_label("Input", exact=True).select_option("difference")
    assert page.locator(".dv-words").count() == 3  # the same text: the change as well
    page.locator(".dv-words").nth(2).locator(".dv-word").first.hover()
    change = float(b.token_attribution[1:3].sum() - a.token_attribution[1:3].sum())
    tip = page.locator(".dv-tip").nth(2).inner_text()
    assert number(tip.split("” ")[1].split(" logits")[0]) == pytest.approx(change, rel=1e-3)


def test_maps_of_different_shape_are_not_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation(features=32), make_explanation(features=16)
    page = view(a, payload={"compare": b}, state={"tab": "compare"})
    assert "4 × 6 × 32 and 4 × 6 × 16" in page.locator("#here").inner_text()
    set_state(page, tab="heatmap", side="difference")
    assert state(page)["side"] == "a"
    set_state(page, side="b")
    found = hover(page, 0, 1, 2)
    assert np.float32(number(found["Gate"])) == b.gate[0, 1, 2]
