"""Which letters printed figures can draw, and with which fonts."""

import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

from matplotlib.font_manager import fontManager, get_font

from daam_core.reading.letters import visible
from daam_core.shipped import shipped

#: Cut out of free fonts; assets/fonts/README.md says which letters they hold.
SHIPPED_FONTS = ("DroidSansFallback.ttf", "NotoEmoji.ttf")
#: Tried after those, where the computer has them.
INSTALLED_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "WenQuanYi Zen Hei",
    "Arial Unicode MS",
)
#: Drawn in the place of a letter that no font has.
MISSING_LETTER = "□"
#: Characters that a sentence about missing letters names.
_NAMED = 3


@cache
def font_families() -> list[str]:
    """Names of the fonts in the order in which a letter is looked for: DejaVu Sans, ours, the computer's."""
    ours = []
    for name in SHIPPED_FONTS:
        path = shipped("fonts") / name
        if path.is_file():
            fontManager.addfont(path)
            ours.append(get_font(path).family_name)
    installed = set(fontManager.get_font_names())
    return ["DejaVu Sans", *ours, *(name for name in INSTALLED_FONTS if name in installed)]


@cache
def _letters_of_fonts() -> tuple[frozenset[int], ...]:
    """Code points that each font has."""
    paths = (fontManager.findfont(name, fallback_to_default=False) for name in font_families())
    return tuple(frozenset(get_font(path).get_charmap()) for path in paths)


def drawable(text: str) -> str:
    """What can be drawn of a text: nothing that cannot be seen, □ for each letter that no font has.

    A mark stays with its letter only where one font has both.

    >>> drawable("fell\\ufeff 中 \\U00013000")
    'fell 中 □'
    """
    return "".join(shown for _, shown in _drawn(text))


def missing_letters(texts: Iterable[str]) -> str:
    """One sentence about the letters of some texts that no font has; empty where there are none.

    >>> missing_letters(["a\\U00013000"])
    'Drawn as □, because no font here has it: U+13000 EGYPTIAN HIEROGLYPH A001.'
    """
    found = {letter: None for text in texts for letter, shown in _drawn(text) if shown == MISSING_LETTER}
    found.pop(MISSING_LETTER, None)
    named = [f"U+{ord(letter):04X} {unicodedata.name(letter, 'without a name')}" for letter in found]
    if not named:
        return ""
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    them = "them" if len(named) > 1 else "it"
    return f"Drawn as {MISSING_LETTER}, because no font here has {them}: {', '.join(named[:_NAMED])}{more}."


def _drawn(text: str) -> Iterator[tuple[str, str]]:
    """Each letter with its marks, and what is drawn for it."""
    fonts = _letters_of_fonts()
    for cluster in _clusters(unicodedata.normalize("NFC", visible(text))):
        letter, marks = cluster[0], cluster[1:]
        if letter.isspace():
            yield letter, letter if letter in " \n" else " "
        elif any(font.issuperset(map(ord, cluster)) for font in fonts):
            yield letter, letter + marks
        else:
            yield letter, letter if any(ord(letter) in font for font in fonts) else MISSING_LETTER


def _clusters(text: str) -> Iterator[str]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not unicodedata.category(text[place]).startswith("M"):
            yield text[start:place]
            start = place
