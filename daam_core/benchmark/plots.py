"""The benchmark drawn: accuracy of every method on each data set, and curves in low data."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from daam_core.benchmark.cells import FEW
from daam_core.benchmark.tables import Row, is_density
from daam_core.figures.style import FAINT, INK, new_figure, print_style, settle, tidy
from daam_core.plain import PlainMapping
from daam_core.reading.colours import head_colour
from daam_core.training.methods import METHODS

WIDTH_MM, ROW_MM = 183.0, 4.6


def accuracy_figure(found: Sequence[Row]) -> Figure:
    """A panel for each data set, a dot with its deviation for each method; density attention filled."""
    sets = list(dict.fromkeys(row.name for row in found))
    methods = sorted({row.method for row in found}, key=list(METHODS).index)
    with print_style():
        figure = new_figure(WIDTH_MM, 20 + ROW_MM * len(methods))
        panels = np.atleast_1d(figure.subplots(1, len(sets), sharey=True))
        for axes, name in zip(panels, sets, strict=True):
            for row in (row for row in found if row.name == name):
                place = len(methods) - methods.index(row.method)
                colour = head_colour(0) if is_density(row.method) else FAINT
                axes.errorbar(
                    row.accuracy,
                    place,
                    xerr=row.deviation,
                    fmt="o",
                    color=colour,
                    markersize=3,
                    linewidth=0.8,
                )
            axes.set_title(name)
            axes.set_xlabel("accuracy")
            axes.set_yticks(range(len(methods), 0, -1), [METHODS[one].title for one in methods])
            axes.grid(axis="y", color="#eeeeee", linewidth=0.5)
            tidy(axes)
        return settle(figure)


def few_figure(cells: Mapping[tuple[str, str], PlainMapping]) -> Figure:
    """A panel for each data set, a curve for each method: accuracy over inputs a class."""
    sets = list(dict.fromkeys(name for name, _ in cells))
    with print_style():
        figure = new_figure(WIDTH_MM, 70)
        panels = np.atleast_1d(figure.subplots(1, len(sets)))
        for axes, name in zip(panels, sets, strict=True):
            of_set = [(method, cell) for (one, method), cell in cells.items() if one == name]
            for number, (method, cell) in enumerate(of_set):
                counts = [n for n in FEW if str(n) in cell["accuracies"]]
                means = [float(np.mean(cell["accuracies"][str(n)])) for n in counts]
                style = "-" if is_density(method) else "--"
                axes.plot(
                    counts, means, style, marker="o", markersize=2, color=head_colour(number), label=method
                )
            axes.set_title(name)
            axes.set_xlabel("inputs a class")
            axes.set_xscale("log")
            axes.set_xticks(FEW, [str(n) for n in FEW])
            axes.minorticks_off()
            tidy(axes)
        panels[0].set_ylabel("accuracy", color=INK)
        panels[-1].legend(loc="lower right")
        return settle(figure)
