"""Figures of predictions against labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from daam_core.training.scores import score


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60),
)
def test_scores_agree_with_scikit_learn(pairs):
    labels, predictions = zip(*pairs, strict=True)
    found = score(labels, predictions, ["a", "b", "c", "d"])
    assert found.inputs == len(pairs)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predictions))
    mean = f1_score(labels, predictions, labels=sorted(set(labels)), average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(mean)
    occurring = [figures.recall for figures in found.classes if figures.inputs]
    assert found.balanced_accuracy == pytest.approx(np.mean(occurring))
    assert np.sum(found.confusion) == len(pairs)


def test_balanced_accuracy_is_scikit_learns():
    labels, predictions = [0, 0, 0, 1, 2, 2], [0, 1, 0, 1, 2, 0]
    expected = balanced_accuracy_score(labels, predictions)
    assert score(labels, predictions, "abc").balanced_accuracy == pytest.approx(expected)


def test_scores_by_hand():
    found = score([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0], ["cat", "dog", "cow", "hen"])
    cat, dog, cow, hen = found.classes
    assert (cat.inputs, cat.precision, cat.recall) == (3, 0.5, pytest.approx(2 / 3))
    assert (dog.inputs, dog.precision, dog.recall, dog.f1) == (2, 0.5, 0.5, 0.5)
    assert (cow.inputs, cow.precision, cow.recall, cow.f1) == (1, 0.0, 0.0, 0.0)
    assert (hen.inputs, hen.f1) == (0, 0.0)
    assert found.confusion == ((2, 1, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0))
