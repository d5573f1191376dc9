"""Colours: the same thing has the same colour in every figure, printed or interactive."""

from collections.abc import Mapping

from daam_core.errors import ConfigError

#: Okabe and Ito's colours, told apart with any colour vision, in a fixed order; a ninth head begins again.
HEAD_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f")

#: Blue – white – orange for signed maps (ColorBrewer's Blues and Oranges), centred at zero.
DIVERGING = (
    "#08306b",
    "#2171b5",
    "#6baed6",
    "#c6dbef",
    "#f7f7f7",
    "#fdd0a2",
    "#fd8d3c",
    "#d94801",
    "#7f2704",
)
#: The same on a dark page, where what is nothing must be dark, too; the ends stay blue and orange.
DIVERGING_DARK = (
    "#6cc0ff",
    "#3f9be6",
    "#2670b3",
    "#1b4870",
    "#262b31",
    "#6b3410",
    "#b4560f",
    "#ec7f1c",
    "#ffae42",
)
POSITIVE, NEGATIVE = DIVERGING[7], DIVERGING[1]

#: Sequential palettes by name, and what matplotlib and plotly call them.
SEQUENTIAL: Mapping[str, tuple[str, str]] = {
    "cividis": ("cividis", "Cividis"),
    "viridis": ("viridis", "Viridis"),
    "grey": ("gray", "Gray"),
}


def head_colour(head: int) -> str:
    """A head's colour, ``#rrggbb``."""
    return HEAD_COLOURS[head % len(HEAD_COLOURS)]


def sequential(palette: str) -> tuple[str, str]:
    """Matplotlib's and plotly's name of a sequential palette.

    Raises:
        ConfigError: an unknown palette.
    """
    if palette not in SEQUENTIAL:
        raise ConfigError(f"Unknown palette {palette!r}; choose one of: {', '.join(SEQUENTIAL)}.")
    return SEQUENTIAL[palette]
