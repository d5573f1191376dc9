"""The interactive view in a real browser: its numbers against numpy, its behaviour, its access."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import axe_playwright_python
import matplotlib as mpl
import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, Page, expect

from daam_core.figures.interactive import view_array, view_html, view_payload, view_script, view_style
from daam_core.figures.media import picture_media, sound_media
from daam_core.figures.summaries import (
    cell_gaussians,
    effective_mixture,
    gate_entropy,
    head_order,
    head_similarity,
    parameter_summary,
)
from daam_core.importance import importance_factor
from daam_core.result import Explanation
from tests.builders import make_explanation

AXE = Path(axe_playwright_python.__file__).parent / "axe.min.js"
TABS = ("summary", "input", "heads", "heatmap", "layers", "parameters", "dataset", "compare")
MAP = ".dv-map-overlay"


@pytest.fixture
def view(page: Page) -> Iterator[Callable[..., Page]]:
    """Mounts an explanation in an empty page: ``view(explanation, section=…, payload options …)``."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.set_content(
        "<!DOCTYPE html><html lang='en'><title>View</title><style>body{margin:16px}</style>"
        "<main><h1>View</h1><h2>Why</h2><div id='here'></div></main></html>"
    )
    page.add_style_tag(content=view_style())
    page.evaluate("script => { const tag = document.createElement('script'); tag.textContent = script; "
                  "document.head.append(tag); }", view_script())  # fmt: skip

    def mount(explanation: Explanation, *, payload: dict[str, Any] | None = None, **options: Any) -> Page:
        made = view_payload(explanation, **(payload or {}))
        page.evaluate(
            """([payload, options]) => {
                window.changes = [];
                window.selections = [];
                window.view = DaamView.mount(document.getElementById('here'), payload, Object.assign({
                    onChange: (state) => window.changes.push(state),
                    onSelect: (cell) => window.selections.push(cell),
                }, window.more || {}, options));
            }""",
            [json.dumps(made), options],
        )
        settle(page)
        return page

    yield mount
    assert problems == []


def settle(page: Page) -> None:
    """Until the frames that draw are over."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => "
                  "requestAnimationFrame(() => setTimeout(done, 0)))))")  # fmt: skip


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("() => view.getState()")
    return found


def set_state(page: Page, **wanted: Any) -> None:
    page.evaluate("wanted => view.setState(wanted)", wanted)
    settle(page)


def place(page: Page, head: int, layer: int, feature: int) -> dict[str, float]:
    """Client coordinates of a cell."""
    found: dict[str, float] = page.evaluate(
        "c => { const p = view.locate(c); return p && {x: p.x, y: p.y}; }",
        {"head": head, "layer": layer, "feature": feature},
    )
    return found


def pixel(page: Page, head: int, layer: int, feature: int) -> tuple[int, int, int]:
    """The colour drawn for a cell."""
    colour: list[int] = page.evaluate(
        """c => {
            const p = view.locate(c);
            const box = p.canvas.getBoundingClientRect();
            const x = Math.floor((p.x - box.left) / box.width * p.canvas.width);
            const y = Math.floor((p.y - box.top) / box.height * p.canvas.height);
            return Array.from(p.canvas.getContext('2d').getImageData(x, y, 1, 1).data);
        }""",
        {"head": head, "layer": layer, "feature": feature},
    )
    return colour[0], colour[1], colour[2]


def readout(page: Page) -> dict[str, str]:
    pairs: list[list[str]] = page.evaluate(
        "() => Array.from(document.querySelectorAll('.dv-readout-list > div'))"
        ".map((d) => [d.children[0].textContent, d.children[1].textContent])"
    )
    return dict(pairs)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").replace("%", "").strip())


def hover(page: Page, head: int, layer: int, feature: int) -> dict[str, str]:
    at = place(page, head, layer, feature)
    page.mouse.move(at["x"], at["y"])
    return readout(page)


def table(page: Page, caption: str) -> list[list[str]]:
    """Body of the table whose caption begins so."""
    rows: list[list[str]] = page.evaluate(
        """caption => {
            const all = Array.from(document.querySelectorAll('#here table'));
            const one = all.find((t) => t.caption.textContent.startsWith(caption));
            return Array.from(one.tBodies[0].rows).map((r) => Array.from(r.cells).map((c) => c.textContent));
        }""",
        caption,
    )
    return rows


def open_table(page: Page, figure: str) -> None:
    page.get_by_role("region", name=figure, exact=True).get_by_role("button", name="Show as table").click()


def open_tables(page: Page) -> None:
    page.evaluate(
        "() => document.querySelectorAll('.dv-figure-head button[aria-expanded=false]')"
        ".forEach((button) => button.click())"
    )


def colour_of(palette: str, share: float) -> tuple[int, int, int]:
    red, green, blue, _ = mpl.colormaps[palette](round(255 * share))
    return round(255 * red), round(255 * green), round(255 * blue)


# ---- map of one head -----------------------------------------------------------------------------


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


def test_importance_is_that_of_the_core_to_the_last_bit_in_both_scales(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3, mode="layer_groups", layers=9)
    density = torch.from_numpy(e.density_attention)
    seen = torch.from_numpy(e.head_layers)
    shared = importance_factor(density, head_layers=seen)
    e = replace(e, importance_range=torch.stack([shared.minimum, shared.maximum], -1).numpy())
    page = view(e, section="heatmap")
    for scale in ("shared", "per_head"):
        wanted = importance_factor(density, scale=scale, head_layers=seen).importance.numpy()
        for head in range(3):
            # Read through the view's own arrays: all cells at once.
            found = page.evaluate(
                """([payload, head, scale]) => Array.from(
                    new DaamView.Model(payload, 'a', null).map('importance', head, scale))""",
                [view_payload(e)["a"], head, scale],
            )
            assert np.array_equal(np.array(found, np.float32).reshape(wanted[head].shape), wanted[head])


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


def test_rank_colours_give_every_colour_equally_many_cells(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=1, features=200)
    page = view(e, section="heatmap")
    counts = page.evaluate(
        """payload => {
            const map = new DaamView.Model(payload, 'a', null).map('importance', 0, 'shared');
            const scale = DaamView.scale([0, 1], 'cividis', DaamView.rankThresholds([map], false));
            const counts = new Array(256).fill(0);
            map.forEach((v) => { counts[scale.index(v)] += 1; });
            return counts;
        }""",
        view_payload(e)["a"],
    )
    assert sum(counts) == e.importance[0].size
    assert max(counts) - min(counts) <= 1


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
    assert hover(page, 0, 5, 5)["Gate"] == "not seen by this head"
    page.get_by_label("Head", exact=True).select_option("1")
    settle(page)
    assert pixel(page, 1, 5, 5) in table_colours


# ---- large maps ----------------------------------------------------------------------------------


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
    page.evaluate("() => { window.more = {load: (source, name, head) => exactArray(source, name, head)}; }")
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
                const view = DaamView.mount(document.getElementById('here'), text, {section: 'heads'});
                const drawn = () => {
                    const maps = Array.from(document.querySelectorAll('.dv-multiples .dv-map-canvas'));
                    const full = maps.length === 2 && maps.every((c) => c.width > 300 &&
                        c.getContext('2d').getImageData(c.width - 1, c.height - 1, 1, 1).data[3] === 255);
                    if (full) { view.destroy(); done((performance.now() - start) / 1000); }
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
    page.wait_for_function("() => !document.querySelector('.dv-readout').textContent.includes('≈')")
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
    view(large, section="heatmap", state={"head": 1})
    page.get_by_role("radio", name="Mean").check()
    settle(page)
    assert state(page)["binning"] == "mean"
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


# ---- zoom, pan, keyboard -------------------------------------------------------------------------


def test_wheel_zooms_about_the_pointer_and_drag_pans(view: Callable[..., Page]) -> None:
    page = view(make_explanation(features=400), section="heatmap")
    at = place(page, 0, 2, 100)
    page.mouse.move(at["x"], at["y"])
    page.mouse.wheel(0, -240)
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
    zoom = page.evaluate("() => daamView.getState().zoom")
    assert zoom is not None
    assert 40 < zoom["x1"] - zoom["x0"] < 100
    assert page.evaluate("() => daamView.getState().cell") is None
    page.touchscreen.tap(x, y)
    assert page.evaluate("() => daamView.getState().cell") is not None
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
    assert number(spoken) == pytest.approx(float(e.importance[0, 1, 12]), rel=1e-5, abs=1e-7)
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


# ---- all heads -----------------------------------------------------------------------------------


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
    set_state(page, scale="shared")

    at = place(page, 0, 1, 150)
    page.mouse.move(at["x"], at["y"])
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
    page = view(e, section="heads")

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
    shares = page.locator(".dv-multiples .dv-link .dv-quiet").all_text_contents()
    wanted = e.layer_contribution.sum(1)[[h for h in head_order(e.layer_contribution) if h in (1, 2, 4)]]
    assert [number(s) for s in shares] == pytest.approx(wanted, rel=5e-3)


def test_of_many_heads_the_strongest_are_shown_when_ordered_so(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=11)
    page = view(e, section="heads", state={"order": "contribution"})
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
    rows = table(page, "The 10 largest differences")
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


# ---- cell, parameters, layers --------------------------------------------------------------------


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_gaussians_of_a_cell_are_those_of_the_core(
    view: Callable[..., Page], gate_kind: str, mode: str
) -> None:
    e = make_explanation(heads=2, gate_kind=gate_kind, mode=mode, layers=8)
    page = view(e, section="cell")
    found = page.evaluate(
        """payload => DaamView.cellCurves(
            new DaamView.Model(payload, 'a', null), {layer: 5, feature: 9}, false)""",
        view_payload(e)["a"],
    )
    wanted = cell_gaussians(e, 5, 9)
    heads = [head for head in range(2) if wanted.seen[head]]
    assert [curve["head"] for curve in found["heads"]] == heads
    for curve in found["heads"]:
        for name in ("mean", "deviation", "centre", "spread", "peak", "gate"):
            assert curve[name] == pytest.approx(getattr(wanted, name)[curve["head"]], rel=2e-4), name
        # The dot lies on the curve: the drawn Gaussian is the gate that came out.
        assert curve["atValue"] == pytest.approx(curve["gate"], rel=1e-3, abs=1e-6)


def test_the_cell_panel_follows_the_selection(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="cell", state={"cell": {"layer": 2, "feature": 11}})
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[3])) for row in rows] == list(e.gate[:, 2, 11])
    assert page.locator(".dv-chart .dv-dot").count() == 6  # three heads, input and data set
    page.get_by_label("Feature", exact=True).fill("4")
    page.get_by_label("Feature", exact=True).press("Enter")
    assert state(page)["cell"] == {"layer": 2, "feature": 4}
    rows = table(page, "Mean over layers")
    assert [np.float32(number(row[3])) for row in rows] == list(e.gate[:, 2, 4])
    assert e.dataset is not None
    means = page.evaluate(
        """() => Array.from(document.querySelectorAll('#here table')[1].tBodies[0].rows)
            .map((r) => r.cells[r.cells.length - 1].textContent)"""
    )
    assert [np.float32(number(m)) for m in means] == list(e.dataset.gate[:, 2, 4])


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
    note = page.locator(".dv-note", has_text="Head 1, feature 4: ").inner_text()
    learned, initial = note.removesuffix(".").split(": ")[1].split(", at the start ")
    assert np.float32(number(learned)) == e.mean_offset[1, 4]
    assert np.float32(number(initial)) == e.initial_mean_offset[1, 4]


def test_a_mixture_shows_the_one_gaussian_it_amounts_to(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3, gate_kind="mixture")
    page = view(e, section="parameters")
    mean, variance = effective_mixture(e.mean_offset, e.scaled_variance)
    rows = table(page, "One Gaussian per head")
    assert [number(row[1]) for row in rows] == pytest.approx(mean, rel=1e-5)
    assert [number(row[2]) for row in rows] == pytest.approx(variance, rel=1e-5)


def test_layer_profile_entropy_and_top_features(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=3)
    page = view(e, section="layers")
    open_table(page, "Layer profile")
    rows = table(page, "Percent of all density attention")
    found = np.array([[number(t) for t in row[1:]] for row in rows])
    assert np.allclose(found[:, :3], e.layer_contribution.T, rtol=1e-3, atol=1e-6)
    assert found[:, 3].sum() == pytest.approx(100, abs=0.05)
    entropies = {row[0]: number(row[1]) for row in table(page, "Entropy of each head")}
    wanted = gate_entropy(e.gate, e.head_layers)
    assert [entropies[f"Head {h}"] for h in range(3)] == pytest.approx(wanted, rel=1e-3)
    page.get_by_label("Show", exact=True).select_option("gate")
    mean = e.gate.astype(np.float64).mean((0, 1))
    top = table(page, "Top 10 features by mean Gate")
    assert [int(row[0]) for row in top] == list(np.argsort(-mean)[:10])
    assert [number(row[1]) for row in top] == pytest.approx(np.sort(mean)[::-1][:10], rel=1e-3)
    page.get_by_role("button", name=f"Look at feature {top[0][0]} ").click()
    assert state(page)["cell"]["feature"] == int(top[0][0])
    bars = page.locator(".dv-chart rect").count()
    page.get_by_role("radio", name="Lines").check()
    assert bars == 18
    assert page.locator(".dv-chart path").count() == 3


# ---- back to the input ---------------------------------------------------------------------------


def test_words_carry_the_sum_of_their_pieces(view: Callable[..., Page]) -> None:
    e = make_explanation("text", tokens=30, heads=2)
    page = view(e, section="input")
    assert page.locator(".dv-words").inner_text().strip() == (e.text or "").strip()
    pieces = [i for i, label in enumerate(e.token_labels) if label in ("annou", "##nceme", "##nt")][:3]
    word = page.locator(".dv-word", has_text="announcement").first
    word.hover()
    tip = page.locator(".dv-tip").inner_text()
    assert number(tip.split("” ")[1].split(" logits")[0]) == pytest.approx(
        e.token_attribution[pieces].sum(), rel=1e-4
    )
    assert tip.endswith("pieces: annou ##nceme ##nt")
    page.get_by_label("Heads", exact=True).select_option("1")
    page.locator(".dv-word", has_text="announcement").first.hover()
    tip = page.locator(".dv-tip").inner_text()
    wanted = e.head_token_attribution[1, pieces].sum()
    assert number(tip.split("” ")[1].split(" logits")[0]) == pytest.approx(wanted, rel=1e-4)
    text = page.locator("#here").inner_text()
    assert "Not part of the text:" in text
    assert "[CLS]" in text


def test_words_are_coloured_by_sign_and_size(view: Callable[..., Page]) -> None:
    e = make_explanation("text", tokens=30)
    words = view_payload(e)["a"]["words"]
    values = np.array([e.token_attribution[w["tokens"]].sum() for w in words["list"]])
    page = view(e, section="input")

    def colour(index: int) -> np.ndarray:
        text = page.locator(f"[data-word='{index}']").evaluate("w => getComputedStyle(w).backgroundColor")
        return np.array([int(v) for v in text[4:-1].split(",")])

    strongest = int(np.abs(values).argmax())
    assert np.array_equal(
        colour(strongest), [0x7F, 0x27, 0x04] if values[strongest] > 0 else [0x08, 0x30, 0x6B]
    )
    page.get_by_role("radio", name="Size only").check()
    assert np.array_equal(colour(strongest), colour_of("cividis", 1.0))


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
    assert np.float32(number(note.split(": ")[1].removesuffix(" logits"))) == e.token_attribution[25]
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
        e, section="input", payload={"media": picture_media(picture)}, state={"tokenMode": "absolute"}
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
    assert np.float32(number(note.split(": ")[1].removesuffix(" logits"))) == e.token_attribution[strongest]
    page.locator(".dv-picture-overlay").focus()
    page.mouse.move(0, 0)
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert page.locator(".dv-note").first.inner_text().startswith("row 2, column 2: ")


def test_another_class_can_be_asked_for(view: Callable[..., Page], page: Page) -> None:
    e = make_explanation("text")
    page.evaluate("() => { window.classes = []; window.more = {onClass: (i) => classes.push(i)}; }")
    view(e, section="input")
    wanted = (e.explained + 1) % 4
    page.get_by_label("Explained class", exact=True).select_option(str(wanted))
    assert page.evaluate("() => classes") == [wanted]


# ---- data set and comparison ---------------------------------------------------------------------


def test_the_data_set_stands_beside_the_input(view: Callable[..., Page]) -> None:
    e = make_explanation(heads=2)
    assert e.dataset is not None
    page = view(e, section="dataset", state={"head": 1})
    box = page.locator(MAP).nth(2).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 6.5 / 32, box["y"] + box["height"] * 2.5 / 6)
    note = page.locator(".dv-note").last.inner_text()
    assert note.startswith("Head 1, layer 2, feature 6: IF ")
    numbers = [number(part.split()[-1]) for part in
               (note.split(" here")[0], note.split(" in the data set")[0], note.rstrip("."))]  # fmt: skip
    own, mean = float(e.importance[1, 2, 6]), float(e.dataset.importance[1, 2, 6])
    assert numbers == pytest.approx([own, mean, own - mean], rel=1e-4, abs=1e-6)
    assert "mean of 20 inputs" in page.locator("#here").inner_text()


def test_without_a_data_set_the_view_says_so(view: Callable[..., Page]) -> None:
    page = view(make_explanation(dataset=False), section="dataset")
    assert "holds no averages" in page.locator("#here").inner_text()


def test_two_results_and_their_difference(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    page = view(a, payload={"compare": b, "labels": ("before", "after")}, state={"tab": "compare", "head": 2})
    rows = {row[0]: row for row in table(page, "Probabilities")}
    for i, name in enumerate(a.class_names):
        assert number(rows[name][1]) == pytest.approx(100 * a.probabilities[i], abs=0.006)
        assert number(rows[name][2]) == pytest.approx(100 * b.probabilities[i], abs=0.006)
        change = 100 * (b.probabilities[i] - a.probabilities[i])
        assert number(rows[name][3].removesuffix(" points")) == pytest.approx(change, abs=0.006)
    page.get_by_label("Show", exact=True).select_option("density_attention")
    open_table(page, "Maps")
    difference = b.density_attention[2] - a.density_attention[2]
    top = table(page, "Head 2: the 10 largest differences")
    for row, flat in zip(top, np.argsort(-np.abs(difference).ravel())[:10], strict=True):
        layer, feature = np.unravel_index(flat, difference.shape)
        assert [int(row[0]), int(row[1])] == [layer, feature]
        assert np.float32(number(row[2])) == a.density_attention[2, layer, feature]
        assert np.float32(number(row[3])) == b.density_attention[2, layer, feature]
    open_table(page, "Layers")
    layers = table(page, "Share of density attention in percent")
    change = b.layer_contribution.sum(0) - a.layer_contribution.sum(0)
    assert [number(row[3]) for row in layers] == pytest.approx(change, abs=0.02)


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


def test_parameters_entropies_and_features_of_two_models_are_subtracted(view: Callable[..., Page]) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=9)
    page = view(a, payload={"compare": b}, state={"tab": "parameters", "source": "difference"})
    change = b.mean_offset - a.mean_offset
    rows = table(page, "Range of the learned parameters")
    assert rows[0][0] == "Mean offset δ (change)"
    assert [number(t) for t in rows[0][2:5]] == pytest.approx(
        [change.min(), change.max(), change.mean()], rel=1e-3
    )
    open_table(page, "Mean offset δ")
    first = table(page, "First 20 of 32")
    assert [np.float32(number(t)) for t in first[7][1:]] == list(change[:, 7])
    set_state(page, tab="layers", quantity="gate")
    entropies = {row[0]: row[1:] for row in table(page, "Entropy of each head")}
    for head in range(4):
        one, other = (gate_entropy(e.gate, e.head_layers)[head] for e in (a, b))
        found = [number(t) for t in entropies[f"Head {head}"]]
        assert found == pytest.approx([one, other, other - one], abs=6e-5)
    mean = (b.gate - a.gate).astype(np.float64).mean((0, 1))
    top = table(page, "Top 10 features by mean Gate change")
    assert [int(row[0]) for row in top] == list(np.argsort(-np.abs(mean))[:10])


def test_words_of_two_results_stand_below_each_other(view: Callable[..., Page]) -> None:
    a, b = make_explanation("text", seed=1), make_explanation("text", seed=9)
    page = view(a, payload={"compare": b, "labels": ("before", "after")}, section="input")
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
    set_state(page, tab="heatmap", source="difference")
    assert state(page)["source"] == "a"
    set_state(page, source="b")
    found = hover(page, 0, 1, 2)
    assert np.float32(number(found["Gate"])) == b.gate[0, 1, 2]


# ---- state ---------------------------------------------------------------------------------------


def test_state_goes_through_a_link_and_back(view: Callable[..., Page]) -> None:
    page = view(make_explanation(heads=5, features=100))
    wanted = {
        "tab": "heatmap", "quantity": "gate", "scale": "per_head", "colours": "rank", "palette": "grey",
        "binning": "mean", "head": 3, "heads": [0, 4], "pair": [4, 1], "order": "contribution",
        "cell": {"layer": 2, "feature": 50}, "zoom": {"x0": 10.25, "x1": 60, "y0": 0, "y1": 6},
        "tokenHead": 2, "tokenMode": "absolute", "opacity": 0.35, "layerChart": "lines", "top": 25,
    }  # fmt: skip
    set_state(page, **wanted)
    now = state(page)
    assert {key: now[key] for key in wanted} == wanted
    query = page.evaluate("() => DaamView.stateToQuery(view.getState())")
    assert page.evaluate("q => DaamView.queryToState(q)", query) == wanted
    assert page.evaluate("() => DaamView.stateToQuery(DaamView.defaults)") == ""
    assert page.evaluate("() => changes.length") >= 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"head": 99}, {"head": -1}, {"head": "0"}, {"head": 1.5}, {"quantity": "<img>"}, {"tab": "nowhere"},
        {"cell": {"layer": 6, "feature": 0}}, {"cell": "3.4"}, {"opacity": 7},
        {"zoom": {"x0": 5, "x1": 2, "y0": 0, "y1": 6}}, {"zoom": {"x0": 0, "x1": 1e9, "y0": 0, "y1": 6}},
        {"heads": []}, {"heads": [0, 0, 77]},
        {"source": "b"}, {"pair": [1]}, {"top": 1e6}, {"__proto__": {"x": 1}}, {"unknown": 1},
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_changes_nothing(view: Callable[..., Page], wrong: dict[str, Any]) -> None:
    page = view(make_explanation())
    before = state(page)
    set_state(page, **wrong)
    after = state(page)
    if wrong.get("heads") == [0, 0, 77]:
        assert after["heads"] == [0]
    else:
        assert after == before


@pytest.mark.parametrize(
    "query", ["h=9e9&cell=1", "q=%3Cscript%3E&z=a_b_c_d", "hs=x.y&op=NaN", "&&==", "cell=-1.2"]
)
def test_a_broken_link_is_harmless(view: Callable[..., Page], query: str) -> None:
    page = view(make_explanation())
    before = state(page)
    page.evaluate("q => view.setState(DaamView.queryToState(q))", query)
    assert state(page) == before


def test_views_of_a_group_share_payload_and_state(view: Callable[..., Page], page: Page) -> None:
    e = make_explanation(heads=3)
    page.evaluate(
        """() => {
            const two = document.createElement('div');
            two.id = 'two';
            document.querySelector('main').append(two);
            window.second = DaamView.mount(two, null, {section: 'cell', group: 'g'});
        }"""
    )
    assert page.locator("#two").inner_text() == "Nothing to show yet."
    view(e, section="heatmap", group="g")
    at = place(page, 0, 4, 20)
    page.mouse.click(at["x"], at["y"])
    assert "layer 4, feature 20" in page.locator("#two").inner_text()
    page.evaluate("() => second.setState({cell: {layer: 1, feature: 2}})")
    assert state(page)["cell"] == {"layer": 1, "feature": 2}
    page.evaluate("() => { view.destroy(); second.destroy(); }")
    assert page.locator("#here").inner_html() == ""
    assert page.evaluate("() => DaamView.groups.size") == 0


def test_another_payload_keeps_what_still_fits(view: Callable[..., Page]) -> None:
    page = view(
        make_explanation(heads=4, features=64), state={"tab": "heatmap", "head": 3, "quantity": "gate"}
    )
    set_state(page, cell={"layer": 1, "feature": 60})
    page.evaluate("p => view.update(p)", view_payload(make_explanation(heads=4, features=32)))
    now = state(page)
    assert (now["head"], now["quantity"], now["cell"]) == (3, "gate", None)
    page.evaluate("p => view.update(p)", view_payload(make_explanation(heads=2, features=32)))
    assert state(page)["head"] == 0
    page.evaluate("() => view.update(null)")
    assert page.locator("#here").inner_text() == "Nothing to show yet."


def test_focus_survives_a_new_payload(view: Callable[..., Page]) -> None:
    page = view(make_explanation(), section="heatmap")
    page.get_by_label("Show", exact=True).focus()
    page.evaluate("p => view.update(p)", view_payload(make_explanation(seed=3)))
    focused = page.evaluate("() => document.activeElement.closest('[data-key]').dataset.key")
    assert focused == "Show"


def test_a_wrong_section_or_version_is_named(view: Callable[..., Page], page: Page) -> None:
    refused = """([payload, options]) => {
        try { DaamView.mount(document.body, payload, options); } catch (error) { return error.message; }
    }"""
    message = page.evaluate(refused, [None, {"section": "maps"}])
    assert message.startswith('DaamView has no section "maps"; choose one of: summary, ')
    message = page.evaluate(refused, [{"version": 7}, {}])
    assert message == "DaamView reads payloads of version 1, got 7."


def test_only_the_tabs_asked_for_are_there(view: Callable[..., Page]) -> None:
    page = view(make_explanation(), tabs=["heads", "heatmap"])
    assert page.get_by_role("tab").all_text_contents() == ["Heads", "Map and cell"]
    page.get_by_role("tab", name="Heads").focus()
    page.keyboard.press("ArrowRight")
    assert state(page)["tab"] == "heatmap"
    assert page.get_by_role("tab", name="Map and cell").get_attribute("aria-selected") == "true"


def test_text_is_never_markup(view: Callable[..., Page], page: Page) -> None:
    evil = '<img src=x onerror="window.hacked=1"><b>x</b>'
    e = make_explanation("text")
    e = replace(
        e,
        model=evil,
        text=evil,
        class_names=tuple(f"{evil}{i}" for i in range(4)),
        token_labels=tuple(evil for _ in e.token_labels),
        token_spans=np.where(np.isnan(e.token_spans), np.nan, [0.0, 5.0]),
    )
    view(e, payload={"compare": e, "labels": (evil, evil)})
    for tab in TABS:
        set_state(page, tab=tab)
        open_tables(page)
    assert page.locator("#here img, #here b").count() == 0
    assert page.evaluate("() => window.hacked") is None


# ---- access and layout ---------------------------------------------------------------------------


def problems(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    found = page.evaluate(
        """async () => {
            const found = (await axe.run('main')).violations;
            const grave = found.filter((one) => ['serious', 'critical'].includes(one.impact));
            return grave.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`);
        }"""
    )
    return [str(one) for one in found]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("modality", ["text", "audio", "image"])
def test_no_view_has_a_serious_accessibility_problem(
    browser: Browser, modality: str, width: int, dark: bool, tmp_path: Path
) -> None:
    a, b = make_explanation(modality), make_explanation(modality, seed=4)
    media = {
        "audio": lambda: sound_media(np.zeros(4000, np.float32), 16_000),
        "image": lambda: picture_media(np.zeros((30, 40), np.uint8)),
        "text": lambda: None,
    }[modality]()
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", bypass_csp=True
    )
    page = context.new_page()
    file = tmp_path / "view.html"
    file.write_text(view_html(a, compare=b, media=media, compare_media=media), encoding="utf-8")
    page.goto(file.as_uri())
    page.add_script_tag(path=AXE)
    for tab in TABS if modality == "text" else ("input",):
        page.evaluate("tab => daamView.setState({tab: tab})", tab)
        open_tables(page)
        settle(page)
        assert problems(page) == [], tab
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
def test_no_width_scrolls_sideways(browser: Browser, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    a, b = make_explanation("text", heads=8, layers=24), make_explanation("text", heads=8, layers=24, seed=4)
    page.set_content(view_html(a, compare=b))
    for tab in TABS:
        page.evaluate("tab => daamView.setState({tab: tab})", tab)
        open_tables(page)
        settle(page)
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, tab
    context.close()


def test_every_figure_has_a_table_and_a_sentence_of_help(view: Callable[..., Page]) -> None:
    a, b = make_explanation(), make_explanation(seed=4)
    page = view(a, payload={"compare": b})
    for tab in TABS:
        set_state(page, tab=tab)
        for figure in page.locator(".dv-figure").all():
            assert len(figure.locator(".dv-help").inner_text()) > 40
            drawn = figure.locator("canvas, .dv-chart svg, .dv-words").count() > 0
            has_table = (
                figure.get_by_role("button", name="Show as table").count() + figure.locator("table").count()
            )
            assert has_table or not drawn, figure.locator(".dv-title").inner_text()


def test_canvases_follow_the_theme(view: Callable[..., Page], page: Page) -> None:
    e = make_explanation(heads=2, mode="layer_groups")
    view(e, section="heatmap", theme="class")
    light = pixel(page, 0, 5, 5)
    page.evaluate("() => document.body.classList.add('dark')")
    settle(page)
    assert sum(pixel(page, 0, 5, 5)) < sum(light) / 2
    page.evaluate("() => document.body.classList.remove('dark')")
    settle(page)
    assert pixel(page, 0, 5, 5) == light


def test_a_dense_screen_gets_a_dense_canvas(browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 800, "height": 600}, device_scale_factor=2)
    page = context.new_page()
    page.set_content(view_html(make_explanation(), state={"tab": "heatmap"}))
    settle(page)
    drawn, shown = page.locator(".dv-map-canvas").first.evaluate(
        "c => [c.width, c.getBoundingClientRect().width]"
    )
    assert drawn == pytest.approx(2 * shown, abs=1)
    context.close()


def test_the_page_opens_from_a_file(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "explanation.html"
    file.write_text(view_html(make_explanation("text")), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    settle(page)
    expect(page.get_by_role("tab", name="Heads")).to_be_visible()
    assert page.locator(".dv-map-canvas").count() >= 4
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()
