"""Oracles: numpy's correlation, and a loop over the cells."""

import math
from dataclasses import replace

import numpy as np
import pytest

from daam_core.explaining import explain
from daam_core.reading.differences import differences_by_part, largest_changes, map_correlation
from tests.support.builders import make_explanation
from tests.support.small import letter_model

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


@pytest.fixture(scope="module")
def explanation():
    return explain(letter_model(), "A few letters of a text.")


def test_an_explanation_is_itself(explanation):
    again = explain(letter_model(), "A few letters of a text.")
    assert set(differences_by_part(explanation, again).values()) == {0.0}


def test_a_difference_is_a_share_of_the_largest_value(explanation):
    other = explanation.logits.copy()
    other[0] += 0.5 * np.abs(explanation.logits).max()
    found = differences_by_part(explanation, replace(explanation, logits=other))
    assert found["logits"] == pytest.approx(0.5, rel=1e-5)
    assert set(found.values()) == {0.0, found["logits"]}


def test_another_text_or_shape_is_no_number(explanation):
    assert differences_by_part(explanation, replace(explanation, text="Other"))["text"] == math.inf
    shorter = replace(explanation, logits=explanation.logits.astype(np.float64))
    assert differences_by_part(explanation, shorter)["logits"] == math.inf
    # A decoder without evidence has None there.
    evident, plain = replace(explanation, evidence=explanation.gate), replace(explanation, evidence=None)
    for one, other in ((evident, plain), (plain, evident)):
        assert differences_by_part(one, other)["evidence"] == math.inf
