"""The bars of layers for print."""

import numpy as np
from matplotlib.colors import to_hex

from daam_core.figures.layers import layer_contribution_figure
from daam_core.reading.colours import head_colour
from tests.figures.examples import AUDIO
from tests.support.builders import make_explanation


def test_layer_bars_are_the_contributions_stacked():
    figure = layer_contribution_figure(AUDIO)
    heights = np.array([[bar.get_height() for bar in bars] for bars in figure.axes[0].containers])
    np.testing.assert_allclose(heights, AUDIO.layer_contribution, rtol=1e-6)
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[0].containers[-1]]
    np.testing.assert_allclose(tops, AUDIO.layer_contribution.sum(0), rtol=1e-6)
    colours = [to_hex(bars[0].get_facecolor()) for bars in figure.axes[0].containers]
    assert colours == [head_colour(head) for head in range(4)]


def test_bars_of_24_heads_are_told_apart_by_colour_and_hatch():
    bars = layer_contribution_figure(make_explanation(heads=24)).axes[0].patches
    assert len({(to_hex(bar.get_facecolor()), bar.get_hatch()) for bar in bars}) == 24
