"""What was measured of the built-in models."""

import json
import re

import pytest

from daam_core.faithfulness.report.findings import over
from daam_core.faithfulness.report.published import published
from daam_core.faithfulness.statistics import Interval
from daam_core.locating import built_in_models
from daam_core.trained import TrainedClassifier, load_model
from tests.support.small import letter_model


def test_what_was_published_is_shown_for_the_very_weights_only(tmp_path):
    model = TrainedClassifier(letter_model().classifier, name="letters", sha256="a" * 64)
    path = tmp_path / "letters.json"
    assert published(model, folder=tmp_path) is None
    found = {"provenance": {"checkpoint_sha256": "a" * 64}, "findings": []}
    path.write_text(json.dumps(found))
    assert published(model, folder=tmp_path) == found
    assert (
        published(TrainedClassifier(model.classifier, name="letters", sha256="b" * 64), folder=tmp_path)
        is None
    )
    assert published(TrainedClassifier(model.classifier, name="letters"), folder=tmp_path) is None
    for damaged in ("{", "[]", '{"provenance": {}}', '{"provenance": null, "findings": []}'):
        path.write_text(damaged)
        assert published(model, folder=tmp_path) is None


@pytest.mark.parametrize("name", built_in_models())
def test_every_built_in_classifier_comes_with_its_measurement(name):
    found = published(load_model(name))
    assert found is not None, f"{name} was trained again: measure it with the faithfulness command."
    gain = found["deletion"]["gated"]["importance"]["gain"]
    assert found["findings"][0]["answer"] == (
        "yes" if gain["low"] > 0 else "no" if gain["high"] < 0 else "open"
    )
    assert found["accuracy"]["count"] >= 100
    # What was stored is what the numbers would be told as today: the page shows these sentences as they are.
    sentences = {finding["question"]: finding["sentence"] for finding in found["findings"]}
    for pair, difference in found["pairs"].items():
        told = over(pair, Interval(**difference))
        assert sentences[told.question] == told.sentence
    assert not re.search(r"(?<![\w.–-])-(?=\d)", " ".join(sentences.values()))
