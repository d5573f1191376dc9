"""The learned Gaussians: the ranges of their parameters, and the gate as a curve over a cell's value.

Letters in shapes: H heads, L layers, F features, K Gaussians.
"""

from dataclasses import dataclass

import numpy as np

from daam_core.errors import ConfigError, ShapeError
from daam_core.floors import STANDARD_DEVIATION_FLOOR
from daam_core.result import Explanation

LOG_FROM = 20  # highest over lowest value from which an axis is logarithmic


@dataclass(frozen=True)
class ParameterRow:
    """Range of one learned parameter in one head (or in all), of density gates as in the paper's Table 2.

    Attributes:
        parameter: ``mean_offset`` or ``scaled_variance``; a mixture's m or c.
        head: index, or None for all heads together.
        lowest, highest, mean, deviation: over features (density) or Gaussians (mixture).
        mean_change, largest_change: |value − initial value|.
    """

    parameter: str
    head: int | None
    lowest: float
    highest: float
    mean: float
    deviation: float
    mean_change: float
    largest_change: float


def parameter_summary(explanation: Explanation) -> tuple[ParameterRow, ...]:
    """Ranges of δ and ξ, or m and c: for each parameter all heads together first, then head by head."""
    rows = []
    for parameter in ("mean_offset", "scaled_variance"):
        learned = np.asarray(getattr(explanation, parameter), dtype=np.float64)
        change = np.abs(learned - getattr(explanation, f"initial_{parameter}"))
        selections: list[int | None] = [None, *range(len(learned))]
        for head in selections:
            chosen = slice(None) if head is None else head
            value, moved = learned[chosen], change[chosen]
            rows.append(
                ParameterRow(
                    parameter=parameter,
                    head=head,
                    lowest=float(value.min()),
                    highest=float(value.max()),
                    mean=float(value.mean()),
                    deviation=float(value.std()),
                    mean_change=float(moved.mean()),
                    largest_change=float(moved.max()),
                )
            )
    return tuple(rows)


def is_wide(values: np.ndarray) -> bool:
    """Whether positive values spread so far that they are drawn on a logarithm.

    >>> is_wide(np.array([0.1, 5.0])), is_wide(np.array([1.0, 2.0])), is_wide(np.array([-1.0, 100.0]))
    (True, False, False)
    """
    return bool(values.min() > 0 and values.max() / values.min() > LOG_FROM)


def effective_gaussian(mean_offsets: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    r"""The one Gaussian that a head's K Gaussians amount to (paper, section 1).

    The mixture gate multiplies its Gaussians, and a product of Gaussians is, up to a factor, a
    Gaussian with

    .. math:: v = \Big(\sum_k c_k^{-2}\Big)^{-1}, \quad m = v \sum_k m_k c_k^{-2}

    Args:
        mean_offsets: m, ``[.., K]``, in the units of the gated values.
        scales: c, ``[.., K]``, in standard deviations of those values.

    Returns:
        Mean offset ``[..]`` and variance ``[..]`` (a factor on the values' variance).

    Raises:
        ShapeError: a scale is zero or not finite.

    >>> tuple(float(value) for value in effective_gaussian(np.array([0.0, 2.0]), np.array([1.0, 1.0])))
    (1.0, 0.5)
    """
    scales = np.asarray(scales, dtype=np.float64)
    if not (np.isfinite(scales) & (scales != 0)).all():
        raise ShapeError("A mixture's scales must be finite and different from zero.")
    precision = scales**-2
    variance = 1 / precision.sum(axis=-1)
    return variance * (np.asarray(mean_offsets, dtype=np.float64) * precision).sum(axis=-1), variance


@dataclass(frozen=True)
class CellGaussians:
    r"""Every head's Gaussian at one layer and feature; the gate as a function of the value.

    With :math:`e(v) = \exp(-(v - centre)^2 / (2\,spread^2))` a density gate is :math:`e(v)`. A mixture gate
    is a softmax over the head's layers, :math:`e(v) / (e(v) + others)`, where *others* is the sum of e over
    its other layers' values.

    The statistics are held fixed, and so are the other layers' values and what levels before a head's
    multiply the value with (its gain): all numbers are in units of ``value``, those of a level's heads
    divided by its gain.

    Attributes:
        value: the standardised value at the cell.
        seen: ``[H]`` bool, whether the head sees the layer.
        mean, deviation: ``[H]`` of the feature over the head's layers.
        centre, spread: ``[H]`` of the Gaussian, in the units of ``value``.
        log_others: ``[H]`` logarithm of *others*; None for density gates.
        gate: ``[H]`` the input's gate at the cell, which lies on the Gaussian; or the data set's mean
            gate, which need not: an average of gates is not the gate of an average.
    """

    value: float
    seen: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    log_others: np.ndarray | None
    gate: np.ndarray

    def gate_at(self, value: np.ndarray, head: int) -> np.ndarray:
        """A head's gate at other values of the feature, in [0, 1]; highest at the centre."""
        distance = (np.asarray(value) - self.centre[head]) / self.spread[head]
        with np.errstate(over="ignore"):  # infinitely far: the gate is 0
            log_gate = -(distance**2) / 2
        if self.log_others is not None:
            log_gate = -np.logaddexp(0, self.log_others[head] - log_gate)
        gate: np.ndarray = np.exp(log_gate)
        return gate

    def highest(self, head: int) -> float:
        """The top of a head's curve: 1 for density gates."""
        return float(self.gate_at(self.centre[head], head))

    @property
    def extent(self) -> tuple[float, float]:
        """The values that a drawing must reach: the cell's own, and every Gaussian with its statistics."""
        seen = np.flatnonzero(self.seen)
        ends = [np.array([self.value])]
        for middle, reach in ((self.mean, 3 * self.deviation), (self.centre, 1.2 * self.spread)):
            ends += [(middle - reach)[seen], (middle + reach)[seen]]
        return float(np.concatenate(ends).min()), float(np.concatenate(ends).max())


def cell_gaussians(
    explanation: Explanation, layer: int, feature: int, *, dataset: bool = False
) -> CellGaussians:
    """The learned Gaussians at one cell.

    Args:
        explanation: what was explained.
        layer: 0 to L − 1.
        feature: 0 to F − 1.
        dataset: of the data set instead: values, mean and variance over layers as they are on average.

    Raises:
        ShapeError: the cell does not exist.
        ConfigError: the checkpoint holds no averages over a data set.
    """
    _, layers, features = explanation.shape
    if not (0 <= layer < layers and 0 <= feature < features):
        raise ShapeError(
            f"There is no cell at layer {layer}, feature {feature}; layers go from 0 to {layers - 1} "
            f"and features from 0 to {features - 1}."
        )
    source = explanation.dataset if dataset else explanation
    if source is None:
        raise ConfigError(f"The model {explanation.model} holds no averages over a data set.")
    mean = np.asarray(source.statistic_mean[:, feature], dtype=np.float64)
    variance = np.asarray(source.statistic_variance[:, feature], dtype=np.float64)
    values = np.asarray(source.values[:, feature], dtype=np.float64)
    gates = np.asarray(source.gate[:, :, feature], dtype=np.float64)
    gain = level_gain(gates, explanation.n_levels)
    log_others = None
    if explanation.gate_kind == "mixture":
        offset, factor = effective_gaussian(explanation.mean_offset, explanation.scaled_variance)
        centre, spread = mean + offset, np.sqrt(factor * variance)
        others = explanation.head_layers & (np.arange(layers) != layer)
        log_others = _log_sum(gain * values, centre, spread, others)
    else:
        centre = mean + explanation.mean_offset[:, feature]
        spread = np.sqrt(explanation.scaled_variance[:, feature] * (variance + STANDARD_DEVIATION_FLOOR))
    here = gain[:, layer]
    return CellGaussians(
        value=float(values[layer]),
        seen=np.asarray(explanation.head_layers[:, layer]),
        mean=mean / here,
        deviation=np.sqrt(variance) / here,
        centre=centre / here,
        spread=spread / here,
        log_others=log_others,
        gate=np.asarray(source.gate[:, layer, feature], dtype=np.float64),
    )


def level_gain(gate: np.ndarray, n_levels: int) -> np.ndarray:
    """What the levels before a head's own multiply values with, ``Π (1 + gate)`` (paper, Algorithm 4).

    Args:
        gate: ``[H, L]`` of all heads, level by level; in a level one head sees a layer, others have 0.
        n_levels: N, a divisor of H.

    Returns:
        ``[H, L]``; 1 for the first level's heads.

    >>> level_gain(np.array([[0.5, 0.2], [0.1, 0.3]]), 2).tolist()
    [[1.0, 1.0], [1.5, 1.2]]
    """
    by_level = gate.reshape(n_levels, -1, gate.shape[1]).sum(1)
    before = np.concatenate([np.ones_like(by_level[:1]), 1 + by_level[:-1]]).cumprod(0)
    gain: np.ndarray = before.repeat(len(gate) // n_levels, axis=0)
    return gain


def _log_sum(seen: np.ndarray, centre: np.ndarray, spread: np.ndarray, layers: np.ndarray) -> np.ndarray:
    """``[H]`` logarithm of the sum of each head's Gaussian over some layers ``[H, L]`` of what it sees."""
    exponent = ((seen - centre[:, None]) / spread[:, None]) ** 2 / 2
    log_sum: np.ndarray = np.logaddexp.reduce(np.where(layers, -exponent, -np.inf), axis=1)
    return log_sum
