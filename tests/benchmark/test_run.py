"""Cells: what is chosen where, what is resumed, and what the table says of them."""

import json
from dataclasses import replace

import numpy as np
import pytest

from daam_core.benchmark.cells import Chosen, again, choose, measure
from daam_core.benchmark.plan import Plan
from daam_core.benchmark.run import fingerprint, read, results, run, work_on
from daam_core.benchmark.tables import accuracy_table, rows
from daam_core.errors import ConfigError, DataError
from daam_core.progress import Progress
from daam_core.training.accuracy import trained_on
from daam_core.training.methods import METHODS


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
    assert said == ["3 of 18 cells done; now linear on test: accuracy"]  # nothing of what is there
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
