"""Oracles: the product of the Gaussians, and the gate function itself."""

from dataclasses import fields, replace

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import arrays

from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import density_gate, mixture_gate
from daam_core.reading.gaussians import CellGaussians, cell_gaussians, effective_gaussian, parameter_summary
from daam_core.result import DatasetMean
from tests.support.builders import make_explanation


def gates_at(cell: CellGaussians, value: float) -> np.ndarray:
    return np.array([cell.gate_at(np.array(value), head) for head in range(len(cell.seen))])


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
def test_parameter_rows_hold_range_mean_and_distance_from_the_start(gate_kind):
    e = make_explanation(gate_kind=gate_kind, dtype=np.float64)
    rows = parameter_summary(e)
    assert [(r.parameter, r.head) for r in rows] == [
        (name, head) for name in ("mean_offset", "scaled_variance") for head in (None, 0, 1, 2, 3)
    ]
    for row in rows:
        learned = getattr(e, row.parameter)
        change = abs(learned - getattr(e, f"initial_{row.parameter}"))
        if row.head is not None:
            learned, change = learned[row.head], change[row.head]
        assert (row.lowest, row.highest) == (learned.min(), learned.max())
        assert row.mean == pytest.approx(learned.mean())
        assert row.deviation == pytest.approx(learned.std())
        assert (row.mean_change, row.largest_change) == (pytest.approx(change.mean()), change.max())


@given(
    arrays(np.float64, st.integers(1, 6), elements=st.floats(-3, 3)),
    st.integers(0, 2**31),
)
def test_the_effective_gaussian_is_proportional_to_the_product(offsets, seed):
    scales = np.random.default_rng(seed).uniform(0.2, 3, len(offsets))
    mean, variance = effective_gaussian(offsets, scales)
    x = np.linspace(-4, 4, 9)
    log_product = -(((x[:, None] - offsets) / scales) ** 2 / 2).sum(axis=1)
    difference = log_product + (x - mean) ** 2 / (2 * variance)
    np.testing.assert_allclose(difference, difference[0], rtol=1e-8, atol=1e-8)


def test_a_mixture_without_width_is_refused():
    with pytest.raises(ShapeError, match="finite and different from zero"):
        effective_gaussian(np.zeros(2), np.array([1.0, 0.0]))


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_each_cell_lies_on_its_heads_gaussian(gate_kind, mode):
    e = make_explanation(gate_kind=gate_kind, mode=mode, heads=2, features=5, dtype=np.float64)
    _lie_on_their_gaussians(e)


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
def test_each_cell_of_every_level_lies_on_its_heads_gaussian(gate_kind):
    e = make_explanation(
        gate_kind=gate_kind, mode="layer_groups", heads=6, levels=3, features=5, dtype=np.float64
    )
    _lie_on_their_gaussians(e)


def _lie_on_their_gaussians(e):
    _, layers, features = e.shape
    for layer in range(layers):
        for feature in range(features):
            cell = cell_gaussians(e, layer, feature)
            curve = gates_at(cell, cell.value)
            np.testing.assert_array_equal(cell.seen, e.head_layers[:, layer])
            np.testing.assert_allclose(curve[cell.seen], e.gate[cell.seen, layer, feature], rtol=1e-9)
            assert cell.value == e.values[layer, feature]


def test_the_gaussian_is_the_gate_as_a_function_of_the_value():
    """Oracle: the gate function itself, at values near the cell's with the statistics held fixed."""
    e = make_explanation(layers=5, features=1, heads=1, dtype=np.float64)
    cell = cell_gaussians(e, 2, 0)
    deviation = np.sqrt(cell.deviation[0] ** 2 + 1e-5)
    for x in np.linspace(-2, 2, 7):
        z = (x - cell.mean[0] - e.mean_offset[0, 0]) / deviation
        expected = np.exp(-(z**2) / (2 * e.scaled_variance[0, 0]))
        curve = cell.gate_at(np.array(x), 0)
        assert curve == pytest.approx(expected, rel=1e-9)
    gate = density_gate(
        torch.tensor(e.values), torch.tensor(e.mean_offset[0]), torch.tensor(e.scaled_variance[0])
    )
    assert cell.gate[0] == pytest.approx(float(gate[2, 0]))


@pytest.mark.parametrize(("mode", "levels"), [("shared", 1), ("layer_groups", 1), ("layer_groups", 3)])
@pytest.mark.parametrize("dataset", [False, True])
def test_a_mixtures_curve_is_its_gate_at_every_value(mode, levels, dataset):
    """Oracle: the gate function itself, with one layer's value changed and the statistics held fixed."""
    e = make_explanation(
        gate_kind="mixture", mode=mode, heads=2 * levels, levels=levels, features=5, dtype=np.float64
    )
    source = e.dataset if dataset else e
    for layer, feature in ((0, 0), (3, 4), (5, 2)):
        cell = cell_gaussians(e, layer, feature, dataset=dataset)
        for head in np.flatnonzero(cell.seen):
            own = np.flatnonzero(e.head_layers[head])
            # What the levels before the head's multiply the values of its layers with.
            before = source.gate[: head - head % 2, :, feature].astype(np.float64).reshape(-1, 2, 6).sum(1)
            gain = (1 + before).prod(0)
            for value in (*np.linspace(-30, 30, 41), cell.value, cell.centre[head]):
                values = source.values[:, feature].astype(np.float64)
                values[layer] = value
                gate = mixture_gate(
                    torch.tensor((gain * values)[own, None]),
                    torch.tensor(e.mean_offset[head]),
                    torch.tensor(e.scaled_variance[head]),
                    statistics=(
                        torch.tensor([[source.statistic_mean[head, feature]]], dtype=torch.float64),
                        torch.tensor([[source.statistic_variance[head, feature]]], dtype=torch.float64),
                    ),
                )[own == layer].item()
                assert cell.gate_at(np.array(value), head) == pytest.approx(gate, rel=1e-7, abs=1e-300)
                assert cell.highest(head) >= gate * (1 - 1e-9)


def test_a_mixtures_gate_is_a_number_at_most_1_however_far_values_lie():
    e = make_explanation(gate_kind="mixture", dtype=np.float64)
    values = e.values.copy()
    values[:, 0] = 1e4 * np.arange(6)  # the other layers' Gaussians underflow at the cell
    e = replace(e, values=values, scaled_variance=e.scaled_variance / 100)
    cell = cell_gaussians(e, 2, 0)
    far = np.array([-1e300, -1e9, cell.centre[1], cell.value, 1e9, 1e300])
    gate = cell.gate_at(far, 1)
    assert np.isfinite(gate).all()
    assert gate[[0, 1, 4, 5]].max() == 0
    assert 0 < gate.max() <= 1
    assert gate[2] == cell.highest(1) == gate.max()


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_the_data_sets_gaussians_are_the_gate_of_its_average(gate_kind, mode):
    """An input whose values and statistics are exactly the averages has the gate that the curve gives."""
    other = make_explanation(gate_kind=gate_kind, mode=mode, heads=2, features=5, dtype=np.float64)
    shown = {
        field.name: getattr(other, field.name) for field in fields(DatasetMean) if field.name != "samples"
    }
    e = replace(other, dataset=DatasetMean(**shown, samples=1))
    for layer in range(e.shape[1]):
        cell = cell_gaussians(e, layer, 3, dataset=True)
        curve = gates_at(cell, cell.value)
        np.testing.assert_allclose(curve[cell.seen], other.gate[cell.seen, layer, 3], rtol=1e-9)
        assert cell.value == other.values[layer, 3]
        np.testing.assert_array_equal(cell.gate, other.gate[:, layer, 3])


def test_without_a_data_set_there_are_no_average_gaussians():
    with pytest.raises(ConfigError, match="test-head holds no averages over a data set"):
        cell_gaussians(make_explanation(dataset=False), 0, 0, dataset=True)


def test_a_cell_that_does_not_exist_is_refused():
    with pytest.raises(ShapeError, match="no cell at layer 6, feature 0; layers go from 0 to 5 and features"):
        cell_gaussians(make_explanation(), 6, 0)


def test_a_drawing_reaches_the_value_and_every_gaussian_of_heads_that_see_the_cell():
    e = make_explanation(mode="layer_groups", heads=2)
    cell = cell_gaussians(e, 0, 0)
    low, high = cell.extent
    reach = 1.2 * cell.spread[0]
    assert low <= min(cell.value, cell.mean[0] - 3 * cell.deviation[0], cell.centre[0] - reach)
    assert high >= max(cell.value, cell.mean[0] + 3 * cell.deviation[0], cell.centre[0] + reach)
    far = replace(cell, centre=cell.centre + np.array([0.0, 1e6]))
    assert far.extent == cell.extent, "head 1 does not see layer 0"
