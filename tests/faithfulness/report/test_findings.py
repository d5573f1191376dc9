"""Answers in words."""

from types import SimpleNamespace

import pytest

from daam_core.faithfulness.report.findings import against_random, answer, over
from daam_core.faithfulness.statistics import Interval


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.2, "yes"), (-0.2, -0.1, "no"), (-0.1, 0.1, "open")]
)
def test_answers_follow_the_interval(low, high, expected):
    assert answer(Interval((low + high) / 2, low, high, count=9, seed=0)) == expected


@pytest.mark.parametrize(
    ("mean", "expected", "said"),
    [(0.1, "yes", "finds more than"), (-0.1, "no", "finds less than"), (-0.004, "open", "is level with")],
)
def test_a_difference_too_small_to_matter_is_level(mean, expected, said):
    found = over("class_importance over integrated_gradients", Interval(mean, mean, mean, count=9, seed=0))
    assert found.answer == expected
    assert found.sentence.startswith(f"Class importance {said} Integrated gradients")
    gain = Interval(mean, mean, mean, count=9, seed=0)
    area = Interval(0.5, 0.4, 0.6, count=9, seed=0)
    random = against_random(SimpleNamespace(deletion=area, at_random=area, gain=gain))
    assert random.answer == expected
