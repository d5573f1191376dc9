"""Intervals, correlations and areas against scipy, scikit-learn, scikit-image and plain formulas."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.metrics import structural_similarity
from sklearn.metrics import auc

from daam_core.errors import ShapeError
from daam_core.faithfulness.retraining.layers import permutation_p_value
from daam_core.faithfulness.statistics import (
    area,
    bootstrap_mean,
    correlation,
    rank_correlation,
    structure_similarity,
)

NUMBERS = arrays(np.float64, 12, elements=st.integers(-5, 5).map(float))


def test_the_interval_holds_the_middle_of_means_drawn_again():
    """Drawn here as counts of each value, multinomial, which is the same distribution of means."""
    values = np.random.default_rng(0).gamma(2, size=60)
    found = bootstrap_mean(values, seed=1, resamples=20_000)
    counts = np.random.default_rng(2).multinomial(60, np.full(60, 1 / 60), size=20_000)
    low, high = np.quantile(counts @ values / 60, [0.025, 0.975])
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(low, abs=0.02)
    assert found.high == pytest.approx(high, abs=0.02)


def test_small_means_have_more_digits_and_nothing_has_not():
    assert str(bootstrap_mean([0.0, 0.0], seed=0)) == "0.000 [0.000, 0.000]"
    assert str(bootstrap_mean([0.001, 0.001], seed=0)) == "0.00100 [0.00100, 0.00100]"


def test_of_one_value_there_is_no_interval():
    one = bootstrap_mean([0.32], seed=0)
    assert str(one) == "0.320 (one value, no interval)"
    assert not one.excludes_zero


def test_the_interval_of_one_value_is_that_value():
    found = bootstrap_mean([0.25], seed=0)
    assert (found.low, found.mean, found.high) == (0.25, 0.25, 0.25)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    draw = np.random.default_rng(0)
    inside = 0
    for trial in range(300):
        found = bootstrap_mean(draw.normal(1, 1, 50), seed=trial, resamples=500)
        inside += found.low <= 1 <= found.high
    assert 0.90 <= inside / 300 <= 0.98


def test_intervals_say_what_they_exclude_and_repeat_with_their_seed():
    values = np.random.default_rng(0).normal(0.5, 1, 100)
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)
    assert bootstrap_mean(values, seed=3).excludes_zero
    assert bootstrap_mean(-values, seed=3).excludes_zero
    assert not bootstrap_mean(values - values.mean(), seed=3).excludes_zero
    assert str(bootstrap_mean([1.0, 1.0], seed=0)) == "1.000 [1.000, 1.000]"
    assert str(bootstrap_mean([-1e-4, -1e-4], seed=0)) == "−0.00010 [−0.00010, −0.00010]"


@pytest.mark.parametrize("values", [[], [[1.0, 2.0]], [1.0, np.nan]])
def test_what_has_no_mean_is_refused(values):
    with pytest.raises(ShapeError, match="list of finite numbers"):
        bootstrap_mean(values, seed=0)


@given(NUMBERS, NUMBERS)
def test_correlations_are_scipys(first, second):
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        assert correlation(first, second) == rank_correlation(first, second) == 0
        return
    assert correlation(first, second) == pytest.approx(scipy.stats.pearsonr(first, second)[0], abs=1e-9)
    assert rank_correlation(first, second) == pytest.approx(scipy.stats.spearmanr(first, second)[0], abs=1e-9)


def test_a_map_that_is_constant_but_for_rounding_correlates_with_nothing():
    nearly = np.full(20, 0.1) + np.arange(20) * 1e-17
    assert correlation(nearly, np.arange(20)) == 0


def test_maps_of_different_sizes_are_refused():
    with pytest.raises(ShapeError, match="same size"):
        correlation([1, 2], [1, 2, 3])
    with pytest.raises(ShapeError, match="3 × 3"):
        structure_similarity(np.zeros((2, 9)), np.zeros((2, 9)))


def test_structural_similarity_is_scikit_images_on_scaled_maps():
    draw = np.random.default_rng(0)
    first, second = draw.random((9, 20)), draw.random((9, 20))
    for map_ in (first, second):
        map_.flat[0], map_.flat[1] = 0.0, 1.0
    expected = structural_similarity(first, second, data_range=1.0, win_size=7)
    assert structure_similarity(5 * first - 2, 0.1 * second) == pytest.approx(expected)
    assert structure_similarity(first, first) == pytest.approx(1)
    stacked = structure_similarity(np.stack([first, first]), np.stack([first, second]))
    assert stacked == pytest.approx((1 + expected) / 2)
    # Fewer layers than the usual window: the largest odd window that fits.
    assert structure_similarity(first[:4], second[:4]) == pytest.approx(
        structural_similarity(first[:4], second[:4], data_range=1.0, win_size=3), abs=0.1
    )


@given(arrays(np.float64, 9, elements=st.floats(0, 1)))
def test_the_area_is_scikit_learns(heights):
    shares = np.array([0, 0.05, 0.1, 0.2, 0.4, 0.5, 0.7, 0.9, 1])
    assert area(shares, heights) == pytest.approx(auc(shares, heights))


def test_p_values_count_orders():
    assert permutation_p_value(np.array([1.0, 2, 3]), np.array([10.0, 20, 30])) == pytest.approx(1 / 6)
    assert permutation_p_value(np.array([3.0, 2, 1]), np.array([10.0, 20, 30])) == 1
    assert permutation_p_value(np.array([1.0, 1, 1]), np.array([10.0, 20, 30])) == 1
    # Too many orders to try all: at random, close to scipy's exact value.
    first, second = np.arange(12.0), np.array([1.0, 0, 3, 2, 4, 6, 5, 7, 9, 8, 11, 10])
    assert permutation_p_value(first, second) < 0.001
    draw = np.random.default_rng(1)
    some = draw.permutation(12).astype(float)
    found = permutation_p_value(first, some)
    expected = scipy.stats.spearmanr(first, some, alternative="greater").pvalue
    assert found == pytest.approx(expected, abs=0.03)
