"""How times and memory are measured: medians of repeated runs, calls taking turns."""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from daam_core.progress import Progress

#: Seconds that one measurement may take, whatever the number of runs asked for.
BUDGET_SECONDS = 20.0
WARM_UP_RUNS = 2


Case = TypeVar("Case")


@dataclass(frozen=True)
class Timings(Generic[Case]):
    """Cases, each repeated ``runs`` times on ``threads`` threads of torch."""

    runs: int
    threads: int
    cases: tuple[Case, ...]


def each(cases: Sequence[Case], called: Callable[[Case], str], progress: Progress | None) -> Iterator[Case]:
    """Cases in turn; before each one ``progress`` is told which it is and how many there are."""
    progress = progress or Progress()
    for number, case in enumerate(cases):
        progress.report(number / len(cases), f"{number + 1} of {len(cases)}: {called(case)}")
        yield case


def median_seconds(
    calls: Mapping[str, Callable[[], object]], *, runs: int, budget: float = BUDGET_SECONDS
) -> dict[str, float]:
    """Median time of each call after a warm-up; fewer runs where they would exceed the budget.

    The calls take turns, so that a busy moment of the machine falls on all of them.
    """
    for _ in range(WARM_UP_RUNS):
        for call in calls.values():
            call()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - started)
        if sum(map(sum, times.values())) > budget:
            break
    return {name: statistics.median(found) for name, found in times.items()}


def peak_bytes(run: Callable[[], object]) -> int:
    """Most bytes of tensors that a call held at one time, beyond those held before it."""
    # Its profiler's C++ part writes progress on standard error, unless told before its first use.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        kept = run()
    del kept
    events = profiler.profiler.kineto_results.events() if profiler.profiler else []
    changes = [(event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"]
    held = np.cumsum([0, *(size for _, size in sorted(changes, key=lambda change: change[0]))])
    return int(held.max())
