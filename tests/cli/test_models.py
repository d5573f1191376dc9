"""``models``: what is available."""

import json

from daam_core.backbones import BUILT_IN


def test_models_lists_classifiers_and_encoders(letter_checkpoint, run, refused, tmp_path):
    status, text, err = run("models", letter_checkpoint.parent, "--json")
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert {encoder["name"] for encoder in found["encoders"]} == set(BUILT_IN)
    found = next(model for model in found["models"] if model["name"] == "checkpoint")
    assert found["classes"] == ["consonants", "vowels"]
    assert found["bytes"] == sum(path.stat().st_size for path in letter_checkpoint.iterdir())
    status, text, _ = run("models", letter_checkpoint)
    assert "checkpoint: text, 2 classes: consonants, vowels\n    not measured" in text
    (tmp_path / "empty").mkdir()
    assert "empty holds no checkpoints" in refused("models", tmp_path / "empty")


def test_the_built_in_classifiers_are_listed_with_what_they_reach(run):
    found = {model["name"]: model for model in json.loads(run("models", "--json")[1])["models"]}
    assert {name: len(model["classes"]) for name, model in found.items()} == {
        "speech-emotion": 4,
        "news-topic": 4,
        "image-object": 101,
        "image-grocery": 43,
    }
    for model in found.values():
        assert model["heads"] >= 4
        assert 0.7 < model["accuracy"] < 1
        assert model["protocol"]
        assert model["bytes"] < 11_000_000
