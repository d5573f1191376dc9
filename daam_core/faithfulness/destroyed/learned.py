"""What is learned and what is given: how much of a map comes from learned parameters, how much from data.

Letters: N inputs, H heads, L layers, F features, R rows (see ``layers``).
"""

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daam_core.faithfulness.statistics import Interval, bootstrap_mean, correlation, rank_correlation
from daam_core.model import DaamClassifier

#: Smallest and largest learned values that the paper's Table 2 gives for speech.
PAPER_OFFSET_RANGE = (-0.06, 0.10)
PAPER_VARIANCE_RANGE = (1.88, 2.06)


@dataclass(frozen=True)
class ParameterRange:
    """Where learned parameters ended.

    Attributes:
        name: ``mean offset``, ``scaled variance`` or ``amplitude``.
        low: smallest value.
        high: largest value.
        mean: their mean.
        deviation: their standard deviation.
        moved: mean distance from the start.
        paper: the paper's range for speech, or None.
    """

    name: str
    low: float
    high: float
    mean: float
    deviation: float
    moved: float
    paper: tuple[float, float] | None


@dataclass(frozen=True)
class StartComparison:
    """The learned map against the map of the same classifier with some parameters back at their start.

    Attributes:
        reset: what was put back.
        correlation: of the data set's mean density attention, over cells.
        ranks: rank correlation likewise.
        explained: share of the learned map's variance over cells that the map at the start explains
            (squared correlation); the rest is learned.
        by_input: correlation of single inputs' maps: mean over inputs.
    """

    reset: str
    correlation: float
    ranks: float
    explained: float
    by_input: Interval


@dataclass(frozen=True)
class Learned:
    """What is learned and what is given.

    Attributes:
        starts: comparisons with the map at the start.
        between_inputs: share of the density attention's variance, over inputs and cells, that lies
            between inputs; the rest is a pattern that all inputs share.
        ranges: of the learned parameters.
        count: how many inputs.
    """

    starts: tuple[StartComparison, ...]
    between_inputs: float
    ranges: tuple[ParameterRange, ...]
    count: int


@torch.no_grad()
def at_start(classifier: DaamClassifier, *, gate: bool = True, amplitude: bool = True) -> DaamClassifier:
    """A copy with δ and ξ, or the amplitude, or both, as they were before training."""
    other = copy.deepcopy(classifier)
    attention = other.attention
    if gate:
        attention.mean_offset.copy_(attention.initial_mean_offset)
        attention.log_scaled_variance.copy_(attention.initial_scaled_variance.log())
    if amplitude and attention.amplitude_logits is not None:
        attention.amplitude_logits.copy_(initial_amplitude_logits(classifier))
    return other


def initial_amplitude_logits(classifier: DaamClassifier) -> Tensor:
    """Amplitude logits ``[H, L]`` of an untrained classifier of the same configuration."""
    logits = DaamClassifier(classifier.config).attention.amplitude_logits
    if logits is None:
        return torch.zeros(classifier.config.n_heads, classifier.config.n_layers)
    return logits.detach()


@torch.no_grad()
def what_is_learned(classifier: DaamClassifier, pooled: Tensor, *, seed: int = 0) -> Learned:
    """Compare learned maps of ``pooled [N, L, F]`` with those at the start, and list the ranges."""
    attention = classifier.attention
    values = classifier.standardise(pooled.float())

    def maps(other: DaamClassifier) -> np.ndarray:
        density = other.attention.attend(other.attention.gate(values))  # [N, R, F]
        return density[:, attention.own_rows].double().numpy()

    learned = maps(classifier)
    spread = "scaled variance" if attention.gate_kind == "density" else "scale"
    resets = {f"mean offset and {spread}": (True, False)}
    if attention.amplitude_logits is not None:
        resets |= {"amplitude": (False, True), "all parameters of the gate": (True, True)}
    starts = []
    for reset, (gate, amplitude) in resets.items():
        start = maps(at_start(classifier, gate=gate, amplitude=amplitude))
        overall = correlation(learned.mean(0), start.mean(0))
        starts.append(
            StartComparison(
                reset=reset,
                correlation=overall,
                ranks=rank_correlation(learned.mean(0), start.mean(0)),
                explained=overall**2,
                by_input=bootstrap_mean(
                    [correlation(a, b) for a, b in zip(learned, start, strict=True)], seed=seed
                ),
            )
        )
    total = learned.var()
    return Learned(
        starts=tuple(starts),
        between_inputs=float(learned.var(0).mean() / total) if total > 0 else 0.0,
        ranges=parameter_ranges(classifier),
        count=len(pooled),
    )


def parameter_ranges(classifier: DaamClassifier) -> tuple[ParameterRange, ...]:
    """Range, spread and distance from the start of δ, ξ and, if there is one, λ."""
    attention = classifier.attention
    density = classifier.config.gate_kind == "density"
    found = [
        _range(
            "mean offset",
            attention.mean_offset,
            attention.initial_mean_offset,
            PAPER_OFFSET_RANGE if density else None,
        ),
        _range(
            "scaled variance" if density else "scale",
            attention.scaled_variance,
            attention.initial_scaled_variance,
            PAPER_VARIANCE_RANGE if density else None,
        ),
    ]
    if attention.amplitude_logits is not None:
        start = at_start(classifier).attention.amplitude
        seen = attention.head_layers
        found.append(_range("amplitude", attention.amplitude[seen], start[seen], None))
    return tuple(found)


def _range(name: str, learned: Tensor, start: Tensor, paper: tuple[float, float] | None) -> ParameterRange:
    values = learned.detach().double()
    return ParameterRange(
        name=name,
        low=float(values.min()),
        high=float(values.max()),
        mean=float(values.mean()),
        deviation=float(values.std(unbiased=False)),
        moved=float((values - start.double()).abs().mean()),
        paper=paper,
    )
