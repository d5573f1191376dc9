"""Medians of calls that take turns, and memory held at one time."""

import torch

from daam_core.bench import measuring
from daam_core.bench.measuring import median_seconds, peak_bytes


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
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock))
    calls = {name: (lambda name=name: order.append(name)) for name in "ab"}
    assert median_seconds(calls, runs=3, budget=100) == {"a": 2, "b": 20}
    assert order == ["a", "b"] * (3 + measuring.WARM_UP_RUNS)


def test_slow_runs_stop_at_the_budget(monkeypatch):
    clock = iter([0, 30])
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: next(clock))
    assert median_seconds({"a": lambda: None}, runs=9, budget=20) == {"a": 30}
