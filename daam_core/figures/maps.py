"""Importance maps for print, one panel for each head.

Letters in shapes: H heads, L layers, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from daam_core.figures.style import (
    MIN_COLUMN_MM,
    NARROW_MM,
    Canvas,
    Width,
    above_colour_bar,
    colour_bar_height,
    diverging_map,
    new_figure,
    norm,
    print_style,
    sequential_map,
    settle,
    tidy,
    width_mm,
)
from daam_core.reading.binning import Binning, bin_columns
from daam_core.reading.heads import chosen_heads, is_open
from daam_core.reading.numbers import number, number_range
from daam_core.reading.quantities import quantity_map, quantity_text, scale_limits
from daam_core.result import Explanation, Scale

MIN_TICK_MM = 2.6  # between two labels of an axis
LEAST_CONTRAST = (
    0.01  # of the highest number, as on the page; less is noise beside what the head lets through
)


def importance_figure(
    explanation: Explanation,
    *,
    quantity: str = "importance",
    heads: int | Sequence[int] | None = None,
    scale: Scale = "all_heads",
    width: Width | float = "double",
    palette: str = "cividis",
    max_columns: int | None = None,
) -> Figure:
    """Maps over layers and features, one panel for each head.

    Args:
        explanation: what to draw.
        quantity: ``importance``, ``density_attention``, ``gate`` or ``class_importance``.
        heads: one head, several in the order given, or all.
        scale: ``all_heads``, one colour scale for all heads of the model, or ``per_head``. The range is
            printed either way.
        width: ``single`` (89 mm), ``double`` (183 mm) column, or millimetres.
        palette: ``cividis``, ``viridis`` or ``grey``; signed maps are blue – white – orange.
        max_columns: columns per map; by default as many as can be told apart in print. More features
            than columns are binned by maximum, which the figure states.

    Raises:
        ConfigError: an unknown option.
        ShapeError: a head that the model does not have.
    """
    total = width_mm(width)
    chosen = chosen_heads(explanation, heads)
    with print_style():
        maps = plan_maps(explanation, chosen, total, quantity, scale, palette, max_columns=max_columns)
        figure = new_figure(total, maps.height)
        draw_maps(figure, maps)
        return settle(figure)


def _panel_columns(panels: int, total: float, *, compact: bool) -> int:
    if panels == 1:
        return 1
    if total < NARROW_MM:
        return 1 if panels <= 4 and not compact else 2
    return 2 if panels <= (4 if compact else 8) else 4


@dataclass(frozen=True)
class Maps:
    """The maps of some heads, measured before they are drawn.

    Attributes:
        explanation: what is drawn.
        chosen: heads in the order of the panels.
        values: ``[H, L, F]``, NaN in layers that a head does not see.
        limits: ``[H, 2]`` of the colours.
        scale: ``all_heads`` or ``per_head``.
        colours: the palette.
        signed: whether numbers of both signs are meaningful.
        how: of binning, into ``max_columns`` columns.
        grid: rows and columns of panels.
        legend: sentences under the colour bar.
        total: width in millimetres.
        height: in millimetres.
        tick_step: layers between two labels.
    """

    explanation: Explanation
    chosen: list[int]
    values: np.ndarray
    limits: np.ndarray
    scale: Scale
    colours: Colormap
    signed: bool
    how: Binning
    max_columns: int
    grid: tuple[int, int]
    legend: list[str]
    total: float
    height: float
    tick_step: int

    @property
    def shared_limits(self) -> tuple[float, float]:
        return float(self.limits[:, 0].min()), float(self.limits[:, 1].max())


def plan_maps(
    explanation: Explanation,
    chosen: list[int],
    total: float,
    quantity: str,
    scale: Scale,
    palette: str,
    *,
    max_columns: int | None = None,
    compact: bool = False,
) -> Maps:
    text = quantity_text(quantity, explanation.labels)
    values = quantity_map(explanation, quantity)
    limits = scale_limits(values, scale=scale, signed=text.signed)
    flat = (
        []
        if text.signed or scale != "per_head"
        else [h for h in chosen if _is_flat(explanation, quantity, h)]
    )
    # An IF of its own head goes from 0 to 1 by its definition: its colours are those of its numbers.
    stretched = quantity == "importance" and explanation.scale == "per_head"
    for head in [] if stretched else flat:
        limits[head] = _from_nothing(explanation, quantity, head, limits[head])
    how: Binning = "extreme" if text.signed else "max"
    columns = _panel_columns(len(chosen), total, compact=compact)
    rows = -(-len(chosen) // columns)
    if max_columns is None:
        max_columns = max(1, int((total / columns - 14) / MIN_COLUMN_MM))
    legend = [
        f"{text.name} for “{explanation.explained_class}” ({text.meaning})"
        if text.signed
        else f"{text.name} ({text.meaning})",
        *_map_notes(explanation, quantity, scale, limits),
        *_flat_notes(explanation, chosen, flat, stretched=stretched),
    ]
    if explanation.shape[2] > max_columns:
        statement = bin_columns(values[0, :1], max_columns, how=how).statement
        legend.append(f"With {explanation.shape[2]:,} {explanation.axis_names[1]}s, {statement}.")
    layers = int(explanation.head_layers[chosen].sum(axis=1).max())
    small = (9, 16) if total < NARROW_MM else (11, 20)
    lowest, highest = small if compact else (12 if len(chosen) > 1 else 30, 60)
    panel = float(np.clip((1.2 if compact else 1.7) * layers, lowest, highest))
    return Maps(
        explanation=explanation,
        chosen=chosen,
        values=values,
        limits=limits,
        scale=scale,
        colours=diverging_map() if text.signed else sequential_map(palette),
        signed=text.signed,
        how=how,
        max_columns=max_columns,
        grid=(rows, columns),
        legend=legend,
        total=total,
        height=rows * (panel + 5) + 6 + colour_bar_height(legend, total),
        tick_step=next(step for step in (1, 2, 5, 10, 20, layers) if step * panel >= layers * MIN_TICK_MM),
    )


def _map_notes(explanation: Explanation, quantity: str, scale: Scale, limits: np.ndarray) -> list[str]:
    """What a reader must know to compare colours."""
    notes = []
    if quantity == "importance" and explanation.degenerate:
        notes.append("The density attention is constant, so the Importance Factor is 0 by definition.")
    if quantity == "importance" and explanation.scale == "per_head":
        notes.append("Importance Factor scaled for each head on its own: heads cannot be compared.")
    lowest, highest = float(limits[:, 0].min()), float(limits[:, 1].max())
    if scale == "per_head":
        notes.append("Colours from each map's own lowest to its own highest value, given above it.")
    elif lowest < highest:
        notes.append(
            f"One scale for all heads: {number_range(lowest, highest)}. "
            "In brackets: the head's share of the density attention."
        )
    return notes


def _basis(explanation: Explanation, quantity: str, head: int) -> tuple[float, float]:
    """Lowest and highest number of what a head's map is made of; an IF of its own always fills 0 to 1."""
    name = "density_attention" if quantity == "importance" else quantity
    cells = quantity_map(explanation, name)[head]
    return float(np.nanmin(cells)), float(np.nanmax(cells))


def _is_flat(explanation: Explanation, quantity: str, head: int) -> bool:
    """Whether a head's map has no contrast to show on a scale of its own, such as a gate that is open."""
    low, high = _basis(explanation, quantity, head)
    return 0 < high - low < LEAST_CONTRAST * high


def _from_nothing(explanation: Explanation, quantity: str, head: int, limits: np.ndarray) -> np.ndarray:
    """Limits that begin where nothing is let through: from 0.998 to 1 must not become the whole palette."""
    low, high = _basis(explanation, quantity, head)
    own_low, own_high = limits
    return np.array([own_low - low * (own_high - own_low) / (high - low), own_high])


def _flat_notes(
    explanation: Explanation, chosen: list[int], flat: list[int], *, stretched: bool
) -> list[str]:
    notes = []
    if open_heads := [head for head in chosen if is_open(explanation, head)]:
        verb = "lets" if len(open_heads) == 1 else "let"
        notes.append(f"{_named(open_heads)} {verb} every cell through.")
    if stretched:
        return notes + [
            f"{_named([head])}: stretched from a density attention of "
            f"{number_range(*_basis(explanation, 'density_attention', head))}."
            for head in flat
        ]
    if rest := [head for head in flat if head not in open_heads]:
        verb = "is" if len(rest) == 1 else "are"
        notes.append(f"{_named(rest)} {verb} nearly the same everywhere, so drawn in one colour.")
    return notes


def _named(heads: list[int]) -> str:
    if len(heads) == 1:
        return f"Head {heads[0]}"
    return f"Heads {', '.join(map(str, heads[:-1]))} and {heads[-1]}"


def _map_title(maps: Maps, head: int, cells: np.ndarray) -> str:
    lowest, highest = float(cells.min()), float(cells.max())
    if lowest == highest:
        return f"head {head}, constant: {number(lowest)}"
    if maps.scale == "per_head":
        low, high = maps.limits[head] if maps.signed else (lowest, highest)
        return f"head {head}, {number_range(low, high)}"
    return f"head {head} ({number(maps.explanation.layer_contribution[head].sum())} %)"


def draw_maps(canvas: Canvas, maps: Maps) -> None:
    rows, columns = maps.grid
    limits = None if maps.scale == "per_head" else maps.shared_limits
    above = above_colour_bar(canvas, maps.colours, maps.legend, maps.total, limits=limits)
    axes = above.subplots(rows, columns, squeeze=False, sharex=True)
    features = maps.explanation.shape[2]
    for place, head in enumerate(maps.chosen):
        panel = axes.flat[place]
        seen = np.flatnonzero(maps.explanation.head_layers[head])
        cells = maps.values[head, seen]
        binned = bin_columns(cells, maps.max_columns, how=maps.how)
        _draw_map(panel, binned.values, seen, features, maps.colours, maps.limits[head], maps.tick_step)
        panel.set_title(_map_title(maps, head, cells))
        if place % columns == 0:
            panel.set_ylabel(maps.explanation.axis_names[0])
        if place + columns >= len(maps.chosen):  # the lowest panel of its column
            panel.set_xlabel(maps.explanation.axis_names[1])
            panel.tick_params(labelbottom=True)
    for panel in axes.flat[len(maps.chosen) :]:
        panel.set_visible(False)


def _draw_map(
    axes: Axes,
    values: np.ndarray,
    layers: np.ndarray,
    features: int,
    colours: Colormap,
    limits: np.ndarray,
    tick_step: int,
) -> None:
    """One map ``[layers, columns]`` with the first layer on top, as on the page."""
    axes.imshow(
        values,
        cmap=colours,
        norm=norm(float(limits[0]), float(limits[1])),
        aspect="auto",
        interpolation="none",  # vector files keep one pixel for each cell
        origin="upper",
        extent=(-0.5, features - 0.5, len(layers) - 0.5, -0.5),
    )
    ticks = range(0, len(layers), tick_step)
    axes.set_yticks(list(ticks), [str(layers[tick]) for tick in ticks])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    tidy(axes, frame=True)
