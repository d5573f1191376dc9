"""Drawing token attribution for print: over seconds, on words, or over the picture.

Letters in shapes: H heads, T tokens.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.colors import Colormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from daam_core.errors import ShapeError
from daam_core.figures import axis_labels
from daam_core.figures.fonts import drawable, missing_letters
from daam_core.figures.style import (
    FAINT,
    FONT_SIZE,
    INK,
    NARROW_MM,
    Canvas,
    Width,
    above_colour_bar,
    colour_bar_height,
    diverging_map,
    legible_on,
    new_figure,
    norm,
    print_style,
    sequential_map,
    settle,
    text_width,
    tidy,
    width_mm,
    wrapped,
)
from daam_core.inputs import Input, Picture, Sound
from daam_core.reading.binning import bin_columns
from daam_core.reading.colours import NEGATIVE, POSITIVE
from daam_core.reading.numbers import number
from daam_core.reading.words import Word, join_words
from daam_core.result import Explanation

MAX_WORDS = 600
WORDS_MM = 4.4  # height of a line of words
MARGIN_MM = 6.0
WAVEFORM_COLUMNS = 1200
OVERLAY_OPACITY = 0.6
MAX_PICTURE_SIDE = 2000  # pixels; more cannot be seen in print


def token_figure(
    explanation: Explanation,
    *,
    head: int | None = None,
    absolute: bool = False,
    shown: Input | None = None,
    width: Width | float = "double",
) -> Figure:
    """What the tokens say of the explained class: over seconds, on words, or over the picture.

    Args:
        explanation: what to draw.
        head: one head's share, or all heads together.
        absolute: sizes instead of signed values.
        shown: the explained input: a sound is drawn as a waveform above the curve, a picture under the
            map.
        width: ``single``, ``double`` or millimetres.

    Raises:
        ShapeError: a head that the model does not have, an input of another modality, or no tokens.
    """
    if not explanation.token_labels:
        raise ShapeError(f"Nothing is known of the tokens of what {explanation.model} explained.")
    total = width_mm(width)
    with print_style():
        view = token_view(explanation, head=head, absolute=absolute, shown=shown)
        figure = new_figure(total, token_height(view, total))
        draw_tokens(figure, view, total)
        return settle(figure)


@dataclass(frozen=True)
class TokenView:
    """What is drawn over the input.

    Attributes:
        explanation: whose tokens.
        values: ``[T]`` logits.
        absolute: the values are sizes.
        meaning: one sentence, without its full stop.
        sound: the explained sound or None.
        picture: ``[height, width, 3]`` or None.
        max_lines: how many lines of words at most; None for all.
        max_side: height of the picture in millimetres at most.
    """

    explanation: Explanation
    values: np.ndarray
    absolute: bool
    meaning: str
    sound: Sound | None
    picture: np.ndarray | None
    max_lines: int | None
    max_side: float


def token_view(
    explanation: Explanation,
    *,
    head: int | None = None,
    absolute: bool = False,
    shown: Input | None = None,
    max_lines: int | None = None,
    max_side: float = 120.0,
) -> TokenView:
    """Checks and collects what :func:`draw_tokens` needs.

    Raises:
        ShapeError: a head that the model does not have, or an input of another modality.
    """
    heads = explanation.shape[0]
    if head is not None and not 0 <= head < heads:
        raise ShapeError(f"There is no head {head!r}; this model has heads 0 to {heads - 1}.")
    if shown is not None and shown.modality != explanation.modality:
        raise ShapeError(f"{shown.name} is {shown.modality}, but {explanation.modality} was explained.")
    signed = explanation.token_attribution if head is None else explanation.head_token_attribution[head]
    values = np.asarray(signed, dtype=np.float64)
    of = "evidence for" if explanation.evidence is not None else "logit of"
    meaning = f"Share in the {of} “{explanation.explained_class}”, "
    meaning += "all heads" if head is None else f"head {head}"
    meaning += " (size, logits)" if absolute else " (logits; orange speaks for the class, blue against it)"
    return TokenView(
        explanation=explanation,
        values=np.abs(values) if absolute else values,
        absolute=absolute,
        meaning=meaning,
        sound=shown if isinstance(shown, Sound) else None,
        picture=_pixels(shown) if isinstance(shown, Picture) else None,
        max_lines=max_lines,
        max_side=max_side,
    )


def token_height(view: TokenView, total: float) -> float:
    """Height in millimetres that :func:`draw_tokens` wants at a width of ``total`` millimetres."""
    if view.explanation.modality == "audio":
        return 42.0 if view.sound is None else 48.0 if total < NARROW_MM else 60.0
    if view.explanation.modality == "image":
        return _picture_height(view, total) + 2 + colour_bar_height(_region_legend(view), total)
    words = _words(view, total)
    return WORDS_MM * len(words.lines) + 3 + colour_bar_height(words.legend, total)


def draw_tokens(canvas: Canvas, view: TokenView, total: float) -> None:
    """Draws a view on a figure, or a part of one, that is ``total`` millimetres wide."""
    if view.explanation.modality == "audio":
        _draw_seconds(canvas, view, total)
    elif view.explanation.modality == "image":
        _draw_regions(canvas, view, total)
    else:
        _draw_words(canvas, view, total)


def _pixels(picture: Picture) -> np.ndarray:
    """``[height, width, 3]``, as large as print can show."""
    small = picture.rgb
    if max(small.size) > MAX_PICTURE_SIDE:
        small = small.copy()
        small.thumbnail((MAX_PICTURE_SIDE, MAX_PICTURE_SIDE))
    return np.asarray(small)


def _colours(view: TokenView, values: np.ndarray) -> tuple[Colormap, tuple[float, float]]:
    largest = float(np.abs(values).max()) if values.size else 0.0
    return (
        (sequential_map("cividis"), (0.0, largest))
        if view.absolute
        else (diverging_map(), (-largest, largest))
    )


# ---- Seconds -----------------------------------------------------------------------------------------


def _draw_seconds(canvas: Canvas, view: TokenView, total: float) -> None:
    spans = np.asarray(view.explanation.token_spans, dtype=np.float64)
    placed = ~np.isnan(spans).any(axis=1)
    spans, values = spans[placed], view.values[placed]
    if view.sound is None:
        curve = canvas.subplots()
    else:
        wave, curve = canvas.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        _draw_waveform(wave, view.sound)
    edges = np.append(spans[:, 0], spans[-1:, 1])
    for sign, colour in ((1, INK if view.absolute else POSITIVE), (-1, NEGATIVE)):
        part = np.clip(values * sign, 0, None) * sign
        curve.stairs(part, edges, fill=True, color=colour, linewidth=0)
    curve.axhline(0, color=INK, linewidth=0.5)
    if len(values) and not np.any(values != values[0]):
        curve.annotate("constant", (0.5, 0.8), xycoords="axes fraction", ha="center", color=FAINT)
    if len(edges):
        curve.set_xlim(float(edges[0]), float(edges[-1]))
    curve.set_xlabel(axis_labels.TIME)
    curve.set_ylabel(axis_labels.LOGITS)
    curve.set_title(wrapped(view.meaning, total - 14))
    tidy(curve)


def _draw_waveform(axes: Axes, sound: Sound) -> None:
    samples = sound.samples.astype(np.float64)
    highest = bin_columns(samples, WAVEFORM_COLUMNS, how="max")
    lowest = -bin_columns(-samples, WAVEFORM_COLUMNS, how="max").values
    axes.stairs(
        highest.values, highest.edges / sound.rate, baseline=lowest, fill=True, color=FAINT, linewidth=0
    )
    axes.set_ylabel(axis_labels.SOUND)
    tidy(axes)


# ---- Picture -----------------------------------------------------------------------------------------


def _ratio(view: TokenView) -> float:
    """Height of the picture relative to its width."""
    return 1.0 if view.picture is None else view.picture.shape[0] / view.picture.shape[1]


def _picture_height(view: TokenView, total: float) -> float:
    panels = 1 if view.picture is None else 2
    return min(_ratio(view) * (total - MARGIN_MM) / panels, view.max_side)


def _draw_regions(canvas: Canvas, view: TokenView, total: float) -> None:
    """The map over the picture in grey, beside the picture itself; the map alone without a picture."""
    ratio = _ratio(view)
    spans = np.asarray(view.explanation.token_spans, dtype=np.float64)
    placed = ~np.isnan(spans).any(axis=1)
    colours, limits = _colours(view, view.values[placed])
    above = above_colour_bar(canvas, colours, _region_legend(view), total, limits=limits)
    axes = above.subplots(1, 1 if view.picture is None else 2, squeeze=False)[0]
    if view.picture is not None:
        axes[0].imshow(view.picture, extent=(0, 1, ratio, 0), cmap="gray", interpolation="antialiased")
        axes[1].imshow(_grey(view.picture), extent=(0, 1, ratio, 0), cmap="gray", interpolation="antialiased")
    boxes = [
        Rectangle((left, top * ratio), right - left, (bottom - top) * ratio)
        for left, top, right, bottom in spans[placed]
    ]
    patches = PatchCollection(boxes, cmap=colours, norm=norm(*limits), linewidth=0, antialiased=False)
    patches.set_array(view.values[placed])
    patches.set_alpha(1.0 if view.picture is None else OVERLAY_OPACITY)
    axes[-1].add_collection(patches)
    for panel in axes:
        panel.set_xlim(0, 1)
        panel.set_ylim(ratio, 0)
        panel.set_aspect("equal")
        panel.set_xticks([])
        panel.set_yticks([])
        tidy(panel, frame=True)


def _region_legend(view: TokenView) -> list[str]:
    outside = np.isnan(view.explanation.token_spans).any(axis=1)
    legend = [f"{view.meaning}."]
    if outside.any():
        legend.append(f"Tokens without a place in the picture: {number(float(view.values[outside].sum()))}.")
    return legend


def _grey(picture: np.ndarray) -> np.ndarray:
    """Luminance ``[height, width]``: the map's colours must not mix with the picture's."""
    grey: np.ndarray = picture @ np.array([0.299, 0.587, 0.114])
    return grey


# ---- Words -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _PlacedWord:
    """A word, or a part of one too long for a line: place and width in millimetres."""

    text: str
    index: int
    x: float
    width: float


@dataclass(frozen=True)
class _Words:
    """The text as it is drawn: lines of words, the words' values, and the legend."""

    lines: list[list[_PlacedWord]]
    values: np.ndarray
    legend: list[str]


def _words(view: TokenView, total: float) -> _Words:
    e = view.explanation
    found = join_words(e.text or "", e.token_labels, e.token_spans, view.values)
    placed = [word for word in found if word.start is not None and drawable(word.text).strip()]
    specials = [word for word in found if word.start is None]
    words = placed[:MAX_WORDS]
    lines = _lines(words, e.text or "", total - MARGIN_MM)[: view.max_lines]
    legend = [f"{view.meaning}."]
    if specials:
        parts = ", ".join(f"{word.text} {number(word.value)}" for word in specials[:6])
        legend.append(f"Special tokens, not part of the text: {parts}.")
    left_out = len(placed) - 1 - max((piece.index for line in lines for piece in line), default=-1)
    if left_out:
        legend.append(f"The last {left_out:,} words are not shown.")
    if missing := missing_letters(word.text for word in words[: len(placed) - left_out]):
        legend.append(missing)
    return _Words(lines, np.array([word.value for word in words]), legend)


def _lines(words: list[Word], text: str, available: float) -> list[list[_PlacedWord]]:
    """Breaks words into lines of ``available`` mm, keeping the text's own spaces and line breaks."""
    lines: list[list[_PlacedWord]] = [[]]
    space, x, last_end = text_width("n n") - text_width("nn"), 0.0, 0
    for index, word in enumerate(words):
        between = text[last_end : word.start]
        last_end = word.end or last_end
        if "\n" in between and lines[-1]:
            lines.append([])
            x = 0.0
        elif between and lines[-1]:
            x += space
        rest = " ".join(drawable(word.text).split())
        while rest:
            piece, width = _fitting(rest, available)
            if x > 0 and x + width > available:
                lines.append([])
                x = 0.0
            lines[-1].append(_PlacedWord(piece, index, x, width))
            x += width
            rest = rest[len(piece) :]
    return lines


def _fitting(text: str, available: float) -> tuple[str, float]:
    """The longest beginning of a text that fits a line (at least one letter), and its width in mm."""
    width = text_width(text)
    while width > available and len(text) > 1:
        text = text[: max(1, min(len(text) - 1, int(len(text) * available / width)))]
        width = text_width(text)
    return text, width


def _draw_words(canvas: Canvas, view: TokenView, total: float) -> None:
    words = _words(view, total)
    colours, limits = _colours(view, words.values)
    above = above_colour_bar(canvas, colours, words.legend, total, limits=limits)
    # Placed by hand: the words' places and widths are in millimetres.
    axes = above.add_axes((MARGIN_MM / 2 / total, 0, 1 - MARGIN_MM / total, 1))
    scale = norm(*limits)
    for row, line in enumerate(words.lines):
        for piece in line:
            colour = colours(scale(words.values[piece.index]))
            box = Rectangle((piece.x, row + 0.06), piece.width, 0.88, facecolor=colour, edgecolor="none")
            axes.add_patch(box)
            axes.text(
                piece.x + piece.width / 2,
                row + 0.5,
                piece.text,
                ha="center",
                va="center_baseline",
                fontsize=FONT_SIZE,
                color=legible_on(colour),
            )
    axes.set_xlim(0, total - MARGIN_MM)
    axes.set_ylim(max(len(words.lines), 1), 0)
    axes.set_axis_off()
