"""``compare``: every method is measured in the same way."""

import json

import numpy as np
import pytest

from daam_core.training.methods import METHODS
from tests.support.commands import compare_words, letter_table


def test_a_comparison_measures_every_method_in_the_same_way(letters, run, tmp_path):
    chosen = "daam,linear,last_layer"
    words = compare_words(letters, "--folds", 3, "--seeds", 2, "--methods", chosen, "--out", tmp_path / "cmp")
    status, text, err = run(*words)
    assert (status, err) == (0, "")
    assert "3 folds, stratified" in text
    data = json.loads((tmp_path / "cmp" / "compare.json").read_text())
    assert [method["method"] for method in data["methods"]] == [
        "DAAM as configured",
        "linear probe",
        "last layer",
    ]
    for method in data["methods"]:
        assert np.shape(method["accuracies"]) == (2, 3)
        assert method["accuracy"] == pytest.approx(np.mean(method["accuracies"]))
        assert f"{method['accuracy']:.4f}" in (tmp_path / "cmp" / "compare.md").read_text()
        assert 0 <= method["balanced_accuracy"] <= 1
    assert "(best)" in text
    assert f"Always the most frequent class of the training part: {data['majority']:.4f}" in text
    assert (tmp_path / "cmp" / "compare.html").read_text().startswith("<!doctype html>")


def test_each_method_says_under_its_own_name_what_it_makes_of_the_layers(letters, run, tmp_path):
    quantities = {
        "daam": "density attention",
        "density_block": "density attention",
        "linear": "|decoder weight|",
        "last_layer": "|decoder weight|",
        "weighted_sum": "layer-sum weight",
        "mlp": "|hidden weight|",
        "mha": "attention weight",
        "gqa": "attention weight",
        "logistic": "|decoder weight|",
        "kernel_ridge": "",
    }
    words = ("--folds", 2, "--methods", ",".join(quantities), "--out", tmp_path / "c")
    status, text, err = run(*compare_words(letters, *words))
    assert status == 0
    assert err == "daam: note: --heads 2 does not hold for density_block, which sets it itself.\n"
    methods = json.loads((tmp_path / "c" / "compare.json").read_text())["methods"]
    said = [method["layers"] for method in methods]
    assert [one["quantity"] for one in said] == [*quantities.values()]
    assert [sum(one["percent"]) for one in said[:-1]] == pytest.approx([100.0] * 9, abs=1e-3)
    assert said[3]["percent"][:-1] == [0.0] * (len(said[3]["percent"]) - 1)
    assert said[-1]["percent"] == []
    for shown in (text, (tmp_path / "c" / "compare.md").read_text()):
        table = shown.partition("percent of each layer")[2]
        assert "weighted layer sum" in table
        assert f"{said[4]['percent'][0]:.1f}" in table
        assert "kernel ridge" not in table


def test_a_comparison_on_a_test_set_prints_one_json_object(letters, run, tmp_path):
    test = letter_table(tmp_path / "test.csv", 20, seed=3)
    status, text, err = run(*compare_words(letters, "--test", test, "--methods", "linear", "--json"))
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert [part["name"] for part in found["parts"]] == ["letters.csv", "test.csv"]
    method = found["methods"][0]
    assert method["split_deviation"] is method["seed_deviation"] is method["deviation"] is None


def test_accuracy_by_a_column_has_a_table_of_its_own(letters, run, tmp_path):
    words = (
        "--folds",
        2,
        "--methods",
        "linear,last_layer",
        "--accuracy-by",
        "who",
        "--out",
        tmp_path / "c",
    )
    status, text, _ = run(*compare_words(letters, *words))
    assert status == 0
    data = json.loads((tmp_path / "c" / "compare.json").read_text())
    slices = data["methods"][1]["slices"]
    assert [(s["value"], s["inputs"]) for s in slices] == [(f"g{i}", 10) for i in range(6)]
    assert "method, accuracy by who" in text
    assert f"{slices[0]['accuracy']:.4f} ± {slices[0]['deviation']:.4f}" in text
    assert "accuracy by who" in (tmp_path / "c" / "compare.md").read_text()


def test_a_protocol_says_when_test_inputs_were_trained_on(letters, run, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("".join(letters.read_text().splitlines(keepends=True)[:11]) + "zzz,consonants,g0\n")
    status, text, _ = run(*compare_words(letters, "--test", test, "--methods", "last_layer"))
    assert status == 0
    assert "test set test.csv (11 inputs, 10 of them in the training data too)" in text


def test_a_comparison_refuses_what_it_cannot_measure(letters, refused):
    assert "give --test DATA or --folds N" in refused(*compare_words(letters))
    # Options of the classifier that no method takes as they are given.
    words = compare_words(letters, "--folds", 2, "--methods", "daam_v1,daam_v2,mlp")
    assert "--heads 2, but daam_v1 has --heads by the encoder's layers; daam_v2 has --heads 1" in refused(
        *words
    )
    folds = ("--folds", 2)
    assert "--methods names no method" in refused(*compare_words(letters, *folds, "--methods", ""))
    nothing = compare_words(letters, *folds, "--tune", "--validation", 0)
    assert "--tune chooses on the validation part, and with --validation 0 there is none" in refused(*nothing)
    assert "There is no method 'magic'" in refused(
        *compare_words(letters, "--folds", 2, "--methods", "magic")
    )


def test_what_is_solved_and_what_sees_tokens_is_compared_by_one_word_each(letters, run):
    chosen = "kernel_ridge,attentive_statistics"
    status, text, err = run(*compare_words(letters, "--folds", 2, "--tune", "--methods", chosen, "--json"))
    assert (status, err) == (0, "")
    ridge, pooling = json.loads(text)["methods"]
    assert set(ridge["settings"]) == {"layer_scale", "width", "ridge"}
    assert set(pooling["settings"]) == {"learning_rate", "weight_decay"}
    assert min(ridge["accuracy"], pooling["accuracy"]) > 0.7


def test_the_only_method_of_density_attention_completes_the_options_itself(letters, run):
    words = compare_words(letters, "--folds", 2, "--levels", 2, "--json")
    place = words.index("--heads")
    del words[place : place + 2]
    status, text, err = run(*words, "--methods", "density_block,linear")
    assert status == 0, err
    block = json.loads(text)["methods"][0]["settings"]
    assert (block["n_levels"], block["n_heads"], block["decoder"]) == (2, 4, "linear")


def test_a_method_named_twice_is_measured_once(letters, run):
    status, text, _ = run(*compare_words(letters, "--folds", 2, "--methods", "last_layer,linear,last_layer"))
    assert status == 0
    assert text.count("(best)") == 1
    assert "last layer" not in text.partition("last layer")[2].partition("percent of each layer")[0]


def test_what_the_validation_part_chose_is_said_of_each_split(letters, run, tmp_path):
    words = (
        "--folds",
        2,
        "--tune",
        "--epochs",
        2,
        "--methods",
        "linear,kernel_ridge",
        "--out",
        tmp_path / "c",
    )
    status, text, err = run(*compare_words(letters, *words))
    assert (status, err) == (0, "")
    methods = json.loads((tmp_path / "c" / "compare.json").read_text())["methods"]
    for method, word in zip(methods, ("linear", "kernel_ridge"), strict=True):
        assert method["tried"] == len(METHODS[word].grid)
        (of_seed,) = method["chosen"]
        assert len(of_seed) == 2
        assert all(one in METHODS[word].grid for one in of_seed)
        said = ", ".join(f"{name} {value:g}" for name, value in of_seed[0].items())
        for file in ("compare.md", "compare.html"):
            assert said in (tmp_path / "c" / file).read_text()
        assert said in text
        assert "kernel ridge regression, which are solved, are tuned in any case" in text
    plain = json.loads(run(*compare_words(letters, "--folds", 2, "--methods", "linear", "--json"))[1])
    assert plain["methods"][0]["chosen"] == []


def test_a_test_part_that_lies_there_is_measured_on(letters, run, tmp_path):
    folder = tmp_path / "parts"
    folder.mkdir()
    for name, count in (("train", 40), ("test", 20)):
        letter_table(folder / f"{name}.csv", count, seed=count)
    status, text, _ = run(*compare_words(folder, "--methods", "last_layer"))
    assert status == 0
    assert "test set parts/test (20 inputs" in text
