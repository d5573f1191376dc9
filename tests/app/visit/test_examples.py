"""Built-in inputs."""

from pathlib import Path

import pytest

from app.visit.actions import explain_input
from app.visit.examples import EXAMPLES, recognised
from app.visit.inputs import given_file, given_text
from app.visit.session import Session
from tests.app.visitor import TEXT


def test_a_text_or_file_of_an_example_is_that_example(tmp_path):
    for example in EXAMPLES.values():
        if example.modality == "text":
            found = recognised(given_text(example.content))
        else:
            path = tmp_path / "upload"
            path.write_bytes(Path(example.path).read_bytes())
            found = recognised(given_file(example.modality, path))
        assert (found.example, found.name) == (example.id, example.title)
    assert recognised(given_text(TEXT)).example is None


def test_every_example_can_be_explained(offer):
    for example in EXAMPLES.values():
        name = offer.names(example.modality)[0]
        result = explain_input(offer, Session(), name, example.given()).current
        assert result.explanation.probabilities.sum() == pytest.approx(1)
        assert result.given.title == example.title
