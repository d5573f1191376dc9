"""Cuts the fonts out of those that README.md names.

make_fonts.py DROID.ttf NOTO_EMOJI.ttf LIBERATION_REGULAR.ttf LIBERATION_BOLD.ttf
"""

import base64
import io
import json
import sys
import unicodedata
import zlib
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
#: Of the font that panels saved as PDF carry.
PRINTED = (
    (0x20, 0x7E),
    (0xA0, 0x17F),  # Latin of European languages
    (0x370, 0x3FF),  # Greek
    (0x400, 0x45F),  # Cyrillic
    (0x2000, 0x20CF),  # punctuation, numbers above and below, currencies
    (0x2100, 0x25FF),  # letters as symbols, arrows, mathematics, shapes
)
VIEW = FOLDER.parents[1] / "daam_core" / "view" / "web" / "vendor" / "print_font.js"


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


def write_subset(font: TTFont, codes: set[int], place: Path | io.BytesIO) -> None:
    """Writes a font with these letters alone, without hinting."""
    options = Options(hinting=False, glyph_names=False, notdef_outline=True, layout_features=[])
    options.drop_tables += ["vhea", "vmtx", "STAT", "DSIG", "GDEF", "GPOS", "GSUB"]
    cutter = Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    font.save(place)


def for_pdf(path: str) -> dict[str, object]:
    """A font with the letters of ``PRINTED``, with all that a PDF says of it and its packed bytes.

    Its name is another than that of the font it was cut out of, as the licence of that asks for.
    """
    font = TTFont(path)
    for record in font["name"].names:
        record.string = "DAAM-Print" if record.nameID == 6 else "DAAM Print"
    font["name"].names = [record for record in font["name"].names if record.nameID in (1, 4, 6)]
    for table in ("kern", "FFTM"):
        if table in font:
            del font[table]
    wanted = {code for first, last in PRINTED for code in range(first, last + 1)}
    file = io.BytesIO()
    write_subset(font, wanted & set(font.getBestCmap()), file)
    font = TTFont(io.BytesIO(file.getvalue()))
    letters, to_thousand = font.getBestCmap(), 1000 / font["head"].unitsPerEm
    glyphs = {code: font.getGlyphID(name) for code, name in letters.items()}
    head, lines = font["head"], font["hhea"]
    return {
        "letters": "".join(map(chr, glyphs)),
        "glyphs": list(glyphs.values()),
        "widths": [round(font["hmtx"][name][0] * to_thousand) for name in letters.values()],
        "box": [round(edge * to_thousand) for edge in (head.xMin, head.yMin, head.xMax, head.yMax)],
        "ascent": round(lines.ascent * to_thousand),
        "descent": round(lines.descent * to_thousand),
        "capitals": round(font["OS/2"].sCapHeight * to_thousand),
        "size": len(file.getvalue()),
        "packed": base64.b64encode(zlib.compress(file.getvalue(), 9)).decode(),
    }


def main(droid: str, emoji: str, regular: str, bold: str) -> None:
    font = TTFont(droid)
    write_subset(font, everyday_letters() & set(font.getBestCmap()), FOLDER / "DroidSansFallback.ttf")
    font = instantiateVariableFont(TTFont(emoji), {"wght": 400})
    codes = {code for code in font.getBestCmap() if code > 0xFF and unicodedata.category(chr(code)) != "Cf"}
    write_subset(font, codes, FOLDER / "NotoEmoji.ttf")
    fonts = json.dumps({"regular": for_pdf(regular), "bold": for_pdf(bold)}, ensure_ascii=False)
    VIEW.write_text(f"export const FONTS = {fonts};\n", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
