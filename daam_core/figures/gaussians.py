"""One cell's Gaussians for print.

Letters in shapes: H heads.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daam_core.figures import axis_labels
from daam_core.figures.style import (
    FAINT,
    INK,
    MISSING,
    NARROW_MM,
    SMALL_FONT_SIZE,
    Width,
    line_style,
    new_figure,
    print_style,
    settle,
    tidy,
    width_mm,
    wrapped,
)
from daam_core.reading.colours import head_colour
from daam_core.reading.gaussians import CellGaussians, cell_gaussians
from daam_core.reading.numbers import number
from daam_core.result import DatasetMean, Explanation


def gaussian_figure(
    explanation: Explanation,
    layer: int,
    feature: int,
    *,
    dataset: bool = False,
    width: Width | float = "single",
) -> Figure:
    """Every head's gate over the value of one layer and feature, with this input's value and gate.

    Statistics over layers are held fixed, for mixtures the other layers' values, too. The band is the
    feature's mean over the layers ± one standard deviation. Hollow points are the data set's averages, where
    the model carries them.

    Args:
        explanation: what to draw.
        layer: 0 to L − 1.
        feature: 0 to F − 1.
        dataset: the Gaussians of the data set's average instead of this input's.
        width: ``single``, ``double`` or millimetres.

    Raises:
        ShapeError: no such cell.
        ConfigError: the checkpoint holds no averages over a data set.
    """
    total = width_mm(width)
    cell = cell_gaussians(explanation, layer, feature, dataset=dataset)
    heads = [int(head) for head in np.flatnonzero(cell.seen)]
    legend_columns = 2 if total < NARROW_MM else 4
    lowest, highest = cell.extent
    margin = 0.04 * (highest - lowest)
    x = np.linspace(lowest - margin, highest + margin, 400)
    # A narrow curve between two of these would be cut off.
    x = np.union1d(x, [cell.value, *cell.centre[heads]])
    with print_style():
        figure = new_figure(total, 50 + 4 * -(-len(heads) // legend_columns))
        axes = figure.subplots()
        _draw_bands(axes, cell, heads)
        _draw_value(axes, cell, "mean value" if dataset else "value", middle=float(x[0] + x[-1]) / 2)
        for head in heads:
            amplitude = float(explanation.amplitude[head, layer])
            kind = "mean gate" if dataset else "gate"
            label = f"head {head}: {kind} {number(float(cell.gate[head]))}, λ {number(amplitude)}"
            style = line_style(head)
            axes.plot(x, cell.gate_at(x, head), color=head_colour(head), linestyle=style, label=label)
            if not dataset:
                axes.plot(cell.value, cell.gate[head], "o", markersize=3.4, color=head_colour(head), zorder=4)
        title = f"layer {layer}, feature {feature}"
        if explanation.dataset is not None:
            _draw_averages(axes, explanation.dataset, heads, layer, feature)
            title += f"   (○ mean of {explanation.dataset.samples:,} inputs)"
        axes.set_ylim(0, 1.06 * _top(explanation, cell, heads, layer, feature))
        axes.set_xlim(x[0], x[-1])
        axes.set_ylabel(axis_labels.GATE)
        axes.set_xlabel(wrapped(axis_labels.VALUE, total - 16))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=legend_columns)
        axes.set_title(title)
        tidy(axes)
        return settle(figure)


def _top(e: Explanation, cell: CellGaussians, heads: list[int], layer: int, feature: int) -> float:
    """The highest of the curves and of the points; curves that are nothing everywhere have a whole axis."""
    highest = [cell.highest(head) for head in heads]
    if e.dataset is not None:
        highest += e.dataset.gate[heads, layer, feature].tolist()
    return max(highest, default=0.0) or 1.0


def _draw_bands(axes: Axes, cell: CellGaussians, heads: list[int]) -> None:
    """The feature's mean over the layers ± one standard deviation; heads of equal layers share one."""
    for mean, deviation in {(float(cell.mean[head]), float(cell.deviation[head])) for head in heads}:
        axes.axvspan(mean - deviation, mean + deviation, color=MISSING, linewidth=0, zorder=0)
        axes.axvline(mean, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)))


def _draw_value(axes: Axes, cell: CellGaussians, name: str, *, middle: float) -> None:
    """A line at the cell's value, its number on the side that has room."""
    left = cell.value < middle
    axes.axvline(cell.value, color=INK, linewidth=0.7)
    axes.annotate(
        f"{name} {number(cell.value)}",
        (cell.value, 1),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        xytext=(3, -6) if left else (-3, -6),
        ha="left" if left else "right",
        fontsize=SMALL_FONT_SIZE,
    )


def _draw_averages(axes: Axes, dataset: DatasetMean, heads: list[int], layer: int, feature: int) -> None:
    """The data set's mean value and mean gates, as hollow points."""
    for head in heads:
        axes.plot(
            dataset.values[layer, feature],
            dataset.gate[head, layer, feature],
            "o",
            markersize=3.4,
            markerfacecolor="white",
            markeredgewidth=0.8,
            color=head_colour(head),
            zorder=3,
        )
