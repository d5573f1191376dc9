"""A benchmark on letters: two small data sets in a folder, in place of the real ones."""

import pytest

from daam_core.benchmark import run as run_module
from daam_core.benchmark import sets
from daam_core.benchmark.plan import Budget, Plan
from daam_core.training import experiment
from tests.support.commands import letter_table
from tests.support.small import LetterEncoder


@pytest.fixture
def plan(tmp_path, monkeypatch):
    """Two methods of ours and two rivals on folds and on a test set, tuned with two settings each."""
    monkeypatch.setattr(experiment, "load_backbone", lambda *_, **__: LetterEncoder())
    monkeypatch.setattr(run_module, "load_backbone", lambda *_, **__: LetterEncoder())
    data = tmp_path / "data"
    data.mkdir()
    letter_table(data / "train.csv", 90)
    letter_table(data / "test.csv", 40, seed=7)
    here = {
        "folds": sets.BenchmarkSet("letters, folds", "text", ("train.csv",), {"folds": 2}, batch_size=16),
        "test": sets.BenchmarkSet("letters", "text", ("train.csv",), test="test.csv", batch_size=16),
    }
    monkeypatch.setattr(sets, "SETS", here)
    monkeypatch.setattr("daam_core.benchmark.tables.SETS", here)
    monkeypatch.setattr("daam_core.cli.benchmark.SETS", here)
    assert run_module.set_named("test").title == "letters"
    return Plan(
        data=data,
        out=tmp_path / "out",
        methods=("daam", "linear", "kernel_ridge"),
        sets=("folds", "test"),
        budget=Budget(settings=2, seeds=2, epochs=4, patience=2),
        cache_dir=tmp_path / "cache",
    )
