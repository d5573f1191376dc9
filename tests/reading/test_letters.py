"""Characters that cannot be seen, against Unicode's own categories."""

import sys
import unicodedata

import hypothesis.strategies as st
from hypothesis import given

from daam_core.reading.letters import visible


def test_every_zero_width_mark_and_direction_is_taken_out():
    assert visible("a\u200b\u200c\u200d\u2060\ufeff\u202e\u2066\u200f\u00ad\x07\U000e0041b") == "ab"


def test_of_the_format_characters_only_those_with_a_shape_stay():
    formats = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) == "Cf"]
    seen = {letter for letter in formats if visible(letter)}
    assert all(
        unicodedata.name(letter).split()[0] in {"ARABIC", "SYRIAC", "KAITHI", "INTERLINEAR", "EGYPTIAN"}
        for letter in seen
    )


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=30))
def test_what_can_be_seen_is_left_as_it_is(text):
    hidden = {"\u115f", "\u1160", "\u3164", "\uffa0"}  # letters by category, and blank
    assert visible(text) == "".join(letter for letter in text if letter not in hidden)
