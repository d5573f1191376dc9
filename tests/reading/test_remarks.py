"""What is to be said of an input stands in its facts, and nothing else does."""

from dataclasses import replace

import pytest

from daam_core.reading.remarks import remarks
from tests.support.builders import make_explanation


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"seconds": 1.0, "format": "WAV"}, ()),
        ({"repaired": "put on white"}, ("put on white",)),
        ({"noticed": "silent", "repaired": "its end mark added"}, ("its end mark added", "silent")),
        ("an old file's", ()),
    ],
)
def test_remarks(facts, expected):
    explanation = make_explanation()
    assert remarks(explanation) == ()
    assert remarks(replace(explanation, provenance={"input": facts})) == expected
