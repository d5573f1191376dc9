"""Values from browsers and programs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.visit.mutes import Mutes
from app.visit.untrusted import (
    indices_of,
    mutes_of,
    region_of,
    scale_of,
    whole_number,
)
from daam_core.errors import InputError, is_number, is_whole
from daam_core.inputs import Region

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
EDGES = {"left": 0.1, "top": 0, "right": 0.5, "bottom": 1.0}


def test_true_is_no_number():
    assert not is_whole(True)
    assert not is_number(False)
    assert is_whole(3)
    assert is_number(3.5)


@pytest.mark.parametrize("value", [True, "3", 1.5, float("inf"), float("nan"), None, [3]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(ValueError, match="not a whole number"):
        whole_number(value)


def test_a_region_is_an_object_or_its_json_text():
    region = Region(0.1, 0.0, 0.5, 1.0, "black")
    assert region_of(EDGES, "black") == region
    assert region_of(json.dumps(EDGES), "black") == region


@pytest.mark.parametrize(
    "edges",
    [None, "", "{", "[]", [], {}, EDGES | {"left": "0"}, EDGES | {"top": True}, EDGES | {"top": 10**400}],
)
def test_no_region_is_one_sentence(edges):
    with pytest.raises(InputError, match="No region is marked"):
        region_of(edges, "black")


def test_an_unknown_filling_is_refused():
    with pytest.raises(InputError, match="its mean colour, black or a blur"):
        region_of(EDGES, ["black"])


def test_mutes_are_read_from_json():
    text = '{"heads": [1], "layers": [0], "features": [5, 6.0], "cells": [[2, 3, 4]]}'
    expected = Mutes(frozenset({1}), frozenset({0}), frozenset({5, 6}), frozenset({(2, 3, 4)}))
    assert mutes_of(text) == expected
    for nothing in ("", "  ", None, "{}", "null"):
        assert not mutes_of(nothing)


def test_heads_and_layers_are_numbers_or_their_digits():
    assert indices_of(["3", 1]) == {1, 3}
    assert indices_of(None) == frozenset()
    for wrong in (["x"], [1.5], [float("inf")], ["-1"], [True], "12", 3):
        with pytest.raises(InputError, match="Heads and layers are given by their numbers"):
            indices_of(wrong)


def _sentence(read, value) -> str:
    """What reading a value is refused with; nothing where it is not."""
    try:
        read(value)
    except InputError as error:
        return str(error)
    return ""


@given(ANYTHING)
def test_anything_is_read_or_refused_in_one_sentence(value):
    for read in (mutes_of, lambda v: mutes_of(json.dumps(v)), indices_of, scale_of):
        assert "\n" not in _sentence(read, value)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("heads", "layers", "features", "cells"), ANYTHING)))
def test_any_object_is_read_or_refused_in_one_sentence(value):
    assert "\n" not in _sentence(mutes_of, json.dumps(value))


def test_a_scale_is_one_of_two():
    assert scale_of("per_head") == "per_head"
    with pytest.raises(InputError, match="The scale is all_heads or per_head, got 'shared'"):
        scale_of("shared")
