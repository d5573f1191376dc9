"""``evaluate``: its files, and what it refuses."""

import json

import numpy as np

from daam_core import load_model
from daam_core.training.features import extract
from tests.support.data import write_table


def test_evaluation_writes_every_file(letter_checkpoint, letters, run, refused, tmp_path):
    words = ["evaluate", letters, "--model", letter_checkpoint, "--out", tmp_path / "report"]
    status, text, err = run(*words)
    assert (status, err) == (0, "")
    assert "accuracy" in text
    assert "The classifier was trained on this data" in text
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {
        "report.json",
        "report.md",
        "report.html",
        "importance.npz",
        "importance.svg",
        "layers.svg",
        "parameters.svg",
    }
    with np.load(tmp_path / "report" / "importance.npz") as arrays:
        assert arrays["importance"].shape == arrays["gate"].shape == (2, 6, 8)
        assert arrays["importance"].max() == 1
        stored = load_model(letter_checkpoint).dataset
        np.testing.assert_allclose(arrays["importance"], stored.importance, atol=1e-6)
    assert "<svg" in (tmp_path / "report" / "report.html").read_text()
    assert "](importance.svg)" in (tmp_path / "report" / "report.md").read_text()
    assert "is not empty" in refused(*words)
    assert run(*words, "--overwrite")[0] == 0


def test_evaluation_refuses_unknown_models_and_classes(letter_checkpoint, refused, tmp_path):
    other = write_table(tmp_path / "other.csv", [("text", "label"), ("aa", "digits")])
    assert "the class 'digits' is not one of" in refused("evaluate", other, "--model", letter_checkpoint)
    assert "There is no model 'nothing'" in refused("evaluate", other, "--model", "nothing")


def test_a_class_without_inputs_counts_as_absent(letter_checkpoint, run, tmp_path):
    some = write_table(tmp_path / "some.csv", [("text", "label"), ("aeio", "vowels"), ("uiea", "vowels")])
    status, out, err = run("evaluate", some, "--model", letter_checkpoint, "--json", "--out", tmp_path / "r")
    assert status == 0
    assert err == "daam: note: some.csv has no inputs of consonants; they count as absent.\n"
    scores = json.loads(out)["scores"]
    assert scores["accuracy"] == scores["balanced_accuracy"]
    assert [one["inputs"] for one in scores["classes"]] == [0, 2]
    assert "they count as absent" in (tmp_path / "r" / "report.md").read_text()


def test_features_extracted_by_training_serve_the_evaluation(letter_checkpoint, letters, run, monkeypatch):
    counts = []

    def counted(*arguments, **named):
        found = extract(*arguments, **named)
        counts.append(found.encoded)
        return found

    monkeypatch.setattr("daam_core.training.evaluation.extract", counted)
    assert run("evaluate", letters, "--model", letter_checkpoint)[0] == 0
    assert counts == [0]
