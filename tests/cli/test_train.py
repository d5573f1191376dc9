"""``train``: what it writes, measures and refuses, and with which exit status."""

import json

import numpy as np
import pytest
import torch

from daam_core import load_model
from daam_core.export.arrays import from_json, from_npz
from daam_core.trained import TrainedClassifier
from tests.support.commands import compare_words, leftovers, letter_table, train_words
from tests.support.data import write_table


def test_training_writes_a_checkpoint_with_report_and_card(letter_checkpoint, letters, run):
    model = load_model(letter_checkpoint)
    assert model.class_names == ("consonants", "vowels")
    assert model.dataset.samples == 60
    assert model.report["data"]["inputs"] == model.report["trained_inputs"] == 60
    assert model.report["accuracy"] is None
    assert "Not measured" in model.card
    assert "train letters.csv --modality text" in model.report["command"]
    assert model.report["training"]["learning_rate"] == 0.01
    assert len(model.report["epochs"]) <= 8
    assert model.report["mean_offset"]["mean_change"] > 0


def test_a_test_set_gives_the_figures_of_the_classifier_that_is_saved(letters, run, tmp_path):
    test = letter_table(tmp_path / "test.csv", 30, seed=9)
    out = tmp_path / "tested"
    status, text, _ = run(*train_words(letters, out, "--test", test, "--seeds", 2, "--json"))
    assert status == 0
    report = json.loads(text)
    measured = report["measured"]["accuracies"]
    assert len(measured) == 2
    assert report["accuracy"] == pytest.approx(np.mean(measured))
    assert "test set test.csv (30 inputs)" in report["protocol"]
    status, text, _ = run("evaluate", test, "--model", out, "--json")
    assert json.loads(text)["scores"]["accuracy"] == measured[0][0] == report["scores"]["accuracy"]
    assert report["test_data"]["sha256"] == json.loads(text)["data"]["sha256"]


def test_folds_by_group_are_measured_and_the_classifier_is_trained_on_everything(letters, run, tmp_path):
    out = tmp_path / "folded"
    status, _, _ = run(*train_words(letters, out, "--folds", 3, "--group-column", "who"))
    assert status == 0
    report = load_model(out).report
    assert len(report["measured"]["accuracies"][0]) == 3
    assert report["accuracy_deviation"] == report["measured"]["split_deviation"]
    assert "3 folds by group (6 groups)" in report["protocol"]
    assert report["scores"]["inputs"] == report["trained_inputs"] == 60


def test_several_data_sets_are_trained_on_together_and_measured_apart(letters, run, refused, tmp_path):
    other = letter_table(tmp_path / "others.csv", 30, seed=9)
    measuring = ("--folds", 3, "--group-column", "who")
    words = train_words(letters, tmp_path / "both", *measuring)
    status, text, err = run(words[0], letters, other, *words[2:])
    assert (status, err) == (0, "")
    model = load_model(tmp_path / "both")
    assert "3 folds by group (12 groups)" in model.report["protocol"]
    slices = model.report["measured"]["slices"]
    assert [(s["column"], s["value"], s["inputs"]) for s in slices] == [
        ("data set", "letters.csv", 60),
        ("data set", "others.csv", 30),
    ]
    assert f"others.csv: {slices[1]['accuracy']:.4f} ± {slices[1]['deviation']:.4f} (30)" in text
    assert f"| letters.csv | 60 | {slices[0]['accuracy']:.3f} ± {slices[0]['deviation']:.3f} |" in model.card
    assert model.report["data"]["name"] == "letters.csv + others.csv"
    assert "train letters.csv others.csv" in model.report["command"]
    unknown = train_words(letters, tmp_path / "no", "--folds", 3, "--accuracy-by", "year")
    assert "letters.csv has no column 'year' to give accuracy by; there are who" in refused(*unknown)


@pytest.mark.parametrize(
    ("more", "chosen_by", "trained"),
    [
        (("--validation", "0"), "8 epochs, nothing held out", 60),
        (("--validation", "12"), "12 inputs of the training part choose the epoch, then trained again", 60),
        (("--validation", "0.25", "--no-refit"), "25% of the training part choose the epoch", 45),
        (("--validation-groups", "g1,g2", "--group-column", "who"), "groups g1,g2 choose the epoch", 60),
        (
            ("--validation", "0.25", "--whole-groups", "--group-column", "who", "--no-refit"),
            "25% of the groups in the training part choose the epoch",
            40,
        ),
    ],
)
def test_the_part_that_chooses_the_epoch(letters, run, tmp_path, more, chosen_by, trained):
    status, _, err = run(*train_words(letters, tmp_path / "out", *more))
    assert status == 0, err
    report = load_model(tmp_path / "out").report
    assert chosen_by in report["chosen_by"]
    assert ("trained again" in report["chosen_by"]) == (trained == 60 and more[1] != "0")
    assert report["trained_inputs"] == load_model(tmp_path / "out").dataset.samples == trained


def test_a_data_set_can_choose_the_epoch(letters, run, tmp_path):
    chooser = letter_table(tmp_path / "val.csv", 20, seed=5)
    status, _, _ = run(*train_words(letters, tmp_path / "out", "--validation", chooser))
    assert status == 0
    report = load_model(tmp_path / "out").report
    assert "val.csv (20 inputs) chooses the epoch" in report["chosen_by"]
    assert report["trained_inputs"] == 80
    assert report["validation_data"]["inputs"] == 20


def test_the_seed_and_settings_reach_the_classifier(letters, run, tmp_path):
    more = (
        "--seed",
        7,
        "--decoder",
        "linear",
        "--amplitude",
        "none",
        "--gate-kind",
        "mixture",
        "--gaussians",
        3,
    )
    assert run(*train_words(letters, tmp_path / "a", *more))[0] == 0
    assert run(*train_words(letters, tmp_path / "b", *more))[0] == 0
    config = load_model(tmp_path / "a").config
    assert (config.seed, config.decoder, config.amplitude) == (7, "linear", "none")
    assert (config.gate_kind, config.n_gaussians, config.n_heads) == ("mixture", 3, 2)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert weights[0] == weights[1]


def test_a_density_decoder_is_trained_saved_and_explained(letters, run, tmp_path):
    """What was given stays, what was chosen stands in the report, and its evidence is written."""
    words = train_words(letters, tmp_path / "out", "--decoder", "density", "--directions", 9, "--width", 0.5)
    status, _, err = run(*words)
    assert status == 0, err
    model = load_model(tmp_path / "out")
    assert (model.config.n_directions, model.config.n_prototypes) == (9, model.report["trained_inputs"])
    chosen = model.report["training"]["density"]
    assert chosen["width"] == 0.5
    assert all(value > 0 for value in chosen.values())
    gate = model.classifier.attention.gate(torch.zeros(1, model.config.n_layers, model.config.n_features))
    assert gate[0, : model.config.n_layers].min() > 0.99
    assert "width must be a number above 0" in run(*words, "--overwrite", "--width", 0)[2]


def test_the_author_has_a_say_on_the_card(letters, run, tmp_path):
    about = tmp_path / "about.json"
    about.write_text('{"title": "Vowels", "data_terms": "public domain", "misuse": ["Not for poems."]}')
    assert run(*train_words(letters, tmp_path / "out", "--about", about, "--name", "vowels"))[0] == 0
    card = load_model(tmp_path / "out").card
    for said in ("# Vowels", "Terms: public domain.", "Not for poems.", "name: vowels"):
        assert said in card


def test_an_existing_folder_is_kept_unless_told_otherwise(letter_checkpoint, letters, run, refused, tmp_path):
    before = (letter_checkpoint / "model.safetensors").read_bytes()
    words = train_words(letters, letter_checkpoint, "--seed", 3)
    assert "The folder checkpoint is not empty" in refused(*words)
    assert (letter_checkpoint / "model.safetensors").read_bytes() == before
    assert run(*words, "--overwrite")[0] == 0
    assert (letter_checkpoint / "model.safetensors").read_bytes() != before
    (letter_checkpoint / "thesis.txt").write_text("mine")
    assert "holds 'thesis.txt', which is not this command's" in refused(*words, "--overwrite")
    assert (letter_checkpoint / "thesis.txt").exists()
    (tmp_path / "file").write_text("")
    assert "file is a file" in refused(*train_words(letters, tmp_path / "file"))


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("trouble", "status"), [(KeyboardInterrupt(), 130), (OSError(28, "No space left on device"), 2)]
)
def test_a_failed_save_leaves_no_half_checkpoint(
    letter_checkpoint, letters, run, tmp_path, monkeypatch, overwrite, trouble, status
):
    out = letter_checkpoint if overwrite else tmp_path / "new"
    before = {path.name: path.read_bytes() for path in letter_checkpoint.iterdir()}

    def fail(self, folder):
        (folder / "config.json").write_text("{")
        raise trouble

    monkeypatch.setattr(TrainedClassifier, "_save_pretrained", fail)
    found, _, err = run(*train_words(letters, out, *(["--overwrite"] if overwrite else [])))
    assert found == status
    assert err == "daam: interrupted\n" if status == 130 else "No space left on device" in err
    assert {path.name: path.read_bytes() for path in letter_checkpoint.iterdir()} == before
    assert overwrite or not out.exists()
    assert leftovers(tmp_path) == []


def test_an_interrupted_training_writes_nothing(letters, run, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("daam_core.training.recipes.train_classifier", interrupt)
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
        (("--validation", "0.001"), "leaves a class without inputs"),
        (("--validation", "-3"), "must be a share between 0 and 1"),
        (("--validation", "val.csv"), "There is no data set 'val.csv'"),
        (("--validation-groups", "g1"), "letters.csv has no groups"),
        (("--validation", "0.2", "--whole-groups"), "letters.csv has no groups"),
        (("--validation", "9", "--whole-groups"), "is a share of the groups, such as 0.2"),
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


def test_broken_inputs_stop_the_training_or_are_counted(letters, run, refused, tmp_path):
    table = letter_table(tmp_path / "some.csv", 30)
    table.write_text(table.read_text() + ",vowels,g0\n")
    assert "some.csv, row 31 below the heading: the text is empty" in refused(
        *train_words(table, tmp_path / "out")
    )
    status, text, _ = run(*train_words(table, tmp_path / "out", "--skip-broken", "--json"))
    assert status == 0
    assert json.loads(text)["data"]["skipped"] == 1


def test_training_that_diverges_is_said_with_its_learning_rates(letters, refused, tmp_path):
    said = refused(
        *train_words(letters, tmp_path / "out", "--learning-rate", "1e6", "--gate-learning-rate", "1e6")
    )
    assert "The training diverged in epoch" in said
    assert "at the learning rate 1e+06 and the gate's 1e+06; give smaller ones" in said


def test_a_classifier_that_knows_one_class_only_is_said(letters, run, tmp_path):
    rows = [(f"{'aeiou'[i % 5]} bcd", "many" if i % 20 else "few") for i in range(80)]
    table = write_table(tmp_path / "uneven.csv", [("text", "label"), *rows])
    status, out, err = run(*train_words(table, tmp_path / "out", "--json"))
    assert status == 0
    said = "All 80 inputs are taken for 'many', which 76 of them are: the classes are not told apart here"
    assert err.startswith(f"daam: note: {said}")
    assert json.loads(out)["warnings"][0].startswith(said)
    assert said in (tmp_path / "out" / "README.md").read_text()
    status, out, _ = run("evaluate", table, "--model", tmp_path / "out")
    assert said in out


def test_where_few_training_data_lie_is_not_kept_and_said(letters, run, tmp_path):
    for count, kept in ((30, False), (60, True)):
        table = letter_table(tmp_path / f"{count}.csv", count)
        out = tmp_path / f"of {count}"
        status, _, err = run(*train_words(table, out, "--validation", "0.2"))
        assert status == 0
        assert ("takes at least 40 inputs, here are 30." in err) is not kept
        assert (out / "outside.safetensors").is_file() is kept
    few, out = tmp_path / "30.csv", tmp_path / "of 30"
    status, _, err = run("outside", few, "--held-out", few, "--model", out)
    assert status == 2
    assert "at least 40 of DATA and of --held-out, if it is given; here are 30 of 30.csv and 30 of" in err


def test_what_was_found_out_about_the_data_is_said_before_the_training(letters, run, tmp_path):
    table = letter_table(tmp_path / "letters.csv", 60)
    table.write_bytes(table.read_text().replace(",", ";").encode("utf-16"))
    status, out, err = run(*train_words(table, tmp_path / "out", "--json"))
    assert status == 0
    notes = [
        "letters.csv was read as UTF-16, as its first bytes say.",
        "The cells of letters.csv are separated by semicolons.",
    ]
    assert err.splitlines() == [f"daam: note: {note}" for note in notes]
    assert json.loads(out)["data"]["notes"] == notes
    status, _, err = run(*train_words(table, tmp_path / "more", "--encoding", "utf-16", "--delimiter", ";"))
    assert (status, err) == (0, "")


def test_a_table_without_heading_is_read_where_said(letters, run, refused, tmp_path):
    table = letter_table(tmp_path / "plain.csv", 30)
    table.write_text("".join(table.read_text().splitlines(keepends=True)[1:]))
    assert "or give --no-heading" in refused(*train_words(table, tmp_path / "out"))
    status, _, err = run(*train_words(table, tmp_path / "out", "--no-heading", "--label-column", "1"))
    assert status == 0
    assert "inputs from column 0, labels from column 1" in err


def test_classes_are_chosen_merged_and_found_in_paths(letters, run, tmp_path):
    table = letter_table(tmp_path / "t.csv", 50)
    table.write_text(table.read_text().replace("vowels", "Vowels", 3))
    status, out, err = run(*train_words(table, tmp_path / "a", "--merge-alike", "--json"))
    assert (status, err) == (0, "")
    assert set(json.loads(out)["data"]["classes"]) == {"consonants", "vowels"}
    status, out, err = run(*train_words(table, tmp_path / "b", "--classes", "consonants,vowels", "--json"))
    assert (status, err) == (0, "")
    assert json.loads(out)["data"]["left_out"][0]["reason"] == "the class Vowels was not asked for"


def test_a_method_and_a_recipe_are_chosen_by_one_word_each(letters, run, tmp_path):
    out = tmp_path / "paper"
    words = train_words(letters, out, "--method", "daam_v1", "--recipe", "paper", "--test", letters)
    at = words.index("--epochs")  # the recipe says how many
    status, text, _ = run(*words[:at], *words[at + 2 :])
    assert status == 0
    model = load_model(out)
    assert (model.config.mode, model.config.n_heads, model.config.amplitude) == ("layer_groups", 2, "none")
    training = model.report["training"]
    assert (training["epochs"], training["initialisation"], training["focal_gamma"]) == (35, "xavier", 0.0)
    assert training["gate_learning_rate"] == training["learning_rate"] == 0.01  # given: holds for both
    assert f"always the most frequent class of the training part {model.report['majority']:.4f}" in text
    assert f"balanced {model.report['measured']['balanced_accuracy']:.4f}" in text


def test_what_looks_at_nothing_says_what_is_frequent_in_training_where_that_is_known(letters, run, tmp_path):
    def table(name, consonants, vowels):
        rows = [(f"bcd{chr(102 + i)}", "consonants") for i in range(consonants)]
        rows += [("aei" + "ou"[i % 2] * (i + 1), "vowels") for i in range(vowels)]
        return write_table(tmp_path / name, [("text", "label"), *rows])

    train, test = table("more.csv", 16, 8), table("less.csv", 5, 15)
    out = tmp_path / "out"
    status, text, err = run(*train_words(train, out, "--test", test))
    assert status == 0, err
    model = load_model(out)
    assert model.report["majority"] == model.report["scores"]["majority"] == 0.25
    assert model.report["scores"]["majority_of"] == "the training part"
    assert "always the most frequent class of the training part 0.2500" in text
    assert "Always the most frequent class of the training part: 0.250." in model.card
    status, text, _ = run("evaluate", test, "--model", out, "--out", tmp_path / "report")
    assert status == 0
    assert "always the most frequent class of these inputs 0.7500" in text
    scores = json.loads((tmp_path / "report" / "report.json").read_text())["scores"]
    assert (scores["majority"], scores["majority_of"]) == (0.75, "these inputs")
    words = compare_words(train, "--test", test, "--methods", "last_layer")
    status, text, _ = run(*words)
    assert status == 0
    assert "Always the most frequent class of the training part: 0.2500" in text


def test_what_is_trained_and_what_is_stored_are_two_counts_with_two_names(letters, run, tmp_path):
    out, measured = tmp_path / "joint", ("--test", letters)
    status, text, err = run(*train_words(letters, out, "--method", "joint_density", *measured))
    assert status == 0, err
    model = load_model(out)
    counts, decoder = model.report["parameters"], model.classifier.decoder
    fixed = decoder.directions.numel() + decoder.prototypes.numel()
    assert fixed > 0
    stored = sum(one.numel() for one in model.parameters())
    assert (counts["classifier"], counts["trained"]) == (stored, stored - fixed)
    assert f"{stored - fixed:,} trained parameters ({stored:,} numbers stored)" in text
    assert f"| trained parameters | {stored - fixed:,} |" in model.card
    assert f"| numbers stored | {stored:,} |" in model.card
    words = compare_words(letters, *measured, "--methods", "joint_density", "--out", tmp_path / "c")
    status, text, _ = run(*words)
    for shown in (text, (tmp_path / "c" / "compare.md").read_text()):
        assert f"{stored - fixed:,}" in shown
        assert "trained parameters" in shown
        assert "what joint density (directions, prototypes)" in shown
    assert f"{stored:,} numbers stored" in run("evaluate", letters, "--model", out)[1]


def test_gqdaam_is_trained_and_explained(letters, run, tmp_path):
    out = tmp_path / "gqdaam"
    assert run(*train_words(letters, out, "--method", "gqdaam"))[0] == 0
    assert load_model(out).config.decoder == "gqa"


def test_a_density_block_is_trained_explained_and_saved_in_every_format(letters, run, tmp_path):
    out = tmp_path / "block"
    status, _, err = run(*train_words(letters, out, "--method", "density_block"))
    assert status == 0, err
    model = load_model(out)
    assert model.config.n_levels == 3
    for kind in ("json", "npz", "csv", "html", "png", "svg", "pdf", "ipynb"):
        file = tmp_path / f"e.{kind}"
        assert run("explain", "hello", "--model", out, "--out", file)[0] == 0
        assert file.stat().st_size > 1000
    assert from_json((tmp_path / "e.json").read_text()).n_levels == 3
    assert from_npz((tmp_path / "e.npz").read_bytes()).n_levels == 3


def test_a_density_block_has_as_many_levels_as_are_asked_for(letters, run, refused, tmp_path):
    words = train_words(letters, tmp_path / "block", "--method", "density_block", "--levels", 2)
    status, _, err = run(*words)
    assert status == 0, err
    config = load_model(tmp_path / "block").config
    assert (config.n_levels, config.n_heads) == (2, 4)  # of 6 layers two heads each
    said = refused(*train_words(letters, tmp_path / "other", "--levels", 2, "--heads", 4))
    assert "--mode layer_groups --amplitude none --decoder linear --heads N" in said
    assert "--method density_block" in said


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("density_block", ("--heads", 4), "--heads 4, but density_block has --heads by the encoder's layers"),
        ("density_block", ("--gaussians", 1), "--gaussians 1, but density_block has --gaussians 4"),
        ("density_block", ("--levels", 1), "--levels 1, but density_block has --levels 3"),
        (
            "daam_v1",
            ("--mode", "shared", "--decoder", "pool"),
            "--mode shared and --decoder pool, but daam_v1 has --mode layer_groups, --decoder conv",
        ),
    ],
)
def test_an_option_that_the_method_sets_otherwise_is_refused(refused, tmp_path, method, given, said):
    words = train_words(tmp_path / "nothing.csv", tmp_path / "out", "--method", method, *given)
    refusal = refused(*words)  # before anything is read: there is no such table
    assert said in refusal
    assert "; leave out the option or the method." in refusal


def test_an_option_that_the_method_sets_alike_is_taken(letters, run, tmp_path):
    words = train_words(letters, tmp_path / "v1", "--method", "daam_v1", "--decoder", "conv")
    assert run(*words)[0] == 0


def test_methods_that_cannot_be_saved_are_refused_before_anything_is_read(refused, tmp_path):
    words = train_words(tmp_path / "none.csv", tmp_path / "out")
    assert "'mha' is compared with, not saved; those that can be are" in refused(*words, "--method", "mha")
    assert "There is no method 'magic'; there are daam, daam_v1" in refused(*words, "--method", "magic")


def test_a_dead_gate_is_said(letters, run, tmp_path):
    words = train_words(letters, tmp_path / "dead", "--gate-penalty", "100", "--gate-learning-rate", "1")
    status, _, err = run(*words)
    assert status == 0
    assert "lets nothing through, it is dead" in err
