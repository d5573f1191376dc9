"""Learned parameters for print."""

from dataclasses import replace

import numpy as np

from daam_core.figures.parameters import parameters_figure
from daam_core.reading.numbers import number
from tests.figures.examples import AUDIO, MIXTURE, drawn, images


def test_parameter_maps_and_ranges_are_the_learned_ones():
    figure = parameters_figure(AUDIO)
    offset, variance = images(figure)
    np.testing.assert_array_equal(offset.get_array(), AUDIO.mean_offset.astype(np.float64))
    np.testing.assert_array_equal(variance.get_array(), AUDIO.scaled_variance.astype(np.float64))
    low, high = offset.get_clim()
    assert low == -high
    for values in (AUDIO.mean_offset, AUDIO.scaled_variance):
        assert f"{number(values.min())} to {number(values.max())}" in drawn(figure)


def test_a_head_of_one_value_is_a_dot_without_a_distribution():
    offset = AUDIO.mean_offset.copy()
    offset[0] = 0
    axes = parameters_figure(replace(AUDIO, mean_offset=offset)).axes[0]
    assert len(axes.patches) == len(parameters_figure(AUDIO).axes[0].patches) - 1


def test_a_wide_range_of_variances_is_drawn_on_a_logarithm():
    e = replace(AUDIO, scaled_variance=np.geomspace(0.01, 100, AUDIO.scaled_variance.size).reshape(4, -1))
    figure = parameters_figure(e)
    axes = figure.axes[2]
    assert axes.get_xscale() == "log"
    assert f"ξ: 0.01 to 100, mean {number(e.scaled_variance.mean())}" in drawn(figure)
    assert "(log)" in drawn(figure)
    assert {"0.1", "1", "10"} <= {label.get_text() for label in axes.get_xticklabels()}
    assert "$" not in drawn(figure), "powers must not show as markup"


def test_mixture_parameters_show_each_gaussian_and_their_product():
    left, right = parameters_figure(MIXTURE).axes
    points = [np.sort(line.get_xdata()) for line in left.lines]
    for head in range(4):
        np.testing.assert_allclose(points[2 * head], np.sort(MIXTURE.mean_offset[head]))
    np.testing.assert_allclose(right.lines[0].get_xdata(), MIXTURE.scaled_variance[0])
