"""Plotly figures under both plotly.js they meet: plotly.py's own, and the older one inside Gradio."""

import json
from collections.abc import Iterator

import gradio as gr
import numpy as np
import pytest
from playwright.sync_api import Page
from plotly.offline import get_plotlyjs

from daam_core.figures.plotly_figures import plotly_layers, plotly_map, plotly_parameters
from tests.support.builders import make_explanation

AUDIO = make_explanation("audio", layers=4)
GROUPS = make_explanation("text", heads=2, mode="layer_groups")
MIXTURE = make_explanation("text", gate_kind="mixture")
FIGURES = {
    "map": plotly_map(AUDIO, heads=1),
    "maps": plotly_map(GROUPS, scale="per_head"),
    "layers": plotly_layers(AUDIO),
    "parameters": plotly_parameters(AUDIO),
    "mixture": plotly_parameters(MIXTURE),
}

# Every trace as plotly.js understood it: its type, whether it is shown, and its numbers.
READ = """graph => graph._fullData.map(trace => ({
    type: trace.type, visible: trace.visible,
    z: trace.z ? Array.from(trace.z, row => Array.from(row)) : null,
    y: trace.y ? Array.from(trace.y) : null,
}))"""


def assert_drawn(page: Page, selector: str, name: str) -> None:
    graph = page.locator(f"{selector} .js-plotly-plot, {selector}.js-plotly-plot").first
    graph.locator(".main-svg").first.wait_for(timeout=60_000)
    found = graph.evaluate(READ)
    expected = FIGURES[name].data
    assert [trace["type"] for trace in found] == [trace.type for trace in expected]
    assert all(trace["visible"] is True for trace in found)
    for trace, wanted in zip(found, expected, strict=True):
        for axis in ("z", "y"):
            if getattr(wanted, axis, None) is not None:
                shown = np.array(trace[axis], dtype=np.float64)
                np.testing.assert_allclose(shown, np.asarray(getattr(wanted, axis)), rtol=1e-6)


@pytest.fixture
def problems(page: Page) -> Iterator[list[str]]:
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda m: found.append(m.text) if "plotly" in m.text.lower() else None)
    yield found
    assert found == []


def test_plotlys_own_script_draws_every_figure_with_its_numbers(page: Page, problems: list[str]) -> None:
    page.set_content("".join(f'<div id="{name}"></div>' for name in FIGURES))
    page.add_script_tag(content=get_plotlyjs())
    assert page.evaluate("Plotly.version").startswith("4.")
    for name, figure in FIGURES.items():
        page.evaluate(
            "([id, figure]) => Plotly.newPlot(id, figure.data, figure.layout)",
            [name, json.loads(figure.to_json())],
        )
        assert_drawn(page, f"#{name}", name)


def test_gradio_draws_every_figure_with_its_numbers(page: Page, problems: list[str]) -> None:
    with gr.Blocks(analytics_enabled=False) as demo:
        for name, figure in FIGURES.items():
            gr.Plot(figure, elem_id=name)
    _, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
    try:
        page.goto(url)
        for name in FIGURES:
            assert_drawn(page, f"#{name}", name)
    finally:
        demo.close()
