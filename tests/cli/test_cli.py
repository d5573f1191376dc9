"""The command line: what each command does, prints and refuses, and with which exit status."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw

import daam_core.checkpoint
from daam_core import explain, load_model
from daam_core.backbones import BUILT_IN, load_backbone
from daam_core.checkpoint import Model
from daam_core.cli import experiment, main, options
from daam_core.cli.output import new_folder
from daam_core.errors import DaamError, EncoderError
from daam_core.export import load
from daam_core.model import ModelConfig
from daam_core.training.features import extract
from daam_core.training.fitting import TrainingConfig
from tests.support.small import LetterEncoder, letter_data
from tests.training.test_data import class_folders, write_table

QUICK = ("--epochs", "8", "--batch-size", "8", "--learning-rate", "0.01", "--heads", "2")


@pytest.fixture
def run(capsys):
    """Runs a command; gives its status, standard output and standard error."""

    def call(*words):
        status = main.main([str(word) for word in words])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture
def refused(run):
    """Runs a command that must be refused: status 2, one line, nothing on standard output."""

    def call(*words):
        status, out, err = run(*words)
        assert status == 2, err
        assert out == ""
        assert err.startswith("daam: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        assert "Traceback" not in err
        return err

    return call


@pytest.fixture
def letters(monkeypatch, tmp_path):
    """The encoder of letters in every encoder's place; gives a table of vowels and consonants."""
    for module in (experiment, daam_core.checkpoint):
        monkeypatch.setattr(module, "load_backbone", lambda *_, **__: LetterEncoder())
    monkeypatch.setenv("DAAM_CACHE_DIR", str(tmp_path / "cache"))
    return letter_table(tmp_path / "letters.csv", 60)


def letter_table(path, count, *, seed=0):
    texts, labels = letter_data(count, seed=seed)
    names = [("consonants" if label else "vowels") for label in labels]
    rows = [(text, name, f"g{i % 6}") for i, (text, name) in enumerate(zip(texts, names, strict=True))]
    return write_table(path, [("text", "label", "who"), *rows])


@pytest.fixture
def letter_head(letters, run, tmp_path):
    """A folder with a head trained on letters by the command."""
    out = tmp_path / "head"
    status, _, err = run(*train_words(letters, out))
    assert status == 0, err
    return out


def train_words(data, out, *more):
    return ["train", data, "--modality", "text", "--backbone", "minilm-l6", "--out", out, *QUICK, *more]


def compare_words(data, *more):
    return ["compare", data, "--modality", "text", "--backbone", "minilm-l6", *QUICK, *more]


def leftovers(folder):
    """Half-written things, which start with a dot."""
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


# With the real encoders


def tones(folder):
    seconds = np.arange(6400) / 16_000
    for name, pitch in (("low", 110), ("high", 880)):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            tone = 0.4 * np.sin(2 * np.pi * (pitch * (1 + i / 50)) * seconds)
            soundfile.write(folder / name / f"{i}.wav", tone, 16_000)
    return folder / "high" / "0.wav"


def pictures(folder):
    for name in ("discs", "stripes"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            picture = Image.new("RGB", (96, 64), (240, 240 - 5 * i, 230))
            draw = ImageDraw.Draw(picture)
            if name == "discs":
                draw.ellipse((20 + i, 8, 68 + i, 56), fill=(200, 30 + i, 30))
            else:
                for x in range(0, 96, 12):
                    draw.rectangle((x, 0, x + 5, 64), fill=(20, 60 + i, 160))
            picture.save(folder / name / f"{i}.png")
    return folder / "discs" / "0.png"


def sentences(folder):
    sport = ["match", "goal", "coach", "league", "striker", "referee"]
    food = ["soup", "oven", "butter", "recipe", "onion", "bread"]
    tree = {
        "sport": {f"{i}.txt": f"The {word} decided the cup final." for i, word in enumerate(sport)},
        "food": {f"{i}.txt": f"Stir the {word} and bake until golden." for i, word in enumerate(food)},
    }
    return class_folders(folder, tree) / "sport" / "0.txt"


@pytest.mark.parametrize(
    ("modality", "backbone", "make", "expected"),
    [
        ("audio", "whisper-tiny-en", tones, "high"),
        ("image", "efficientnet-lite0", pictures, "discs"),
        ("text", "minilm-l6", sentences, "sport"),
    ],
)
def test_train_evaluate_and_explain_with_a_real_encoder(run, tmp_path, modality, backbone, make, expected):
    try:
        load_backbone(backbone)
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    data, out, cache = tmp_path / "data", tmp_path / "head", tmp_path / "cache"
    sample = make(data)
    kept = ("--cache-dir", cache)
    words = ["train", data, "--modality", modality, "--backbone", backbone, "--out", out, *QUICK, *kept]
    status, text, err = run(*words, "--folds", 2, "--validation", 0)
    assert (status, err) == (0, "")
    assert "2 folds" in text
    assert {path.name for path in out.iterdir()} == {
        "config.json", "model.safetensors", "README.md", "report.json"
    }  # fmt: skip
    report = json.loads((out / "report.json").read_text())
    assert report["accuracy"] > 0.7
    assert report["parameters"]["encoder"] > 1_000_000
    assert str(tmp_path) not in (out / "report.json").read_text() + (out / "README.md").read_text()

    status, text, err = run("evaluate", data, "--model", out, "--out", tmp_path / "report", "--json", *kept)
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert found["scores"]["accuracy"] > 0.8
    assert found["trained_on"] is True
    assert found == json.loads((tmp_path / "report" / "report.json").read_text())

    saved = tmp_path / "e.npz"
    status, text, err = run("explain", sample, "--model", out, "--json", "--out", saved)
    assert (status, err) == (0, "")
    answer = json.loads(text)
    direct = explain(load_model(out), sample.read_text() if modality == "text" else sample)
    assert answer["prediction"] == direct.predicted_class == expected
    np.testing.assert_array_equal(load(saved).importance, direct.importance)
    with np.load(saved) as arrays:
        np.testing.assert_array_equal(arrays["gate"], direct.gate)
        assert json.loads(str(arrays["provenance"]))["encoder"] == backbone


# train


def test_training_writes_a_checkpoint_with_report_and_card(letter_head, letters, run):
    model = load_model(letter_head)
    assert model.class_names == ("consonants", "vowels")
    assert model.dataset.samples == 60
    assert model.report["data"]["samples"] == model.report["trained_samples"] == 60
    assert model.report["accuracy"] is None
    assert "Not measured" in model.card
    assert "train letters.csv --modality text" in model.report["command"]
    assert model.report["training"]["learning_rate"] == 0.01
    assert len(model.report["epochs"]) <= 8
    assert model.report["mean_offset"]["mean_change"] > 0


def test_a_test_set_gives_the_figures_of_the_head_that_is_saved(letters, run, tmp_path):
    test = letter_table(tmp_path / "test.csv", 30, seed=9)
    out = tmp_path / "tested"
    status, text, _ = run(*train_words(letters, out, "--test", test, "--seeds", 2, "--json"))
    assert status == 0
    report = json.loads(text)
    measured = report["measured"]["accuracies"]
    assert len(measured) == 2
    assert report["accuracy"] == pytest.approx(np.mean(measured))
    assert "test set test.csv (30 samples)" in report["protocol"]
    status, text, _ = run("evaluate", test, "--model", out, "--json")
    assert json.loads(text)["scores"]["accuracy"] == measured[0][0] == report["scores"]["accuracy"]
    assert report["test_data"]["sha256"] == json.loads(text)["data"]["sha256"]


def test_folds_by_group_are_measured_and_the_head_is_trained_on_everything(letters, run, tmp_path):
    out = tmp_path / "folded"
    status, _, _ = run(*train_words(letters, out, "--folds", 3, "--group-column", "who"))
    assert status == 0
    report = load_model(out).report
    assert len(report["measured"]["accuracies"][0]) == 3
    assert report["accuracy_deviation"] == report["measured"]["split_deviation"]
    assert "3 folds by group (6 groups)" in report["protocol"]
    assert report["scores"]["samples"] == report["trained_samples"] == 60


@pytest.mark.parametrize(
    ("more", "chosen_by", "trained"),
    [
        (("--validation", "0"), "8 epochs, nothing held out", 60),
        (("--validation", "12"), "12 samples of the training part choose the epoch, then trained again", 60),
        (("--validation", "0.25", "--no-refit"), "25% of the training part choose the epoch", 45),
        (("--validation-groups", "g1,g2", "--group-column", "who"), "groups g1,g2 choose the epoch", 60),
    ],
)
def test_the_part_that_chooses_the_epoch(letters, run, tmp_path, more, chosen_by, trained):
    status, _, err = run(*train_words(letters, tmp_path / "out", *more))
    assert status == 0, err
    report = load_model(tmp_path / "out").report
    assert chosen_by in report["chosen_by"]
    assert ("trained again" in report["chosen_by"]) == (trained == 60 and more[1] != "0")
    assert report["trained_samples"] == load_model(tmp_path / "out").dataset.samples == trained


def test_a_data_set_can_choose_the_epoch(letters, run, tmp_path):
    chooser = letter_table(tmp_path / "val.csv", 20, seed=5)
    status, _, _ = run(*train_words(letters, tmp_path / "out", "--validation", chooser))
    assert status == 0
    report = load_model(tmp_path / "out").report
    assert "val.csv (20 samples) chooses the epoch" in report["chosen_by"]
    assert report["trained_samples"] == 80
    assert report["validation_data"]["samples"] == 20


def test_the_seed_and_settings_reach_the_head(letters, run, tmp_path):
    more = ("--seed", 7, "--decoder", "linear", "--amplitude", "none", "--gate", "mixture", "--gaussians", 3)
    assert run(*train_words(letters, tmp_path / "a", *more))[0] == 0
    assert run(*train_words(letters, tmp_path / "b", *more))[0] == 0
    config = load_model(tmp_path / "a").config
    assert (config.seed, config.decoder, config.amplitude) == (7, "linear", "none")
    assert (config.gate, config.n_gaussians, config.n_heads) == ("mixture", 3, 2)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_the_author_has_a_say_on_the_card(letters, run, tmp_path):
    about = tmp_path / "about.json"
    about.write_text('{"title": "Vowels", "data_terms": "public domain", "misuse": ["Not for poems."]}')
    assert run(*train_words(letters, tmp_path / "out", "--about", about, "--name", "vowels"))[0] == 0
    card = load_model(tmp_path / "out").card
    for said in ("# Vowels", "Terms: public domain.", "Not for poems.", "name: vowels"):
        assert said in card


def test_an_existing_folder_is_kept_unless_told_otherwise(letter_head, letters, run, refused, tmp_path):
    before = (letter_head / "model.safetensors").read_bytes()
    words = train_words(letters, letter_head, "--seed", 3)
    assert "The folder head is not empty" in refused(*words)
    assert (letter_head / "model.safetensors").read_bytes() == before
    assert run(*words, "--overwrite")[0] == 0
    assert (letter_head / "model.safetensors").read_bytes() != before
    (letter_head / "thesis.txt").write_text("mine")
    assert "holds 'thesis.txt', which is not this command's" in refused(*words, "--overwrite")
    assert (letter_head / "thesis.txt").exists()
    (tmp_path / "file").write_text("")
    assert "file is a file" in refused(*train_words(letters, tmp_path / "file"))


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("trouble", "status"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 2)]
)
def test_a_failed_save_leaves_no_half_checkpoint(
    letter_head, letters, run, tmp_path, monkeypatch, overwrite, trouble, status
):
    out = letter_head if overwrite else tmp_path / "new"
    before = {path.name: path.read_bytes() for path in letter_head.iterdir()}

    def fail(self, folder):
        (folder / "config.json").write_text("{")
        raise trouble

    monkeypatch.setattr(Model, "_save_pretrained", fail)
    found, _, err = run(*train_words(letters, out, *(["--overwrite"] if overwrite else [])))
    assert found == status
    assert err == "daam: interrupted\n" if status == 130 else "No space left on device" in err
    assert {path.name: path.read_bytes() for path in letter_head.iterdir()} == before
    assert overwrite or not out.exists()
    assert leftovers(tmp_path) == []


def test_an_interrupted_training_writes_nothing(letters, run, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("daam_core.training.accuracy.train_classifier", interrupt)
    status, out, err = run(*train_words(letters, tmp_path / "out"))
    assert (status, out, err) == (130, "", "daam: interrupted\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--epochs", "0"), "epochs must be at least 1, got 0"),
        (("--heads", "0"), "n_heads must be a positive whole number, got 0"),
        (("--heads", "two"), "argument --heads: invalid int value: 'two' (help: daam train --help)"),
        (("--mode", "layer_groups", "--heads", "3"), "leave 2 layers to a head"),
        (("--mode", "both"), "argument --mode: invalid choice: 'both' (choose from"),
        (("--learning-rate", "nan"), "learning_rate must be a finite number"),
        (("--seeds", "0"), "argument --seeds: '0' is not a whole number of at least 1"),
        (("--folds", "1"), "argument --folds: '1' is not a whole number of at least 2"),
        (("--folds", "3", "--test", "x.csv"), "give --test or --folds, not both"),
        (
            ("--folds", "3", "--validation", "val.csv"),
            "With --folds the validation part comes out of each fold",
        ),
        (("--folds", "3", "--validation-groups", "g1"), "leave out --validation-groups"),
        (("--validation", "0.001"), "leaves a class without samples"),
        (("--validation", "-3"), "must be a share between 0 and 1"),
        (("--validation", "val.csv"), "There is no data set 'val.csv'"),
        (("--validation-groups", "g1"), "letters.csv has no groups"),
        (("--test", "nowhere"), "There is no data set 'nowhere'"),
        (("--label-column", "klass"), "no column 'klass'; its columns are text, label, who"),
        (("--input-column", "text,body"), "no column 'body'"),
        (("--about", "nothing.json"), "nothing.json cannot be read"),
        (("--colour", "red"), "unrecognized arguments: --colour red"),
        (("--ep", "3"), "unrecognized arguments: --ep 3"),
    ],
)
def test_wrong_options_of_train_are_refused(letters, refused, tmp_path, more, said):
    assert said in refused(*train_words(letters, tmp_path / "out", *more))
    assert not (tmp_path / "out").exists()


def test_a_test_set_with_other_classes_is_refused(letters, refused, tmp_path):
    other = write_table(tmp_path / "other.csv", [("text", "label"), ("aa", "digits")])
    said = refused(*train_words(letters, tmp_path / "out", "--test", other))
    assert "other.csv, row 1: the class 'digits' is not one of consonants, vowels" in said


def test_encoders_that_do_not_fit_are_refused(refused, tmp_path):
    data = letter_table(tmp_path / "letters.csv", 10)
    words = ["train", data, "--out", tmp_path / "out", "--modality"]
    assert "There is no encoder 'bert'" in refused(*words, "text", "--backbone", "bert")
    assert "takes audio, not text" in refused(*words, "text", "--backbone", "whisper-tiny-en")


def test_broken_samples_stop_the_training_or_are_counted(letters, run, refused, tmp_path):
    table = letter_table(tmp_path / "some.csv", 30)
    table.write_text(table.read_text() + ",vowels,g0\n")
    assert "some.csv, row 31 below the heading: the text is empty" in refused(
        *train_words(table, tmp_path / "out")
    )
    status, text, _ = run(*train_words(table, tmp_path / "out", "--skip-broken", "--json"))
    assert status == 0
    assert json.loads(text)["data"]["skipped"] == 1


# evaluate


def test_evaluation_writes_every_file(letter_head, letters, run, refused, tmp_path):
    words = ["evaluate", letters, "--model", letter_head, "--out", tmp_path / "report"]
    status, text, err = run(*words)
    assert (status, err) == (0, "")
    assert "accuracy" in text
    assert "The head was trained on this data" in text
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {
        "report.json", "report.md", "report.html", "importance.npz", "importance.svg", "layers.svg",
        "parameters.svg",
    }  # fmt: skip
    with np.load(tmp_path / "report" / "importance.npz") as arrays:
        assert arrays["importance"].shape == arrays["gate"].shape == (2, 6, 8)
        assert arrays["importance"].max() == 1
        stored = load_model(letter_head).dataset
        np.testing.assert_allclose(arrays["importance"], stored.importance, atol=1e-6)
    assert "<svg" in (tmp_path / "report" / "report.html").read_text()
    assert "](importance.svg)" in (tmp_path / "report" / "report.md").read_text()
    assert "is not empty" in refused(*words)
    assert run(*words, "--overwrite")[0] == 0


def test_evaluation_refuses_unknown_models_and_classes(letter_head, refused, tmp_path):
    other = write_table(tmp_path / "other.csv", [("text", "label"), ("aa", "digits")])
    assert "the class 'digits' is not one of" in refused("evaluate", other, "--model", letter_head)
    assert "There is no model 'nothing'" in refused("evaluate", other, "--model", "nothing")


# compare


def test_a_comparison_measures_every_method_in_the_same_way(letters, run, tmp_path):
    chosen = "daam,linear-probe,last-layer"
    words = compare_words(letters, "--folds", 3, "--seeds", 2, "--methods", chosen, "--out", tmp_path / "cmp")
    status, text, err = run(*words)
    assert (status, err) == (0, "")
    assert "3 folds, stratified" in text
    data = json.loads((tmp_path / "cmp" / "compare.json").read_text())
    assert [method["method"] for method in data["methods"]] == [
        "DAAM as configured", "linear probe", "last layer"
    ]  # fmt: skip
    for method in data["methods"]:
        assert np.shape(method["accuracies"]) == (2, 3)
        assert method["accuracy"] == pytest.approx(np.mean(method["accuracies"]))
        assert f"{method['accuracy']:.4f}" in (tmp_path / "cmp" / "compare.md").read_text()
    assert "(best)" in text
    assert (tmp_path / "cmp" / "compare.html").read_text().startswith("<!doctype html>")


def test_a_comparison_on_a_test_set_prints_one_json_object(letters, run, tmp_path):
    test = letter_table(tmp_path / "test.csv", 20, seed=3)
    status, text, err = run(*compare_words(letters, "--test", test, "--methods", "linear-probe", "--json"))
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert [part["name"] for part in found["parts"]] == ["letters.csv", "test.csv"]
    assert found["methods"][0]["split_deviation"] == 0


def test_a_protocol_says_when_test_samples_were_trained_on(letters, run, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("".join(letters.read_text().splitlines(keepends=True)[:11]) + "zzz,consonants,g0\n")
    status, text, _ = run(*compare_words(letters, "--test", test, "--methods", "last-layer"))
    assert status == 0
    assert "test set test.csv (11 samples, 10 of them in the training data too)" in text


def test_a_comparison_refuses_what_it_cannot_measure(letters, refused):
    assert "give --test DATA or --folds N" in refused(*compare_words(letters))
    assert "There is no method 'magic'" in refused(
        *compare_words(letters, "--folds", 2, "--methods", "magic")
    )


# explain


def test_a_text_is_given_in_quotes_in_a_file_or_on_standard_input(letter_head, run, tmp_path, monkeypatch):
    (tmp_path / "note.txt").write_text("\ufeffaeiou", encoding="utf-8")
    stdin = io.TextIOWrapper(io.BytesIO(b"aeiou"))
    monkeypatch.setattr(sys, "stdin", stdin)
    answers = []
    for given in ("aeiou", tmp_path / "note.txt", "-"):
        status, text, err = run("explain", given, "--model", letter_head, "--json")
        assert (status, err) == (0, "")
        answers.append(json.loads(text))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["prediction"] == "vowels"
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1)


def test_the_explained_class_and_the_scale_are_chosen(letter_head, run):
    words = ("explain", "aeiou", "--model", letter_head)
    one = json.loads(run(*words, "--target", "consonants", "--json")[1])
    assert (one["prediction"], one["explained"]) == ("vowels", "consonants")
    assert json.loads(run(*words, "--scale", "per_head", "--json")[1])["scale"] == "per_head"
    status, text, _ = run(*words, "--target", "consonants")
    assert status == 0
    assert "vowels" in text
    assert "count most for consonants" in text


@pytest.mark.parametrize("suffix", ["json", "npz", "csv", "html", "png", "svg"])
def test_an_explanation_is_written_in_every_format(letter_head, run, tmp_path, suffix):
    out = tmp_path / f"e.{suffix}"
    status, text, err = run("explain", "aeiou", "--model", letter_head, "--out", out)
    assert (status, err) == (0, "")
    assert text.rstrip().endswith(f"Written: e.{suffix}")
    assert out.stat().st_size > 100


def test_a_text_that_ends_like_a_file_is_a_text(letter_head, run):
    assert run("explain", "a e i.mp3", "--model", letter_head)[0] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("clip.wav",), "head takes text, but the input is audio; choose another model or input"),
        (("note.txt",), "There is no file note.txt; give an existing file, or a text in quotes"),
        (("aeiou", "--modality", "image"), "head takes text, but the input is image"),
        (("aeiou", "--target", "digits"), "There is no class 'digits'; the classes are consonants, vowels"),
        (("aeiou", "--out", "e.docx"), "end its name in one of .json, .npz"),
        (("aeiou", "--out", "e"), "Cannot tell the format of 'e'"),
        (("aeiou", "--scale", "log"), "argument --scale: invalid choice"),
        ((), "the following arguments are required: INPUT"),
    ],
)
def test_wrong_input_of_explain_is_refused(letter_head, refused, words, said):
    assert said in refused("explain", *words, "--model", letter_head)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfea", "standard input is not UTF-8 text"), (b"a" * 300_000, "longer than 50,000 characters")],
)
def test_wrong_standard_input_is_refused(letter_head, refused, monkeypatch, content, said):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    assert said in refused("explain", "-", "--model", letter_head)


def test_an_unknown_model_is_refused_with_the_known_ones(refused):
    assert "There is no model 'nothing': give a built-in name" in refused(
        "explain", "x", "--model", "nothing"
    )


def test_an_output_that_cannot_be_written_is_one_sentence(letter_head, refused, tmp_path):
    (tmp_path / "file").write_text("")
    said = refused("explain", "aeiou", "--model", letter_head, "--out", tmp_path / "file" / "e.json")
    assert "Cannot write" in said


# models, and the program itself


def test_models_lists_heads_and_encoders(letter_head, run, refused, tmp_path):
    status, text, err = run("models", letter_head.parent, "--json")
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert {encoder["name"] for encoder in found["encoders"]} == set(BUILT_IN)
    head = next(model for model in found["models"] if model["name"] == "head")
    assert head["classes"] == ["consonants", "vowels"]
    assert head["bytes"] == sum(path.stat().st_size for path in letter_head.iterdir())
    status, text, _ = run("models", letter_head)
    assert "head: text, 2 classes: consonants, vowels\n    not measured" in text
    (tmp_path / "empty").mkdir()
    assert "empty holds no checkpoints" in refused("models", tmp_path / "empty")


def test_the_built_in_heads_are_listed_with_what_they_reach(run):
    found = {model["name"]: model for model in json.loads(run("models", "--json")[1])["models"]}
    assert {name: len(model["classes"]) for name, model in found.items()} == {
        "speech-emotion": 4, "news-topic": 4, "image-object": 10, "image-grocery": 43
    }  # fmt: skip
    for model in found.values():
        assert model["heads"] >= 4
        assert 0.7 < model["accuracy"] < 1
        assert model["protocol"]
        assert model["bytes"] < 5_000_000


def test_a_built_in_head_reads_the_news_from_standard_input(run, monkeypatch):
    try:
        load_backbone("minilm-l6")
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    text = "Shares fell on Monday after the bank warned that profits would shrink.\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    status, out, err = run("explain", "-", "--model", "news-topic", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["prediction"] == "Business"


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_names_every_command(run, words):
    status, out, err = run(*words)
    assert (status, err) == (0, "")
    assert all(f"  {name} " in out for name in main.COMMANDS)


@pytest.mark.parametrize("name", list(main.COMMANDS))
def test_every_command_explains_itself(run, name):
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: daam {name}")
    assert "--json" in out


def test_the_version_is_printed(run):
    assert run("--version")[1].startswith("daam-explorer ")


def test_an_unknown_command_is_refused_with_the_known_ones(refused):
    assert "there is no command 'trian'; there are models, explain, train" in refused("trian")


def test_every_option_has_an_explanation():
    for owner, names in ((ModelConfig, options.HEAD_OPTIONS), (TrainingConfig, options.TRAINING_OPTIONS)):
        explained = options.attribute_help(owner)
        assert all(explained.get(name) for name in names)


def test_printed_commands_carry_no_folders(tmp_path):
    (tmp_path / "data.csv").write_text("")
    words = ["train", str(tmp_path / "data.csv"), "--cache-dir", "/somewhere", f"--out={tmp_path}/new",
             "--backbone", "google/bert", "--group-pattern", "^(..)"]  # fmt: skip
    assert options.printed_command(words) == (
        "python -m daam_core train data.csv --out=new --backbone google/bert --group-pattern '^(..)'"
    )


def test_a_new_folder_appears_whole_or_not_at_all(tmp_path):
    with new_folder(tmp_path / "a" / "b") as folder:
        (folder / "x").write_text("1")
        assert not (tmp_path / "a" / "b").exists()
    assert (tmp_path / "a" / "b" / "x").read_text() == "1"
    with pytest.raises(ZeroDivisionError), new_folder(tmp_path / "c"):
        raise ZeroDivisionError
    assert not (tmp_path / "c").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(DaamError, match="Cannot write the folder d"), new_folder(tmp_path / "file" / "d"):
        pass
    assert leftovers(tmp_path) == []


def python(*words, **more):
    return subprocess.run(
        [sys.executable, *map(str, words)], capture_output=True, text=True, timeout=120, check=False, **more
    )


def test_wrong_input_ends_a_process_with_2_and_one_line(tmp_path):
    done = python("-m", "daam_core", "evaluate", tmp_path / "no", "--model", "nothing")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("daam: There is no model 'nothing'")


def test_a_defect_ends_a_process_with_1_and_a_traceback():
    script = (
        "import sys, types, daam_core.cli.main as cli\n"
        "broken = types.ModuleType('broken')\n"
        "broken.add_arguments = lambda parser: None\n"
        "broken.run = lambda arguments: 1 / 0\n"
        "sys.modules['broken'] = broken\n"
        "cli.COMMANDS['broken'] = cli.Command('', 'broken')\n"
        "sys.exit(cli.main(['broken']))\n"
    )
    done = python("-c", script)
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_a_reader_that_leaves_early_is_no_error():
    script = f"{sys.executable} -m daam_core models --json | head -c 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout in ("{0\n", "{\n0\n")
    assert done.stderr == ""


def test_features_extracted_by_training_serve_the_evaluation(letter_head, letters, run, monkeypatch):
    counts = []

    def counted(*arguments, **named):
        found = extract(*arguments, **named)
        counts.append(found.encoded)
        return found

    monkeypatch.setattr("daam_core.training.evaluation.extract", counted)
    assert run("evaluate", letters, "--model", letter_head)[0] == 0
    assert counts == [0]
