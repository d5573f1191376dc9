"""Maps of the interactive view in a real browser: colours, numbers, zoom, keyboard, many heads."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from daam_core.reading.heads import head_order, head_similarity
from daam_core.result import Explanation
from daam_core.view.page import view_html
from daam_core.view.payload import view_array, view_payload
from tests.browser import view_page
from tests.browser.view_page import (
    MAP,
    TABS,
    colour_of,
    contrast,
    hover,
    number,
    open_table,
    pixel,
    place,
    readout,
    set_state,
    settle,
    state,
    table,
)
from tests.support.builders import make_explanation

view = view_page.view


# ---- map of one head ------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [(0, 0), (5, 31), (3, 17)])
def test_hover_reads_the_exact_numbers(view: Callable[..., Page], cell: tuple[int, int]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="heatmap", state={"head": 1})
    found = hover(page, 1, *cell)
    assert (found["Head"], found["Layer"], found["Feature"]) == ("1", str(cell[0]), str(cell[1]))
    for name, array in {"Value": e.values[None], "Gate": e.gate, "DA": e.density_attention}.items():
        wanted = array[(1 if name != "Value" else 0, *cell)]
        assert np.float32(number(found[name])) == wanted, name
    assert np.float32(number(found["Class"])) == e.class_importance[(1, *cell)]
    # The test's own importance is computed in float64, the view's in float32 like the model's.
    assert number(found["IF"]) == pytest.approx(float(e.importance[(1, *cell)]), rel=1e-5, abs=1e-7)


def test_click_selects_and_tells(view: Callable[..., Page]) -> None:
    page = view(make_explanation(), section="heatmap", state={"head": 2})
    at = place(page, 2, 4, 7)
    page.mouse.click(at["x"], at["y"])
    assert state(page)["cell"] == {"layer": 4, "feature": 7}
    assert page.evaluate("() => selections") == [{"head": 2, "layer": 4, "feature": 7}]
    page.mouse.move(0, 0)
    assert readout(page)["Feature"] == "7"  # the selected cell stays readable


def test_colours_are_those_of_the_palette_and_the_scale(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    page = view(e, section="heatmap")
    layer, feature = np.unravel_index(e.importance[0].argmax(), e.importance[0].shape)
    share = float(e.importance[0, layer, feature])
    for palette in ("cividis", "viridis"):
        set_state(page, palette=palette)
        drawn, wanted = pixel(page, 0, int(layer), int(feature)), colour_of(palette, share)
        assert np.abs(np.subtract(drawn, wanted)).max() <= 3  # a step of the table at most
    set_state(page, palette="grey", scale="per_head")
    assert pixel(page, 0, int(layer), int(feature)) == (255, 255, 255)


def test_signed_maps_are_centred_at_zero(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    page = view(e, section="heatmap", state={"quantity": "class_importance"})
    values = e.class_importance[0]
    high = np.unravel_index(values.argmax(), values.shape)
    low = np.unravel_index(values.argmin(), values.shape)
    red, _, blue = pixel(page, 0, int(high[0]), int(high[1]))
    assert red > blue
    red, _, blue = pixel(page, 0, int(low[0]), int(low[1]))
    assert blue > red
    numbers = [number(t) for t in page.locator(".dv-bar-numbers span").all_text_contents()]
    size = float(np.abs(e.class_importance).max())
    assert numbers == pytest.approx([-size, 0, size], rel=1e-3)


def test_a_logarithmic_scale_gives_each_factor_the_same_step(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=1)
    page = view(e, section="heatmap", state={"quantity": "density_attention", "colours": "log"})
    highest = float(e.density_attention.max())
    for layer, feature in ((0, 3), (2, 9), (4, 20), (5, 30)):
        value = float(e.density_attention[0, layer, feature])
        share = max(0.0, 1 + np.log10(value / highest) / 4)
        drawn, wanted = pixel(page, 0, layer, feature), colour_of("cividis", share)
        assert np.abs(np.subtract(drawn, wanted)).max() <= 6, (value, share)
    numbers = [number(t) for t in page.locator(".dv-bar-numbers span").all_text_contents()]
    assert numbers[1] == pytest.approx(highest / 100, rel=0.05)
    assert "Logarithmic colours" in page.locator(".dv-bar-text").inner_text()


def test_maps_begin_with_the_few_layers_that_hold_nearly_all(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2, layers=8)
    density = np.full(e.density_attention.shape, 0.001, dtype=np.float32)
    density[0, 7] = e.density_attention[0, 7]  # head 1 stays spread over its layers
    density[1] = e.density_attention[1]
    e = replace(e, density_attention=density)
    page = view(e, section="heads", state={"quantity": "density_attention"})
    figure = page.locator(".dv-figure").first
    first, second = (figure.locator(".dv-map-box").nth(i) for i in (0, 1))
    assert first.locator(".dv-row-ticks span").all_inner_texts() == ["7"]
    assert len(second.locator(".dv-row-ticks span").all_inner_texts()) > 3
    held = 100 * density[0, 7].sum(dtype=np.float64) / density[0].sum(dtype=np.float64)
    strip = first.locator(".dv-strip")
    assert strip.inner_text().split("\n")[-1] == f"Layer 7 holds {held:.1f} % of the map."
    assert strip.locator("li").count() == 8
    # Every number is still the array's: of the cell that is pointed at, and of its colour.
    for feature in (0, e.shape[2] - 1):
        assert number(hover(page, 0, 7, feature)["DA"]) == density[0, 7, feature]
    # Bars of the other layers are seen as well, on a light and on a dark page.
    for theme in ("light", "dark"):
        page.evaluate("(theme) => { view.options = {theme}; }", theme)
        bar = "getComputedStyle(document.querySelector('.dv-strip li:not(.dv-strong) span')).backgroundColor"
        ground = "getComputedStyle(view.root).getPropertyValue('--dv-surface')"
        assert contrast(page.evaluate(bar), page.evaluate(ground)) >= 3, theme
    # Zoomed in, features are; zoomed out as far as it goes, all layers are there, and so they are on demand.
    first.locator(MAP).focus()
    page.keyboard.press("+")
    settle(page)
    zoom = state(page)["zoom"]
    assert (zoom["y0"], zoom["y1"], zoom["x1"] - zoom["x0"]) == (0, 8, e.shape[2] / 2)
    page.keyboard.press("0")
    settle(page)
    assert state(page)["zoom"] is None
    assert state(page)["layers"] == "all"
    figure.get_by_role("button", name="Magnify the strongest layers").click()
    settle(page)
    assert first.locator(".dv-row-ticks span").all_inner_texts() == ["7"]
    page.keyboard.press("Escape")
    # What is selected elsewhere in a magnified head is shown there.
    set_state(page, head=0, cell={"layer": 2, "feature": 1})
    assert place(page, 0, 2, 1)
    figure.get_by_role("button", name="Show all layers").click()
    settle(page)
    assert state(page)["layers"] == "all"


def test_colours_by_layer_show_the_pattern_of_a_weak_one(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=1, layers=8)
    values = np.array(e.class_importance)
    values[0, 3] *= 1e-3
    page = view(
        replace(e, class_importance=values),
        section="heatmap",
        state={"quantity": "class_importance", "colours": "layer", "layers": "all", "palette": "cividis"},
    )
    strongest = int(np.abs(values[0, 3]).argmax())
    other = int(np.abs(values[0, 5]).argmax())
    same_sign = np.sign(values[0, 3, strongest]) == np.sign(values[0, 5, other])
    assert (pixel(page, 0, 3, strongest) == pixel(page, 0, 5, other)) == same_sign
    assert number(hover(page, 0, 3, strongest)["Class"]) == values[0, 3, strongest]
    assert page.locator(".dv-bar-numbers span").all_inner_texts() == ["−largest", "0", "largest"]
    assert "each layer goes up to its own largest number" in page.locator(".dv-bar-text").inner_text()


def test_axes_are_named_on_the_map(view: Callable[..., Page]) -> None:
    page = view(make_explanation(heads=2), section="heatmap")
    named = page.locator(".dv-row-title"), page.locator(".dv-column-title")
    assert [title.inner_text() for title in named] == ["Layer", "Feature"]
    assert place(page, 0, 0, 0)["y"] < place(page, 0, 5, 0)["y"]  # in the order of print
    page = view(make_explanation(heads=2), section="parameters")
    assert page.locator(".dv-row-title").all_inner_texts() == ["Head", "Head"]


def test_the_range_is_always_printed(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    page = view(e, section="heatmap", state={"quantity": "density_attention"})

    def printed() -> list[float]:
        return [number(t) for t in page.locator(".dv-bar-numbers span").all_text_contents()]

    whole = e.density_attention
    assert printed()[::2] == pytest.approx([whole.min(), whole.max()], rel=1e-3, abs=1e-6)
    set_state(page, scale="per_head")
    assert printed()[::2] == pytest.approx([whole[0].min(), whole[0].max()], rel=1e-3, abs=1e-6)
    set_state(page, colours="rank")
    assert printed()[1] == pytest.approx(np.median(whole[0]), rel=0.05)
    assert "rank" in page.locator(".dv-bar-text").inner_text()


def test_a_constant_map_is_said_to_be_constant(view: Callable[..., Page]) -> None:
    page = view(make_explanation(constant=True, heads=2))
    assert "Constant map" in page.locator(".dv-bar-text").first.inner_text()
    assert page.locator(".dv-map-caption .dv-number").first.inner_text() == "constant, 0"
    for tab in TABS:
        set_state(page, tab=tab)
        assert "NaN" not in page.locator("#here").inner_text()


def test_layers_that_a_head_does_not_see_are_striped_not_coloured(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2, mode="layer_groups")
    page = view(e, section="heatmap")
    table_colours = {tuple(round(255 * c) for c in mpl.colormaps["cividis"](i)[:3]) for i in range(256)}
    assert pixel(page, 0, 0, 5) in table_colours
    assert pixel(page, 0, 5, 5) not in table_colours
    assert hover(page, 0, 5, 5)["Gate"] == "–"
    assert page.locator(".dv-readout-title").inner_text() == "Not seen by this head"
    page.get_by_label("Head", exact=True).select_option("1")
    settle(page)
    assert pixel(page, 1, 5, 5) in table_colours


def small_numbers() -> Explanation:
    """Gates so narrow that most numbers are long: many digits and an exponent, some with a sign."""
    e = make_explanation(heads=3)
    return replace(e, scaled_variance=e.scaled_variance * 0.01, gate=e.gate**20 * np.float32(1.0001))


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_the_readouts_numbers_stand_apart(view: Callable[..., Page], width: int) -> None:
    e = small_numbers()
    page = view(e, section="heatmap", state={"head": 1, "cell": {"layer": 2, "feature": 7}})
    page.set_viewport_size({"width": width, "height": 800})
    settle(page)
    shown = page.locator(".dv-readout data")
    boxes = [shown.nth(i).bounding_box() for i in range(shown.count())]
    assert len(boxes) == 5
    room = page.locator(".dv-readout").bounding_box()
    for i, box in enumerate(boxes):
        assert box["x"] + box["width"] <= room["x"] + room["width"]
        for other in boxes[i + 1 :]:
            beside = box["x"] + box["width"] < other["x"] or other["x"] + other["width"] < box["x"]
            below = box["y"] + box["height"] <= other["y"] or other["y"] + other["height"] <= box["y"]
            assert beside or below
    # Four digits are read, all are there to hover and to copy.
    whole = float(e.gate[1, 2, 7])
    gate = page.locator(".dv-readout-list > div", has_text="Gate").locator("data")
    assert number(gate.inner_text()) == pytest.approx(whole, rel=6e-4)
    assert np.float32(number(gate.get_attribute("title") or "")) == np.float32(whole)
    assert len(re.sub(r"e.*|[^0-9]|^0\.0*", "", gate.inner_text())) <= 4
    copied = page.evaluate(
        """() => {
            const event = new ClipboardEvent('copy', {clipboardData: new DataTransfer(), bubbles: true,
                cancelable: true});
            getSelection().selectAllChildren(document.querySelector('.dv-readout-list'));
            document.querySelector('.dv-readout-list').dispatchEvent(event);
            return event.clipboardData.getData('text/plain');
        }"""
    )
    facts = dict(zip(copied.split()[0::2], copied.split()[1::2], strict=True))
    assert np.float32(number(facts["Gate"])) == np.float32(whole)
    assert (facts["Layer"], facts["Feature"]) == ("2", "7")


@pytest.mark.parametrize("width", [390, 1280])
def test_the_readout_stays_in_sight_beside_every_map(view: Callable[..., Page], width: int) -> None:
    page = view(make_explanation(heads=8), section="heads", state={"cell": {"layer": 2, "feature": 7}})
    page.set_viewport_size({"width": width, "height": 500})
    settle(page)
    for head in range(8):
        page.locator(MAP).nth(head).evaluate("map => map.scrollIntoView({block: 'center'})")
        box = page.locator(".dv-readout").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 500
        shown = page.locator(MAP).nth(head).bounding_box()
        assert shown["y"] >= box["y"] + box["height"] or shown["y"] + shown["height"] <= box["y"]


# ---- large maps -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large() -> Explanation:
    """40 × 5120 with one hot cell."""
    return make_explanation(heads=2, layers=40, features=5120, tokens=3, dataset=False, planted=(1, 17, 3333))


def ask(page: Page, e: Explanation) -> list[tuple[str, Any]]:
    """Lets the page ask for exact arrays, as the app does. Returns the list of what was asked."""
    asked: list[tuple[str, Any]] = []

    def answer(_: str, name: str, head: int | None) -> dict[str, Any]:
        asked.append((name, head))
        return view_array(e, name, head=head)

    page.expose_function("exactArray", answer)
    page.evaluate("() => { window.serve = exactArray; }")
    return asked


def test_a_large_map_is_drawn_within_a_second(
    view: Callable[..., Page], page: Page, large: Explanation
) -> None:
    page.evaluate("payload => { window.text = payload; }", json.dumps(view_payload(large)))
    # From the text that arrives to the frame in which every map has its colours. A few tries, since a
    # busy machine is no property of the view.
    seconds = page.evaluate(
        """async () => {
            const once = () => new Promise((done) => {
                const start = performance.now();
                const view = document.createElement('daam-view');
                document.getElementById('here').replaceChildren(view);
                view.options = {section: 'heads'};
                view.payload = text;
                const drawn = () => {
                    const maps = Array.from(document.querySelectorAll('.dv-multiples .dv-map-canvas'));
                    const full = maps.length === 2 && maps.every((c) => c.width > 300 &&
                        c.getContext('2d').getImageData(c.width - 1, c.height - 1, 1, 1).data[3] === 255);
                    if (full) { view.remove(); done((performance.now() - start) / 1000); }
                    else requestAnimationFrame(drawn);
                };
                drawn();
            });
            let best = Infinity;
            for (let i = 0; i < 8 && best >= 1; i += 1) best = Math.min(best, await once());
            return best;
        }"""
    )
    assert seconds < 1


def test_arrays_that_come_later_are_asked_for_head_by_head(view: Callable[..., Page], page: Page) -> None:
    """What was sent for one head says nothing of another; nothing rounded is printed as exact."""
    a, b = (make_explanation(heads=3, layers=6, features=40, seed=seed) for seed in (1, 9))
    rounded = view_payload(a, compare=b, limit=800)  # some maps rounded, most left out
    kinds = {name: spec.get("dtype", "lazy") for name, spec in rounded["a"]["arrays"].items()}
    assert kinds["class_importance"] == kinds["dataset_gate"] == "lazy"
    assert "uint8" in kinds.values()
    asked: list[tuple[str, str, int | None]] = []

    def answer(side: str, name: str, head: int | None) -> dict[str, Any]:
        asked.append((side, name, head))
        return view_array({"a": a, "b": b}[side], name, head=head)

    page.expose_function("exactArray", answer)
    page.evaluate("() => { window.serve = exactArray; }")
    page = view(
        a, payload={"compare": b, "limit": 800}, state={"tab": "heatmap", "quantity": "class_importance"}
    )
    for head in (0, 1):
        set_state(page, head=head, cell={"layer": 2, "feature": 5})
        page.wait_for_function("() => !document.querySelector('.dv-readout').textContent.includes('≈')")
        page.wait_for_function("() => !document.querySelector('.dv-readout').textContent.includes('–')")
        assert np.float32(number(readout(page)["Class"])) == a.class_importance[head, 2, 5]
    # The cell's numbers, once it is selected.
    page.wait_for_function("() => !document.querySelector('#here').textContent.includes('≈')")
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[5])) for row in rows] == list(a.gate[:, 2, 5])
    # Two heads at once, and sums over all heads.
    set_state(page, tab="heads", pair=[2, 1])
    open_table(page, "One head minus another")
    page.wait_for_function("() => !document.querySelector('#here').textContent.includes('Loading')")
    difference = a.class_importance[2] - a.class_importance[1]
    largest = table(page, "Head 2 and Head 1: the 10 largest differences")[0]
    flat = int(np.abs(difference).argmax())
    assert [int(largest[0]), int(largest[1])] == list(np.unravel_index(flat, difference.shape))
    assert np.float32(number(largest[4])) == difference.ravel()[flat]
    set_state(page, tab="layers")
    page.wait_for_function("() => !document.querySelector('#here').textContent.includes('Loading')")
    mean = a.class_importance.astype(np.float64).mean((0, 1))
    top = table(page, "Top 10 features by mean class")
    assert [int(row[1]) for row in top] == list(np.argsort(-np.abs(mean))[:10])
    # Against the data set, whose scale needs every head though one is shown.
    set_state(page, tab="dataset", head=1)
    open_table(page, "Against the data set")
    page.wait_for_function(
        "() => !/≈|Loading/.test(document.querySelector('#here').textContent) && "
        "document.querySelectorAll('#here tbody tr').length === 10"
    )
    assert a.dataset is not None
    rows = table(page, "Head 1: the 10 largest differences")
    for row in rows:
        at = (1, int(row[0]), int(row[1]))
        assert number(row[3]) == pytest.approx(a.dataset.importance[at], rel=1e-5)
        assert number(row[2]) == pytest.approx(a.importance[at], rel=1e-5)
    assert ("a", "dataset_gate", 1) in asked
    assert not any(side == "b" for side, _, _ in asked)  # nothing of what is not shown


def test_arrays_are_asked_for_once_and_told_of_once(view: Callable[..., Page], page: Page) -> None:
    """However often the pointer moves while they are on their way; and only of heads that there are."""
    a, b = make_explanation(heads=2, features=40), make_explanation(heads=4, features=40, seed=9)
    asked: list[tuple[str, str, int | None]] = []

    def answer(side: str, name: str, head: int | None) -> dict[str, Any]:
        asked.append((side, name, head))
        return view_array({"a": a, "b": b}[side], name, head=head)

    page.expose_function("exactArray", answer)
    page.evaluate(
        """() => { window.serve = async (side, name, head) => {
            await new Promise((done) => setTimeout(done, 150));
            return exactArray(side, name, head);
        }; }"""
    )
    page = view(a, section="heatmap", payload={"compare": b, "limit": 900}, state={"side": "b", "head": 3})
    page.evaluate(
        """() => {
            window.told = 0;
            const { changed } = view.store;
            view.store.changed = (keys) => {
                if (keys.has('arrays')) window.told += 1;
                changed(keys);
            };
        }"""
    )
    at = place(page, 3, 2, 5)
    for step in range(40):
        page.mouse.move(at["x"] + step, at["y"])
        page.wait_for_timeout(20)
    page.wait_for_function("() => !document.querySelector('.dv-readout').textContent.includes('≈')")
    assert len(asked) == len(set(asked))
    assert all(side == "b" for side, _, _ in asked)
    assert page.evaluate("() => told") <= len(asked)


def test_the_planted_cell_is_visible_unzoomed_and_its_numbers_are_exact(
    view: Callable[..., Page], page: Page, large: Explanation
) -> None:
    asked = ask(page, large)
    view(large, section="heatmap", state={"head": 1})
    assert pixel(page, 1, 17, 3333) == colour_of("cividis", 1.0)
    statement = page.locator(".dv-note").last.inner_text()
    assert "5,120 features on" in statement
    assert "each pixel shows the maximum of up to 5 features" in statement
    found = hover(page, 1, 17, 3333)
    assert (found["Layer"], found["Feature"]) == ("17", "3333")
    page.wait_for_function("() => !/≈|–/.test(document.querySelector('.dv-readout').textContent)")
    found = readout(page)
    assert np.float32(number(found["DA"])) == large.density_attention[1, 17, 3333]
    assert np.float32(number(found["Value"])) == large.values[17, 3333]
    assert np.float32(number(found["Gate"])) == large.gate[1, 17, 3333]
    assert np.float32(number(found["Class"])) == large.class_importance[1, 17, 3333]
    assert number(found["IF"]) == 1
    assert ("density_attention", 1) in asked
    assert all(head in (1, None) for _, head in asked)  # nothing of the other head
    other = hover(page, 1, 3, 100)
    assert "≈" not in "".join(other.values())
    assert np.float32(number(other["Gate"])) == large.gate[1, 3, int(other["Feature"])]


def test_mean_binning_hides_what_maximum_shows(
    view: Callable[..., Page], page: Page, large: Explanation
) -> None:
    ask(page, large)
    view(large, section="heatmap", state={"head": 1, "binning": "mean"})
    assert pixel(page, 1, 17, 3333) != colour_of("cividis", 1.0)
    assert "shows the mean of up to" in page.locator(".dv-note").last.inner_text()


def test_without_a_way_to_ask_rounded_numbers_are_marked(
    view: Callable[..., Page], page: Page, large: Explanation
) -> None:
    view(large, section="heatmap", state={"head": 1})
    found = hover(page, 1, 2, 2000)
    assert found["DA"].startswith("≈")
    width = np.ptp(large.density_attention[1])
    feature = int(found["Feature"])
    assert number(found["DA"].strip("≈ ")) == pytest.approx(
        large.density_attention[1, 2, feature], abs=float(width) / 500
    )
    set_state(page, quantity="class_importance")
    assert "too large to be part of this page" in page.locator(".dv-missing").inner_text()


# ---- zoom, pan, keyboard --------------------------------------------------------------------------


def test_wheel_zooms_about_the_pointer_and_drag_pans(view: Callable[..., Page]) -> None:
    page = view(make_explanation(features=400), section="heatmap")
    at = place(page, 0, 2, 100)
    page.mouse.move(at["x"], at["y"])
    page.mouse.wheel(0, -240)
    settle(page)
    assert state(page)["zoom"] is None  # nobody has turned to this map: the page scrolls
    page.keyboard.down("Control")
    page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    settle(page)
    zoom = state(page)["zoom"]
    assert zoom["x1"] - zoom["x0"] < 200
    after = place(page, 0, 2, 100)
    assert after["x"] == pytest.approx(at["x"], abs=1.5)
    page.mouse.down()
    page.mouse.move(at["x"] + 120, at["y"], steps=4)
    page.mouse.up()
    settle(page)
    assert place(page, 0, 2, 100)["x"] == pytest.approx(at["x"] + 120, abs=3)
    assert page.evaluate("() => selections") == []  # a drag selects nothing
    page.get_by_role("button", name="Show everything").click()
    assert state(page)["zoom"] is None


@pytest.mark.parametrize("width", [390, 768, 1280])
@pytest.mark.parametrize("compared", [False, True])
def test_no_map_moves_under_the_pointer(view: Callable[..., Page], width: int, compared: bool) -> None:
    """The box that reads a cell out keeps its height, so that a click selects the cell it points at."""
    e, other = make_explanation(heads=2, features=320), make_explanation(heads=2, features=320, seed=4)
    for section in ("heatmap", "heads"):
        page = view(
            e,
            section=section,
            payload={"compare": other, "names": ("a sound of some length", "another · model")}
            if compared
            else None,
            state={"side": "difference" if compared else "a"},
        )
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        at = place(page, 0, 4, 100)
        page.mouse.move(at["x"], at["y"])
        settle(page)
        assert place(page, 0, 4, 100)["y"] == at["y"]
        page.mouse.down()
        page.mouse.up()
        assert state(page)["cell"] == {"layer": 4, "feature": 100}
        page.mouse.move(2, 2)
        settle(page)
        assert place(page, 0, 4, 100)["y"] == at["y"]


def test_the_page_scrolls_when_there_is_nothing_left_to_zoom_out_of(view: Callable[..., Page]) -> None:
    page = view(make_explanation())
    at = place(page, 0, 1, 1)
    page.mouse.move(at["x"], at["y"])
    page.mouse.wheel(0, 300)
    page.wait_for_function("() => window.scrollY > 0")
    assert state(page)["zoom"] is None


def test_two_fingers_zoom(browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.set_content(view_html(make_explanation(features=200), state={"tab": "heatmap"}))
    settle(page)
    page.locator(MAP).first.scroll_into_view_if_needed()
    box = page.locator(MAP).first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = context.new_cdp_session(page)

    def touch(kind: str, *reaches: float) -> None:
        points = [{"x": x - r, "y": y, "id": 0} for r in reaches] + [
            {"x": x + r, "y": y, "id": 1} for r in reaches
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 30)
    for reach in (45, 60, 80, 100):
        touch("touchMove", reach)
    touch("touchEnd")
    settle(page)
    zoom = page.evaluate("() => document.querySelector('daam-view').state.zoom")
    assert zoom is not None
    assert 40 < zoom["x1"] - zoom["x0"] < 100
    assert page.evaluate("() => document.querySelector('daam-view').state.cell") is None
    page.touchscreen.tap(x, y)
    assert page.evaluate("() => document.querySelector('daam-view').state.cell") is not None
    context.close()


def test_the_keyboard_reaches_every_cell_and_reads_it_out(view: Callable[..., Page]) -> None:
    e = make_explanation(features=40)
    page = view(e, section="heatmap")
    page.locator(MAP).focus()
    live = page.locator(".dv-map [aria-live]")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("Head 0, layer 0, feature 0: IF ")
    for key in ("ArrowRight", "ArrowRight", "ArrowDown", "Shift+ArrowRight"):
        page.keyboard.press(key)
    expect(live).to_contain_text("layer 1, feature 12:")
    spoken = live.inner_text().split("IF ")[1].split(",")[0]
    assert number(spoken) == pytest.approx(float(e.importance[0, 1, 12]), rel=5e-4)
    page.keyboard.press("End")
    expect(live).to_contain_text("layer 1, feature 39:")
    page.keyboard.press("Control+End")
    expect(live).to_contain_text("layer 5, feature 39:")
    page.keyboard.press("ArrowRight")
    expect(live).to_contain_text("layer 5, feature 39:")  # the border holds
    page.keyboard.press("Home")
    expect(live).to_contain_text("layer 5, feature 0:")
    page.keyboard.press("m")
    layer, feature = np.unravel_index(e.importance[0].argmax(), e.importance[0].shape)
    expect(live).to_contain_text(f"layer {layer}, feature {feature}:")
    page.keyboard.press("Enter")
    assert state(page)["cell"] == {"layer": layer, "feature": feature}
    page.keyboard.press("+")
    page.keyboard.press("+")
    zoom = state(page)["zoom"]
    assert zoom["x1"] - zoom["x0"] == pytest.approx(10)
    assert zoom["x0"] <= feature < zoom["x1"]
    page.keyboard.press("Home")  # moves the part shown along
    assert state(page)["zoom"]["x0"] == 0
    page.keyboard.press("-")
    assert state(page)["zoom"]["x1"] == pytest.approx(20)
    page.keyboard.press("0")
    assert state(page)["zoom"] is None


# ---- all heads ------------------------------------------------------------------------------------


def test_heads_share_scale_zoom_selection_and_pointer(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=4, features=200)
    page = view(e, section="heads")
    strongest = np.unravel_index(e.importance.argmax(), e.importance.shape)
    assert pixel(page, *map(int, strongest)) == colour_of("cividis", 1.0)
    weak = int(e.importance.max((1, 2)).argmin())
    layer, feature = np.unravel_index(e.importance[weak].argmax(), e.importance[weak].shape)
    assert pixel(page, weak, int(layer), int(feature)) != colour_of("cividis", 1.0)
    set_state(page, scale="per_head")
    assert pixel(page, weak, int(layer), int(feature)) == colour_of("cividis", 1.0)
    set_state(page, scale="all_heads")

    at = place(page, 0, 1, 150)
    page.mouse.move(at["x"], at["y"])
    page.locator(MAP).first.focus()
    page.mouse.wheel(0, -300)
    settle(page)
    zoomed = [place(page, head, 1, 150) is not None for head in range(4)]
    assert zoomed == [True] * 4
    assert place(page, 3, 1, 10) is None
    marked = page.evaluate(
        """() => Array.from(document.querySelectorAll('.dv-multiples .dv-map-overlay')).map((c) =>
            c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v > 0))"""
    )
    assert marked == [True] * 4  # the pointer shows on every map
    at = place(page, 2, 3, 150)
    page.mouse.click(at["x"], at["y"])
    assert state(page)["cell"]["layer"] == 3
    assert state(page)["head"] == 2
    feature = state(page)["cell"]["feature"]
    assert np.float32(number(readout(page)["Gate"])) == e.gate[2, 3, feature]


def test_heads_are_chosen_and_ordered_by_contribution(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=5)
    page = view(e, section="heads", state={"display": "open"})

    def shown() -> list[str]:
        return page.locator(".dv-multiples .dv-link .dv-head-name").evaluate_all(
            "all => all.map((one) => one.childNodes[1].textContent)"
        )

    assert shown() == [f"Head {h}" for h in range(5)]
    page.get_by_role("radio", name="Contribution").check()
    assert shown() == [f"Head {h}" for h in head_order(e.layer_contribution)]
    for head in (0, 3):
        page.get_by_role("checkbox", name=f"Head {head}").uncheck()
    assert sorted(shown()) == ["Head 1", "Head 2", "Head 4"]
    assert state(page)["heads"] == [1, 2, 4]
    shares = page.locator(".dv-multiples .dv-share").all_text_contents()
    wanted = e.layer_contribution.sum(1)[[h for h in head_order(e.layer_contribution) if h in (1, 2, 4)]]
    assert [number(s.split("%")[0]) for s in shares] == pytest.approx(wanted, rel=5e-3)


def test_of_many_heads_the_strongest_are_shown_when_ordered_so(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=11)
    page = view(e, section="heads", state={"order": "contribution", "display": "open"})
    shown = page.locator(".dv-multiples .dv-link .dv-head-name").evaluate_all(
        "all => all.map((one) => Number(one.childNodes[1].textContent.slice(5)))"
    )
    assert shown == list(head_order(e.layer_contribution)[:8])
    ninth = next(h for h in range(11) if h not in shown)
    page.get_by_role("checkbox", name=f"Head {ninth}", exact=True).click()
    assert state(page)["heads"] is None  # eight are the most


def test_heads_with_layers_of_their_own_show_only_those(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3, mode="layer_groups", layers=9, features=100)
    page = view(e, section="heads")
    for head in range(3):
        visible = [place(page, head, layer, 5) is not None for layer in range(9)]
        assert visible == list(e.head_layers[head])
    at = place(page, 1, 4, 50)
    page.mouse.move(at["x"], at["y"])
    page.locator(MAP).nth(1).focus()
    page.mouse.wheel(0, -300)
    settle(page)
    zoom = state(page)["zoom"]
    assert (zoom["y0"], zoom["y1"]) == (0, 9)
    assert place(page, 2, 8, 50)["x"] > 0
    assert place(page, 2, 8, 1) is None
    found = hover(page, 2, 8, 50)
    assert np.float32(number(found["Gate"])) == e.gate[2, 8, 50]
    page.get_by_role("button", name="Show everything").click()
    assert state(page)["zoom"] is None


@pytest.mark.parametrize("section", ["heads", "heatmap", "parameters", "dataset"])
def test_the_binning_is_stated_with_the_pixels_that_are_there(
    view: Callable[..., Page], section: str
) -> None:
    e = make_explanation(heads=2, layers=6, features=3000)
    page = view(e, section=section)
    for state_ in (
        {"binning": "mean"},
        {"binning": "max"},
        {"head": 1},
        {"zoom": {"x0": 0, "x1": 2900, "y0": 0, "y1": 6}},
    ):
        set_state(page, **state_)
        settle(page)
        width = page.locator(".dv-map-canvas").first.evaluate("canvas => canvas.width")
        said = page.locator(".dv-binning:visible").first.inner_text()
        features = 2900 if "zoom" in state_ else 3000
        assert f"{features:,} features on {width:,} pixels: each pixel shows the" in said
        assert ("the mean of" in said) == (state_.get("binning") == "mean" and section != "parameters")


def test_one_head_minus_another(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="heads", state={"quantity": "gate", "pair": [2, 0]})
    difference = e.gate[2] - e.gate[0]
    size = np.abs(difference).max()
    printed = page.locator(
        ".dv-figure:has-text('One head minus another') .dv-bar-numbers span"
    ).all_text_contents()
    assert [number(t) for t in printed] == pytest.approx([-size, 0, size], rel=1e-3)
    open_table(page, "One head minus another")
    rows = table(page, "Head 2 and Head 0: the 10 largest differences")
    order = np.argsort(-np.abs(difference).ravel())[:10]
    for row, flat in zip(rows, order, strict=True):
        layer, feature = np.unravel_index(flat, difference.shape)
        assert [int(row[0]), int(row[1])] == [layer, feature]
        assert np.float32(number(row[4])) == difference[layer, feature]


def test_head_similarity_is_that_of_the_core(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=4)
    page = view(e, section="heads")
    rows = table(page, "Correlation of the gates")
    found = np.array([[number(cell) for cell in row[1:]] for row in rows])
    assert np.allclose(found, head_similarity(e.gate, e.head_layers), atol=0.00501)


def test_heads_without_common_layers_are_not_compared(view: Callable[..., Page]) -> None:
    page = view(make_explanation(heads=2, mode="layer_groups"), section="heads")
    text = page.locator("#here").inner_text()
    assert "see no layer in common" in text
    assert "Every head sees layers of its own" in text
