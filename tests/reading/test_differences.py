"""Oracles: numpy's correlation, and a loop over the cells."""

from dataclasses import replace

import numpy as np
import pytest

from daam_core.reading.differences import largest_changes, map_correlation
from tests.support.builders import make_explanation

A, B = make_explanation(seed=1), make_explanation(seed=2)


def test_the_largest_changes_are_those_of_a_full_sort():
    change = B.importance.astype(float) - A.importance
    order = sorted(np.ndindex(change.shape), key=lambda cell: -abs(change[cell]))
    found = largest_changes(A, B, 4)
    assert [(cell.head, cell.layer, cell.feature) for cell in found] == order[:4]
    for cell in found:
        place = (cell.head, cell.layer, cell.feature)
        assert (cell.before, cell.after) == (A.importance[place], B.importance[place])


def test_nothing_changes_between_equal_or_unlike_maps():
    assert largest_changes(A, A) == []
    assert largest_changes(A, make_explanation(layers=3)) == []


def test_maps_of_one_model_correlate_cell_by_cell():
    expected = np.corrcoef(A.importance.ravel(), B.importance.ravel())[0, 1]
    assert map_correlation(A, B) == pytest.approx(expected, abs=1e-6)
    groups = make_explanation(heads=2, mode="layer_groups")
    assert map_correlation(groups, groups) == pytest.approx(1)


def test_heads_of_two_models_are_compared_together():
    other = replace(B, model="another")
    expected = np.corrcoef(A.density_attention.sum(0).ravel(), B.density_attention.sum(0).ravel())[0, 1]
    assert map_correlation(A, other) == pytest.approx(expected, abs=1e-6)


def test_there_is_no_correlation_of_unlike_or_constant_maps():
    assert map_correlation(A, make_explanation(features=5)) is None
    assert map_correlation(A, make_explanation(constant=True)) is None
