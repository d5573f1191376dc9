"""Figures for notebooks, with plotly. Each takes an Explanation and returns a plotly ``Figure``.

Every trace is a heatmap, bar, scatter or histogram, and colours, ranges and fonts are written out, so
that a figure looks the same under any plotly.js from 3.3 to 4.1. Values are the explanation's own, not
binned or rounded. Layers, features, heads and tokens carry their array index, counted from 0.
Letters in shapes: H heads, L layers, F features, T tokens, K Gaussians.
"""

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from daam_core.errors import ShapeError
from daam_core.reading.colours import DIVERGING, NEGATIVE, POSITIVE, head_colour, sequential
from daam_core.reading.quantities import (
    CellGaussians,
    cell_gaussians,
    effective_mixture,
    join_words,
    quantity_map,
    quantity_text,
    scale_limits,
    token_grid,
)
from daam_core.result import Explanation, Scale

PARAMETER_BINS = 40
LOG_FROM = 20  # highest over lowest value from which an axis is logarithmic
MAX_PICTURE_SIDE = 1024  # pixels
INK, FAINT, BAND = "#1a1a1a", "#8a8a8a", "#ececec"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
_DIVERGING_SCALE = [[index / (len(DIVERGING) - 1), colour] for index, colour in enumerate(DIVERGING)]


def heatmap(
    explanation: Explanation,
    *,
    head: int = 0,
    quantity: str = "importance",
    scale: Scale = "all_heads",
    palette: str = "cividis",
) -> go.Figure:
    """One head's map over layers and features; hovering tells value, gate, DA and IF of a cell.

    Args:
        explanation: what to draw.
        head: 0 to H − 1.
        quantity: ``importance``, ``density_attention``, ``gate`` or ``class_importance``.
        scale: colours over all heads together (``all_heads``) or over this one (``per_head``).
        palette: ``cividis``, ``viridis`` or ``grey``; signed maps are blue – white – orange.

    Raises:
        ConfigError: an unknown option.
        ShapeError: no such head.
    """
    (head,) = _checked_heads(explanation, [head])
    seen = np.flatnonzero(explanation.head_layers[head])
    trace = _map_trace(explanation, head, quantity)
    cells = np.broadcast_to(explanation.values, explanation.shape)
    names = ("gate", "density_attention", "importance")
    stack = [cells[head, seen], *(getattr(explanation, name)[head, seen] for name in names)]
    trace.update(
        coloraxis="coloraxis",
        customdata=np.stack(stack, axis=-1).astype(np.float32),
        hovertemplate=(
            f"head {head}, layer %{{y}}, feature %{{x}}<br>{quantity_text(quantity).name} %{{z:.6g}}"
            "<br>value %{customdata[0]:.6g}<br>gate %{customdata[1]:.6g}"
            "<br>density attention %{customdata[2]:.6g}<br>Importance Factor %{customdata[3]:.6g}"
            "<extra></extra>"
        ),
    )
    figure = go.Figure(trace)
    text = quantity_text(quantity)
    limits = scale_limits(quantity_map(explanation, quantity), scale=scale, signed=text.signed)[head]
    figure.update_layout(coloraxis=_colour_axis(explanation, quantity, palette, limits, scale))
    title = f"{text.name}, head {head}: {_range_text(limits)}"
    return _styled(figure, title=title, height=160 + 14 * max(8, len(seen)), x="feature", y="layer")


def head_small_multiples(
    explanation: Explanation,
    *,
    heads: Sequence[int] | None = None,
    quantity: str = "importance",
    scale: Scale = "all_heads",
    palette: str = "cividis",
    columns: int = 2,
) -> go.Figure:
    """The maps of several heads side by side, zoomed together.

    Args:
        explanation: what to draw.
        heads: which, in this order; all by default.
        quantity, scale, palette: as for :func:`heatmap`. With ``per_head`` each title gives its range.
        columns: panels in a row.

    Raises:
        ConfigError: an unknown option.
        ShapeError: no such head.
    """
    chosen = _checked_heads(explanation, range(explanation.shape[0]) if heads is None else heads)
    text = quantity_text(quantity)
    limits = scale_limits(quantity_map(explanation, quantity), scale=scale, signed=text.signed)
    columns = max(1, min(columns, len(chosen)))
    rows = -(-len(chosen) // columns)
    shares = explanation.layer_contribution.sum(axis=1)
    titles = [
        f"head {head}: {_range_text(limits[head])}"
        if scale == "per_head"
        else f"head {head} ({shares[head]:.0f} %)"
        for head in chosen
    ]
    figure = make_subplots(
        rows, columns, subplot_titles=titles, shared_xaxes="all", horizontal_spacing=0.06,
        vertical_spacing=0.3 / max(rows, 1) if rows > 1 else 0,
    )  # fmt: skip
    for place, head in enumerate(chosen):
        trace = _map_trace(explanation, head, quantity)
        if scale == "all_heads":
            trace.update(coloraxis="coloraxis")
        else:
            low, high = _colour_limits(limits[head])
            trace.update(zmin=low, zmax=high, colorscale=_colour_scale(text.signed, palette), showscale=False)
        row, column = place // columns + 1, place % columns + 1
        figure.add_trace(trace, row=row, col=column)
        figure.update_yaxes(title_text="layer" if column == 1 else None, row=row, col=column)
        if place + columns >= len(chosen):
            figure.update_xaxes(title_text="feature", showticklabels=True, row=row, col=column)
    title = f"{text.name} of each head"
    if scale == "all_heads":
        shared = np.array([limits[:, 0].min(), limits[:, 1].max()])
        figure.update_layout(coloraxis=_colour_axis(explanation, quantity, palette, shared, scale))
        title += f"; one scale, {_range_text(shared)}; in brackets: share of the density attention"
    else:
        title += "; colours from each map's lowest to its highest value"
    layers = int(explanation.head_layers[chosen].sum(axis=1).max())
    return _styled(figure, title=title, height=130 + rows * (70 + 9 * max(6, layers)))


def layer_contribution(explanation: Explanation) -> go.Figure:
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
    figure.add_shape(
        type="line",
        x0=0,
        x1=1,
        xref="paper",
        y0=even,
        y1=even,
        line={"color": INK, "width": 1, "dash": "dash"},
    )
    figure.add_annotation(
        text="even share", x=1, xref="paper", y=even, showarrow=False, xanchor="right", yanchor="bottom"
    )
    figure.update_layout(barmode="stack", bargap=0.2)
    return _styled(
        figure, title="Share of the density attention by layer", height=360, x="layer", y="percent"
    )


def parameters(explanation: Explanation) -> go.Figure:
    """Learned mean offsets δ and scaled variances ξ: distribution by head, and over features.

    Mixture gates show each head's K Gaussians (hollow) and the one they amount to (filled).
    """
    if explanation.gate_kind == "mixture":
        return _mixture(explanation)
    figure = make_subplots(
        2, 2, column_widths=[0.4, 0.6], horizontal_spacing=0.1, vertical_spacing=0.2,
        subplot_titles=["mean offset δ", "δ over features", "scaled variance ξ", "ξ over features"],
    )  # fmt: skip
    for row, name in enumerate(("mean_offset", "scaled_variance"), start=1):
        learned = np.asarray(getattr(explanation, name))
        low, high = float(learned.min()), float(learned.max())
        log = low > 0 and high / low > LOG_FROM
        space = np.geomspace if log else np.linspace
        edges = space(low, high if high > low else low + 1, PARAMETER_BINS + 1)
        edges[0], edges[-1] = low, max(edges[-1], high)  # rounding must not lose a value
        for head, values in enumerate(learned):
            figure.add_trace(
                go.Scatter(
                    x=np.sqrt(edges[:-1] * edges[1:]) if log else (edges[:-1] + edges[1:]) / 2,
                    y=np.histogram(values, edges)[0],
                    mode="lines",
                    line={"shape": "hvh", "color": head_colour(head), "width": 1.6},
                    name=f"head {head}",
                    legendgroup=f"head {head}",
                    showlegend=row == 1,
                    hovertemplate=f"head {head}: %{{y}} features around %{{x:.4g}}<extra></extra>",
                ),
                row=row,
                col=1,
            )
        signed = name == "mean_offset"
        limits = np.array([-max(abs(low), abs(high)), max(abs(low), abs(high))] if signed else [low, high])
        zmin, zmax = _colour_limits(limits)
        figure.add_trace(
            go.Heatmap(
                z=learned,
                x=np.arange(learned.shape[1]),
                y=np.arange(len(learned)),
                zmin=zmin,
                zmax=zmax,
                colorscale=_colour_scale(signed, "cividis"),
                colorbar={"len": 0.42, "y": 0.8 if row == 1 else 0.2, "thickness": 12, "outlinewidth": 0},
                hovertemplate="head %{y}, feature %{x}: %{z:.6g}<extra></extra>",
            ),
            row=row,
            col=2,
        )
        figure.update_yaxes(title_text="features", row=row, col=1)
        figure.update_yaxes(title_text="head", autorange="reversed", dtick=1, row=row, col=2)
        kind = "log" if log else "linear"
        figure.update_xaxes(title_text=("δ", "ξ")[row - 1], type=kind, row=row, col=1)
        figure.update_xaxes(title_text="feature", row=row, col=2)
    return _legend_above(_styled(figure, title="Learned parameters", height=640))


def _mixture(explanation: Explanation) -> go.Figure:
    offset, variance = effective_mixture(explanation.mean_offset, explanation.scaled_variance)
    figure = make_subplots(1, 2, subplot_titles=["mean offsets m", "scales c"], horizontal_spacing=0.1)
    for column, (parts, joined) in enumerate(
        ((explanation.mean_offset, offset), (np.abs(explanation.scaled_variance), np.sqrt(variance))), start=1
    ):
        for head, values in enumerate(parts):
            marker = {"color": head_colour(head), "size": 9}
            for x, symbol, what in (
                (values, "circle-open", "Gaussian"),
                (joined[head : head + 1], "circle", "product"),
            ):
                figure.add_trace(
                    go.Scatter(
                        x=x,
                        y=np.full(len(x), head),
                        mode="markers",
                        marker=marker | {"symbol": symbol},
                        name=f"head {head}",
                        showlegend=column == 1 and what == "product",
                        hovertemplate=f"head {head}, {what}: %{{x:.6g}}<extra></extra>",
                    ),
                    row=1,
                    col=column,
                )
        figure.update_yaxes(title_text="head", autorange="reversed", dtick=1, row=1, col=column)
    return _legend_above(_styled(figure, title="Learned Gaussians (○) and their product (●)", height=400))


def gaussian(explanation: Explanation, layer: int, feature: int, *, dataset: bool = False) -> go.Figure:
    """Every head's Gaussian at one layer and feature, with this input's value and gate.

    The band is the feature's mean over the layers ± one standard deviation; hollow points are the data
    set's averages, where the model carries them.

    Args:
        explanation: what to draw.
        layer: 0 to L − 1.
        feature: 0 to F − 1.
        dataset: the Gaussians of the data set's average instead of this input's.

    Raises:
        ShapeError: no such cell.
        ConfigError: the checkpoint holds no averages over a data set.
    """
    cell = cell_gaussians(explanation, layer, feature, dataset=dataset)
    heads = [int(head) for head in np.flatnonzero(cell.seen)]
    x = _gaussian_axis(cell, heads)
    figure = go.Figure()
    for head in heads:
        curve = cell.peak[head] * np.exp(-((x - cell.centre[head]) ** 2) / (2 * cell.spread[head] ** 2))
        figure.add_trace(
            go.Scatter(
                x=x,
                y=curve,
                mode="lines",
                name=f"head {head}",
                legendgroup=f"head {head}",
                line={"color": head_colour(head), "width": 2},
                hovertemplate=f"head {head}: gate %{{y:.4g}} at %{{x:.4g}}<extra></extra>",
            )
        )
        if not dataset:
            figure.add_trace(
                _gate_marker(head, cell.value, float(cell.gate[head]), symbol="circle", what="this input")
            )
        if explanation.dataset is not None:
            value = float(explanation.dataset.values[layer, feature])
            mean_gate = float(explanation.dataset.gate[head, layer, feature])
            figure.add_trace(
                _gate_marker(head, value, mean_gate, symbol="circle-open", what="mean of the data set")
            )
    for mean, deviation in sorted({(float(cell.mean[h]), float(cell.deviation[h])) for h in heads}):
        figure.add_vrect(
            x0=mean - deviation, x1=mean + deviation, fillcolor=BAND, line_width=0, layer="below"
        )
    figure.add_vline(x=cell.value, line={"color": INK, "width": 1})
    figure.update_yaxes(rangemode="tozero")
    what = "mean value of the data set" if dataset else "value"
    title = f"Layer {layer}, feature {feature}: {what} {cell.value:.4g}; band: mean ± one standard deviation"
    return _styled(figure, title=title, height=380, x="standardised value", y="gate")


def _gate_marker(head: int, value: float, gate: float, *, symbol: str, what: str) -> go.Scatter:
    return go.Scatter(
        x=[value],
        y=[gate],
        mode="markers",
        marker={"color": head_colour(head), "size": 9, "symbol": symbol},
        legendgroup=f"head {head}",
        showlegend=False,
        hovertemplate=f"head {head}, {what}: gate %{{y:.6g}} at %{{x:.6g}}<extra></extra>",
    )


def _gaussian_axis(cell: CellGaussians, heads: list[int]) -> np.ndarray:
    ends = [cell.value]
    for head in heads:
        for middle, reach in (
            (cell.mean[head], 3 * cell.deviation[head]),
            (cell.centre[head], 1.2 * cell.spread[head]),
        ):
            ends += [middle - reach, middle + reach]
    return np.linspace(min(ends), max(ends), 400)


def tokens(
    explanation: Explanation, *, head: int | None = None, absolute: bool = False, picture: Any = None
) -> go.Figure:
    """The tokens' share in the explained class's logit: over seconds, by words, or over the picture.

    Args:
        explanation: what to draw.
        head: one head's share, or all heads together.
        absolute: sizes instead of signed values.
        picture: Pillow image under the map.

    Raises:
        ShapeError: no such head.
    """
    values = np.asarray(explanation.token_attribution)
    if head is not None:
        (head,) = _checked_heads(explanation, [head])
        values = np.asarray(explanation.head_token_attribution[head])
    if absolute:
        values = np.abs(values)
    whose = "all heads" if head is None else f"head {head}"
    title = f"Share in the logit of “{_escaped(explanation.explained_class)}”, {whose}"
    title += " (size)" if absolute else " (orange speaks for the class, blue against it)"
    if explanation.modality == "image":
        return _regions(explanation, values, absolute=absolute, picture=picture, title=title)
    if explanation.modality == "audio":
        return _seconds(explanation, values, absolute=absolute, title=title)
    return _words(explanation, values, absolute=absolute, title=title)


def _seconds(explanation: Explanation, values: np.ndarray, *, absolute: bool, title: str) -> go.Figure:
    spans = explanation.token_spans
    figure = go.Figure(
        go.Bar(
            x=spans.mean(axis=1),
            width=spans[:, 1] - spans[:, 0],
            y=values,
            marker={"color": _bar_colours(values, absolute=absolute), "line": {"width": 0}},
            customdata=spans,
            hovertemplate="%{customdata[0]:.2f} to %{customdata[1]:.2f} s: %{y:.6g}<extra></extra>",
        )
    )
    figure.update_layout(bargap=0)
    return _styled(figure, title=title, height=320, x="time (seconds)", y="logits")


def _words(explanation: Explanation, values: np.ndarray, *, absolute: bool, title: str) -> go.Figure:
    words = join_words(explanation.text or "", explanation.token_labels, explanation.token_spans, values)
    of_words = np.array([word.value for word in words])
    labels = [_escaped(word.text) for word in words]
    figure = go.Figure(
        go.Bar(
            x=np.arange(len(words)),
            y=of_words,
            text=labels,
            textposition="none",
            marker={"color": _bar_colours(of_words, absolute=absolute), "line": {"width": 0}},
            hovertemplate="%{text}: %{y:.6g}<extra></extra>",
        )
    )
    step = max(1, -(-len(words) // 60))
    shown = list(range(0, len(words), step))
    figure.update_xaxes(tickvals=shown, ticktext=[labels[index] for index in shown], tickangle=-60)
    figure.update_layout(bargap=0.15)
    return _styled(figure, title=title, height=380, y="logits")


def _regions(
    explanation: Explanation, values: np.ndarray, *, absolute: bool, picture: Any, title: str
) -> go.Figure:
    x_edges, y_edges, grid = token_grid(explanation.token_spans, values)
    largest = float(np.abs(values).max()) if values.size else 0.0
    low, high = _colour_limits(np.array([0.0 if absolute else -largest, largest]))
    figure = go.Figure(
        go.Heatmap(
            z=grid,
            x=x_edges,
            y=y_edges,
            zmin=low,
            zmax=high,
            colorscale=_colour_scale(not absolute, "cividis"),
            opacity=1.0 if picture is None else 0.6,
            colorbar={"title": {"text": "logits", "side": "right"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="%{x:.3f} across, %{y:.3f} down: %{z:.6g}<extra></extra>",
        )
    )
    ratio = 1.0
    if picture is not None:
        ratio = picture.size[1] / picture.size[0]
        grey = picture.convert("L")  # the map's colours must not mix with the picture's
        grey.thumbnail((MAX_PICTURE_SIDE, MAX_PICTURE_SIDE))
        figure.add_layout_image(
            source=grey, xref="x", yref="y", x=0, y=0, sizex=1, sizey=1,
            sizing="stretch", layer="below",
        )  # fmt: skip
    figure.update_xaxes(range=[0, 1], constrain="domain", visible=False)
    figure.update_yaxes(range=[1, 0], scaleanchor="x", scaleratio=ratio, constrain="domain", visible=False)
    return _styled(figure, title=title, height=520)


def _bar_colours(values: np.ndarray, *, absolute: bool) -> list[str]:
    return [INK if absolute else POSITIVE if value >= 0 else NEGATIVE for value in values.tolist()]


def _checked_heads(explanation: Explanation, heads: Sequence[int]) -> list[int]:
    count = explanation.shape[0]
    chosen = [int(head) for head in heads]
    if not chosen or any(not 0 <= head < count for head in chosen):
        raise ShapeError(f"There is no head {list(heads)}; this model has heads 0 to {count - 1}.")
    return chosen


def _map_trace(explanation: Explanation, head: int, quantity: str) -> go.Heatmap:
    """A head's own layers as rows; nothing is drawn for layers that it does not see."""
    seen = np.flatnonzero(explanation.head_layers[head])
    quantity_text(quantity)
    return go.Heatmap(
        z=getattr(explanation, quantity)[head, seen],
        x=np.arange(explanation.shape[2]),
        y=seen,
        name=f"head {head}",
        hovertemplate=f"head {head}, layer %{{y}}, feature %{{x}}: %{{z:.6g}}<extra></extra>",
    )


def _colour_scale(signed: bool, palette: str) -> Any:
    return _DIVERGING_SCALE if signed else sequential(palette)[1]


def _colour_limits(limits: np.ndarray) -> tuple[float, float]:
    """A constant map gets the lowest colour, not a division by zero."""
    low, high = float(limits[0]), float(limits[1])
    return low, high if high > low else low + 1


def _colour_axis(
    explanation: Explanation, quantity: str, palette: str, limits: np.ndarray, scale: Scale
) -> dict[str, Any]:
    text = quantity_text(quantity)
    low, high = _colour_limits(limits)
    title = text.name
    if text.signed:
        title += f"<br>for “{_escaped(explanation.explained_class)}”"
    return {
        "colorscale": _colour_scale(text.signed, palette),
        "cmin": low,
        "cmax": high,
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 14, "outlinewidth": 0},
    }


def _range_text(limits: np.ndarray) -> str:
    low, high = float(limits[0]), float(limits[1])
    return f"constant, {low:.3g}" if low == high else f"{low:.3g} to {high:.3g}".replace("-", "−")


def _escaped(text: str) -> str:
    """Plotly reads tags in texts; what a person wrote is shown as written."""
    return html.escape(text, quote=False)


def _styled(
    figure: go.Figure, *, title: str, height: int, x: str | None = None, y: str | None = None
) -> go.Figure:
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
    for name, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        if name is not None:
            update(title_text=name)
    return figure


def _legend_above(figure: go.Figure) -> go.Figure:
    """Moves the legend beside the title, away from the panels' own titles."""
    place = {"yref": "container", "y": 0.985, "yanchor": "top"}
    return figure.update_layout(legend=place, margin={"t": 80})
