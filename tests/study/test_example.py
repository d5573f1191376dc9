"""The study that comes along: made of the photographs that ship, once."""

import csv

import pytest

from daam_core import load_model
from daam_core.backbones.weights import CACHE_VARIABLE, cache_folder
from daam_core.shipped import shipped
from daam_core.study.example import MODEL, example_study
from daam_core.study.selection import slice_counts


@pytest.mark.slow
def test_it_is_made_once_of_the_photographs_that_ship(tmp_path, monkeypatch):
    model = load_model(MODEL)
    weights = list(cache_folder().glob("*.safetensors"))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    for path in weights:
        (tmp_path / path.name).symlink_to(path)
    done = []
    study = example_study(model, on_progress=done.append)
    assert done == [24]
    assert study.complete
    assert not study.refused
    assert slice_counts(study, "right") == {"right": 20, "wrong": 4}
    assert slice_counts(study, "shelf") == {"Fruit": 16, "Packages": 4, "Vegetables": 4}
    assert study.facts.checkpoint_sha256 == model.sha256
    assert study.original(0) == shipped("photographs") / "apple-1.jpg"
    assert example_study(model, on_progress=done.append).numbers.tolist() == list(range(24))
    assert done == [24]


def test_the_photographs_carry_their_notice_and_are_small():
    folder = shipped("photographs")
    assert "Permission is hereby granted" in (folder / "LICENSE.txt").read_text("utf-8")
    with (folder / "photographs.csv").open(encoding="utf-8", newline="") as file:
        named = {row["path"] for row in csv.DictReader(file)}
    there = {path.name for path in folder.iterdir()}
    assert named | {"LICENSE.txt", "photographs.csv"} <= there
    assert sum(path.stat().st_size for path in folder.iterdir()) < 1_000_000
