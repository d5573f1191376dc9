"""Cells: what is chosen where, what is resumed, and what the table says of them."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from daam_core.benchmark import run as run_module
from daam_core.benchmark.cells import Chosen, again, choose, measure
from daam_core.benchmark.plan import Plan
from daam_core.benchmark.run import fingerprint, read, results, run, work_on
from daam_core.benchmark.tables import accuracy_table, rows
from daam_core.cli.benchmark import written
from daam_core.errors import ConfigError, DataError
from daam_core.progress import Progress
from daam_core.training.accuracy import trained_on
from daam_core.training.methods import METHODS
from tests.support.commands import letter_table
from tests.support.small import LetterEncoder


def test_settings_are_chosen_without_the_test_part_and_each_seed_is_tested(plan):
    work = work_on(plan, "test")
    split = work.data.splits[0]
    method = METHODS["linear"]
    found = measure(method, work)
    chosen = choose(method, work, split)
    assert found["chosen"] == [{"settings": dict(chosen.settings), "epochs": chosen.epochs}]
    assert chosen.settings in method.grid[:2]
    spoiled = replace(work.data, labels=work.data.labels.clone())
    spoiled.labels[split.test] = 0  # what is right there changes nothing
    assert choose(method, replace(work, data=spoiled), split) == chosen
    assert np.shape(found["predictions"]) == (2, 1, 40)
    labels = work.data.labels[split.test].numpy()
    assert found["accuracies"][1][0] == pytest.approx(np.mean(np.array(found["predictions"][1][0]) == labels))
    module, history = again(method, work, trained_on(split, refit=True), chosen, 1)
    assert history.best_epoch == chosen.epochs
    assert found["parameters"] == sum(one.numel() for one in module.parameters())


def test_cells_are_written_once_and_gone_on_with(plan):
    said = []
    assert run(plan, progress=Progress(on_progress=lambda _, message: said.append(message))) == []
    files = sorted(plan.out.rglob("*.json"))
    assert len(files) == 3 * 3 * 2
    assert said[0] == "0 of 18 cells done; now daam on folds: accuracy"
    assert "9 of 18 cells done; now linear on test: few" in said
    before = {file: file.stat().st_mtime_ns for file in files}
    damaged = plan.file("accuracy", "linear", "test")
    damaged.write_text(damaged.read_text()[:50])
    said.clear()
    run(plan, progress=Progress(on_progress=lambda _, message: said.append(message)))
    assert said == [  # nothing of what is there
        "3 of 18 cells done; now linear on test: accuracy",
        "linear, split 1 of 1: settings are chosen",
        "linear, split 1 of 1: seed 1 of 2",
        "linear, split 1 of 1: seed 2 of 2",
    ]
    changed = {file for file in files if file.stat().st_mtime_ns != before[file]}
    assert changed == {damaged}
    json.loads(damaged.read_text())
    # Another budget is another result, but more seeds go on with what is there.
    other = replace(plan, budget=replace(plan.budget, epochs=3))
    assert read(damaged, fingerprint(other, "linear", "test")) is None
    assert results(other, "accuracy") == {}
    two = json.loads(damaged.read_text())
    solved = plan.file("accuracy", "kernel_ridge", "test")
    before = solved.stat().st_mtime_ns
    run(replace(plan, measurements=("accuracy",), sets=("test",), budget=replace(plan.budget, seeds=3)))
    three = json.loads(damaged.read_text())
    assert three["predictions"][:2] == two["predictions"]
    assert three["chosen"] == two["chosen"]
    assert np.shape(three["predictions"]) == (3, 1, 40)
    assert solved.stat().st_mtime_ns == before  # what is solved has no seed

    found = rows(plan)
    assert len(found) == 6
    ours = next(row for row in found if row.method == "daam" and row.name == "test")
    rivals = {row.method: row.accuracy for row in found if row.name == "test" and row.method != "daam"}
    assert ours.against.rival == max(rivals, key=rivals.get)
    assert ours.against.difference.mean == pytest.approx(ours.accuracy - max(rivals.values()))
    assert 0 <= ours.against.p_value <= 1
    table = accuracy_table(found, plan.sets)
    assert table.head == ("accuracy", "folds", "test")
    assert table.rows[-1][0] == "always the most frequent class of the training part"
    assert sum(cell.startswith("**") for line in table.rows for cell in line) >= 2
    few = results(plan, "few")["test", "daam"]["accuracies"]
    assert set(few) == {"5", "10", "20"}  # no class has fifty
    harder = results(plan, "harder")["folds", "linear"]
    assert 0 <= harder["changed"] <= 1

    told = written(plan, "daam benchmark").data
    assert len(told["rows"]) == len(told["harder"]) == 6
    ours = [one for one in told["few"] if (one["set"], one["method"]) == ("test", "daam")]
    assert [one["accuracy"] for one in ours] == [*few["5"], *few["10"], *few["20"]]
    for name, lines in (("benchmark", told["rows"]), ("few", told["few"]), ("harder", told["harder"])):
        with (plan.out / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert list(csv.DictReader(file)) == [{key: str(v) for key, v in one.items()} for one in lines]


@pytest.fixture
def small(plan):
    """Two cells, finished."""
    made = replace(plan, methods=("daam", "kernel_ridge"), sets=("test",), measurements=("accuracy",))
    assert run(made) == []
    return made


def test_cells_of_other_data_are_refused_before_anything_is_measured_or_made_anew(small):
    file = small.file("accuracy", "kernel_ridge", "test")
    before = file.read_text()
    letter_table(small.data / "train.csv", 91)
    said = []
    with pytest.raises(
        DataError,
        match=r"accuracy/test.daam.json in out was made of other data than data holds, or by another",
    ):
        run(small, progress=Progress(on_progress=lambda _, message: said.append(message)))
    assert said == []
    assert file.read_text() == before
    one = replace(small, methods=("kernel_ridge",))
    assert run(one, overwrite=True) == []
    assert json.loads(file.read_text())["data"] != json.loads(before)["data"]
    assert list(results(one, "accuracy")) == [("test", "kernel_ridge")]
    # Nor are settings taken that other data chose.
    (refusal,) = run(replace(small, methods=("daam",), measurements=("few",)), overwrite=True)
    assert refusal.startswith("few, daam on test: its accuracy on all inputs comes first")
    with pytest.raises(
        DataError, match="The cells of test in out were made of different data, or by different versions"
    ):
        rows(small)


def test_cells_of_another_version_of_the_encoder_are_refused(small, monkeypatch):
    class Newer(LetterEncoder):
        preprocessing = "newer"

    monkeypatch.setattr(run_module, "load_backbone", lambda *_, **__: Newer())
    with pytest.raises(DataError, match=r"test.daam.json in out .* by another version of their encoder"):
        run(small)


def test_cells_of_another_budget_are_refused_and_left_alone(small):
    file = small.file("accuracy", "daam", "test")
    before = file.read_text()
    other = replace(small, budget=replace(small.budget, settings=1))
    with pytest.raises(DataError, match=r"test.daam.json in out was made with another budget .* --overwrite"):
        run(other)
    assert file.read_text() == before
    assert run(replace(other, methods=("daam",)), overwrite=True) == []
    assert file.read_text() != before


def test_a_table_of_nothing_leaves_what_is_there_alone(small):
    written(small, "daam benchmark")
    before = {file.name: file.read_bytes() for file in small.out.iterdir() if file.is_file()}
    assert set(before) == {"benchmark.md", "benchmark.csv", "accuracy.svg"}
    other = replace(small, budget=replace(small.budget, epochs=3))
    with pytest.raises(DataError, match="out holds no finished result of what is asked for; 2 are of other"):
        written(other, "daam benchmark")
    assert {file.name: file.read_bytes() for file in small.out.iterdir() if file.is_file()} == before
    with pytest.raises(DataError, match=r"none holds no finished result of what is asked for[.]"):
        written(replace(small, out=small.out.parent / "none"), "daam benchmark")
    assert not (small.out.parent / "none").exists()


def test_what_is_damaged_is_made_anew(small):
    file = small.file("accuracy", "kernel_ridge", "test")
    whole = json.loads(file.read_text())
    for lost in ("predictions", "data", "measurement"):
        file.write_text(json.dumps({name: value for name, value in whole.items() if name != lost}))
        assert run(small) == []
        assert json.loads(file.read_text())["predictions"] == whole["predictions"]
    harder = replace(small, methods=("kernel_ridge",), measurements=("harder",))
    assert run(harder) == []
    changed = results(harder, "harder")["test", "kernel_ridge"]
    features = small.out / "harder" / "test.safetensors"
    kept = features.read_bytes()
    features.write_bytes(b"damaged")
    small.file("harder", "kernel_ridge", "test").unlink()
    assert run(harder) == []
    assert features.read_bytes() == kept
    assert results(harder, "harder")["test", "kernel_ridge"] == changed


def test_a_data_set_that_is_missing_is_named_before_the_first_cell(plan):
    (plan.data / "test.csv").unlink()
    with pytest.raises(DataError, match=r"data has no 'test.csv', which letters needs"):
        run(plan)
    assert not plan.out.exists()


def test_what_a_closed_form_chose_is_kept_with_its_cell(plan):
    small = replace(plan, methods=("joint_density",), sets=("test",), measurements=("accuracy", "few"))
    assert run(small) == []
    (stored,) = results(small, "accuracy")["test", "joint_density"]["chosen"]
    kept = Chosen.read(stored)
    assert kept.settings["density"].ridge == stored["settings"]["density"]["ridge"] > 0
    assert set(results(small, "few")["test", "joint_density"]["accuracies"]) >= {"5", "10"}


def test_a_cell_that_cannot_be_made_is_said_and_the_rest_goes_on(plan):
    small = replace(plan, methods=("lora", "kernel_ridge"), sets=("test",), measurements=("accuracy",))
    (refusal,) = run(small)
    assert refusal.startswith("accuracy, lora on test: The method lora learns what is added")
    assert list(results(small, "accuracy")) == [("test", "kernel_ridge")]
    (refusal,) = run(replace(small, methods=("linear",), measurements=("few",)))
    assert "its accuracy on all inputs comes first" in refusal


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"methods": ("magic",)}, ConfigError, "There is no method 'magic'; there are daam"),
        ({"sets": ("moon",)}, DataError, "no data set 'moon' in the benchmark; there are folds, test"),
        (
            {"measurements": ("all",)},
            ConfigError,
            "no measurement 'all' of the benchmark; there are accuracy, few, harder",
        ),
        ({"methods": ()}, ConfigError, "at least one method"),
    ],
)
def test_wrong_names_are_refused_in_a_sentence(plan, change, error, said):
    with pytest.raises(error, match=said):
        replace(plan, **change)


def test_data_that_is_not_there_is_named(plan, tmp_path):
    with pytest.raises(DataError, match="There is no folder 'none' of data sets"):
        replace(plan, data=tmp_path / "none")
    (plan.data / "test.csv").unlink()
    with pytest.raises(DataError, match=r"data has no 'test.csv', which letters needs; leave it out"):
        work_on(Plan(**vars(plan)), "test")
