"""``faithfulness``: what it writes, prints and refuses."""

import csv
import json

import pytest

from daam_core.cli.faithfulness import split_for_retraining
from daam_core.cli.main import main
from daam_core.faithfulness.report.settings import DATA, PAGE
from daam_core.training.data import TableColumns, load_dataset
from tests.support.small import LetterModel, letter_data, letter_model

COMMAND = (
    "--model letters --inputs 12 --training-inputs 20 --sanity-inputs 3 --quantus-inputs 2 "
    "--changed-inputs 2 --random-orders 1 --training-seeds 2 --retraining-seeds 1 --epochs 2"
).split()


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
    monkeypatch.setattr("daam_core.trained.load_model", lambda *_, **__: model)
    monkeypatch.setattr("daam_core.cli.faithfulness.config_of", lambda *_: model.config)
    return table


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
