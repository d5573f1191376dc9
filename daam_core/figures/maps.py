"""Figures for print, with matplotlib. Each takes an Explanation and returns a matplotlib ``Figure``.

Layers, features, heads and tokens carry their array index, counted from 0. Write a figure with
:func:`~daam_core.figures.style.figure_bytes`.
Letters in shapes: H heads, L layers, F features, T tokens, K Gaussians, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from daam_core.errors import ShapeError
from daam_core.figures.style import (
    FAINT,
    FONT_SIZE,
    INK,
    MISSING,
    NARROW_MM,
    SMALL_FONT_SIZE,
    Canvas,
    Width,
    above_colour_bar,
    colour_bar_height,
    diverging_map,
    new_figure,
    norm,
    number,
    plain_log_ticks,
    print_style,
    sequential_map,
    settle,
    shortened,
    tidy,
    width_mm,
    wrapped,
)
from daam_core.figures.tokens import draw_tokens, token_height, token_view
from daam_core.inputs import Input
from daam_core.reading.colours import HEAD_COLOURS, head_colour
from daam_core.reading.quantities import (
    Binning,
    bin_columns,
    cell_gaussians,
    effective_mixture,
    head_order,
    parameter_summary,
    quantity_map,
    quantity_text,
    scale_limits,
    top_cells,
)
from daam_core.result import Explanation, Scale

MIN_COLUMN_MM = 0.2  # a single hot column can still be seen at this width
MAX_REPORT_HEADS = 8
MAX_REPORT_CLASSES = 10
HEADING_SIZE = 9.0
LEGEND_ENTRY_MM = 17.5
MIN_TICK_MM = 2.6  # between two labels of an axis
RANGE_BINS = 48
LOG_FROM = 20  # highest over lowest value from which an axis is logarithmic


# ---- Importance maps ---------------------------------------------------------------------------------


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
    chosen = _chosen_heads(explanation, heads)
    with print_style():
        maps = _plan_maps(explanation, chosen, total, quantity, scale, palette, max_columns=max_columns)
        figure = new_figure(total, maps.height)
        _draw_maps(figure, maps)
        return settle(figure)


def _chosen_heads(explanation: Explanation, heads: int | Sequence[int] | None) -> list[int]:
    count = explanation.shape[0]
    if heads is None:
        return list(range(count))
    chosen = [int(heads)] if isinstance(heads, int | np.integer) else [int(head) for head in heads]
    if not chosen or any(not 0 <= head < count for head in chosen):
        raise ShapeError(f"There is no head {heads!r}; this model has heads 0 to {count - 1}.")
    return chosen


def _panel_columns(panels: int, total: float, *, compact: bool) -> int:
    if panels == 1:
        return 1
    if total < NARROW_MM:
        return 1 if panels <= 4 else 2
    return 2 if panels <= (4 if compact else 8) else 4


@dataclass(frozen=True)
class _Maps:
    """The maps of some heads, measured before they are drawn.

    Attributes:
        explanation: what is drawn.
        chosen: heads in the order of the panels.
        values: ``[H, L, F]``, NaN in layers that a head does not see.
        limits: ``[H, 2]`` of the colours.
        scale: ``all_heads`` or ``per_head``.
        colours: the palette.
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


def _plan_maps(
    explanation: Explanation,
    chosen: list[int],
    total: float,
    quantity: str,
    scale: Scale,
    palette: str,
    *,
    max_columns: int | None = None,
    compact: bool = False,
) -> _Maps:
    text = quantity_text(quantity)
    values = quantity_map(explanation, quantity)
    limits = scale_limits(values, scale=scale, signed=text.signed)
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
    ]
    if explanation.shape[2] > max_columns:
        statement = bin_columns(values[0, :1], max_columns, how=how).statement
        legend.append(f"With {explanation.shape[2]:,} features, {statement}.")
    layers = int(explanation.head_layers[chosen].sum(axis=1).max())
    lowest, highest = (11, 20) if compact else (12 if len(chosen) > 1 else 30, 60)
    panel = float(np.clip((1.2 if compact else 1.7) * layers, lowest, highest))
    return _Maps(
        explanation=explanation,
        chosen=chosen,
        values=values,
        limits=limits,
        scale=scale,
        colours=diverging_map() if text.signed else sequential_map(palette),
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
            f"One scale for all heads: {number(lowest)} to {number(highest)}. "
            "In brackets: the head's share of the density attention."
        )
    return notes


def _map_title(maps: _Maps, head: int, cells: np.ndarray) -> str:
    lowest, highest = float(cells.min()), float(cells.max())
    if lowest == highest:
        return f"head {head}, constant: {number(lowest)}"
    if maps.scale == "per_head":
        low, high = maps.limits[head]
        return f"head {head}, {number(low)} to {number(high)}"
    return f"head {head} ({maps.explanation.layer_contribution[head].sum():.0f} %)"


def _draw_maps(canvas: Canvas, maps: _Maps) -> None:
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
            panel.set_ylabel("layer")
        if place + columns >= len(maps.chosen):  # the lowest panel of its column
            panel.set_xlabel("feature")
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
    """One map ``[layers, columns]`` with the first layer at the bottom."""
    axes.imshow(
        values,
        cmap=colours,
        norm=norm(float(limits[0]), float(limits[1])),
        aspect="auto",
        interpolation="none",  # vector files keep one pixel for each cell
        origin="lower",
        extent=(-0.5, features - 0.5, -0.5, len(layers) - 0.5),
    )
    ticks = range(0, len(layers), tick_step)
    axes.set_yticks(list(ticks), [str(layers[tick]) for tick in ticks])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    tidy(axes, frame=True)


# ---- Layers ------------------------------------------------------------------------------------------


def layer_contribution_figure(explanation: Explanation, *, width: Width | float = "single") -> Figure:
    """Share of each layer in the summed density attention, stacked by head (paper, figure 3).

    Args:
        explanation: what to draw.
        width: ``single``, ``double`` or millimetres.
    """
    total = width_mm(width)
    with print_style():
        figure = new_figure(total, 52)
        _draw_layers(figure.subplots(), explanation, total)
        return settle(figure)


def _draw_layers(axes: Axes, explanation: Explanation, total: float) -> None:
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
            hatch="////" if head >= len(HEAD_COLOURS) else None,
            label=f"head {head}",
        )
        bottom += contribution[head]
    axes.axhline(100 / layers, color=INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=3, label="even share")
    axes.set_xlabel("layer")
    axes.set_ylabel("density attention (%)")
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


# ---- Learned parameters ------------------------------------------------------------------------------

_PARAMETERS = (
    ("mean_offset", "mean offset δ"),
    ("scaled_variance", "scaled variance ξ"),
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
            _draw_mixture(axes[0], axes[1], explanation)
        else:
            for index, (name, label) in enumerate(_PARAMETERS):
                _draw_distributions(axes[2 * index], explanation, name, label)
                _draw_over_features(figure, axes[2 * index + 1], explanation, name, label, total)
        return settle(figure)


def _draw_distributions(axes: Axes, explanation: Explanation, name: str, label: str) -> None:
    """Distribution of a parameter over features by head, its mean, and the value it started from."""
    learned = np.asarray(getattr(explanation, name), dtype=np.float64)
    start = np.asarray(getattr(explanation, f"initial_{name}"), dtype=np.float64)
    log = name == "scaled_variance" and _wide(learned)
    lowest, highest = float(learned.min()), float(learned.max())
    space = np.geomspace if log else np.linspace
    for head, values in enumerate(learned):
        colour = head_colour(head)
        if lowest < highest:
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
    axes.set_title(f"{label}: {number(row.lowest)} to {number(row.highest)}, mean {number(row.mean)}")
    _head_rows(axes, len(learned))
    if log:
        axes.set_xscale("log")
        plain_log_ticks(axes.xaxis)
    axes.set_xlabel(f"{label} (● mean, × initial)")
    tidy(axes)


def _head_rows(axes: Axes, heads: int) -> None:
    axes.set_yticks(range(heads), [str(head) for head in range(heads)])
    axes.set_ylim(heads - 0.5, -0.5)
    axes.set_ylabel("head")


def _wide(values: np.ndarray) -> bool:
    return bool(values.min() > 0 and values.max() / values.min() > LOG_FROM)


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
    log = not signed and _wide(learned)
    picture = axes.imshow(
        binned.values,
        cmap=diverging_map() if signed else sequential_map("cividis"),
        norm=LogNorm(lowest, highest) if log else norm(lowest, highest),
        aspect="auto",
        interpolation="none",
        extent=(-0.5, learned.shape[1] - 0.5, len(learned) - 0.5, -0.5),
    )
    _head_rows(axes, len(learned))
    axes.set_xlabel("feature" + (f" ({binned.statement})" if binned.binned else ""))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    bar = figure.colorbar(picture, ax=axes, pad=0.02, fraction=0.05, aspect=14)
    bar.outline.set_linewidth(0.5)
    bar.set_label(label + (" (log)" if log else ""))
    if log:
        plain_log_ticks(bar.ax.yaxis)
    tidy(bar.ax)
    tidy(axes, frame=True)


def _draw_mixture(left: Axes, right: Axes, explanation: Explanation) -> None:
    """K offsets and scales of each head (○) and those of their product (●)."""
    offset, variance = effective_mixture(explanation.mean_offset, explanation.scaled_variance)
    for axes, parts, joined, label in (
        (left, explanation.mean_offset, offset, "mean offset m"),
        (right, np.abs(explanation.scaled_variance), np.sqrt(variance), "scale c"),
    ):
        for head, values in enumerate(parts):
            colour = head_colour(head)
            rows = np.full(len(values), head)
            axes.plot(
                values, rows, "o", color=colour, markersize=3.4, markerfacecolor="none", markeredgewidth=0.8
            )
            axes.plot(joined[head], head, "o", color=colour, markersize=4.2)
        axes.set_title(f"{label}: {number(float(parts.min()))} to {number(float(parts.max()))}")
        axes.set_xlabel(f"{label} (○ each Gaussian, ● their product)")
        _head_rows(axes, len(parts))
        tidy(axes)


# ---- One cell ----------------------------------------------------------------------------------------


def gaussian_figure(
    explanation: Explanation,
    layer: int,
    feature: int,
    *,
    dataset: bool = False,
    width: Width | float = "single",
) -> Figure:
    """Every head's learned Gaussian at one layer and feature, with this input's value and gate.

    The band is the feature's mean over the layers ± one standard deviation. Hollow points are the
    data set's averages, where the model carries them.

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
    legend_rows = -(-len(heads) // (2 if total < NARROW_MM else 4))
    with print_style():
        figure = new_figure(total, 50 + 4 * legend_rows)
        axes = figure.subplots()
        points = [cell.value]
        for head in heads:
            for middle, reach in (
                (cell.mean[head], 3 * cell.deviation[head]),
                (cell.centre[head], 1.2 * cell.spread[head]),
            ):
                points += [middle - reach, middle + reach]
        margin = 0.04 * (max(points) - min(points))
        x = np.linspace(min(points) - margin, max(points) + margin, 400)
        for mean, deviation in {(float(cell.mean[h]), float(cell.deviation[h])) for h in heads}:
            axes.axvspan(mean - deviation, mean + deviation, color=MISSING, linewidth=0, zorder=0)
            axes.axvline(mean, color=FAINT, linewidth=0.6, linestyle=(0, (1, 2)))
        axes.axvline(cell.value, color=INK, linewidth=0.7)
        axes.annotate(
            f"{'mean value' if dataset else 'value'} {number(cell.value)}",
            (cell.value, 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(3, -6) if cell.value < np.mean(x[[0, -1]]) else (-3, -6),
            ha="left" if cell.value < np.mean(x[[0, -1]]) else "right",
            fontsize=SMALL_FONT_SIZE,
        )
        for head in heads:
            gate = cell.peak[head] * np.exp(-((x - cell.centre[head]) ** 2) / (2 * cell.spread[head] ** 2))
            amplitude = explanation.amplitude[head, layer]
            kind = "mean gate" if dataset else "gate"
            label = f"head {head}: {kind} {number(float(cell.gate[head]))}, λ {number(float(amplitude))}"
            style = "-" if head < len(HEAD_COLOURS) else "--"
            axes.plot(x, gate, color=head_colour(head), linestyle=style, label=label)
            if not dataset:
                axes.plot(cell.value, cell.gate[head], "o", markersize=3.4, color=head_colour(head), zorder=4)
        if explanation.dataset is not None:
            value = explanation.dataset.values[layer, feature]
            for head in heads:
                axes.plot(
                    value,
                    explanation.dataset.gate[head, layer, feature],
                    "o",
                    markersize=3.4,
                    markerfacecolor="white",
                    markeredgewidth=0.8,
                    color=head_colour(head),
                    zorder=3,
                )
        highest = max(1.0 if explanation.gate_kind == "density" else 0.0, *(cell.peak[h] for h in heads), 0.0)
        axes.set_ylim(0, 1.06 * min(highest, 1.0) if highest > 0 else 1)
        axes.set_xlim(x[0], x[-1])
        axes.set_ylabel("gate")
        label = "standardised value (band: mean ± one standard deviation over layers)"
        axes.set_xlabel(wrapped(label, total - 16))
        note = f"layer {layer}, feature {feature}"
        if explanation.dataset is not None:
            note += f"   (○ mean of {explanation.dataset.samples:,} inputs)"
        figure.legend(
            *axes.get_legend_handles_labels(), loc="outside lower center", ncols=2 if total < NARROW_MM else 4
        )
        axes.set_title(note)
        tidy(axes)
        return settle(figure)


# ---- Back to the input -------------------------------------------------------------------------------


def token_figure(
    explanation: Explanation,
    *,
    head: int | None = None,
    absolute: bool = False,
    shown: Input | None = None,
    width: Width | float = "double",
) -> Figure:
    """The tokens' share in the explained class's logit: over seconds, on words, or over the picture.

    Args:
        explanation: what to draw.
        head: one head's share, or all heads together.
        absolute: sizes instead of signed values.
        shown: the explained input: a sound is drawn as a waveform above the curve, a picture under the
            map.
        width: ``single``, ``double`` or millimetres.

    Raises:
        ShapeError: a head that the model does not have, or an input of another modality.
    """
    total = width_mm(width)
    with print_style():
        view = token_view(explanation, head=head, absolute=absolute, shown=shown)
        figure = new_figure(total, token_height(view, total))
        draw_tokens(figure, view, total)
        return settle(figure)


# ---- One page ----------------------------------------------------------------------------------------


def report_figure(
    explanation: Explanation,
    *,
    quantity: str = "importance",
    scale: Scale = "all_heads",
    shown: Input | None = None,
    width: Width | float = "double",
    palette: str = "cividis",
) -> Figure:
    """One page: prediction, layers, the maps of all heads, the learned parameters, and the input.

    Args:
        explanation: what to draw.
        quantity: of the maps.
        scale: colour scale of the maps.
        shown: the explained input, for the waveform or the overlay.
        width: ``single``, ``double`` or millimetres.
        palette: of the maps.

    Raises:
        ConfigError: an unknown option.
    """
    total = width_mm(width)
    narrow = total < NARROW_MM
    heads = explanation.shape[0]
    chosen = sorted(int(head) for head in head_order(explanation.layer_contribution)[:MAX_REPORT_HEADS])
    with print_style():
        maps = _plan_maps(explanation, chosen, total, quantity, scale, palette, compact=not narrow)
        view = token_view(explanation, shown=shown, max_lines=8, max_side=52)
        classes = min(len(explanation.class_names), MAX_REPORT_CLASSES)
        top = float(np.clip(4.4 * classes + 12, 42, 56))
        parameters = float(np.clip(4.4 * heads, 20, 44)) + 14
        heights = [
            10.5,
            *((4.4 * classes + 12, 48.0) if narrow else (top,)),
            maps.height,
            *((parameters, parameters) if narrow else (parameters,)),
            token_height(view, total),
            8.0 if not narrow else 12.0,
        ]
        figure = new_figure(total, sum(heights))
        parts = iter(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights).ravel())
        _draw_heading(next(parts), explanation, total)
        if narrow:
            left, right = next(parts).subplots(), next(parts).subplots()
        else:
            left, right = next(parts).subplots(1, 2, width_ratios=(2, 3))
        _draw_probabilities(left, explanation)
        _draw_layers(right, explanation, total if narrow else 0.58 * total)
        _draw_maps(next(parts), maps)
        left, right = (
            (next(parts).subplots(), next(parts).subplots()) if narrow else next(parts).subplots(1, 2)
        )
        if explanation.gate_kind == "mixture":
            _draw_mixture(left, right, explanation)
        else:
            for axes, (name, label) in zip((left, right), _PARAMETERS, strict=True):
                _draw_distributions(axes, explanation, name, label)
        draw_tokens(next(parts), view, total)
        _draw_footer(next(parts), explanation, total, heads_left_out=heads - len(chosen))
        return settle(figure)


def _draw_heading(canvas: Canvas, explanation: Explanation, total: float) -> None:
    heads, layers, features = explanation.shape
    probability = float(explanation.probabilities[explanation.prediction])
    chance = f"{probability:.3f}" if probability < 0.9995 else "> 0.999"
    under = (
        f"probability {chance}; {explanation.model}, {heads} heads × {layers} layers × {features:,} features"
    )
    if explanation.explained != explanation.prediction:
        under += f"; explained for “{explanation.explained_class}”"
    left = 2 / total
    room = (total - 4) * FONT_SIZE / HEADING_SIZE * 0.9  # bold letters are wider
    title = shortened(f"“{explanation.predicted_class}”", room)
    canvas.text(left, 0.85, title, va="top", fontsize=HEADING_SIZE, fontweight="bold")
    canvas.text(left, 0.4, shortened(under, total - 4), va="top", fontsize=FONT_SIZE)


def _draw_probabilities(axes: Axes, explanation: Explanation) -> None:
    """Bars of the most probable classes; the explained one is dark."""
    probabilities = np.asarray(explanation.probabilities, dtype=np.float64)
    order = top_cells(probabilities, MAX_REPORT_CLASSES)[:, 0]
    colours = [INK if index == explanation.explained else FAINT for index in order]
    axes.barh(np.arange(len(order)), probabilities[order], color=colours, height=0.7)
    axes.set_yticks(range(len(order)), [shortened(explanation.class_names[index], 26) for index in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlim(0, 1.2)
    axes.set_xticks([0, 0.5, 1])
    for row, index in enumerate(order):
        axes.annotate(
            f"{probabilities[index]:.3f}",
            (probabilities[index], row),
            textcoords="offset points",
            xytext=(2, 0),
            va="center",
            fontsize=SMALL_FONT_SIZE,
        )
    left_out = len(probabilities) - len(order)
    axes.set_xlabel("probability" + (f" ({left_out} classes below are not shown)" if left_out else ""))
    tidy(axes)


def _draw_footer(canvas: Canvas, explanation: Explanation, total: float, *, heads_left_out: int) -> None:
    """What identifies the result; with how many heads the page leaves out."""
    facts = explanation.provenance
    parts = [str(facts.get("tool", ""))]
    if facts.get("checkpoint_sha256"):
        parts.append(f"checkpoint {str(facts['checkpoint_sha256'])[:12]}")
    if facts.get("encoder"):
        revision = str(facts.get("encoder_revision", ""))
        parts.append(f"encoder {facts['encoder']}, {revision[:12] if _is_commit(revision) else revision}")
    if facts.get("muted_cells"):
        parts.append(f"{facts['muted_cells']:,} cells muted")
    if heads_left_out:
        parts.append(f"maps of the {heads_left_out} heads with the smallest share left out")
    line = wrapped(" · ".join(part for part in parts if part), total - 4, size=SMALL_FONT_SIZE)
    canvas.text(2 / total, 0.5, line, va="center", fontsize=SMALL_FONT_SIZE, color=FAINT)


def _is_commit(revision: str) -> bool:
    return len(revision) == 40 and all(letter in "0123456789abcdef" for letter in revision)
