"""The charts that are drawn when asked for hold the explanation's numbers, and none of an earlier result."""

import numpy as np
import pytest
from playwright.sync_api import expect

from daam_core import explain
from daam_core.figures import plotly_parameters
from tests.browser.barriers import Barriers

TEXT = "The keeper saved two penalties."
READ = """graph => graph._fullData.map(trace => ({
    z: trace.z ? Array.from(trace.z, row => Array.from(row)) : null,
    y: trace.y ? Array.from(trace.y) : null,
}))"""


def drawn(app) -> list[dict]:
    graph = app.page.locator("#chart-plot .js-plotly-plot").first
    graph.locator(".main-svg").first.wait_for(timeout=30_000)
    return graph.evaluate(READ)


@pytest.mark.slow
def test_charts_hold_the_results_numbers(app, server, tmp_path):
    app.explain_text(TEXT, model="topics")
    e = explain(server.models["topics"], TEXT)
    app.page.get_by_role("button", name="Charts to zoom and save").click()
    app.page.click("#chart-draw")
    found = [trace["y"] for trace in drawn(app) if trace["y"]]
    expected = [trace.y for trace in plotly_parameters(e).data if trace.y is not None]
    assert len(found) == len(expected)
    barriers = Barriers(app.page)
    barriers.look("charts", "#charts")
    assert barriers.found == {}
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, np.asarray(other, dtype=np.float64), rtol=1e-6)

    app.choose("#chart-kind", "Map of one head")
    app.choose("#chart-head", "Head 1")
    app.page.click("#chart-draw")
    app.page.wait_for_function(
        "1 === document.querySelector('#chart-plot .js-plotly-plot')._fullData.filter(({z}) => z).length"
    )
    (shown,) = [trace["z"] for trace in drawn(app) if trace["z"]]
    # Encoded twice: with another number of threads sums are in another order, 3e-6 of an Importance Factor.
    np.testing.assert_allclose(shown, e.importance[1], atol=1e-5)

    app.explain_text("Shares fell after the report.")
    expect(app.page.locator("#chart-plot")).to_be_hidden()
    assert app.problems == []


def test_charts_are_offered_with_a_result(app):
    charts = app.page.get_by_role("button", name="Charts to zoom and save")
    expect(charts).to_be_hidden()
    app.explain_text("Shares fell after the report.")
    expect(charts).to_be_visible()
