"""Numbers that figures, tables and exports share, free of any plotting library.

Letters in shapes: H heads, L layers, F features, T tokens, K Gaussians.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from daam_core.errors import ConfigError, ShapeError
from daam_core.result import Explanation, Scale

Quantity = Literal["importance", "density_attention", "gate", "class_importance"]
Binning = Literal["max", "mean", "extreme"]


@dataclass(frozen=True)
class QuantityText:
    """How a map is named, and what its score means, in figures and tables.

    Attributes:
        name: short name, for titles.
        meaning: what a score says, for the colour bar.
        signed: values of both signs are meaningful, so colours diverge from zero.
    """

    name: str
    meaning: str
    signed: bool = False


QUANTITIES: Mapping[Quantity, QuantityText] = {
    "importance": QuantityText("Importance Factor", "0 = weakest, 1 = strongest density attention"),
    "density_attention": QuantityText(
        "Density attention", "amplitude × gate: how much the head lets through"
    ),
    "gate": QuantityText("Gate", "1 = the value is typical for its feature"),
    "class_importance": QuantityText(
        "Class importance", "in logits: positive speaks for the class, negative against it", signed=True
    ),
}


def quantity_text(quantity: str) -> QuantityText:
    """Name and meaning of a map.

    Raises:
        ConfigError: an unknown quantity.
    """
    for known, text in QUANTITIES.items():
        if known == quantity:
            return text
    raise ConfigError(f"Unknown quantity {quantity!r}; choose one of: {', '.join(QUANTITIES)}.")


def quantity_map(explanation: Explanation, quantity: str) -> np.ndarray:
    """``[H, L, F]`` float64 map of a quantity, NaN in layers that a head does not see."""
    quantity_text(quantity)
    values = np.array(getattr(explanation, quantity), dtype=np.float64)
    values[~explanation.head_layers] = np.nan
    return values


def scale_limits(values: np.ndarray, *, scale: Scale = "all_heads", signed: bool = False) -> np.ndarray:
    """Colour limits of each head's map.

    Args:
        values: ``[H, L, F]``, NaN where there is no cell.
        scale: ``all_heads``, one pair over all heads together, or ``per_head``.
        signed: symmetric limits ±max |value|, so that zero has the middle colour.

    Returns:
        ``[H, 2]`` lowest and highest value; both equal where the map is constant.

    Raises:
        ConfigError: an unknown scale.
    """
    if scale not in ("all_heads", "per_head"):
        raise ConfigError(f"Unknown scale {scale!r}; choose all_heads or per_head.")
    flat = values.reshape(len(values), -1)
    if signed:
        highest = np.nanmax(np.abs(flat), axis=1)
        limits = np.stack([-highest, highest], axis=1)
    else:
        limits = np.stack([np.nanmin(flat, axis=1), np.nanmax(flat, axis=1)], axis=1)
    if scale == "all_heads":
        limits[:] = limits[:, 0].min(), limits[:, 1].max()
    return limits


def top_cells(values: np.ndarray, count: int, *, absolute: bool = False) -> np.ndarray:
    """Indices of the highest cells, highest first.

    Args:
        values: array of D axes, such as ``[H, L, F]``; NaN cells are never returned.
        count: how many, at most as many as there are cells.
        absolute: rank by size, whatever the sign.

    Returns:
        ``[n, D]`` integer indices; equal cells stand in the order of the array.

    >>> top_cells(np.array([[0.0, 3.0], [2.0, -9.0]]), 2)
    array([[0, 1],
           [1, 0]])
    """
    flat = np.abs(values).ravel() if absolute else np.asarray(values).ravel()
    present = np.flatnonzero(~np.isnan(flat))
    order = present[np.argsort(-flat[present], kind="stable")][: max(count, 0)]
    indices: np.ndarray = np.stack(np.unravel_index(order, np.shape(values)), axis=1)
    return indices


def gate_entropy(gate: np.ndarray, head_layers: np.ndarray) -> np.ndarray:
    r"""Entropy of each head's gate, relative to an even gate.

    .. math:: -\sum_i p_i \log p_i / \log n, \quad p = gate / \sum gate

    over the n cells that a head sees.

    Args:
        gate: ``[H, L, F]``, not negative.
        head_layers: ``[H, L]`` bool, the layers a head sees.

    Returns:
        ``[H]`` in [0, 1]: 1 when all cells are let through alike, 0 when a single one is; NaN for a
        head whose gate is zero everywhere.
    """
    entropies = np.full(len(gate), np.nan)
    for head, seen in enumerate(head_layers):
        cells = np.asarray(gate[head, seen], dtype=np.float64).ravel()
        total = cells.sum()
        if total > 0:
            shares = cells[cells > 0] / total
            entropies[head] = -(shares * np.log(shares)).sum() / np.log(cells.size) if cells.size > 1 else 0.0
    return entropies.clip(0, 1)


@dataclass(frozen=True)
class Binned:
    """Columns drawn together because there are fewer pixels than features.

    Attributes:
        values: ``[.., n]``.
        edges: ``[n + 1]``: bin i holds the features ``edges[i]`` to ``edges[i + 1] − 1``.
        how: ``max``, ``mean`` or ``extreme`` (the value of largest size, with its sign).
    """

    values: np.ndarray
    edges: np.ndarray
    how: Binning

    @property
    def binned(self) -> bool:
        return len(self.edges) - 1 < int(self.edges[-1])

    @property
    def statement(self) -> str:
        """One phrase for the figure, empty when every feature has its own column."""
        if not self.binned:
            return ""
        widths = np.unique(np.diff(self.edges))
        size = str(widths[0]) if len(widths) == 1 else f"{widths[0]}–{widths[-1]}"
        name = {"max": "maximum", "mean": "mean", "extreme": "value of largest size"}[self.how]
        return f"each column shows the {name} of {size} features"


def bin_columns(values: np.ndarray, max_columns: int, *, how: Binning = "max") -> Binned:
    """Reduces the last axis to at most ``max_columns`` bins of (almost) equal width.

    With ``max`` (or ``extreme`` for signed maps) a single hot cell stays visible however many
    features share its column. NaN cells are left out of their bin; a bin of NaN only is NaN.

    Args:
        values: ``[.., F]``.
        max_columns: at least 1; with F or more of them nothing is binned.
        how: ``max``, ``mean`` or ``extreme``.

    Raises:
        ConfigError: fewer than one column, or an unknown way of binning.
    """
    if max_columns < 1:
        raise ConfigError(f"Binning needs at least one column, got {max_columns}.")
    if how not in ("max", "mean", "extreme"):
        raise ConfigError(f"Unknown binning {how!r}; choose max, mean or extreme.")
    features = values.shape[-1]
    columns = min(features, max_columns)
    edges = np.arange(columns + 1) * features // columns
    if columns == features:
        return Binned(values, edges, how)
    starts = edges[:-1]
    if how == "max":
        return Binned(np.fmax.reduceat(values, starts, axis=-1), edges, how)
    if how == "extreme":
        highest = np.fmax.reduceat(values, starts, axis=-1)
        lowest = np.fmin.reduceat(values, starts, axis=-1)
        return Binned(np.where(-lowest > highest, lowest, highest), edges, how)
    present = ~np.isnan(values)
    sums = np.add.reduceat(np.where(present, values, 0), starts, axis=-1)
    counts = np.add.reduceat(present.astype(np.int64), starts, axis=-1)
    means = np.full(sums.shape, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)
    return Binned(means, edges, how)


@dataclass(frozen=True)
class ParameterRow:
    """Range of one learned parameter in one head (or in all), as in the paper's Table 2.

    Attributes:
        parameter: ``mean_offset`` or ``scaled_variance``.
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
    """Ranges of δ and ξ: for each parameter all heads together first, then head by head."""
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


def effective_mixture(mean_offsets: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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

    >>> [float(v) for v in effective_mixture(np.array([0.0, 2.0]), np.array([1.0, 1.0]))]
    [1.0, 0.5]
    """
    scales = np.asarray(scales, dtype=np.float64)
    if not (np.isfinite(scales) & (scales != 0)).all():
        raise ShapeError("A mixture's scales must be finite and different from zero.")
    precision = scales**-2
    variance = 1 / precision.sum(axis=-1)
    return variance * (np.asarray(mean_offsets, dtype=np.float64) * precision).sum(axis=-1), variance


@dataclass(frozen=True)
class Word:
    """A word of the explained text.

    Attributes:
        text: as written; for a special token its label.
        start, end: character indices, end exclusive; None for a special token.
        value: sum of its tokens' attribution, in logits.
        tokens: indices of the tokens joined here.
    """

    text: str
    start: int | None
    end: int | None
    value: float
    tokens: tuple[int, ...]


_JOINERS = "\u200c\u200d"  # zero-width non-joiner and joiner, inside words of several scripts


def _word_spans(text: str) -> list[tuple[int, int]]:
    """Words, with inner apostrophes and combining marks; anything else that is not space stands alone.

    So do wide (East Asian) letters, since no space tells their words apart.
    """
    spans: list[tuple[int, int]] = []
    word_open = False  # whether the next letter continues the last span
    for place, character in enumerate(text):
        if character.isspace():
            word_open = False
            continue
        letter = character.isalnum() or character == "_"
        wide = unicodedata.east_asian_width(character) in "WF"
        mark = character in _JOINERS or unicodedata.category(character).startswith("M")
        apostrophe = character in "'’" and text[place + 1 : place + 2].isalnum()
        attached = mark and bool(spans) and spans[-1][1] == place
        continues = word_open and ((letter and not wide) or apostrophe)
        if attached or continues:
            spans[-1] = (spans[-1][0], place + 1)
        else:
            spans.append((place, place + 1))
        word_open = (letter and not wide) or continues or (attached and word_open)
    return spans


def join_words(
    text: str, labels: Sequence[str], spans: np.ndarray, attribution: np.ndarray
) -> tuple[Word, ...]:
    """Joins a tokenizer's pieces into words; the values' sum is kept.

    A piece that covers several words joins them. A piece without any character of its own goes to
    the word that follows. Pieces seen twice (overlapping windows) count twice, as they do in the
    model. Words without a piece have value 0.

    Args:
        text: the text explained.
        labels: T token names, used for special tokens only.
        spans: ``[T, 2]`` character indices, NaN for special tokens.
        attribution: ``[T]`` in logits.

    Returns:
        Words in the order of the text, then special tokens, one of each label.

    Raises:
        ShapeError: labels, spans and attribution differ in length.
    """
    if len(labels) != len(attribution) or np.shape(spans) != (len(labels), 2):
        raise ShapeError(
            f"Words need a label, a span and a value for each token, got {len(labels)} labels, spans "
            f"{list(np.shape(spans))} and {len(attribution)} values."
        )
    words = _word_spans(text)
    ends = np.array([end for _, end in words], dtype=np.int64)
    starts = np.array([start for start, _ in words], dtype=np.int64)
    group = list(range(len(words)))  # the first word that each word is joined to
    members: dict[int, list[int]] = {index: [] for index in group}
    specials: dict[str, list[int]] = {}
    homes: list[tuple[int, int]] = []  # (token, first word)
    for token, (label, span) in enumerate(zip(labels, spans, strict=True)):
        if np.isnan(span).any() or not words:
            specials.setdefault(label, []).append(token)
            continue
        first = min(int(np.searchsorted(ends, span[0], side="right")), len(words) - 1)
        last = max(int(np.searchsorted(starts, span[1], side="left")) - 1, first)
        homes.append((token, first))
        for joined in range(first + 1, last + 1):
            group[joined] = min(group[joined], group[first])
    for index in range(len(words)):  # links point backwards, so one pass finds each group's first word
        group[index] = group[group[index]]
    for token, first in homes:
        members[group[first]].append(token)

    def word(label: str, start: int | None, end: int | None, tokens: list[int]) -> Word:
        value = float(np.sum(np.asarray(attribution, dtype=np.float64)[tokens])) if tokens else 0.0
        return Word(label, start, end, value, tuple(tokens))

    found = []
    for index in sorted(set(group)):
        start, end = words[index][0], words[max(i for i, first in enumerate(group) if first == index)][1]
        found.append(word(text[start:end], start, end, members[index]))
    return (*found, *(word(label, None, None, tokens) for label, tokens in specials.items()))


def token_grid(spans: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values of image regions on the grid that the regions' edges make.

    Args:
        spans: ``[T, 4]`` left, top, right, bottom as fractions of the picture; NaN is left out.
        values: ``[T]``.

    Returns:
        Edges ``[columns + 1]`` from left to right and ``[rows + 1]`` from top to bottom, and the grid
        ``[rows, columns]``: each cell the sum of the regions over it, NaN where there is none.
    """
    spans = np.asarray(spans, dtype=np.float64)
    placed = ~np.isnan(spans).any(axis=1)
    # Neighbouring regions' edges may differ in their last digits.
    lefts, tops, rights, bottoms = np.round(spans[placed], 9).T
    x_edges, y_edges = np.unique([lefts, rights]), np.unique([tops, bottoms])
    grid = np.full((max(len(y_edges) - 1, 0), max(len(x_edges) - 1, 0)), np.nan)
    places = np.stack(
        [
            np.searchsorted(edges, side)
            for edges, side in ((x_edges, lefts), (y_edges, tops), (x_edges, rights), (y_edges, bottoms))
        ],
        axis=1,
    )
    for (left, top, right, bottom), value in zip(places, np.asarray(values)[placed], strict=True):
        region = grid[top:bottom, left:right]
        region[:] = np.where(np.isnan(region), value, region + value)
    return x_edges, y_edges, grid


def head_similarity(gate: np.ndarray, head_layers: np.ndarray) -> np.ndarray:
    """Correlation of the heads' gates over the cells that both heads see.

    Args:
        gate: ``[H, L, F]``.
        head_layers: ``[H, L]`` bool.

    Returns:
        ``[H, H]`` in [−1, 1], symmetric, 1 on the diagonal; NaN where two heads share no cell or one
        of them is constant over the shared cells.
    """
    heads = len(gate)
    similarity = np.full((heads, heads), np.nan)
    for one in range(heads):
        similarity[one, one] = 1.0
        for other in range(one + 1, heads):
            both = head_layers[one] & head_layers[other]
            a, b = (np.asarray(gate[h, both], dtype=np.float64).ravel() for h in (one, other))
            if a.size and a.std() > 0 and b.std() > 0:
                a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
                similarity[one, other] = similarity[other, one] = np.clip((a * b).mean(), -1, 1)
    return similarity


def head_order(layer_contribution: np.ndarray) -> np.ndarray:
    """``[H]`` heads by their share of the density attention, largest first.

    Args:
        layer_contribution: ``[H, L]`` percent.
    """
    return np.argsort(-np.asarray(layer_contribution).sum(axis=1), kind="stable")


@dataclass(frozen=True)
class CellGaussians:
    """Every head's Gaussian at one layer and feature; the gate as a function of the value.

    With the statistics held fixed, head h's gate at value x is
    ``peak · exp(−(x − centre)² / (2 · spread²))``.

    Attributes:
        value: the standardised value at the cell.
        seen: ``[H]`` bool, whether the head sees the layer.
        mean, deviation: ``[H]`` of the feature over the head's layers.
        centre, spread: ``[H]`` of the Gaussian, in the units of ``value``.
        peak: ``[H]``; 1 for density gates, for mixture gates what normalising over layers leaves.
        gate: ``[H]`` the input's gate at the cell, which lies on the Gaussian; or the data set's mean
            gate, which need not: an average of gates is not the gate of an average.
    """

    value: float
    seen: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    peak: np.ndarray
    gate: np.ndarray


_LARGEST_LOG = 700.0  # exp of it is still finite
_ROOT_FLOOR = 1e-5  # under the root of the standard deviation (Algorithm 1), as in gating


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
    if explanation.gate_kind == "mixture":
        offset, factor = effective_mixture(explanation.mean_offset, explanation.scaled_variance)
        centre, spread = mean + offset, np.sqrt(factor * variance)
        exponent = ((values - centre[:, None]) / spread[:, None]) ** 2 / 2
        exponent = np.where(explanation.head_layers, exponent, np.inf)  # [H, L]
        least = exponent.min(axis=1)
        # A head's gates sum to 1 over its layers; the sum is taken in log space, as in gating.
        log_peak = least - np.log(np.exp(least[:, None] - exponent).sum(axis=1))
        peak = np.exp(np.minimum(log_peak, _LARGEST_LOG))
    else:
        centre = mean + explanation.mean_offset[:, feature]
        spread = np.sqrt(explanation.scaled_variance[:, feature] * (variance + _ROOT_FLOOR))
        peak = np.ones(len(mean))
    return CellGaussians(
        value=float(values[layer]),
        seen=np.asarray(explanation.head_layers[:, layer]),
        mean=mean,
        deviation=np.sqrt(variance),
        centre=centre,
        spread=spread,
        peak=peak,
        gate=np.asarray(source.gate[:, layer, feature], dtype=np.float64),
    )
