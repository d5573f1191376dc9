"""How printed figures look and are written: sizes, fonts, and the same bytes for the same figure.

Figures are built with matplotlib's object interface; pyplot's global state is never touched. A lock
guards matplotlib's settings, which are global, so that several visitors can draw at the same time.
"""

import io
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, Literal

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from daam_core.errors import ConfigError
from daam_core.figures.fonts import drawable, font_families
from daam_core.reading.colours import DIVERGING, HEAD_COLOURS, sequential
from daam_core.reading.numbers import number

Canvas = Figure | SubFigure
Width = Literal["single", "double"]
WIDTHS_MM = {"single": 89.0, "double": 183.0}  # columns of most journals
WIDTH_RANGE_MM = (60.0, 500.0)
FORMATS = ("png", "svg", "pdf")
DPI = 300  # of png, and of pictures inside vector figures
MM_PER_INCH = 25.4
MM_PER_POINT = MM_PER_INCH / 72

#: What tells heads apart that have one colour: of lines, and of areas.
LINE_STYLES = ("-", "--", ":", "-.")
HATCHES = (None, "////", "....", "xxxx")

FONT_SIZE = 7.0  # points; printed figures ask for 5 to 8
SMALL_FONT_SIZE = 6.5
NARROW_MM = 120.0  # figures below this width stack their panels
MOST_DECADES = 2  # with numbers between powers of ten on a logarithmic axis; of more these collide
MIN_COLUMN_MM = 0.2  # a single hot column can still be seen at this width
LEGEND_MARGIN_MM = 8.0  # that a legend leaves free beside it
BAR_GAP_MM, BAR_MM, BAR_TICKS_MM = 1.5, 2.2, 4.4  # above a colour bar, its height, its numbers
LINE_MM = 3.1  # height of a line of text
INK, FAINT, MISSING = "#1a1a1a", "#8a8a8a", "#ececec"

_STYLE: dict[str, Any] = {
    "font.size": FONT_SIZE,
    "text.parse_math": False,  # a dollar sign in a text is a dollar sign
    "text.color": INK,
    "axes.titlesize": FONT_SIZE,
    "axes.titlepad": 3.0,
    "axes.titlelocation": "left",
    "axes.labelsize": FONT_SIZE,
    "axes.labelpad": 2.0,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.linewidth": 0.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.fontsize": SMALL_FONT_SIZE,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "legend.columnspacing": 1.0,
    "lines.linewidth": 0.9,
    "patch.linewidth": 0.5,
    "hatch.linewidth": 0.4,
    "figure.facecolor": "white",
    "figure.constrained_layout.h_pad": 0.04,
    "figure.constrained_layout.w_pad": 0.05,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "daam-explorer",
    "pdf.fonttype": 42,
    **{
        f"{axis}tick.{name}": value
        for axis in "xy"
        for name, value in {
            "labelsize": SMALL_FONT_SIZE,
            "color": INK,
            "major.width": 0.5,
            "major.size": 2.0,
            "minor.width": 0.4,
            "minor.size": 1.2,
            "major.pad": 1.5,
        }.items()
    },
}

_settings = threading.RLock()


def line_style(head: int) -> str:
    """Of a head's line beside those of other heads, matplotlib's word."""
    return LINE_STYLES[head // len(HEAD_COLOURS) % len(LINE_STYLES)]


def hatch(head: int) -> str | None:
    """Of a head's area beside those of other heads, matplotlib's word."""
    return HATCHES[head // len(HEAD_COLOURS) % len(HATCHES)]


@contextmanager
def print_style() -> Iterator[None]:
    """Matplotlib's defaults plus this module's sizes, whatever the caller's own settings are."""
    log = logging.getLogger("matplotlib.font_manager")
    with _settings, mpl.rc_context():
        before = log.level
        log.setLevel(logging.ERROR)  # or it would say of each font without a bold weight that it has none
        mpl.rcdefaults()
        settings: Any = _STYLE | {"font.family": font_families()}  # matplotlib's type lists every name
        mpl.rcParams.update(settings)
        try:
            yield
        finally:
            log.setLevel(before)


def width_mm(width: Width | float) -> float:
    """A figure's width in millimetres: ``single`` or ``double`` column, or a number.

    Raises:
        ConfigError: neither, or outside 60–500 mm.
    """
    if isinstance(width, str):
        if width not in WIDTHS_MM:
            raise ConfigError(f"Unknown width {width!r}; choose single, double, or a number of millimetres.")
        return WIDTHS_MM[width]
    lowest, highest = WIDTH_RANGE_MM
    if not lowest <= width <= highest:
        raise ConfigError(f"A figure can be {lowest:g} to {highest:g} mm wide, got {width:g}.")
    return float(width)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, millimetres, laid out so that labels never overlap."""
    return Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), dpi=DPI, layout="constrained")


def settle(figure: Figure) -> Figure:
    """Fixes the layout to a millionth of the figure; the last step of every figure.

    The layout's solver adds in an order that changes from run to run, and the last digits of the
    places with it; unrounded, equal figures would not give equal files.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    parts = list(figure.subfigs)
    while parts:
        part = parts.pop()
        part.bbox_relative.p0 = part.bbox_relative.p0.round(6)
        part.bbox_relative.p1 = part.bbox_relative.p1.round(6)
        parts += part.subfigs
    for axes in figure.axes:
        place = axes.get_position(original=True)
        axes.set_position(Bbox(place.get_points().round(6)))
    return figure


def figure_bytes(figure: Figure, suffix: str, *, dpi: float = DPI) -> bytes:
    """The figure as a file: equal figures give equal bytes, without a date.

    Args:
        figure: from this package's ``*_figure`` functions.
        suffix: ``png``, ``svg`` (text as text) or ``pdf`` (TrueType fonts embedded).
        dpi: dots per inch of png, and of pictures inside svg and pdf.

    Raises:
        ConfigError: another format.
    """
    if suffix not in FORMATS:
        raise ConfigError(f"A figure can be written as {', '.join(FORMATS)}, not {suffix!r}.")
    dates = {"png": {}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    with print_style():
        figure.savefig(buffer, format=suffix, dpi=dpi, metadata=dates[suffix])
    return buffer.getvalue()


def sequential_map(palette: str) -> Colormap:
    """A palette for maps without sign; cells that do not exist are light grey."""
    return mpl.colormaps[sequential(palette)[0]].with_extremes(bad=MISSING)


def diverging_map() -> Colormap:
    """Blue for negative, orange for positive values."""
    return LinearSegmentedColormap.from_list("daam-diverging", DIVERGING).with_extremes(bad=MISSING)


def tidy(axes: Axes, *, frame: bool = False) -> None:
    """Fixes an axes' ticks, so that they look the same when drawn later under other settings."""
    axes.tick_params(labelsize=SMALL_FONT_SIZE, width=0.5, length=2, pad=1.5, color=INK, labelcolor=INK)
    for spine in axes.spines.values():
        spine.set_linewidth(0.5)
        if frame:
            spine.set_visible(True)


def plain_log_ticks(axis: Axis, *, most: int | None = None) -> None:
    """Numbers such as 0.5, 2 and 10 on a logarithmic axis, not powers; at most ``most`` powers of ten."""
    lowest, highest = axis.get_view_interval()
    decades = np.log10(highest / lowest)
    few = decades > MOST_DECADES
    axis.set_major_locator(LogLocator(subs=(1,) if few else (1, 2, 5), numticks=most if few else None))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axis.set_minor_formatter(NullFormatter())


@cache
def _measure() -> tuple[RendererAgg, float]:
    dpi = 720  # high, so that hinting to whole pixels does not matter
    return FigureCanvasAgg(Figure(figsize=(1, 1), dpi=dpi)).get_renderer(), 72 / dpi


@lru_cache(maxsize=4096)
def text_width(text: str, *, size: float = FONT_SIZE) -> float:
    """Width of one line of text in millimetres, with the style's fonts."""
    with print_style():
        renderer, points = _measure()
        font = FontProperties(family=font_families(), size=size)
        pixels: float = renderer.get_text_width_height_descent(text, font, ismath=False)[0]
    return pixels * points * MM_PER_POINT


def wrapped(text: str, width: float, *, size: float = FONT_SIZE) -> str:
    """What can be drawn of the text, broken at its spaces into lines of at most ``width`` millimetres."""
    lines: list[str] = []
    for word in drawable(text).split():
        if lines and text_width(f"{lines[-1]} {word}", size=size) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def shortened(text: str, width: float, *, size: float = FONT_SIZE) -> str:
    """What can be drawn of the text, on one line of at most ``width`` mm; what is longer is cut off."""
    text = " ".join(drawable(text).split())
    if text_width(text, size=size) <= width:
        return text
    while text and text_width(f"{text}…", size=size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"


def norm(lowest: float, highest: float) -> Normalize:
    """Colours from lowest to highest; a constant map gets the lowest colour, not a division by zero."""
    return Normalize(lowest, highest if highest > lowest else lowest + 1)


def legend_lines(legend: Sequence[str], total: float, *, size: float = FONT_SIZE) -> list[str]:
    """Sentences broken into lines that fit under a colour bar; each begins a new line."""
    return [
        line for part in legend for line in wrapped(part, total - LEGEND_MARGIN_MM, size=size).split("\n")
    ]


def colour_bar_height(legend: Sequence[str], total: float) -> float:
    """Height in millimetres that :func:`above_colour_bar` takes at the bottom of a canvas."""
    return BAR_GAP_MM + BAR_MM + BAR_TICKS_MM + LINE_MM * len(legend_lines(legend, total)) + 1


def above_colour_bar(
    canvas: Canvas,
    colours: Colormap,
    legend: Sequence[str],
    total: float,
    *,
    limits: tuple[float, float] | None,
) -> SubFigure:
    """Draws a colour bar and what it means at the bottom of a canvas; returns the part above it.

    Args:
        canvas: figure or part of one.
        colours: the palette.
        legend: sentences; each begins a new line.
        total: width of the canvas in millimetres.
        limits: what the bar's ends stand for; None labels them lowest and highest.
    """
    height = canvas.bbox.height / canvas.get_figure(root=True).dpi * MM_PER_INCH
    own = colour_bar_height(legend, total)
    above: SubFigure
    above, below = canvas.subfigures(2, 1, squeeze=False, height_ratios=(max(height - own, 1), own)).ravel()
    width = total * (0.6 if total >= NARROW_MM else 0.8)
    place = ((total - width) / 2 / total, 1 - (BAR_GAP_MM + BAR_MM) / own, width / total, BAR_MM / own)
    axes = below.add_axes(place)
    lowest, highest = limits or (0.0, 1.0)
    bar = below.colorbar(ScalarMappable(norm(lowest, highest), colours), cax=axes, orientation="horizontal")
    bar.outline.set_linewidth(0.5)
    if limits is None:
        bar.set_ticks([0, 1], labels=["lowest", "highest"])
    elif not highest > lowest:
        bar.set_ticks([lowest], labels=[f"{number(lowest)} (constant)"])
    else:
        ticks = [lowest + (highest - lowest) * quarter / 4 for quarter in range(5)]
        small = 1e-3 * (highest - lowest)
        bar.set_ticks(ticks, labels=[number(tick, resolution=small) for tick in ticks])
    tidy(axes)
    top = BAR_GAP_MM + BAR_MM + BAR_TICKS_MM
    for index, line in enumerate(legend_lines(legend, total)):
        y = 1 - (top + LINE_MM * (index + 0.5)) / own
        below.text(0.5, y, line, ha="center", va="center", fontsize=FONT_SIZE)
    return above


def legible_on(colour: Sequence[float]) -> str:
    """Black or white, whichever is easier to read on a colour (WCAG 2 contrast).

    Args:
        colour: red, green, blue in [0, 1].
    """
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour[:3])
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 else "white"
