"""Oracles: numpy's correlation, and the binary entropy."""

from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from daam_core.errors import ShapeError
from daam_core.reading.heads import (
    chosen_heads,
    gate_entropy,
    head_order,
    head_similarity,
    most_on,
    same_by_construction,
)
from tests.support.builders import make_explanation, without_amplitude


def test_similarity_equals_numpys_correlation_and_is_missing_where_heads_share_no_layer():
    e = make_explanation(heads=3, dtype=np.float64)
    similarity = head_similarity(e.gate, e.head_layers)
    np.testing.assert_allclose(similarity, np.corrcoef(e.gate.reshape(3, -1)), atol=1e-12)
    groups = make_explanation(heads=2, mode="layer_groups")
    found = head_similarity(groups.gate, groups.head_layers)
    assert np.isnan(found[0, 1])
    assert found[0, 0] == found[1, 1] == 1


def test_similarity_with_a_constant_gate_is_missing():
    gate = np.stack([np.ones((2, 3)), np.arange(6.0).reshape(2, 3)])
    assert np.isnan(head_similarity(gate, np.ones((2, 2), dtype=bool))[0, 1])


def test_heads_are_ordered_by_their_share_and_ties_keep_their_order():
    assert head_order(np.array([[1.0, 1.0], [5.0, 0.0], [2.0, 0.0]])).tolist() == [1, 0, 2]
    # Shares that differ by rounding alone are equal.
    assert head_order(np.array([[20.0], [39.99999], [40.00001]])).tolist() == [1, 2, 0]


def test_heads_are_chosen_in_the_order_given_and_none_means_all():
    e = make_explanation(heads=4)
    assert chosen_heads(e, None) == [0, 1, 2, 3]
    assert chosen_heads(e, 2) == chosen_heads(e, [2]) == [2]
    assert chosen_heads(e, [3, 0]) == [3, 0]
    for wrong in ([], [4], -1):
        with pytest.raises(ShapeError, match=r"There is no head .*; this model has heads 0 to 3"):
            chosen_heads(e, wrong)


def test_entropy_is_one_for_an_even_gate_and_zero_for_a_single_open_cell():
    gate = np.zeros((3, 2, 4))
    gate[0] = 0.3
    gate[1, 1, 2] = 0.9
    found = gate_entropy(gate, np.ones((3, 2), dtype=bool))
    assert found[0] == pytest.approx(1)
    assert found[1] == 0
    assert np.isnan(found[2]), "a gate that is shut has no distribution"


def test_entropy_of_two_cells_equals_the_binary_entropy():
    gate = np.array([[[0.2, 0.6]]])
    p = 0.25
    expected = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    assert gate_entropy(gate, np.ones((1, 1), dtype=bool))[0] == pytest.approx(expected)


def test_entropy_counts_only_the_layers_a_head_sees():
    e = make_explanation(mode="layer_groups", heads=2)
    alone = gate_entropy(e.gate[:1, :3], np.ones((1, 3), dtype=bool))
    assert gate_entropy(e.gate, e.head_layers)[0] == pytest.approx(alone[0])


@given(arrays(np.float64, st.integers(1, 24), elements=st.floats(0, 100)))
def test_layers_named_carry_half_and_clearly_more_than_even_shares_would(shares):
    found, total, layers = most_on(shares), shares.sum(), (shares > 0).sum()
    if found == ():
        assert total == 0
    elif found == "even":
        assert shares.max() <= 1.25 * total / layers
    elif found != "spread":
        carried = shares[list(found)].sum() / total
        assert carried >= 0.5 - 1e-9
        assert carried >= 1.25 * len(found) / layers - 1e-9 or carried >= 0.9
        assert shares[list(found)].min() >= np.delete(shares, found).max(initial=0)


def test_even_shares_name_no_layer_and_layers_that_carry_nothing_do_not_count():
    assert most_on(np.array([16.8, 16.7, 16.7, 16.6, 16.6, 16.6])) == "even"
    assert most_on(np.array([0, 25, 0, 25.5])) == "even"
    assert most_on(np.array([0, 40, 0, 0])) == (1,)
    assert most_on(np.array([70, 30])) == (0,)
    assert most_on(np.array([5, 30, 5, 25, 5, 5])) == (1, 3)


@pytest.mark.parametrize(("mode", "levels"), [("shared", 1), ("layer_groups", 1), ("layer_groups", 2)])
def test_heads_of_a_mixture_without_amplitude_have_the_same_share(mode, levels):
    e = make_explanation(gate_kind="mixture", mode=mode, heads=2 * levels, levels=levels, layers=7)
    if levels == 1:
        assert not same_by_construction(e), "an amplitude shares unevenly"
        e = without_amplitude(e)
    np.testing.assert_allclose(e.layer_contribution.sum(1), 100 / e.shape[0], rtol=1e-5)
    assert same_by_construction(e)
    assert head_order(e.layer_contribution).tolist() == list(range(e.shape[0]))
    muted = e.layer_contribution.copy()
    muted[1] = 0
    assert not same_by_construction(replace(e, layer_contribution=muted))


def test_heads_of_density_gates_have_shares_of_their_own():
    assert not same_by_construction(make_explanation(mode="layer_groups", heads=4, levels=2))
    one = without_amplitude(make_explanation(gate_kind="mixture", heads=1))
    assert not same_by_construction(one), "one head is not said to have the same share as others"
