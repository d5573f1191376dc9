"""Paired comparisons are what their definitions say."""

import numpy as np
import pytest
from scipy.stats import binom

from daam_core.benchmark.tables import against, right


def cell(*seeds):
    return {"labels": [[1, 1, 1, 1, 1], [1, 1, 1, 1, 1]], "predictions": [list(seed) for seed in seeds]}


def test_answers_of_all_splits_stand_in_one_row_a_seed():
    found = right(cell(([1, 0, 1, 1, 1], [0, 0, 1, 1, 1])))
    assert found.tolist() == [[1, 0, 1, 1, 1, 0, 0, 1, 1, 1]]


def test_mcnemar_counts_only_inputs_on_which_answers_differ():
    ours = cell(([1, 1, 1, 1, 1], [1, 1, 1, 1, 0]))
    theirs = cell(([0, 0, 0, 0, 1], [1, 1, 1, 1, 1]))
    found = against("linear", theirs, ours)
    assert found.p_value == pytest.approx(2 * binom.cdf(1, 5, 0.5))  # four gained, one lost
    assert found.difference.mean == pytest.approx(0.3)
    assert found.difference.low < 0.3 < found.difference.high
    assert against("linear", ours, ours).p_value == 1.0


def test_differences_are_of_means_over_seeds():
    ours = cell(([1] * 5, [1] * 5), ([0] * 5, [0] * 5))
    theirs = cell(([0] * 5, [0] * 5))
    assert against("linear", theirs, ours).difference.mean == pytest.approx(np.mean([0.5] * 10))
