import math
from dataclasses import replace

import numpy as np
import pytest

from daam_core.explain import explain
from daam_core.reading.differing import differences
from tests.support.small import letter_model


@pytest.fixture(scope="module")
def explanation():
    return explain(letter_model(), "A few letters of a text.")


def test_an_explanation_is_itself(explanation):
    again = explain(letter_model(), "A few letters of a text.")
    assert set(differences(explanation, again).values()) == {0.0}


def test_a_difference_is_a_share_of_the_largest_value(explanation):
    other = explanation.logits.copy()
    other[0] += 0.5 * np.abs(explanation.logits).max()
    found = differences(explanation, replace(explanation, logits=other))
    assert found["logits"] == pytest.approx(0.5, rel=1e-5)
    assert set(found.values()) == {0.0, found["logits"]}


def test_another_text_or_shape_is_no_number(explanation):
    assert differences(explanation, replace(explanation, text="Other"))["text"] == math.inf
    shorter = replace(explanation, logits=explanation.logits.astype(np.float64))
    assert differences(explanation, shorter)["logits"] == math.inf
