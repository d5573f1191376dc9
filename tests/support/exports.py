"""Explanations of every kind for the exports, and what is asked of each file of them."""

import json
from dataclasses import fields

import numpy as np
import pytest

from daam_core.result import Explanation, arrays
from tests.support.builders import make_explanation

KINDS = {
    "text": {},
    "audio-mixture": {"modality": "audio", "gate_kind": "mixture"},
    "image-groups": {"modality": "image", "mode": "layer_groups", "heads": 2},
    "no-data-set": {"dataset": False},
    "float64-per-head": {"dtype": np.float64, "scale": "per_head"},
    "constant": {"constant": True},
}
SMALL = make_explanation(heads=2, layers=3, features=4, tokens=4)
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def strict(content: str) -> dict:
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(content, parse_constant=refuse)


def assert_equal(found: Explanation, expected: Explanation) -> None:
    a, b = arrays(found), arrays(expected)
    assert a.keys() == b.keys()
    for name in b:
        assert a[name].dtype == b[name].dtype, name
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    for field in fields(Explanation):
        value = getattr(expected, field.name)
        if not isinstance(value, np.ndarray) and field.name != "dataset":
            assert getattr(found, field.name) == value, field.name
    if expected.dataset is not None:
        assert found.dataset.samples == expected.dataset.samples


def assert_one_sentence(error: BaseException) -> None:
    text = str(error)
    assert text
    assert "\n" not in text
    assert len(text) < 400
