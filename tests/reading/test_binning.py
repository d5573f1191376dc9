"""Oracle: a loop over the bins."""

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from daam_core.errors import ConfigError
from daam_core.reading.binning import bin_columns

numbers = st.floats(-1e6, 1e6, width=32)


@given(
    arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=numbers),
    st.integers(1, 50),
    st.sampled_from(["max", "mean", "extreme"]),
)
def test_binning_equals_a_loop_over_the_bins(values, columns, how):
    binned = bin_columns(values, columns, how=how)
    edges = binned.edges
    assert edges[0] == 0
    assert edges[-1] == values.shape[1]
    assert len(edges) - 1 == min(columns, values.shape[1])
    widths = np.diff(edges)
    assert widths.min() >= 1
    assert widths.max() - widths.min() <= 1
    oracle = {
        "max": lambda part: part.max(),
        "mean": lambda part: part.mean(),
        "extreme": lambda part: min(part) if -min(part) > max(part) else max(part),
    }[how]
    for row in range(len(values)):
        expected = [oracle(values[row, a:b]) for a, b in itertools.pairwise(edges)]
        np.testing.assert_allclose(binned.values[row], expected, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 5119), st.integers(0, 39))
def test_a_single_hot_cell_survives_binning_by_maximum(feature, layer):
    values = np.zeros((40, 5120), dtype=np.float32)
    values[layer, feature] = 1
    binned = bin_columns(values, 700)
    (place,) = np.flatnonzero(binned.values[layer])
    assert binned.edges[place] <= feature < binned.edges[place + 1]
    assert binned.values.sum() == 1


def test_binning_says_what_it_did():
    assert bin_columns(np.zeros((1, 10)), 10).statement == ""
    assert bin_columns(np.zeros((1, 10)), 5).statement == "each column shows the maximum of 2 features"
    assert (
        bin_columns(np.zeros((1, 10)), 3, how="mean").statement
        == "each column shows the mean of 3–4 features"
    )


@pytest.mark.parametrize("how", ["max", "mean", "extreme"])
def test_binning_leaves_missing_cells_out(how):
    values = np.array([[np.nan, 2.0, np.nan, np.nan]])
    np.testing.assert_array_equal(bin_columns(values, 2, how=how).values, [[2.0, np.nan]])


def test_binning_refuses_what_it_cannot_do():
    with pytest.raises(ConfigError, match="at least one column, got 0"):
        bin_columns(np.zeros((1, 3)), 0)
    with pytest.raises(ConfigError, match="Unknown binning 'median'"):
        bin_columns(np.zeros((1, 3)), 2, how="median")  # type: ignore[arg-type]
