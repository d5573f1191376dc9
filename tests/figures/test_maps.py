"""Importance maps for print: what they show equals the arrays."""

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from daam_core.figures.maps import importance_figure
from daam_core.figures.report import report_figure
from daam_core.figures.style import figure_bytes
from daam_core.figures.tokens import token_figure
from daam_core.reading.binning import bin_columns
from daam_core.reading.numbers import number, number_range
from daam_core.reading.quantities import quantity_map, scale_limits
from tests.figures.examples import AUDIO, CONSTANT, GROUPS, drawn, images, texts
from tests.support.builders import make_explanation


@pytest.mark.parametrize("quantity", ["importance", "density_attention", "gate", "class_importance"])
@pytest.mark.parametrize("scale", ["all_heads", "per_head"])
@pytest.mark.parametrize("e", [AUDIO, GROUPS], ids=["shared", "layer_groups"])
def test_maps_hold_each_heads_own_layers_and_the_limits_that_are_printed(e, quantity, scale):
    figure = importance_figure(e, quantity=quantity, scale=scale)
    signed = quantity == "class_importance"
    limits = scale_limits(quantity_map(e, quantity), scale=scale, signed=signed)
    found = images(figure)
    assert len(found) == e.shape[0]
    for head, image in enumerate(found):
        np.testing.assert_array_equal(image.get_array(), getattr(e, quantity)[head, e.head_layers[head]])
        assert image.get_clim() == tuple(limits[head])
        labels = [label.get_text() for label in image.axes.get_yticklabels()]
        assert set(labels) <= {str(layer) for layer in np.flatnonzero(e.head_layers[head])}
    if scale == "per_head":
        for head in range(e.shape[0]):
            assert f"head {head}, {number_range(*limits[head])}" in drawn(figure)
    else:
        printed = drawn(figure).replace("\n", " ")
        assert number_range(*limits[0]) in printed


def test_a_signed_map_has_its_middle_colour_at_zero():
    (image, *_) = images(importance_figure(AUDIO, quantity="class_importance"))
    assert to_hex(image.cmap(image.norm(0.0))) in ("#f7f7f7", "#f6f7f7", "#f7f6f6", "#f5f7f8", "#f8f5f3")


def test_the_legend_says_what_a_score_means():
    assert "0 = weakest, 1 = strongest density attention" in drawn(importance_figure(AUDIO)).replace(
        "\n", " "
    )
    signed = drawn(importance_figure(AUDIO, quantity="class_importance")).replace("\n", " ")
    assert f"for “{AUDIO.explained_class}”" in signed


def test_one_head_or_some_in_the_order_given():
    assert texts(importance_figure(AUDIO, heads=2)).count(f"head 2 ({number(_share(AUDIO, 2))} %)") == 1
    some = images(importance_figure(AUDIO, heads=[3, 0]))
    np.testing.assert_array_equal(some[0].get_array(), AUDIO.importance[3])
    np.testing.assert_array_equal(some[1].get_array(), AUDIO.importance[0])


def _share(e, head):
    return e.layer_contribution[head].sum()


def test_a_single_hot_cell_of_many_columns_is_visible_and_the_binning_is_stated():
    e = make_explanation(heads=1, layers=40, features=5120, tokens=4, planted=(0, 11, 1234), dataset=False)
    figure = importance_figure(e)
    (image,) = images(figure)
    columns = image.get_array().shape[1]
    assert columns < 5120
    np.testing.assert_array_equal(image.get_array(), bin_columns(e.importance[0], columns).values)
    statement = bin_columns(e.importance[0], columns).statement
    assert f"With 5,120 features, {statement}." in drawn(figure).replace("\n", " ")
    pixels = np.asarray(Image.open(io.BytesIO(figure_bytes(figure, "png"))).convert("RGB")).astype(int)
    hottest = np.array(image.cmap(1.0)[:3]) * 255
    box = image.axes.bbox  # in dots, from the lower left
    x = box.x0 + box.width * (1234.5 / 5120)
    y = len(pixels) - (box.y1 - box.height * (11.5 / 40))  # layer 0 is on top, as on the page
    around = pixels[int(y) - 4 : int(y) + 5, int(x) - 4 : int(x) + 5]
    assert (np.abs(around - hottest).max(axis=2) < 12).any(), "no pixel near the cell has the highest colour"


def test_a_constant_map_says_so_instead_of_dividing_by_zero():
    printed = drawn(importance_figure(CONSTANT)).replace("\n", " ")
    assert "head 0, constant: 0" in printed
    assert "The density attention is constant, so the Importance Factor is 0 by definition." in printed
    assert "head 0, constant: 1" in drawn(importance_figure(CONSTANT, quantity="gate"))
    for figure in (report_figure(CONSTANT), token_figure(CONSTANT)):
        figure_bytes(figure, "png", dpi=40)


def test_an_importance_scaled_head_by_head_warns_against_comparing():
    e = make_explanation(scale="per_head")
    assert "heads cannot be compared" in drawn(importance_figure(e)).replace("\n", " ")


def test_a_head_that_lets_everything_through_is_drawn_flat_and_said_so():
    e = AUDIO
    gate = e.gate.copy()
    gate[0] = 0.998 + 0.002 * gate[0]
    attention = e.density_attention.copy()
    attention[0] = gate[0]
    e = replace(e, gate=gate, density_attention=attention)
    for quantity in ("gate", "density_attention", "importance"):
        figure = importance_figure(e, quantity=quantity, scale="per_head")
        flat, gating = images(figure)[:2]
        shades = flat.norm(flat.get_array())
        assert shades.min() > 0.98, quantity
        assert np.ptp(gating.norm(gating.get_array())) > 0.98, quantity
        printed = drawn(figure).replace("\n", " ")
        assert "Head 0 lets every cell through." in printed
    density = e.density_attention[0]
    importance = e.importance.copy()
    importance[0] = (density - density.min()) / (density.max() - density.min())
    figure = importance_figure(replace(e, importance=importance, scale="per_head"), scale="per_head")
    own = images(figure)[0]
    assert np.ptp(own.norm(own.get_array())) > 0.98  # its numbers go from 0 to 1, and so do its colours
    assert "Head 0: stretched from a density attention of 0.998 to 1." in drawn(figure).replace("\n", " ")
    assert "Head 0 lets every cell through." in drawn(report_figure(e)).replace("\n", " ")
    assert "lets every cell through" not in drawn(importance_figure(AUDIO, scale="per_head"))
