"""The report's figures as SVG text: curves with bands, intervals, a matrix. No state, no files."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from daam_core.faithfulness.statistics import Interval

#: One colour per kind of line, told apart by colour-blind readers too (Okabe and Ito).
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
RANDOM_COLOUR = "#777777"
_SVG_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "faithfulness",
    "font.size": 9,
    "font.family": "sans-serif",
}


def curves(
    shares: Sequence[float] | np.ndarray,
    lines: Mapping[str, np.ndarray],
    *,
    random: np.ndarray | None = None,
    band: tuple[np.ndarray, np.ndarray] | None = None,
    y_label: str = "probability of the predicted class",
    x_label: str = "share of cells removed",
) -> str:
    """Curves over the share removed; a name with ``lowest`` in it is drawn dashed.

    Args:
        shares: ``[S]``.
        lines: name → ``[S]``.
        random: ``[S]`` mean over random orders.
        band: lower and upper end around ``random``.
        y_label: of the axis.
        x_label: of the axis.
    """
    with mpl.rc_context(_SVG_STYLE):
        figure = Figure(figsize=(7.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        if band is not None:
            axes.fill_between(shares, *band, color=RANDOM_COLOUR, alpha=0.2, linewidth=0)
        if random is not None:
            axes.plot(shares, random, color=RANDOM_COLOUR, label="random order", linewidth=1.5)
        solid = [name for name in lines if "lowest" not in name]
        for name, heights in lines.items():
            base = name.replace("lowest", "highest")
            place = solid.index(base) if base in solid else list(lines).index(name)
            axes.plot(
                shares, heights, label=name, color=COLOURS[place % len(COLOURS)],
                linestyle="--" if "lowest" in name else "-", linewidth=1.5,
            )  # fmt: skip
        axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, 1), ylim=(0, 1.02))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
        return _svg(figure)


def intervals(rows: Mapping[str, Interval], *, label: str, zero: float = 0.0) -> str:
    """Means with their intervals, one row each, and a line at ``zero``."""
    with mpl.rc_context(_SVG_STYLE):
        figure = Figure(figsize=(6.2, 0.6 + 0.26 * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for place, interval in enumerate(rows.values()):
            colour = (
                COLOURS[0] if interval.low > zero else COLOURS[1] if interval.high < zero else RANDOM_COLOUR
            )
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
    with mpl.rc_context(_SVG_STYLE):
        figure = Figure(figsize=(4.6, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(x, y, "o", color=COLOURS[0], markersize=4)
        for point in zip(x, y, names, strict=True):
            axes.annotate(point[2], point[:2], xytext=(4, 2), textcoords="offset points", fontsize=7)
        axes.set(xlabel=x_label, ylabel=y_label)
        axes.grid(alpha=0.25)
        return _svg(figure)


def matrix(names: Sequence[str], values: np.ndarray) -> str:
    """A matrix of correlations, −1 to 1, with its numbers."""
    with mpl.rc_context(_SVG_STYLE):
        size = 1.8 + 0.34 * len(names)
        figure = Figure(figsize=(size + 1, size), layout="constrained")
        axes = figure.add_subplot()
        image = axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor", fontsize=7)
        axes.set_yticks(range(len(names)), names, fontsize=7)
        for row, column in np.ndindex(values.shape):
            value = float(values[row, column])
            axes.text(
                column, row, f"{value:.1f}".replace("-", "−"), ha="center", va="center", fontsize=6,
                color="white" if abs(value) > 0.6 else "black",
            )  # fmt: skip
        figure.colorbar(image, ax=axes, shrink=0.6, label="rank correlation")
        return _svg(figure)


def maps(pictures: Mapping[str, np.ndarray], *, label: str) -> str:
    """Maps ``[L, F]`` one above the other, a colour bar each: their ranges differ."""
    with mpl.rc_context(_SVG_STYLE):
        figure = Figure(figsize=(6.6, 1.5 * len(pictures) + 0.3), layout="constrained")
        grid = figure.subplots(len(pictures), 1, squeeze=False)[:, 0]
        for axes, (name, values) in zip(grid, pictures.items(), strict=True):
            layers, features = values.shape
            image = axes.imshow(
                values, aspect="auto", cmap="cividis", interpolation="nearest",
                extent=(-0.5, features - 0.5, layers - 0.5, -0.5),
            )  # fmt: skip
            axes.set(title=name, ylabel="layer")
            axes.set_yticks(sorted({0, layers // 2, layers - 1}))
            figure.colorbar(image, ax=axes, label=label)
        grid[-1].set_xlabel("feature")
        return _svg(figure)


def _svg(figure: Figure) -> str:
    """The figure's ``<svg>`` element, the same text for the same figure."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None, "Creator": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
