"""One cell's Gaussians for print."""

from dataclasses import replace

import numpy as np
import pytest

from daam_core.figures.gaussians import gaussian_figure
from daam_core.reading.gaussians import cell_gaussians
from daam_core.reading.numbers import number
from tests.figures.examples import AUDIO, GROUPS, MIXTURE
from tests.support.builders import make_explanation


def test_curves_go_through_the_gates_of_the_cell():
    e = AUDIO
    cell = cell_gaussians(e, 2, 7)
    axes = gaussian_figure(e, 2, 7).axes[0]
    labelled = {line.get_label(): line for line in axes.lines}
    for head in range(4):
        label = f"head {head}: gate {number(cell.gate[head])}, λ {number(e.amplitude[head, 2])}"
        x, y = labelled[label].get_data()
        assert np.interp(cell.value, x, y) == pytest.approx(e.gate[head, 2, 7], abs=2e-3)
    markers = [line for line in axes.lines if line.get_marker() == "o"]
    filled = [line.get_ydata()[0] for line in markers if line.get_markerfacecolor() != "white"]
    hollow = [line.get_ydata()[0] for line in markers if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(filled, e.gate[:, 2, 7])
    np.testing.assert_allclose(hollow, e.dataset.gate[:, 2, 7])


def test_the_data_sets_curves_are_those_of_its_average():
    cell = cell_gaussians(AUDIO, 2, 7, dataset=True)
    axes = gaussian_figure(AUDIO, 2, 7, dataset=True).axes[0]
    curves = [line for line in axes.lines if str(line.get_label()).startswith("head")]
    rings = [line for line in axes.lines if line.get_marker() == "o"]
    for head in range(4):
        x, y = curves[head].get_data()
        np.testing.assert_allclose(y, cell.gate_at(x, head), rtol=1e-6)
    np.testing.assert_allclose([ring.get_ydata()[0] for ring in rings], AUDIO.dataset.gate[:, 2, 7])
    assert "mean gate" in curves[0].get_label()


def test_only_heads_that_see_the_layer_have_a_curve():
    labels = [line.get_label() for line in gaussian_figure(GROUPS, 4, 0).axes[0].lines]
    assert [label for label in labels if label.startswith("head")] == [
        label for label in labels if label.startswith("head 1:")
    ]


@pytest.mark.parametrize("dataset", [False, True])
def test_a_mixtures_curves_are_drawn_whole(dataset):
    """No curve rises above 1; top, gates and rings are all on the axis."""
    mean = MIXTURE.dataset.gate.copy()
    mean[1, 2, 7] = 0.999  # a ring above all curves
    e = replace(MIXTURE, dataset=replace(MIXTURE.dataset, gate=mean))
    for layer, feature in ((0, 0), (2, 7), (5, 31)):
        cell = cell_gaussians(e, layer, feature, dataset=dataset)
        axes = gaussian_figure(e, layer, feature, dataset=dataset).axes[0]
        lines = [line for line in axes.lines if str(line.get_label()).startswith("head")]
        for head, line in enumerate(lines):
            x, y = line.get_data()
            np.testing.assert_allclose(y, cell.gate_at(x, head), rtol=1e-9)
            assert np.max(y) == pytest.approx(cell.highest(head))
            assert cell.highest(head) <= 1
            if not dataset:
                assert y[x == cell.value] == pytest.approx(e.gate[head, layer, feature], rel=1e-3)
        points = [line.get_ydata()[0] for line in axes.lines if line.get_marker() == "o"]
        top = max(*(cell.highest(head) for head in range(4)), *points)
        assert axes.get_ylim() == pytest.approx((0, 1.06 * top))


def test_curves_of_24_heads_are_told_apart_by_colour_and_line():
    figure = gaussian_figure(make_explanation(heads=24), 0, 0)
    looks = {
        (line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines if len(line.get_xdata()) > 2
    }
    assert len(looks) == 24
