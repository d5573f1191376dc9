"""The record itself: what it shows at a prompt, and that it holds together."""

from dataclasses import replace

import numpy as np
import pytest

from daam_core.errors import ShapeError
from daam_core.result import DatasetMean, arrays
from tests.support.builders import make_explanation


def test_at_a_prompt_an_explanation_is_a_few_lines():
    e = make_explanation("text", heads=4, layers=6, features=32)
    shown = repr(e)
    assert len(shown) < 600
    assert shown.count("\n") == 3
    for part in (e.model, e.predicted_class, "4 heads × 6 layers × 32 features", "all_heads"):
        assert part in shown
    assert f"{e.predicted_class} {e.probabilities.max():.3f}" in shown


def test_many_classes_are_counted():
    e = make_explanation("text", class_names=tuple(f"class {index}" for index in range(40)))
    assert ", and 35 more" in repr(e)


def test_arrays_of_unlike_shape_are_refused():
    e = make_explanation()
    with pytest.raises(ShapeError, match=r"Explanation.amplitude must be \[4, 6\], got \[4, 1\]"):
        replace(e, amplitude=np.ones((4, 1)))


def test_every_array_is_listed_by_its_name():
    e = make_explanation()
    found = arrays(e)
    assert found["gate"] is e.gate
    assert isinstance(e.dataset, DatasetMean)
    assert found["dataset_importance"] is e.dataset.importance
    assert "dataset_gate" not in arrays(replace(e, dataset=None))
