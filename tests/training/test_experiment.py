"""From options to data, splits and a configuration, and the run that follows."""

from dataclasses import replace

import numpy as np
import pytest

from daam_core.errors import DataError
from daam_core.training import experiment as experiment_module
from daam_core.training.data import TableColumns
from daam_core.training.experiment import prepare
from daam_core.training.options import DataOptions, ExperimentOptions
from daam_core.training.run import train, training_report
from daam_core.training.settings import TrainingConfig
from tests.support.commands import letter_table
from tests.support.small import LetterEncoder


@pytest.fixture
def options(tmp_path, monkeypatch):
    """What a person could ask for, on a table of 60 words in six groups."""
    monkeypatch.setattr(experiment_module, "load_backbone", lambda *_, **__: LetterEncoder())
    return ExperimentOptions(
        data=letter_table(tmp_path / "letters.csv", 60),
        modality="text",
        backbone="letters",
        reading=DataOptions(columns=TableColumns(group="who"), cache_dir=tmp_path / "cache"),
        classifier={"n_heads": 2},
        training=TrainingConfig(epochs=2, learning_rate=1e-2),
    )


def together(split):
    return np.sort(np.concatenate([split.train, split.validation, split.test])).tolist()


def test_by_default_a_tenth_chooses_the_epoch_and_nothing_is_measured(options):
    found = prepare(options)
    (split,) = found.shipped.splits
    assert (len(split.train), len(split.validation), len(split.test)) == (54, 6, 0)
    assert together(split) == list(range(60))
    assert found.measured_on is None
    assert found.runs == 1
    assert found.config.class_names == ("consonants", "vowels")
    assert found.config.n_heads == 2
    assert "10% of the training part choose the epoch" in found.shipped.protocol


def test_what_cannot_be_split_is_refused_before_an_input_is_encoded(options, monkeypatch):
    def encoding(*_, **__):
        raise AssertionError("an input is encoded")

    monkeypatch.setattr(experiment_module, "extracted", encoding)
    small = replace(options, reading=replace(options.reading, per_class=6), validation=1)
    with pytest.raises(
        DataError, match=r"leaves a class without inputs.*at least 2 inputs each.*with --validation"
    ):
        prepare(replace(small, folds=2))
    with pytest.raises(DataError, match="7 folds need as many groups"):
        prepare(replace(options, folds=7))
    with pytest.raises(DataError, match="There is no group 'g9'"):
        prepare(replace(options, validation_groups=("g9",)))
    with pytest.raises(DataError, match="no column 'year' to give accuracy by; there are who"):
        prepare(replace(options, accuracy_by=("year",)))
    with pytest.raises(AssertionError, match="an input is encoded"):
        prepare(options)


def test_folds_keep_groups_together_and_hold_out_inside_the_rest(options):
    found = prepare(replace(options, folds=3, seeds=2, validation=0.2))
    splits = found.measured_on.splits
    assert found.runs == 3 * 2 + 1
    assert sorted(np.concatenate([split.test for split in splits]).tolist()) == list(range(60))
    groups = np.array(found.train.dataset.groups)
    for split in splits:
        assert together(split) == list(range(60))
        rest = np.concatenate([split.train, split.validation])
        assert not set(groups[split.test]) & set(groups[rest])
    assert found.measured_on.protocol.startswith("3 folds by group (6 groups)")
    assert found.measured_on.protocol.endswith("; 2 seeds")


def test_accuracy_is_given_by_group_under_the_name_of_its_column(options, tmp_path):
    found = prepare(replace(options, folds=3, accuracy_by=("who",)))
    assert found.measured_on.columns == {"who": found.train.dataset.groups}
    # Of a test set the column is one like any other.
    test = letter_table(tmp_path / "test.csv", 20, seed=4)
    found = prepare(replace(options, test=test, accuracy_by=("who",)))
    assert found.measured_on.columns["who"][60:66] == ("g0", "g1", "g2", "g3", "g4", "g5")
    # Groups of a pattern have no column.
    by_row = DataOptions(group_pattern=r"\d$", cache_dir=tmp_path / "cache")
    found = prepare(replace(options, reading=by_row, folds=3, accuracy_by=("group",)))
    assert set(found.measured_on.columns["group"]) == set("0123456789")


def test_whole_groups_choose_the_epoch(options):
    found = prepare(replace(options, folds=3, validation=0.3, whole_groups=True))
    groups = np.array(found.train.dataset.groups)
    for split in found.measured_on.splits:
        parts = [set(groups[part]) for part in (split.train, split.validation, split.test)]
        assert [len(part) for part in parts] == [3, 1, 2]
        assert len(set.union(*parts)) == 6


def test_other_data_sets_stand_after_the_training_data(options, tmp_path):
    test, chooser = (
        letter_table(tmp_path / "test.csv", 20, seed=4),
        letter_table(tmp_path / "val.csv", 10, seed=5),
    )
    found = prepare(replace(options, test=test, validation=chooser))
    (split,) = found.measured_on.splits
    assert split.train.tolist() == list(range(60))
    assert split.validation.tolist() == list(range(60, 70))
    assert split.test.tolist() == list(range(70, 90))
    assert [part.dataset.name for part in found.parts] == ["letters.csv", "val.csv", "test.csv"]
    assert found.measured_on.features.shape == (90, 6, 8)


def test_of_a_data_set_in_parts_the_test_part_measures(options, tmp_path):
    folder = tmp_path / "letters"
    folder.mkdir()
    letter_table(folder / "train.csv", 60)
    letter_table(folder / "test.csv", 20, seed=4)
    said = []
    reading = replace(options.reading, say=said.append)
    found = prepare(replace(options, data=folder, reading=reading))
    assert [part.dataset.name for part in found.parts] == ["letters/train", "letters/test"]
    assert found.measured_on.splits[0].test.tolist() == list(range(60, 80))
    assert said == [
        "letters has the parts test, train; train is read (--part).",
        "letters has the parts test, train; test is read (--part).",
    ]
    assert prepare(replace(options, data=folder, folds=3)).test is None
    assert prepare(replace(options, data=folder, reading=replace(reading, part="test"))).test is None


def test_options_that_contradict_each_other_are_refused(options):
    with pytest.raises(DataError, match="not both"):
        replace(options, folds=3, test="x.csv")
    with pytest.raises(DataError, match="a share or 0"):
        replace(options, folds=3, validation="val.csv")
    with pytest.raises(DataError, match="leave out --validation-groups"):
        replace(options, folds=3, validation_groups=("g1",))


def test_a_run_is_counted_measured_and_recorded(options):
    found = prepare(replace(options, folds=2, validation=0))
    runs = []
    outcome = train(found, on_run=lambda: runs.append(1))
    assert len(runs) == found.runs == 3
    assert outcome.dataset.samples == 60
    report = training_report(found, outcome, command="made by hand")
    assert report.accuracy == outcome.measured.accuracy
    assert report.scores.inputs == report.trained_inputs == 60
    plain = report.as_dict()
    assert "test_data" not in plain
    assert plain["epochs"][0]["validation_loss"] is None
    assert plain["parameters"]["classifier"] == sum(p.numel() for p in outcome.classifier.parameters())
