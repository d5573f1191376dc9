"""Cuts the fonts here out of those that README.md names: make_fonts.py DROID.ttf NOTO_EMOJI.ttf."""

import sys
import unicodedata
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FOLDER = Path(__file__).parent
#: Rows of everyday letters: GB 2312, JIS X 0208 level 1, KS X 1001; each a square of 94 by 94.
ROWS = {"gb2312": range(16, 88), "euc_jp": range(16, 48), "euc_kr": range(16, 41)}
EVERYDAY = (
    (0x3000, 0x30FF),  # punctuation, hiragana, katakana
    (0x3131, 0x318E),  # hangul letters
    (0x31F0, 0x31FF),
    (0x3220, 0x33FF),  # enclosed letters, units
    (0xFF01, 0xFFEE),  # wide and narrow forms
)


def everyday_letters() -> set[int]:
    """Code points of what is written every day in Chinese (both scripts), Japanese and Korean."""
    found = {code for first, last in EVERYDAY for code in range(first, last + 1)}
    pairs = [
        (codec, bytes((0xA0 + row, 0xA0 + column)))
        for codec, rows in ROWS.items()
        for row in rows
        for column in range(1, 95)
    ]
    second = (*range(0x40, 0x7F), *range(0xA1, 0xFF))
    pairs += [("big5", bytes((first, last))) for first in range(0xA4, 0xC7) for last in second]
    return found | {ord(letter) for codec, pair in pairs for letter in pair.decode(codec, "ignore")}


def write_subset(font: TTFont, codes: set[int], name: str) -> None:
    """Writes a font with these letters alone, without hinting."""
    options = Options(hinting=False, glyph_names=False, notdef_outline=True, layout_features=[])
    options.drop_tables += ["vhea", "vmtx", "STAT", "DSIG", "GDEF", "GPOS", "GSUB"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    font.save(FOLDER / name)


def main(droid: str, emoji: str) -> None:
    font = TTFont(droid)
    write_subset(font, everyday_letters() & set(font.getBestCmap()), "DroidSansFallback.ttf")
    font = instantiateVariableFont(TTFont(emoji), {"wght": 400})
    codes = {code for code in font.getBestCmap() if code > 0xFF and unicodedata.category(chr(code)) != "Cf"}
    write_subset(font, codes, "NotoEmoji.ttf")


if __name__ == "__main__":
    main(*sys.argv[1:])
