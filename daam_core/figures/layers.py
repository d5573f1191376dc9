"""Share of each layer in the density attention, for print.

Letters in shapes: H heads, L layers.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daam_core.figures import axis_labels
from daam_core.figures.style import INK, Width, hatch, new_figure, print_style, settle, tidy, width_mm
from daam_core.reading.colours import head_colour
from daam_core.result import Explanation

LEGEND_ENTRY_MM = 17.5


def layer_contribution_figure(explanation: Explanation, *, width: Width | float = "single") -> Figure:
    """Share of each layer in the summed density attention, stacked by head (paper, figure 3).

    Args:
        explanation: what to draw.
        width: ``single``, ``double`` or millimetres.
    """
    total = width_mm(width)
    with print_style():
        figure = new_figure(total, 52)
        draw_layers(figure.subplots(), explanation, total)
        return settle(figure)


def draw_layers(axes: Axes, explanation: Explanation, total: float) -> None:
    """Stacked bars on axes that have ``total`` millimetres with their labels."""
    heads, layers, _ = explanation.shape
    contribution = np.asarray(explanation.layer_contribution, dtype=np.float64)
    bottom = np.zeros(layers)
    for head in range(heads):
        axes.bar(
            np.arange(layers),
            contribution[head],
            bottom=bottom,
            width=0.8,
            color=head_colour(head),
            edgecolor="white",
            linewidth=0.3,
            hatch=hatch(head),
            label=f"head {head}",
        )
        bottom += contribution[head]
    axes.axhline(100 / layers, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=3, label="even share")
    axes.set_xlabel(explanation.axis_names[0])
    axes.set_ylabel(axis_labels.SHARE)
    axes.set_ylim(0, max(float(bottom.max()), 100 / layers) * 1.12)
    step = max(1, -(-layers // 16))
    axes.set_xticks(range(0, layers, step))
    tidy(axes)
    line, *bars = axes.get_legend_handles_labels()[0]
    handles = [*bars, line]
    columns = min(len(handles), max(1, int(total / LEGEND_ENTRY_MM)))
    axes.legend(
        handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=columns, borderaxespad=0.2
    )
