"""Averages of a data set in a file, and training from memory: figures that fit each other, never a time."""

import numpy as np
import pytest
import torch

from daam_core.bench.library import classifier_of_size
from daam_core.bench.scale import SHARES, bench_scale
from daam_core.bench.training import bench_train
from daam_core.cli.main import main
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import ConfigError


def test_averages_of_a_file_are_timed_in_parts_and_fitted():
    found = bench_scale(200, layers=6, features=8)
    assert [case.samples for case in found.cases] == [round(200 * share) for share in SHARES]
    for case in found.cases:
        assert case.ratio == pytest.approx(case.seconds / case.read_seconds)
    slope, start = np.polyfit([c.samples for c in found.cases], [c.seconds for c in found.cases], 1)
    assert found.per_thousand_seconds == pytest.approx(1000 * slope)
    assert found.start_seconds == pytest.approx(start)


def test_averages_of_half_precision_are_those_of_the_same_numbers():
    features = torch.randn(300, 6, 8).half()
    classifier = classifier_of_size(6, 8)
    found, expected = dataset_mean(classifier, features), dataset_mean(classifier, features.float())
    assert (found.gate == expected.gate).all()
    assert (found.values == expected.values).all()


def test_a_full_disk_is_one_sentence(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("daam_core.bench.scale._write", full)
    with pytest.raises(ConfigError, match=r"no room for 4\.9 GB of features: No space left .* set TMPDIR"):
        bench_scale()


def test_training_from_memory_beside_a_file_of_each_input(monkeypatch, capsys):
    (case,) = bench_train(runs=1, inputs=64, models=["news-topic"]).cases
    assert (case.layers, case.features, case.heads) == (6, 384, 4)
    assert case.speedup == pytest.approx(case.per_second / case.read_per_second)
    assert case.over_encoding == pytest.approx(case.per_second / case.encoded_per_second)
    monkeypatch.setattr("daam_core.bench.scale.bench_scale", lambda: bench_scale(100, layers=6, features=8))
    assert main(["bench", "scale"]) == 0
    assert "s for 1,000 inputs, off by" in capsys.readouterr().out
