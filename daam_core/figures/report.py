"""One page for print: prediction, layers, maps, learned parameters, and the input.

Letters in shapes: H heads.
"""

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from daam_core.figures import axis_labels
from daam_core.figures.fonts import missing_letters
from daam_core.figures.layers import draw_layers
from daam_core.figures.maps import draw_maps, plan_maps
from daam_core.figures.parameters import PARAMETERS, draw_distributions, draw_mixture
from daam_core.figures.style import (
    FAINT,
    FONT_SIZE,
    INK,
    NARROW_MM,
    SMALL_FONT_SIZE,
    Canvas,
    Width,
    legend_lines,
    new_figure,
    print_style,
    settle,
    shortened,
    tidy,
    width_mm,
)
from daam_core.figures.tokens import draw_tokens, token_height, token_view
from daam_core.inputs import Input
from daam_core.reading.heads import head_order
from daam_core.reading.numbers import probability
from daam_core.reading.outside import warning
from daam_core.reading.quantities import caution, top_cells
from daam_core.reading.sentences import STAND_ALONE, chances, said_muted
from daam_core.result import Explanation, Scale

MAX_REPORT_HEADS = 8
MAX_REPORT_CLASSES = 10
NARROW_CLASSES = 5  # of a column, which must not be longer than a page
HEADING_SIZE = 9.0
SMALL_LINE_MM = 2.6


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
        maps = plan_maps(explanation, chosen, total, quantity, scale, palette, compact=True)
        view = token_view(
            explanation, shown=shown, max_lines=6 if narrow else 8, max_side=34 if narrow else 52
        )
        classes = _most_probable(explanation, NARROW_CLASSES if narrow else MAX_REPORT_CLASSES)
        top = float(np.clip(4.4 * len(classes) + 12, 42, 56))
        parameters = float(np.clip((2.4 if narrow else 4.4) * heads, 20, 44)) + (11 if narrow else 14)
        facts = _identity(explanation, classes, heads_left_out=heads - len(chosen))
        warned = [said] if (said := warning(explanation)) else []
        alone = [STAND_ALONE] if explanation.labels == "several" else []
        notes = legend_lines(
            [*warned, *alone, caution(quantity, explanation.labels), facts], total, size=SMALL_FONT_SIZE
        )
        heights = [
            13.0 if shown else 10.5,
            *((3.8 * len(classes) + 9, 35.0) if narrow else (top,)),
            maps.height,
            parameters,
            *([token_height(view, total)] if explanation.token_labels else []),
            SMALL_LINE_MM * len(notes) + 3,
        ]
        figure = new_figure(total, sum(heights))
        parts = iter(figure.subfigures(len(heights), 1, squeeze=False, height_ratios=heights).ravel())
        _draw_heading(next(parts), explanation, shown, total)
        if narrow:
            left, right = next(parts).subplots(), next(parts).subplots()
        else:
            left, right = next(parts).subplots(1, 2, width_ratios=(2, 3))
        _draw_probabilities(left, explanation, classes)
        draw_layers(right, explanation, total if narrow else 0.58 * total)
        draw_maps(next(parts), maps)
        left, right = next(parts).subplots(1, 2)
        if explanation.gate_kind == "mixture":
            draw_mixture(left, right, explanation)
        else:
            for axes, (name, label) in zip((left, right), PARAMETERS, strict=True):
                draw_distributions(axes, explanation, name, label, short=narrow)
        if explanation.token_labels:
            draw_tokens(next(parts), view, total)
        _draw_notes(next(parts), notes, total)
        return settle(figure)


def _draw_heading(canvas: Canvas, explanation: Explanation, shown: Input | None, total: float) -> None:
    """Prediction, the input's name where it is known, and the model."""
    heads, layers, features = explanation.shape
    rows, columns = explanation.axis_names
    chance = chances(explanation)
    under = f"{chance}; {explanation.model}, {heads} heads × {layers} {rows}s × {features:,} {columns}s"
    if explanation.explained != explanation.prediction:
        under += f"; explained for “{explanation.explained_class}”"
    left = 2 / total
    room = (total - 4) * FONT_SIZE / HEADING_SIZE * 0.9  # bold letters are wider
    title = shortened(f"“{explanation.answer}”", room)
    canvas.text(left, 0.9, title, va="top", fontsize=HEADING_SIZE, fontweight="bold")
    lines = [under] if shown is None else [shown.title, under]
    for line, y in zip(lines, (0.4,) if shown is None else (0.58, 0.28), strict=True):
        canvas.text(left, y, shortened(line, total - 4), va="top", fontsize=FONT_SIZE)


def _draw_probabilities(axes: Axes, explanation: Explanation, order: np.ndarray) -> None:
    """Bars of the most probable classes; the explained one is dark."""
    probabilities = np.asarray(explanation.probabilities, dtype=np.float64)
    colours = [INK if index == explanation.explained else FAINT for index in order]
    axes.barh(np.arange(len(order)), probabilities[order], color=colours, height=0.7)
    axes.set_yticks(range(len(order)), [shortened(explanation.class_names[index], 26) for index in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.set_xlim(0, 1.25)
    axes.set_xticks([0, 0.5, 1])
    axes.spines["bottom"].set_bounds(0, 1)  # beyond is only room for the numbers
    for row, index in enumerate(order):
        axes.annotate(
            probability(float(probabilities[index])),
            (probabilities[index], row),
            textcoords="offset points",
            xytext=(2, 0),
            va="center",
            fontsize=SMALL_FONT_SIZE,
        )
    left_out = len(probabilities) - len(order)
    axes.set_xlabel(
        axis_labels.PROBABILITY + (f" ({left_out} classes below are not shown)" if left_out else "")
    )
    tidy(axes)


def _most_probable(explanation: Explanation, count: int) -> np.ndarray:
    """Indices of the classes that the page names."""
    return top_cells(np.asarray(explanation.probabilities, dtype=np.float64), count)[:, 0]


def _identity(explanation: Explanation, classes: np.ndarray, *, heads_left_out: int) -> str:
    """What identifies the result; with how many heads the page leaves out."""
    facts = explanation.provenance
    parts = [str(facts.get("tool", ""))]
    if facts.get("checkpoint_sha256"):
        parts.append(f"checkpoint {str(facts['checkpoint_sha256'])[:12]}")
    if facts.get("encoder"):
        revision = str(facts.get("encoder_revision", ""))
        parts.append(f"encoder {facts['encoder']}, {_short(revision)}")
    if muted := said_muted(explanation):
        parts.append(muted)
    if heads_left_out:
        parts.append(f"maps of the {heads_left_out} heads with the smallest share left out")
    shown = (explanation.class_names[index] for index in classes)
    parts.append(missing_letters([explanation.model, explanation.explained_class, *shown]))
    return " · ".join(part for part in parts if part)


def _draw_notes(canvas: Canvas, lines: list[str], total: float) -> None:
    """Small print: what the map does not show, and what identifies the result."""
    text = "\n".join(lines)
    canvas.text(2 / total, 0.5, text, va="center", fontsize=SMALL_FONT_SIZE, color=FAINT, linespacing=1.2)


def _short(revision: str) -> str:
    """A commit by its first digits, a name of a revision as it is."""
    return revision[:12] if re.fullmatch("[0-9a-f]{40}", revision) else revision
