"""What the tests of the interactive view share: a page with a view in it, and ways to read it."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import pytest
from playwright.sync_api import Page

from daam_core.result import Explanation
from daam_core.view.modules import import_map, view_style
from daam_core.view.payload import view_payload

TABS = ("summary", "input", "heads", "heatmap", "layers", "parameters", "dataset", "compare")
MAP = ".dv-map-overlay"


@pytest.fixture
def view(page: Page) -> Iterator[Callable[..., Page]]:
    """Mounts an explanation in an empty page: ``view(explanation, section=…, payload options …)``."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
    page.set_content(
        "<!DOCTYPE html><html lang='en'><head><title>View</title>"
        f"<script type='importmap'>{json.dumps(import_map())}</script>"
        "<style>body{margin:16px}</style></head><body>"
        "<main><h1>View</h1><h2>Why</h2><div id='here'></div></main></body></html>"
    )
    page.add_style_tag(content=view_style())
    page.evaluate("() => import('daam-view/daam_view.js')")

    def mount(
        explanation: Explanation,
        *,
        payload: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
        **options: Any,
    ) -> Page:
        made = view_payload(explanation, **(payload or {}))
        page.evaluate(
            """([payload, state, options]) => {
                window.changes = [];
                window.selections = [];
                window.view = document.createElement('daam-view');
                view.addEventListener('state', (e) => changes.push(e.detail));
                view.addEventListener('cell', (e) => selections.push(e.detail));
                if (window.serve) view.addEventListener('exact', async ({detail}) => {
                    view.answer(detail.id, await serve(detail.side, detail.name, detail.head));
                });
                view.options = {serves: window.serve ? ['exact'] : [], ...options};
                view.state = state;
                view.payload = payload;
                document.getElementById('here').replaceChildren(view);
            }""",
            [json.dumps(made), state or {}, options],
        )
        settle(page)
        return page

    yield mount
    assert problems == []


def settle(page: Page) -> None:
    """Until the frames that draw are over."""
    page.evaluate(
        "async () => { for (let i = 0; i < 3; i += 1) { "
        "await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0))); "
        "await document.querySelector('daam-view')?.drawn(); } }"
    )


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("() => view.state")
    return found


def set_state(page: Page, **wanted: Any) -> None:
    page.evaluate("wanted => { view.state = wanted; }", wanted)
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
    """The readout's numbers in full."""
    pairs: list[list[str]] = page.evaluate(
        "() => Array.from(document.querySelectorAll('.dv-readout-list > div'))"
        ".map((d) => { const number = d.querySelector('data'); "
        "const whole = number && (number.textContent.startsWith('≈') ? '≈ ' : '') + number.value; "
        "return [d.children[0].textContent, whole ?? d.children[1].textContent]; })"
    )
    return dict(pairs)


def number(text: str) -> float:
    return float(text.replace("−", "-").replace(",", "").strip("<>% "))


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
            const text = (c) => {
                const number = c.querySelector('data');
                if (!number) return c.textContent.replace(/[\\u2007\\u2008]+$/, '');
                return (number.textContent.startsWith('≈') ? '≈ ' : '') + number.value;
            };
            return Array.from(one.tBodies[0].rows).map((r) => Array.from(r.cells).map(text));
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


def contrast(one: str, other: str) -> float:
    """WCAG 2's contrast of two colours, ``#rrggbb`` or ``rgb(…)``."""

    def luminance(colour: str) -> float:
        colour = colour.strip()
        if colour.startswith("#"):
            parts = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        else:
            parts = [int(part) for part in re.findall(r"\d+", colour)[:3]]
        linear = [
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in (p / 255 for p in parts)
        ]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)
