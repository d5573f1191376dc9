"""The report's figures as SVG text: curves with bands, intervals, a matrix. No state, no files."""

import io
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from daam_core.faithfulness.statistics import Interval
from daam_core.reading.colours import HEAD_COLOURS, head_colour
from daam_core.reading.numbers import fixed

RANDOM_COLOUR = "#777777"
BETTER, WORSE = HEAD_COLOURS[0], HEAD_COLOURS[5]


@dataclass(frozen=True)
class Line:
    """A curve.

    Attributes:
        name: for the legend.
        heights: ``[S]``.
        colour: place in the list of colours; two lines about the same map have the same.
        dashed: the lowest cells are removed first.
    """

    name: str
    heights: np.ndarray
    colour: int
    dashed: bool = False


def curves(
    shares: Sequence[float] | np.ndarray,
    lines: Sequence[Line],
    *,
    random: np.ndarray | None = None,
    y_label: str = "probability of the predicted class",
    x_label: str = "share of cells removed",
) -> str:
    """Curves over the share removed.

    Args:
        shares: ``[S]``.
        lines: in the order of the legend.
        random: ``[S]`` mean over random orders.
        y_label: of the axis.
        x_label: of the axis.
    """
    with _svg_style():
        figure = Figure(figsize=(7.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        if random is not None:
            axes.plot(shares, random, color=RANDOM_COLOUR, label="random order", linewidth=1.5)
        for line in lines:
            colour, style = head_colour(line.colour), "--" if line.dashed else "-"
            axes.plot(shares, line.heights, label=line.name, color=colour, linestyle=style, linewidth=1.5)
        axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure)


def intervals(rows: Mapping[str, Interval], *, label: str, zero: float = 0.0) -> str:
    """Means with their intervals, one row each, and a line at ``zero``."""
    with _svg_style():
        figure = Figure(figsize=(6.2, 0.6 + 0.26 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for place, interval in enumerate(rows.values()):
            colour = BETTER if interval.low > zero else WORSE if interval.high < zero else RANDOM_COLOUR
            axes.plot([interval.low, interval.high], [place, place], color=colour, linewidth=2)
            axes.plot(interval.mean, place, "o", color=colour, markersize=4)
        axes.axvline(zero, color="black", linewidth=0.8)
        axes.set_yticks(range(len(rows)), list(rows))
        axes.invert_yaxis()
        axes.set_xlabel(label)
        axes.grid(alpha=0.25, axis="x")
        return _svg(figure)


def scatter(
    x: Sequence[float], y: Sequence[float], names: Sequence[str], *, x_label: str, y_label: str
) -> str:
    """Named points."""
    with _svg_style():
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(x, y, "o", color=HEAD_COLOURS[0], markersize=4)
        for point in zip(x, y, names, strict=True):
            axes.annotate(point[2], point[:2], xytext=(4, 2), textcoords="offset points", fontsize=7)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(alpha=0.25)
        return _svg(figure)


def matrix(names: Sequence[str], values: np.ndarray) -> str:
    """A matrix of correlations, −1 to 1, with its numbers."""
    with _svg_style():
        size = 1.8 + 0.34 * len(names)
        figure = Figure(figsize=(size + 1, size), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for row, column in np.ndindex(values.shape):
            value = float(values[row, column])
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, fixed(value, 1), ha="center", va="center", fontsize=6, color=colour)
        figure.colorbar(image, ax=axes, shrink=0.6, label="rank correlation")
        return _svg(figure)


def maps(pictures: Mapping[str, np.ndarray], *, label: str) -> str:
    """Maps ``[L, F]`` one above the other, a colour bar each: their ranges differ."""
    with _svg_style():
        figure = Figure(figsize=(6.6, 1.5 * len(pictures) + 0.3), layout="constrained")
        grid = figure.subplots(len(pictures), 1, squeeze=False)[:, 0]
        for axes, (name, values) in zip(grid, pictures.items(), strict=True):
            layers, features = values.shape
            extent = (-0.5, features - 0.5, layers - 0.5, -0.5)
            image = axes.imshow(values, aspect="auto", cmap="cividis", interpolation="nearest", extent=extent)
            axes.set(title=name, ylabel="layer")
            axes.set_yticks(sorted({0, layers // 2, layers - 1}))
            figure.colorbar(image, ax=axes, label=label)
        grid[-1].set_xlabel("feature")
        return _svg(figure)


def _svg_style() -> AbstractContextManager[None]:
    """Text stays text, and equal figures give equal files."""
    return mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": "faithfulness", "font.size": 9, "font.family": "sans-serif"}
    )


def _svg(figure: Figure) -> str:
    """The figure's ``<svg>`` element, the same text for the same figure."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
