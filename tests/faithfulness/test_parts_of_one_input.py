"""The check of an input's attribution for any model."""

import numpy as np
import pytest

from daam_core.errors import CancelledError, InputError
from daam_core.faithfulness.parts_of_one_input import check_parts
from daam_core.faithfulness.removal.parts import split
from daam_core.inputs import Text, read_text
from daam_core.progress import Progress

WORDS = "rain on the good old roof of a house that nobody has seen since we left the town".split()
PARTS = split(read_text(" ".join(WORDS)))


def decides_by_two(left: Text) -> np.ndarray:
    """Sure of class 1 while one of two words is there; refuses what has no words of its own."""
    words = set(left.content.split())
    if not words & set(WORDS):
        raise InputError("There is no word here.")
    return np.array([0.0, 4.0 if words & {"good", "house"} else -4.0])


def test_an_attribution_that_names_the_words_is_confirmed_and_another_is_not():
    true = np.array([1.0 if word in ("good", "house") else 0.0 for word in WORDS])
    found = check_parts(PARTS, true, decides_by_two)
    high, low = 1 / (1 + np.exp(-4.0)), 1 / (1 + np.exp(4.0))
    # They are the first two of the 18 words to go, and when nothing is left the two classes are alike.
    heights = [high, *[low] * 9, 0.5]
    assert found.deletion == pytest.approx(np.trapezoid(heights, dx=0.1))
    assert found.p_value == pytest.approx(1 / 20)
    assert found.parts == len(WORDS) == 18
    assert 11 < found.runs <= 2 + 9 * 20
    assert found.refused == 1  # where nothing is left
    assert found.sentence == (
        "The check confirms the attribution for this input: taking out the words that speak most for the "
        f"prediction takes it away sooner (area {found.deletion:.2f}) than taking out words at random "
        f"({found.at_random:.2f}, 19 orders)."
    )
    wrong = check_parts(PARTS, -true, decides_by_two)
    assert wrong.p_value > 0.9
    assert "does not confirm" in wrong.sentence


def test_a_check_stops_when_asked_and_hands_on_what_the_model_refuses():
    attribution = np.zeros(len(WORDS))
    with pytest.raises(CancelledError):
        check_parts(PARTS, attribution, decides_by_two, progress=Progress(cancelled=lambda: True))

    def refuses(_: Text) -> np.ndarray:
        raise InputError("No.")

    with pytest.raises(InputError, match="No"):
        check_parts(PARTS, attribution, refuses)
