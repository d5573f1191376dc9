"""The benchmark of many inputs measures what it says."""

import pytest

from daam_core import explain_many
from daam_core.bench.batch import bench_batch, short_inputs
from daam_core.trained import load_model


@pytest.mark.slow
def test_ratios_are_those_of_the_times() -> None:
    (case,) = bench_batch(runs=1, models=["news-topic"]).cases
    assert case.inputs == 64
    assert case.speedup == pytest.approx(case.one_by_one_seconds / case.together_seconds)
    assert case.ratio == pytest.approx(case.together_seconds / case.encoder_seconds)
    assert case.bound == pytest.approx(case.speedup * case.ratio)
    assert case.encoder_one_by_one_seconds > 0


@pytest.mark.parametrize("name", ["news-topic", "image-object", "speech-emotion"])
def test_inputs_are_the_same_each_time_and_can_be_explained(name: str) -> None:
    model = load_model(name)
    first, second = (short_inputs(model.config.modality, 3) for _ in range(2))
    found = [list(explain_many(model, given)) for given in (first, second)]
    assert [e.provenance["input"]["sha256"] for e in found[0]] == [
        e.provenance["input"]["sha256"] for e in found[1]
    ]
