"""Muted parts: their mask, their words, how they are written."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.visit.mutes import Mutes, keep_mask, parse_indices
from daam_core.errors import InputError


def test_the_mask_is_zero_exactly_where_muted():
    mutes = Mutes(frozenset({0}), frozenset({2}), frozenset({4}), frozenset({(1, 0, 3)}))
    keep = keep_mask(mutes, (2, 3, 5))
    for head, layer, feature in np.ndindex(2, 3, 5):
        muted = head == 0 or layer == 2 or feature == 4 or (head, layer, feature) == (1, 0, 3)
        assert keep[head, layer, feature] == (0 if muted else 1)


def test_nothing_muted_needs_no_mask():
    assert keep_mask(Mutes(), (2, 3, 5)) is None


@pytest.mark.parametrize(
    ("mutes", "said"),
    [
        (Mutes(heads=frozenset({2})), "There is no head 2: heads go from 0 to 1"),
        (Mutes(layers=frozenset({-1})), "There is no layer -1"),
        (Mutes(cells=frozenset({(0, 0, 5)})), "There is no feature 5: features go from 0 to 4"),
    ],
)
def test_what_does_not_exist_cannot_be_muted(mutes, said):
    with pytest.raises(InputError, match=said):
        keep_mask(mutes, (2, 3, 5))


@given(st.frozensets(st.integers(0, 200)))
def test_indices_survive_being_written_and_read(indices):
    described = Mutes(features=indices).describe().removeprefix("features ").removeprefix("feature ")
    text = "" if not indices else described
    assert parse_indices(text, 201, word="feature") == indices


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3, x", "Features are written as numbers, such as 3, 7, 20-24; got 'x'"),
        ("9-3", "9-3 runs backwards; write 3-9"),
        ("500", "There is no feature 500: features go from 0 to 383"),
        ("1-99999999999", "are written as numbers"),
        ("0-9999999", "There is no feature 9999999"),
        ("-3", "are written as numbers"),
    ],
)
def test_wrong_indices_are_one_sentence(text, said):
    with pytest.raises(InputError, match=said):
        parse_indices(text, 384, word="feature")
