"""Learned parameters for print: mean offsets and scaled variances, or a mixture's Gaussians.

Letters in shapes: H heads, F features, K Gaussians.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from daam_core.figures import axis_labels
from daam_core.figures.style import (
    INK,
    MIN_COLUMN_MM,
    NARROW_MM,
    Canvas,
    Width,
    diverging_map,
    new_figure,
    norm,
    plain_log_ticks,
    print_style,
    sequential_map,
    settle,
    tidy,
    width_mm,
)
from daam_core.reading.binning import bin_columns
from daam_core.reading.colours import head_colour
from daam_core.reading.gaussians import effective_gaussian, is_wide, parameter_summary
from daam_core.reading.numbers import number, number_range
from daam_core.result import Explanation

RANGE_BINS = 48
SHORT_TICKS = 3  # that stay apart on a logarithmic axis in half a column

PARAMETERS = (
    ("mean_offset", axis_labels.OFFSET),
    ("scaled_variance", axis_labels.VARIANCE),
)


def parameters_figure(explanation: Explanation, *, width: Width | float = "double") -> Figure:
    """Learned mean offsets δ and scaled variances ξ: range by head, and over features.

    Left, for each head: how often each value occurs, a dot at the mean, and a cross at the initial
    value. Right: one row for each head over all features. Mixture gates show their K Gaussians and the
    one Gaussian they amount to instead.

    Args:
        explanation: what to draw.
        width: ``single``, ``double`` or millimetres.
    """
    total = width_mm(width)
    narrow = total < NARROW_MM
    mixture = explanation.gate_kind == "mixture"
    rows, columns = (
        (2 if narrow else 1, 1 if narrow else 2) if mixture else (4 if narrow else 2, 1 if narrow else 2)
    )
    panel = float(np.clip(5.0 * explanation.shape[0], 22, 60)) + 15
    with print_style():
        figure = new_figure(total, rows * panel)
        ratios = (2, 3) if columns == 2 and not mixture else None
        axes = figure.subplots(rows, columns, squeeze=False, width_ratios=ratios).ravel()
        if mixture:
            draw_mixture(axes[0], axes[1], explanation)
        else:
            for index, (name, label) in enumerate(PARAMETERS):
                draw_distributions(axes[2 * index], explanation, name, label)
                _draw_over_features(figure, axes[2 * index + 1], explanation, name, label, total)
        return settle(figure)


def draw_distributions(
    axes: Axes, explanation: Explanation, name: str, label: str, *, short: bool = False
) -> None:
    """Distribution of a parameter over features by head, its mean, and the value it started from.

    ``short`` leaves words out where there is only half a column for it.
    """
    learned = np.asarray(getattr(explanation, name), dtype=np.float64)
    start = np.asarray(getattr(explanation, f"initial_{name}"), dtype=np.float64)
    log = name == "scaled_variance" and is_wide(learned)
    lowest, highest = float(learned.min()), float(learned.max())
    space = np.geomspace if log else np.linspace
    for head, values in enumerate(learned):
        colour = head_colour(head)
        if values.min() < values.max():  # of one value the dot says all
            edges = space(lowest, highest, RANGE_BINS + 1)
            edges[[0, -1]] = lowest, highest  # rounding must not lose a value
            counts = np.histogram(values, edges)[0]
            half = 0.42 * counts / max(counts.max(), 1)
            axes.stairs(
                head + half, edges, baseline=head - half, fill=True, color=colour, alpha=0.6, linewidth=0
            )
        axes.plot([values.min(), values.max()], [head, head], color=colour, linewidth=0.8)
        axes.plot(values.mean(), head, marker="o", markersize=2.8, color=INK, linestyle="none")
        axes.plot(start[head].mean(), head, marker="x", markersize=3.4, markeredgewidth=0.8, color=INK)
    row = next(r for r in parameter_summary(explanation) if r.parameter == name and r.head is None)
    reach = number_range(row.lowest, row.highest, positive=name == "scaled_variance")
    axes.set_title(f"{label.split()[-1]}: {reach}" if short else f"{label}: {reach}, mean {number(row.mean)}")
    _head_rows(axes, len(learned))
    if log:
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis, most=SHORT_TICKS if short else None)
    axes.set_xlabel(axis_labels.FROM_THE_START if short else f"{label} ({axis_labels.FROM_THE_START})")
    tidy(axes)


def _head_rows(axes: Axes, heads: int) -> None:
    axes.set_yticks(range(heads), [str(head) for head in range(heads)])
    axes.set_ylim(heads - 0.5, -0.5)
    axes.set_ylabel(axis_labels.HEAD)


def _draw_over_features(
    figure: Canvas, axes: Axes, explanation: Explanation, name: str, label: str, total: float
) -> None:
    learned = np.asarray(getattr(explanation, name), dtype=np.float64)
    signed = name == "mean_offset"
    columns = max(1, int((total * (0.55 if total >= NARROW_MM else 0.75)) / MIN_COLUMN_MM))
    binned = bin_columns(learned, columns, how="extreme" if signed else "max")
    lowest, highest = float(learned.min()), float(learned.max())
    if signed:
        highest = max(abs(lowest), abs(highest))
        lowest = -highest
    log = not signed and is_wide(learned)
    picture = axes.imshow(
        binned.values,
        cmap=diverging_map() if signed else sequential_map("cividis"),
        norm=LogNorm(lowest, highest) if log else norm(lowest, highest),
        aspect="auto",
        interpolation="none",
        extent=(-0.5, learned.shape[1] - 0.5, len(learned) - 0.5, -0.5),
    )
    _head_rows(axes, len(learned))
    axes.set_xlabel(explanation.axis_names[1] + (f" ({binned.statement})" if binned.binned else ""))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    bar = figure.colorbar(picture, ax=axes, pad=0.02, fraction=0.05, aspect=14)
    bar.outline.set_linewidth(0.5)
    bar.set_label(label + (" (log)" if log else ""))
    if log:
        plain_log_ticks(bar.ax.yaxis)
    tidy(bar.ax)
    tidy(axes, frame=True)


def draw_mixture(left: Axes, right: Axes, explanation: Explanation) -> None:
    """K offsets and scales of each head (○) and those of their product (●)."""
    offset, variance = effective_gaussian(explanation.mean_offset, explanation.scaled_variance)
    for axes, parts, joined, label, positive in (
        (left, explanation.mean_offset, offset, axis_labels.OFFSETS, False),
        (right, np.abs(explanation.scaled_variance), np.sqrt(variance), axis_labels.SCALES, True),
    ):
        for head, values in enumerate(parts):
            colour = head_colour(head)
            rows = np.full(len(values), head)
            axes.plot(
                values, rows, "o", color=colour, markersize=3.4, markerfacecolor="none", markeredgewidth=0.8
            )
            axes.plot(joined[head], head, "o", color=colour, markersize=4.2)
        axes.set_title(f"{label}: {number_range(float(parts.min()), float(parts.max()), positive=positive)}")
        axes.set_xlabel(f"{label} ({axis_labels.FROM_THE_PRODUCT})")
        _head_rows(axes, len(parts))
        tidy(axes)
