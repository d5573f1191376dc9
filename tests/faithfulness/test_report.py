"""The whole report, its page and its command; quantus' metrics; the check of one input."""

import csv
import html
import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch

from daam_core.checkpoint import built_in_models
from daam_core.cli.faithfulness import split_for_retraining
from daam_core.cli.main import main
from daam_core.encoding import pool
from daam_core.errors import CancelledError, ConfigError, DataError
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.maps.methods import gated_maps
from daam_core.faithfulness.one_input import check_encoding, check_pooled
from daam_core.faithfulness.quantus import quantus_metrics
from daam_core.faithfulness.removal.by_method import PAIRS
from daam_core.faithfulness.removal.curves import deletion_curve
from daam_core.faithfulness.report.contents import FaithfulnessReport, Settings, plain
from daam_core.faithfulness.report.findings import answer, over
from daam_core.faithfulness.report.measures import measure_faithfulness, training_of
from daam_core.faithfulness.report.page import DATA, PAGE, introduction, save_report
from daam_core.faithfulness.report.published import published
from daam_core.faithfulness.retraining.layers import BUDGET
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier, load_model
from daam_core.training.data import TableColumns, load_dataset
from daam_core.training.fitting import TrainingConfig
from tests.support.encode import encode
from tests.support.planted import planted_classifier, planted_inputs
from tests.support.small import LetterEncoder, LetterModel, letter_data, letter_model

SMALL = Settings(
    inputs=24, training_inputs=60, sanity_inputs=5, quantus_inputs=4, changed_inputs=3,
    random_orders=2, training_seeds=2, retraining_seeds=1, epochs=4,
)  # fmt: skip


def features(count: int, seed: int) -> tuple[list[str], tuple[torch.Tensor, torch.Tensor]]:
    texts, labels = letter_data(count, seed=seed)
    texts = [f"{text} {text[::-1]}" for text in texts]
    return texts, (torch.stack([pool(encode(LetterEncoder(), text)) for text in texts]), labels)


@lru_cache
def small_report() -> tuple[FaithfulnessReport, tuple[float, ...]]:
    seen: list[float] = []
    texts, test = features(30, 1)
    report = measure_faithfulness(
        letter_model(), features(80, 0)[1], test, inputs=texts, settings=SMALL,
        provenance={"command": "python -m daam_core faithfulness"},
        progress=Progress(lambda share, _: seen.append(share)),
    )  # fmt: skip
    return report, tuple(seen)


# Report


def test_a_report_answers_every_question():
    report, seen = small_report()
    assert list(seen) == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert set(report.pairs) == {pair.name for pair in PAIRS}
    assert report.accuracy.count == 24
    questions = [item.question for item in report.findings]
    assert len(set(questions)) == len(questions)
    for word in ("random order", "highest Importance Factor", "decoder", "learned", "seeds", "typo", "words"):
        assert any(word in question for question in questions), word
    assert len(report.inputs) == 2
    assert report.tokens is not None
    assert report.tokens.at_random.count == 3
    assert report.provenance["encoder"] == "letters"
    assert [len(variant.seeds) for variant in report.variants] == [2, 1]
    assert report.provenance["versions"]["quantus"]


def test_pairs_are_differences_of_areas():
    report, _ = small_report()
    difference = report.pairs["importance over gate"].mean
    areas = report.gated["gate"].deletion.mean - report.gated["importance"].deletion.mean
    assert difference == pytest.approx(areas)


def test_the_page_and_the_json_hold_the_figures(tmp_path):
    report, _ = small_report()
    page, data = save_report(report, tmp_path)
    assert (page.name, data.name) == (PAGE, DATA)
    read = json.loads(data.read_text(encoding="utf-8"))
    assert read["gated"]["importance"]["deletion"]["mean"] == report.gated["importance"].deletion.mean
    assert read["findings"][0]["sentence"] == report.findings[0].sentence
    assert len(read["gated"]["importance"]["highest"]["probability"]) == 21
    text = page.read_text(encoding="utf-8")
    assert str(report.gated["importance"].deletion) in text
    assert "python -m daam_core faithfulness" in text
    assert text.count("<svg") == 10
    for outside in ("<script", "src=", "@import", "url(http"):
        assert outside not in text
    for item in report.findings:
        assert html.escape(item.sentence) in text
    assert save_report(report, tmp_path)[0].read_text(encoding="utf-8") == text


def test_a_report_repeats_itself():
    texts, test = features(30, 1)
    few = replace(SMALL, changed_inputs=0)
    again = measure_faithfulness(letter_model(), features(80, 0)[1], test, inputs=texts, settings=few)
    first, second = plain(small_report()[0]), plain(again)
    for part in (
        "gated",
        "input",
        "pairs",
        "retraining",
        "sanity",
        "learned",
        "seeds",
        "quantus",
        "accuracy",
    ):
        assert first[part] == second[part], part
    assert again.tokens is None
    assert again.inputs == ()


def test_a_page_says_when_inputs_were_trained_on():
    report = replace(small_report()[0], held_out=False)
    assert any("was trained on the inputs measured" in str(block) for block in introduction(report))


def test_a_report_stops_when_asked():
    asked = iter([False] * 12)
    _, part = features(20, 0)
    with pytest.raises(CancelledError, match="no report was made"):
        measure_faithfulness(
            letter_model(), part, part, settings=SMALL,
            progress=Progress(cancelled=lambda: next(asked, True)),
        )  # fmt: skip


def test_what_does_not_fit_is_refused():
    texts, (x, labels) = features(12, 0)
    model = letter_model()
    with pytest.raises(DataError, match=r"letters takes features \[N, 6, 8\], got \[12, 5, 8\]"):
        measure_faithfulness(model, (x, labels), (x[:, :5], labels))
    with pytest.raises(DataError, match="a label for each input"):
        measure_faithfulness(model, (x, labels), (x, labels[:3]))
    with pytest.raises(DataError, match="3 inputs do not fit features of 12"):
        measure_faithfulness(model, (x, labels), (x, labels), inputs=texts[:3])
    with pytest.raises(DataError, match="inputs must be at least 2, got 1"):
        Settings(inputs=1)
    with pytest.raises(DataError, match="at least 2 of them"):
        Settings(training_seeds=1)


def test_retrained_heads_are_trained_as_the_checkpoint_says():
    classifier = letter_model().classifier
    assert training_of(TrainedClassifier(classifier)) == BUDGET
    said = {"training": {"gate_penalty": 1, "batch_size": 32, "unknown": 3, "seed": True}}
    found = training_of(TrainedClassifier(classifier, report=said))
    assert found == replace(BUDGET, gate_penalty=1.0, batch_size=32)
    assert isinstance(found, TrainingConfig)
    assert training_of(TrainedClassifier(classifier, report={"training": "long"})) == BUDGET


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.1, 0.2, "yes"), (-0.2, -0.1, "no"), (-0.1, 0.1, "open")]
)
def test_answers_follow_the_interval(low, high, expected):
    assert answer(Interval((low + high) / 2, low, high, count=9, seed=0)) == expected


@pytest.mark.parametrize(
    ("mean", "expected", "said"),
    [(0.1, "yes", "finds more than"), (-0.1, "no", "finds less than"), (-0.004, "open", "is level with")],
)
def test_a_difference_too_small_to_matter_is_level(mean, expected, said):
    found = over("class_importance over integrated_gradients", Interval(mean, mean, mean, count=9, seed=0))
    assert found.answer == expected
    assert found.sentence.startswith(f"Class importance {said} Integrated gradients")


# One input


def test_a_check_of_one_sample_on_the_planted_head():
    classifier = planted_classifier()
    model = TrainedClassifier(classifier, name="planted")
    x, labels = planted_inputs()
    found = check_pooled(model, x[1], orders=40, seed=0)
    assert found.prediction == int(labels[1])
    assert found.cells == 80
    by_method = {item.method: item for item in found.maps}
    assert by_method["importance"].p_value == pytest.approx(1 / 41)
    assert "sooner than random removal" in by_method["importance"].verdict
    cells = gated_cells(classifier, x[1:2])
    direct = deletion_curve(cells, gated_maps(classifier, x[1:2])["importance"])
    assert by_method["importance"].deletion == pytest.approx(direct.areas[0])
    assert found.at_random > by_method["importance"].deletion
    assert (found.random_low <= found.random).all()
    assert (found.random <= found.random_high).all()


def test_a_map_no_better_than_chance_is_called_that():
    classifier = planted_classifier()
    x, _ = planted_inputs()
    # Gates that are open everywhere: the map is the layer's amplitude, the same for all layers.
    with torch.no_grad():
        classifier.attention.log_scaled_variance.fill_(6.0)
        classifier.attention.mean_offset.zero_()
        classifier.attention.amplitude_logits.zero_()
    found = check_pooled(TrainedClassifier(classifier), x[1], orders=40, methods=("importance",))
    assert found.maps[0].p_value > 0.05
    assert "no better than chance" in found.maps[0].verdict


def test_a_check_takes_an_encoding_and_stops_when_asked():
    model = letter_model()
    encoding = encode(model.backbone, "aeb")
    assert check_encoding(model, encoding, orders=5).orders == 5
    with pytest.raises(CancelledError):
        check_encoding(model, encoding, progress=Progress(cancelled=lambda: True))


# Published


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


# Quantus


def test_quantus_on_the_planted_head():
    classifier = planted_classifier()
    x, _ = planted_inputs(8)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    found = quantus_metrics(classifier, x, methods=("importance", "class_importance", "integrated_gradients"))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    score = {(item.metric, item.method): item.score.mean for item in found}
    # Removing cells changes the logit by just what class importance gives them.
    assert score["Faithfulness Correlation", "class_importance"] > 0.95
    assert score["Faithfulness Correlation", "class_importance"] == pytest.approx(
        score["Faithfulness Correlation", "integrated_gradients"], abs=0.05
    )
    assert score["Random Logit", "importance"] == pytest.approx(1)
    assert score["Random Logit", "class_importance"] < 0.999
    assert score["MPRT: decoder randomised", "importance"] == pytest.approx(1)
    assert score["MPRT: decoder randomised", "class_importance"] < 0.999
    assert score["MPRT: gate randomised", "importance"] < 0.5
    # Three cells of forty matter: sparse.
    assert score["Sparseness", "class_importance"] > 0.9
    assert quantus_metrics(classifier, x[:2], methods=("importance",), seed=3) == quantus_metrics(
        classifier, x[:2], methods=("importance",), seed=3
    )


def test_quantus_measures_the_heads_own_maps_only():
    with pytest.raises(ConfigError, match="got 'layer_sum'"):
        quantus_metrics(planted_classifier(), planted_inputs(2)[0], methods=("layer_sum",))


# Command


@pytest.fixture
def letters_on_disk(tmp_path, monkeypatch):
    """A data set of letters, and a model that the command finds by name."""
    texts, labels = letter_data(60, seed=2)
    table = tmp_path / "letters.csv"
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "speaker"])
        for index, (text, label) in enumerate(zip(texts, labels, strict=True)):
            writer.writerow([f"{text} {index}", letter_model().class_names[int(label)], f"s{index % 5}"])
    model = LetterModel(letter_model().classifier, name="letters")
    monkeypatch.setattr("daam_core.cli.faithfulness.load_model", lambda *_, **__: model)
    return table


COMMAND = (
    "--model letters --inputs 12 --training-inputs 20 --sanity-inputs 3 --quantus-inputs 2 "
    "--changed-inputs 2 --random-orders 1 --training-seeds 2 --retraining-seeds 1 --epochs 2"
).split()


def test_the_command_writes_a_report_and_prints_one_object(letters_on_disk, tmp_path, capsys):
    words = ["faithfulness", str(letters_on_disk), *COMMAND, "--cache-dir", str(tmp_path / "cache")]
    words += ["--train", str(letters_on_disk), "--out", str(tmp_path / "out"), "--json"]
    assert main(words) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["deletion"]["gated"]["importance"]["gain"]["count"] == 12
    assert printed["provenance"]["data"] == "letters.csv"
    assert printed["provenance"]["measured"] == 60
    assert str(tmp_path) not in json.dumps(printed)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {PAGE, DATA}
    assert main(words) == 2
    assert "not empty" in capsys.readouterr().err


def test_without_other_data_a_part_is_measured_and_groups_are_not_split(letters_on_disk):
    columns = TableColumns(group="speaker")
    dataset = load_dataset(letters_on_disk, modality="text", columns=columns)
    train, test = split_for_retraining(dataset, seed=0)
    assert len(test) == 24
    assert not set(train.groups) & set(test.groups)
    plain_train, plain_test = split_for_retraining(load_dataset(letters_on_disk, modality="text"), seed=0)
    assert (len(plain_train), len(plain_test)) == (36, 24)


def test_the_command_refuses_what_it_cannot_use(letters_on_disk, tmp_path, capsys):
    out = ["--out", str(tmp_path / "out")]
    assert main(["faithfulness", str(tmp_path / "none"), *COMMAND, *out]) == 2
    assert "There is no data set" in capsys.readouterr().err
    assert main(["faithfulness", str(letters_on_disk), *COMMAND, *out, "--inputs", "0"]) == 2
    assert "inputs must be at least 2" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_intervals_in_json_are_plain():
    assert plain(bootstrap_mean([1.0, 2.0], seed=0))["count"] == 2
    assert plain({"a": (np.float64(1), np.array([2]))}) == {"a": [1.0, [2]]}


@pytest.mark.parametrize("name", built_in_models())
def test_every_built_in_head_comes_with_its_measurement(name):
    found = published(load_model(name))
    assert found is not None, f"{name} was trained again: measure it with the faithfulness command."
    gain = found["deletion"]["gated"]["importance"]["gain"]
    assert found["findings"][0]["answer"] == (
        "yes" if gain["low"] > 0 else "no" if gain["high"] < 0 else "open"
    )
    assert found["accuracy"]["count"] >= 100
