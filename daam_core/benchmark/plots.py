"""The benchmark drawn: accuracy of every method on each data set, and curves in low data."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daam_core.benchmark.cells import FEW
from daam_core.benchmark.tables import MethodFigures, is_density
from daam_core.figures.style import FAINT, new_figure, print_style, settle, tidy
from daam_core.plain import PlainMapping
from daam_core.reading.colours import head_colour
from daam_core.training.methods import METHODS

WIDTH_MM, ROW_MM = 183.0, 4.6
#: Panels beside each other: more would not leave room for their names.
ACROSS = 4


def accuracy_figure(found: Sequence[MethodFigures]) -> Figure:
    """A panel for each data set, a dot with its deviation for each method; density attention coloured."""
    sets = list(dict.fromkeys(row.name for row in found))
    methods = sorted({row.method for row in found}, key=list(METHODS).index)
    with print_style():
        figure, panels = _panels(sets, 20 + ROW_MM * len(methods), sharey=True)
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
            axes.locator_params(axis="x", nbins=3)
            axes.set_yticks(range(len(methods), 0, -1), [METHODS[one].title for one in methods])
            axes.grid(axis="y", color="#eeeeee", linewidth=0.5)
            tidy(axes)
        return settle(figure)


def few_figure(cells: Mapping[tuple[str, str], PlainMapping]) -> Figure:
    """A panel for each data set, a curve for each method: accuracy over inputs a class; rivals dashed."""
    sets = list(dict.fromkeys(name for name, _ in cells))
    methods = sorted({method for _, method in cells}, key=list(METHODS).index)
    lines: dict[str, Artist] = {}
    with print_style():
        figure, panels = _panels(sets, 66, sharey=False)
        for axes, name in zip(panels, sets, strict=True):
            for number, method in enumerate(methods):
                curve = cells.get((name, method), {"accuracies": {}})["accuracies"]
                counts = [count for count in FEW if str(count) in curve]
                if not counts:
                    continue
                means = [float(np.mean(curve[str(count)])) for count in counts]
                style = "-" if is_density(method) else "--"
                (lines[METHODS[method].title],) = axes.plot(
                    counts, means, style, marker="o", markersize=2, color=head_colour(number)
                )
            axes.set_title(name)
            axes.set_xlabel("inputs a class")
            axes.set_ylabel("accuracy")
            axes.set_xscale("log")
            axes.set_xticks(FEW, [str(count) for count in FEW])
            axes.minorticks_off()
            tidy(axes)
        figure.legend(list(lines.values()), list(lines), loc="outside lower center", ncols=4)
        return settle(figure)


def _panels(names: Sequence[str], height: float, *, sharey: bool) -> tuple[Figure, list[Axes]]:
    """A figure of a panel for each name, some beside each other, ``height`` millimetres each."""
    across = min(ACROSS, len(names))
    down = -(-len(names) // across)
    figure = new_figure(WIDTH_MM, height * down)
    panels = list(np.atleast_1d(figure.subplots(down, across, sharey=sharey)).ravel())
    for spare in panels[len(names) :]:
        spare.remove()
    return figure, panels[: len(names)]
