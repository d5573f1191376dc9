"""Written numbers read back as what they were."""

import re

import hypothesis.strategies as st
import pytest
from hypothesis import given

from daam_core.reading.numbers import fixed, number, number_range, percent, probability, signed
from tests.view.node import evaluate


@given(st.floats(0, 1))
def test_a_share_reads_as_itself(share):
    sign, number = re.fullmatch(r"([<>] )?([\d.]+) %", percent(share)).groups()
    if sign is None:
        nearest = 0.0501 if 0.1 <= 100 * share <= 99.9 else 0.00501
        assert float(number) == pytest.approx(100 * share, abs=nearest)
    else:
        assert (100 * share < float(number)) == (sign == "< ")


def read(text: str) -> float:
    assert "-" not in text
    return float(text.replace("−", "-"))


@given(st.floats(-1e9, 1e9))
def test_numbers_keep_their_digits_and_have_a_typographic_minus(value):
    assert read(number(value)) == pytest.approx(value, rel=5e-3)
    assert read(fixed(value, 2)) == pytest.approx(value, abs=0.0051)
    assert read(signed(value, 2)) == read(fixed(value, 2))


@given(st.floats(-0.004, 0.004))
def test_what_rounds_to_zero_has_no_sign(value):
    assert fixed(value, 2) == signed(value, 2) == "0.00"


def test_the_page_and_everything_else_write_the_same_numbers():
    values = [
        sign * digits * 10.0**power
        for power in range(-9, 9)
        for digits in (1, 2.3457, 9.996)
        for sign in (1, -1)
    ]
    values += [0.0, -0.0]
    pairs = [[-1, 2.5], [4.9e-36, 0.8432], [-3e-9, 1e-3], [0, 12345.6]]
    assert [probability(share) for share in (0, 1)] == ["< 0.01 %", "> 99.99 %"]
    shares = [0, 0.00001, 0.0004, 0.5, 0.9496, 0.9996, 0.99999, 1]
    assert number_range(0.0898, 1000) == "0 to 1000"
    assert number_range(0.0898, 1000, positive=True) == "0.0898 to 1000"
    written = evaluate(
        "* as format from format.js",
        "[data[0].map((v) => format.short(v)), data[1].map((p) => format.reach(...p)), "
        "data[2].map((v) => format.percent(v)), data[2].map((v) => format.probability(v))]",
        [values, pairs, shares],
    )
    assert written == [
        [number(value) for value in values],
        [number_range(*pair) for pair in pairs],
        [percent(share) for share in shares],
        [probability(share) for share in shares],
    ]
