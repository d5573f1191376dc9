"""Values from browsers and programs."""

import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.visit.mutes import Mutes
from app.visit.untrusted import (
    choice_of,
    indices_of,
    mutes_of,
    name_of,
    pins_of,
    region_of,
    scale_of,
    share_of,
    sound_change_of,
    text_of,
    whole_number,
)
from daam_core.errors import InputError, is_number, is_whole, shown
from daam_core.inputs import Region, SoundChange

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


@pytest.mark.parametrize("value", [True, "3", 1.5, float("inf"), float("nan"), None, [3], 1e300, 2**60])
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
    readers = (
        mutes_of,
        lambda v: mutes_of(json.dumps(v)),
        indices_of,
        scale_of,
        *(lambda v, i=i: sound_change_of(*(v if j == i else None for j in range(4))) for i in range(4)),
        *(partial(reader, name="value") for reader in (text_of, name_of, share_of)),
        partial(choice_of, name="value", choices=("a", "b")),
    )
    for read in readers:
        assert "\n" not in _sentence(read, value)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("heads", "layers", "features", "cells"), ANYTHING)))
def test_any_object_is_read_or_refused_in_one_sentence(value):
    assert "\n" not in _sentence(mutes_of, json.dumps(value))


def test_a_scale_is_one_of_two():
    assert scale_of("per_head") == "per_head"
    with pytest.raises(InputError, match="The scale is all_heads or per_head, got 'shared'"):
        scale_of("shared")


def test_a_change_of_a_sound_is_four_numbers_of_which_each_may_be_left_out():
    assert sound_change_of(None, None, None, None) == SoundChange(0.0, None, None, 0)
    assert sound_change_of(1, 2.5, -10, 3.0) == SoundChange(1.0, 2.5, -10.0, 3)
    assert sound_change_of(0, 600.04, 40, 2**32 - 1).end == 600.04


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("a", None, None, 0), "start is a number of seconds from 0 to 600, got 'a'."),
        ((True, None, None, 0), "start is a number of seconds from 0 to 600, got True."),
        ((0, 1e308, None, 0), r"end is a number of seconds from 0 to 600, got 1e\+308."),
        ((0, float("inf"), None, 0), "end is a number of seconds from 0 to 600, got inf."),
        ((0, float("nan"), None, 0), "end is a number of seconds from 0 to 600, got nan."),
        ((0, 1, 41, 0), "noise is a signal-to-noise ratio of -10 to 40 dB, or left out; got 41."),
        ((0, 1, 0, -1), "seed is a whole number from 0 to 4294967295, got -1."),
        ((0, 1, 0, 1e30), r"seed is a whole number from 0 to 4294967295, got 1e\+30."),
        ((0, 1, 0, float("inf")), "seed is a whole number from 0 to 4294967295, got inf."),
        ((0, 1, 0, "0"), "seed is a whole number from 0 to 4294967295, got '0'."),
    ],
)
def test_numbers_that_no_sound_can_have_are_refused(values, sentence):
    with pytest.raises(InputError, match=f"^{sentence}$"):
        sound_change_of(*values)


@pytest.mark.parametrize(
    ("read", "value", "sentence"),
    [
        (text_of, 5, "it is a text, got 5."),
        (name_of, "a" * 1000, "it is a name of up to 200 characters, got 1,000."),
        (partial(choice_of, choices=("mean", "blur")), ["blur"], "it is one of mean, blur; got ['blur']."),
        (share_of, 1.1, "it is a share of the picture's side, a number from 0 to 1; got 1.1."),
    ],
)
def test_other_values_are_refused_by_their_name(read, value, sentence):
    assert _sentence(partial(read, name="it"), value) == sentence


def test_texts_choices_and_shares_are_what_was_given():
    assert (text_of(None, "mute"), text_of("a", "mute"), share_of(1, "left")) == ("", "a", 1.0)
    assert choice_of("blur", "fill", ("mean", "blur")) == "blur"


@given(ANYTHING)
def test_a_wrong_value_is_quoted_in_one_short_line(value):
    assert len(shown(value)) <= 60
    assert "\n" not in shown(value)


def test_what_cannot_be_written_is_quoted_by_its_kind():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert shown(10**5000) == "a value of type int"
    assert shown(deep) == "a value of type list"


PIN = {"head": 1, "layer": 2, "feature": 17, "note": "sport?"}


def test_pins_are_read_from_json_and_only_what_a_pin_has_is_kept():
    assert pins_of(None) == pins_of("[]") == []
    assert pins_of(json.dumps([PIN | {"more": 1}])) == [PIN]


@pytest.mark.parametrize(
    "pins",
    [
        {"head": 0},
        [PIN] * 13,
        [PIN | {"note": "x" * 121}],
        [PIN | {"note": None}],
        [PIN | {"head": "1"}],
        [7],
    ],
)
def test_pins_beyond_what_the_view_allows_are_refused(pins):
    with pytest.raises(InputError, match=r"Pinned cells are a JSON list of up to 12|A pinned cell has"):
        pins_of(json.dumps(pins))
