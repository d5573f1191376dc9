"""Figures for notebooks: what they show equals the arrays, and what a person wrote is no markup."""

import json
from dataclasses import replace

import numpy as np
import pytest

from daam_core import figures
from daam_core.errors import ConfigError, ShapeError
from daam_core.figures.plotly_figures import plotly_layers, plotly_map, plotly_parameters
from daam_core.reading.colours import head_colour
from daam_core.reading.gaussians import effective_gaussian
from daam_core.reading.quantities import quantity_map, scale_limits
from tests.figures.examples import AUDIO, CONSTANT, GROUPS, IMAGE, LONG, MIXTURE

DRAWN = {
    "map": lambda: plotly_map(AUDIO, heads=1),
    "map-signed": lambda: plotly_map(AUDIO, quantity="class_importance", heads=2, scale="per_head"),
    "maps": lambda: plotly_map(IMAGE),
    "maps-per-head": lambda: plotly_map(GROUPS, scale="per_head"),
    "layers": lambda: plotly_layers(AUDIO),
    "parameters": lambda: plotly_parameters(AUDIO),
    "mixture": lambda: plotly_parameters(MIXTURE),
    "constant": lambda: plotly_map(CONSTANT),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_figures_use_traces_that_every_plotly_has(draw):
    figure = draw()
    assert {trace.type for trace in figure.data} <= {"heatmap", "bar", "scatter"}
    json.loads(figure.to_json(), parse_constant=lambda name: pytest.fail(name))


@pytest.mark.parametrize("quantity", ["importance", "density_attention", "gate", "class_importance"])
def test_maps_are_the_arrays(quantity):
    figure = plotly_map(AUDIO, heads=1, quantity=quantity)
    (trace,) = figure.data
    np.testing.assert_array_equal(trace.z, getattr(AUDIO, quantity)[1])
    np.testing.assert_array_equal(trace.customdata[..., 0], AUDIO.values)
    np.testing.assert_array_equal(trace.customdata[..., 3], AUDIO.importance[1])
    assert figure.layout.yaxis.autorange == "reversed"  # layer 0 on top, as on the page
    limits = scale_limits(quantity_map(AUDIO, quantity), signed=quantity == "class_importance")[1]
    assert (figure.layout.coloraxis.cmin, figure.layout.coloraxis.cmax) == tuple(limits)


def test_panels_hold_each_heads_own_layers():
    figure = plotly_map(GROUPS, heads=[2, 0])
    for trace, head in zip(figure.data, (2, 0), strict=True):
        np.testing.assert_array_equal(trace.z, GROUPS.importance[head, GROUPS.head_layers[head]])
        np.testing.assert_array_equal(trace.y, np.flatnonzero(GROUPS.head_layers[head]))
        assert trace.coloraxis == "coloraxis"
    per_head = plotly_map(GROUPS, scale="per_head")
    limits = scale_limits(quantity_map(GROUPS, "importance"), scale="per_head")
    assert [(trace.zmin, trace.zmax) for trace in per_head.data] == [tuple(pair) for pair in limits.tolist()]


def test_layers_are_the_contributions_in_the_heads_colours():
    for head, trace in enumerate(plotly_layers(AUDIO).data):
        np.testing.assert_array_equal(trace.y, AUDIO.layer_contribution[head])
        assert trace.marker.color == head_colour(head)


def test_parameters_are_the_learned_ones():
    figure = plotly_parameters(AUDIO)
    maps = [trace for trace in figure.data if trace.type == "heatmap"]
    np.testing.assert_array_equal(maps[0].z, AUDIO.mean_offset)
    np.testing.assert_array_equal(maps[1].z, AUDIO.scaled_variance)
    assert maps[0].zmin == -maps[0].zmax
    counts = [sum(trace.y) for trace in figure.data if trace.type == "scatter"]
    assert counts == [AUDIO.shape[2]] * 8, "every feature is in one bar of each distribution"


def test_a_wide_range_of_variances_is_drawn_on_a_logarithm():
    e = replace(AUDIO, scaled_variance=np.geomspace(0.01, 100, AUDIO.scaled_variance.size).reshape(4, -1))
    figure = plotly_parameters(e)
    assert figure.layout.xaxis3.type == "log"
    # So are the colours over features, with the numbers themselves beside them and under the pointer.
    over = [trace for trace in figure.data if trace.type == "heatmap"][1]
    np.testing.assert_allclose(over.z, np.log10(e.scaled_variance))
    np.testing.assert_array_equal(over.customdata, e.scaled_variance)
    assert over.colorbar.ticktext == ("0.01", "0.1", "1", "10", "100")
    np.testing.assert_allclose(over.colorbar.tickvals, [-2, -1, 0, 1, 2], atol=1e-9)
    # The last bar reaches to the highest number, and down.
    bars = [trace for trace in figure.data if trace.type == "scatter"][-1]
    assert bars.x[-1] == pytest.approx(100)
    assert bars.y[-1] == 0
    counts = [sum(trace.y) for trace in figure.data if trace.type == "scatter"]
    assert counts == [e.shape[2]] * 8


def test_mixtures_show_each_gaussian_and_their_product():
    traces = plotly_parameters(MIXTURE).data
    np.testing.assert_array_equal(traces[0].x, MIXTURE.mean_offset[0])
    offset, _ = effective_gaussian(MIXTURE.mean_offset, MIXTURE.scaled_variance)
    np.testing.assert_array_equal([trace.x[0] for trace in traces[1:8:2]], offset)


def test_what_a_person_wrote_is_no_markup():
    e = replace(LONG, class_names=("<b>bold</b>", *LONG.class_names[1:]), explained=0)
    written = plotly_map(e, quantity="class_importance").to_json().encode().decode("unicode_escape")
    assert "<b>" not in written
    assert "&lt;b&gt;bold" in written


def test_heads_and_options_that_do_not_exist_are_refused():
    with pytest.raises(ShapeError, match="no head 4; this model has heads 0 to 3"):
        plotly_map(AUDIO, heads=4)
    with pytest.raises(ShapeError, match="no head"):
        plotly_map(AUDIO, heads=[])
    with pytest.raises(ConfigError, match="Unknown quantity"):
        plotly_map(AUDIO, quantity="loudness")
    with pytest.raises(ConfigError, match="Unknown scale"):
        plotly_map(AUDIO, scale="log")


def test_the_room_offers_every_figure_by_its_name():
    assert figures.plotly_map is plotly_map
    for name in dir(figures):
        assert callable(getattr(figures, name))
    with pytest.raises(AttributeError, match="has no attribute 'plotly_tokens'"):
        _ = figures.plotly_tokens
