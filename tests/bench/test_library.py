"""Benchmarks: what they compare is the same thing, and what they report is consistent. Never a time."""

import pytest
import torch
from PIL import Image

from daam_core.bench import library as library_module
from daam_core.bench.library import (
    LayerSize,
    bench_explain,
    bench_layer,
    input_for,
    looped,
    median_seconds,
    peak_bytes,
)
from daam_core.layers import DensityAttention
from tests.support.small import letter_model

SIZES = (LayerSize(2, 6, 8, 2, "layer_groups"), LayerSize(3, 5, 8, 4, "shared"))


@pytest.mark.parametrize("mode", ["layer_groups", "shared"])
def test_the_loop_computes_what_the_layer_computes_gradients_included(mode):
    attention = DensityAttention(
        n_layers=7, n_features=5, n_heads=2, mode=mode, amplitude="layer", offset_spread=1.0
    ).double()
    x = torch.randn(4, 7, 5, dtype=torch.float64, requires_grad=True)
    outputs = attention(x)[0], looped(attention, x)
    torch.testing.assert_close(*outputs, rtol=0, atol=1e-12)
    gradients = []
    for output in outputs:
        inputs = [x, *attention.parameters()]
        gradients.append(torch.autograd.grad(output.square().sum(), inputs))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_the_layers_figures_are_consistent():
    found = bench_layer(SIZES, runs=2)
    assert [case.mode for case in found.cases] == ["layer_groups", "shared"]
    for case in found.cases:
        assert case.speedup == pytest.approx(case.loop_seconds / case.layer_seconds)
        assert case.memory_ratio == pytest.approx(case.layer_peak_bytes / case.loop_peak_bytes)
        assert case.largest_difference < 1e-5
        assert case.layer_peak_bytes >= 4 * case.batch * case.layers * case.features


def test_peak_memory_counts_what_is_held_at_one_time():
    one = 4 * 100_000

    def two_at_once():
        return torch.ones(100_000) + torch.ones(100_000)

    def one_after_another():
        for _ in range(5):
            torch.ones(100_000)

    assert 3 * one <= peak_bytes(two_at_once) < 3.2 * one
    assert one <= peak_bytes(one_after_another) < 1.2 * one


def test_medians_are_of_the_runs_after_warming_up_and_calls_take_turns(monkeypatch):
    order = []
    clock = iter([0, 1, 1, 11, 20, 25, 25, 45, 50, 52, 52, 82])
    monkeypatch.setattr(library_module.time, "perf_counter", lambda: next(clock))
    calls = {name: (lambda name=name: order.append(name)) for name in "ab"}
    assert median_seconds(calls, runs=3, budget=100) == {"a": 2, "b": 20}
    assert order == ["a", "b"] * (3 + library_module.WARM_UP_RUNS)


def test_slow_runs_stop_at_the_budget(monkeypatch):
    clock = iter([0, 30])
    monkeypatch.setattr(library_module.time, "perf_counter", lambda: next(clock))
    assert median_seconds({"a": lambda: None}, runs=9, budget=20) == {"a": 30}


def test_inputs_are_the_same_every_time():
    samples, rate = input_for("audio")
    assert (len(samples) / rate, rate) == (3, 16_000)
    assert (samples == input_for("audio")[0]).all()
    picture = input_for("image")
    assert isinstance(picture, Image.Image)
    assert picture.size == (480, 360)
    assert len(input_for("text").split()) == 40


def test_an_explanations_figures_are_consistent(monkeypatch):
    monkeypatch.setattr(library_module, "load_model", lambda name: letter_model())
    (case,) = bench_explain(runs=2, models=["letters"]).cases
    assert case.trained is True
    assert case.tokens == len(input_for("text"))
    assert case.ratio == pytest.approx(case.explanation_seconds / case.encoder_seconds)
    assert case.beyond_encoder_ratio == pytest.approx(case.beyond_encoder_seconds / case.encoder_seconds)
