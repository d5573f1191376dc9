"""Figures for notebooks and the page, with plotly. Each takes an Explanation and returns a plotly ``Figure``.

Every trace is a heatmap, bar or scatter, and colours, ranges and fonts are written out, so that a
figure looks the same under any plotly.js from 3.3 to 4.1. Values are the explanation's own, not
binned or rounded. Layers, features and heads carry their array index, counted from 0.
Letters in shapes: H heads, L layers, F features, K Gaussians.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from daam_core.figures import axis_labels
from daam_core.reading.colours import DIVERGING, head_colour, sequential
from daam_core.reading.gaussians import effective_gaussian, is_wide
from daam_core.reading.heads import chosen_heads
from daam_core.reading.numbers import number, number_range
from daam_core.reading.quantities import quantity_map, quantity_text, scale_limits
from daam_core.result import Explanation, Scale

PARAMETER_BINS = 40
INK, FAINT = "#1a1a1a", "#8a8a8a"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_DIVERGING_SCALE = [[index / (len(DIVERGING) - 1), colour] for index, colour in enumerate(DIVERGING)]
_HOVERED = ("gate", "density_attention", "importance")


# ---- Maps --------------------------------------------------------------------------------------------


def plotly_map(
    explanation: Explanation,
    *,
    heads: int | Sequence[int] | None = None,
    quantity: str = "importance",
    scale: Scale = "all_heads",
    palette: str = "cividis",
    columns: int = 2,
) -> go.Figure:
    """Maps over layers and features, one panel for each head, zoomed together.

    Hovering tells a cell's value, gate, density attention and Importance Factor.

    Args:
        explanation: what to draw.
        heads: one head, several in the order given, or all.
        quantity: ``importance``, ``density_attention``, ``gate`` or ``class_importance``.
        scale: ``all_heads``, one colour scale for all heads of the model, or ``per_head``.
        palette: ``cividis``, ``viridis`` or ``grey``; signed maps are blue – white – orange.
        columns: panels in a row.

    Raises:
        ConfigError: an unknown option.
        ShapeError: a head that the model does not have.
    """
    chosen = chosen_heads(explanation, heads)
    text = quantity_text(quantity, explanation.labels)
    limits = scale_limits(quantity_map(explanation, quantity), scale=scale, signed=text.signed)
    columns = max(1, min(columns, len(chosen)))
    rows = -(-len(chosen) // columns)
    figure = make_subplots(
        rows,
        columns,
        subplot_titles=[_map_title(explanation, head, limits[head], scale) for head in chosen],
        shared_xaxes="all",
        horizontal_spacing=0.06,
        vertical_spacing=0.3 / rows if rows > 1 else 0,
    )
    colours = {"colorscale": _DIVERGING_SCALE if text.signed else sequential(palette)[1]}
    for place, head in enumerate(chosen):
        trace = _map_trace(explanation, head, quantity)
        if scale == "all_heads":
            trace.update(coloraxis="coloraxis")
        else:
            trace.update(colours | _colour_limits(*limits[head], keys=("zmin", "zmax")), showscale=False)
        row, column = place // columns + 1, place % columns + 1
        figure.add_trace(trace, row=row, col=column)
        title = explanation.axis_names[0] if column == 1 else None
        figure.update_yaxes(title_text=title, autorange="reversed", row=row, col=column)
        if place + columns >= len(chosen):  # the lowest panel of its column
            figure.update_xaxes(
                title_text=explanation.axis_names[1], showticklabels=True, row=row, col=column
            )
    title = text.name
    if text.signed:
        title += f" for “{_escaped(explanation.explained_class)}”"
    if scale == "all_heads":
        lowest, highest = float(limits[:, 0].min()), float(limits[:, 1].max())
        bar = {"title": {"text": text.name, "side": "right"}, "thickness": 14, "outlinewidth": 0}
        axis = colours | _colour_limits(lowest, highest, keys=("cmin", "cmax")) | {"colorbar": bar}
        figure.update_layout(coloraxis=axis)
        title += f", {number_range(lowest, highest)}; in brackets: share of the density attention"
    else:
        title += "; colours from each map's lowest to its highest value"
    layers = int(explanation.head_layers[chosen].sum(axis=1).max())
    return _styled(figure, title=title, height=130 + rows * (70 + 9 * max(6, layers)))


def _map_title(explanation: Explanation, head: int, limits: np.ndarray, scale: Scale) -> str:
    if scale == "per_head":
        return f"head {head}: {number_range(*limits)}"
    return f"head {head} ({number(explanation.layer_contribution[head].sum())} %)"


def _map_trace(explanation: Explanation, head: int, quantity: str) -> go.Heatmap:
    """A head's own layers as rows; nothing is drawn for layers that it does not see."""
    seen = np.flatnonzero(explanation.head_layers[head])
    stack = [explanation.values[seen], *(getattr(explanation, name)[head, seen] for name in _HOVERED)]
    return go.Heatmap(
        z=getattr(explanation, quantity)[head, seen],
        x=np.arange(explanation.shape[2]),
        y=seen,
        name=f"head {head}",
        customdata=np.stack(stack, axis=-1).astype(np.float32),
        hovertemplate=(
            f"head {head}, layer %{{y}}, feature %{{x}}<br>{quantity_text(quantity).name} %{{z:.6g}}"
            "<br>value %{customdata[0]:.6g}<br>gate %{customdata[1]:.6g}"
            "<br>density attention %{customdata[2]:.6g}<br>Importance Factor %{customdata[3]:.6g}"
            "<extra></extra>"
        ),
    )


# ---- Layers ------------------------------------------------------------------------------------------


def plotly_layers(explanation: Explanation) -> go.Figure:
    """Share of each layer in the summed density attention, in percent, stacked by head."""
    heads, layers, _ = explanation.shape
    figure = go.Figure(
        [
            go.Bar(
                x=np.arange(layers),
                y=explanation.layer_contribution[head],
                name=f"head {head}",
                marker_color=head_colour(head),
                hovertemplate=f"head {head}, layer %{{x}}: %{{y:.4g}} %<extra></extra>",
            )
            for head in range(heads)
        ]
    )
    even = 100 / layers
    figure.add_hline(
        y=even,
        line={"color": INK, "width": 1, "dash": "dash"},
        annotation={"text": "even share", "xanchor": "right", "yanchor": "bottom"},
    )
    figure.update_layout(barmode="stack", bargap=0.2)
    figure.update_xaxes(title_text=explanation.axis_names[0])
    figure.update_yaxes(title_text=axis_labels.SHARE)
    return _styled(figure, title="Share of the density attention by layer", height=360)


# ---- Learned parameters ------------------------------------------------------------------------------


def plotly_parameters(explanation: Explanation) -> go.Figure:
    """Learned mean offsets δ and scaled variances ξ: distribution by head, and over features.

    Mixture gates show each head's K Gaussians (hollow) and the one they amount to (filled).
    """
    if explanation.gate_kind == "mixture":
        return _mixture(explanation)
    figure = make_subplots(
        2,
        2,
        column_widths=[0.4, 0.6],
        horizontal_spacing=0.1,
        vertical_spacing=0.2,
        subplot_titles=["mean offset δ", "δ over features", "scaled variance ξ", "ξ over features"],
    )
    for row, name, letter in ((1, "mean_offset", "δ"), (2, "scaled_variance", "ξ")):
        learned = _Learned(
            values=np.asarray(getattr(explanation, name)),
            signed=name == "mean_offset",
            row=row,
            letter=letter,
        )
        _add_distributions(figure, learned)
        _add_over_features(figure, learned)
    return _legend_above(_styled(figure, title="Learned parameters", height=640))


@dataclass(frozen=True)
class _Learned:
    """A parameter ``[H, F]`` and the row of panels that shows it."""

    values: np.ndarray
    signed: bool
    row: int
    letter: str


def _add_distributions(figure: go.Figure, learned: _Learned) -> None:
    """How often each value occurs over features, one line for each head."""
    low, high = float(learned.values.min()), float(learned.values.max())
    log = not learned.signed and is_wide(learned.values)
    space = np.geomspace if log else np.linspace
    edges = space(low, high if high > low else low + 1, PARAMETER_BINS + 1)
    edges[0], edges[-1] = low, max(edges[-1], high)  # rounding must not lose a value
    for head, values in enumerate(learned.values):
        figure.add_trace(
            go.Scatter(
                # From edge to edge of each bar, and down at the last one.
                x=edges,
                y=np.append(np.histogram(values, edges)[0], 0),
                mode="lines",
                cliponaxis=False,
                line={"shape": "hv", "color": head_colour(head), "width": 1.6},
                name=f"head {head}",
                legendgroup=f"head {head}",
                showlegend=learned.row == 1,
                hovertemplate=f"head {head}: %{{y}} features from %{{x:.4g}}<extra></extra>",
            ),
            row=learned.row,
            col=1,
        )
    figure.update_yaxes(title_text="features", row=learned.row, col=1)
    kind = "log" if log else "linear"
    figure.update_xaxes(title_text=learned.letter, type=kind, row=learned.row, col=1)


def _add_over_features(figure: go.Figure, learned: _Learned) -> None:
    """One row for each head over all features."""
    low, high = float(learned.values.min()), float(learned.values.max())
    if learned.signed:
        high = max(abs(low), abs(high))
        low = -high
    bar: dict[str, Any] = {}
    coloured = learned.values
    if not learned.signed and is_wide(learned.values):
        # Plotly has no logarithmic colours: the logarithm is coloured, and the numbers stand at the bar.
        coloured = np.log10(learned.values)
        ticks = _log_ticks(low, high)
        low, high = float(coloured.min()), float(coloured.max())
        bar = {"tickvals": np.log10(ticks).tolist(), "ticktext": [number(tick) for tick in ticks]}
    figure.add_trace(
        go.Heatmap(
            z=coloured,
            customdata=learned.values,
            x=np.arange(learned.values.shape[1]),
            y=np.arange(len(learned.values)),
            colorscale=_DIVERGING_SCALE if learned.signed else sequential("cividis")[1],
            colorbar={
                "len": 0.42,
                "y": 0.8 if learned.row == 1 else 0.2,
                "thickness": 12,
                "outlinewidth": 0,
                **bar,
            },
            hovertemplate="head %{y}, feature %{x}: %{customdata:.6g}<extra></extra>",
            **_colour_limits(low, high, keys=("zmin", "zmax")),
        ),
        row=learned.row,
        col=2,
    )
    figure.update_yaxes(title_text=axis_labels.HEAD, autorange="reversed", dtick=1, row=learned.row, col=2)
    figure.update_xaxes(title_text="feature", row=learned.row, col=2)


def _mixture(explanation: Explanation) -> go.Figure:
    offset, variance = effective_gaussian(explanation.mean_offset, explanation.scaled_variance)
    figure = make_subplots(1, 2, subplot_titles=["mean offsets m", "scales c"], horizontal_spacing=0.1)
    sides = ((explanation.mean_offset, offset), (np.abs(explanation.scaled_variance), np.sqrt(variance)))
    for column, (parts, joined) in enumerate(sides, start=1):
        for head, values in enumerate(parts):
            for x, symbol, what in (
                (values, "circle-open", "Gaussian"),
                (joined[head : head + 1], "circle", "product"),
            ):
                figure.add_trace(
                    go.Scatter(
                        x=x,
                        y=np.full(len(x), head),
                        mode="markers",
                        marker={"color": head_colour(head), "size": 9, "symbol": symbol},
                        name=f"head {head}",
                        showlegend=column == 1 and what == "product",
                        hovertemplate=f"head {head}, {what}: %{{x:.6g}}<extra></extra>",
                    ),
                    row=1,
                    col=column,
                )
        figure.update_yaxes(title_text=axis_labels.HEAD, autorange="reversed", dtick=1, row=1, col=column)
    return _legend_above(_styled(figure, title="Learned Gaussians (○) and their product (●)", height=400))


# ---- Parts of all figures ----------------------------------------------------------------------------


def _colour_limits(lowest: float, highest: float, *, keys: tuple[str, str]) -> dict[str, float]:
    """A constant map gets the lowest colour, not a division by zero."""
    low, high = keys
    return {low: float(lowest), high: float(highest if highest > lowest else lowest + 1)}


def _escaped(text: str) -> str:
    """Plotly reads tags in texts; what a person wrote is shown as written."""
    return html.escape(text, quote=False)


def _styled(figure: go.Figure, *, title: str, height: int) -> go.Figure:
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0.01, "xanchor": "left", "font": {"size": 14}},
        font={"family": FONT, "size": 12, "color": INK},
        paper_bgcolor="white",
        plot_bgcolor="white",
        height=height,
        margin={"l": 56, "r": 24, "t": 60, "b": 52},
        legend={
            "orientation": "h",
            "y": 1.0,
            "yanchor": "bottom",
            "x": 1.0,
            "xanchor": "right",
            "traceorder": "normal",
        },
        hoverlabel={"font": {"family": FONT}},
    )
    axis = {"zeroline": False, "showgrid": False, "linecolor": FAINT, "ticks": "outside", "ticklen": 3}
    figure.update_xaxes(title_standoff=6, automargin=True, **axis)
    figure.update_yaxes(title_standoff=6, **axis)
    figure.update_annotations(font_size=12)
    return figure


def _legend_above(figure: go.Figure) -> go.Figure:
    """Moves the legend beside the title, away from the panels' own titles."""
    place = {"yref": "container", "y": 0.985, "yanchor": "top"}
    return figure.update_layout(legend=place, margin={"t": 80})


def _log_ticks(low: float, high: float) -> np.ndarray:
    """Powers of ten within the range, or its ends where there are fewer than two."""
    powers = 10.0 ** np.arange(np.ceil(np.log10(low)), np.floor(np.log10(high)) + 1)
    return powers if len(powers) > 1 else np.array([low, high])
