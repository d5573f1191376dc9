"""Panels as PDF: what another program reads in the file that the view's script writes."""

import base64
import hashlib
import re

import numpy as np
import pypdfium2
import pytest

from daam_core.view.modules import modules
from tests.view.node import WEB, evaluate

MM = 72 / 25.4  # points
FONT = {"family": "x", "size": 20, "weight": "400", "style": "normal", "colour": "rgb(85, 96, 110)"}
LOOK = {"fill": "none", "stroke": "none", "thick": 1, "dashes": [], "opacity": 1}
CORNERS = [["M", 100, 100], ["L", 150, 100], ["L", 150, 150], ["L", 100, 150], ["Z"]]


def words(text: str, x: float, y: float, width: float, **other: object) -> dict[str, object]:
    font = FONT | other
    place = {"x": x, "y": y, "width": width, "anchor": "start", "turned": False}
    return {"kind": "text", "text": text} | place | font


def written(*shapes: dict[str, object]) -> pypdfium2.PdfDocument:
    """A page of 100 by 50 mm, 400 by 200 in the drawing's own measure."""
    drawing = {"title": "ξ of head 0", "width": 400, "height": 200, "mm": [100, 50], "shapes": shapes}
    made = evaluate(
        "{ pdfOf } from pdf.js; { FONTS } from vendor/print_font.js",
        "Buffer.from(await pdfOf(data, FONTS, (pixels) => pixels)).toString('base64')",
        drawing,
    )
    return pypdfium2.PdfDocument(base64.b64decode(made))


def test_texts_are_texts_and_lie_where_they_were_laid_out() -> None:
    title = "δ ξ λ −0.5 ≥ 3 × 10² — “Ελλάδα” 1 → ½ Σ ‖"
    document = written(
        words(title, 20, 40, 300, weight="600"),
        words("Feature", 200, 190, 60, anchor="middle"),
        words("slanted", 20, 80, 70, style="italic"),
        words("Layer", 12, 100, 50, anchor="middle", turned=True),
    )
    page = document[0]
    assert page.get_size() == pytest.approx((100 * MM, 50 * MM), abs=0.01)
    assert document.get_metadata_dict()["Title"] == "ξ of head 0"
    text = page.get_textpage()
    found = text.get_text_range()
    assert set(found.split("\r\n")) == {title, "Feature", "Layer", "slanted"}
    # As wide as it was in the layout, whatever letters that was in, and read upwards where it was.
    for word, edges in {"Feature": (170, 230), title: (20, 320)}.items():
        start = found.index(word)
        boxes = [text.get_charbox(i, loose=True) for i in range(start, start + len(word))]
        left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
        assert (left / MM * 4, right / MM * 4) == pytest.approx(edges, abs=2.5), word
    start = found.index("Layer")
    first, last = text.get_charbox(start), text.get_charbox(start + 4)
    assert first[1] < last[1]
    assert 200 - last[3] / MM * 4 == pytest.approx(75, abs=2.5)
    # Fonts that the file carries, a regular and a bold one.
    raw = document.get_page(0).get_objects()
    assert {one.get_font().get_base_name() for one in raw if isinstance(one, pypdfium2.PdfTextObj)} == {
        "DAAMPR+DAAM-Print-Regular",
        "DAAMPR+DAAM-Print-Bold",
    }


def test_letters_that_the_font_lacks_are_pictures_that_can_be_copied() -> None:
    square = {"data": [0, 0, 0, 255] * 4, "width": 2, "height": 2}
    place = {"x": 70, "y": 20, "width": 40, "height": 30, "turned": False, "sharp": False}
    document = written(
        words("Bank ", 20, 40, 50),
        {"kind": "image", "canvas": square, "says": "東京🚀"} | place,
        words(" rates", 110, 40, 53),
    )
    found = document[0].get_textpage().get_text_range()
    assert re.sub(r"\s+", " ", found) == "Bank 東京🚀 rates"


def test_lines_and_pixels_have_their_colours_and_places() -> None:
    cells = {"data": [255, 0, 0, 255, 0, 0, 255, 255, 9, 9, 9, 255, 9, 9, 9, 0], "width": 2, "height": 2}
    document = written(
        {"kind": "path", "steps": CORNERS} | LOOK | {"fill": "rgb(0, 128, 0)", "opacity": 0.5},
        {"kind": "path", "steps": [["M", 0, 10], ["L", 400, 10]]} | LOOK | {"stroke": "#0000ff", "thick": 4},
        {"kind": "path", "steps": CORNERS} | LOOK,
        {"kind": "image", "canvas": cells, "x": 200, "y": 100, "width": 80, "height": 80, "sharp": True},
    )
    page = document[0]
    kinds = [one.type for one in page.get_objects()]
    assert kinds == [2, 2, 3]  # what has no colour is not in the file
    drawn = np.asarray(page.render(scale=400 / (100 * MM)).to_pil().convert("RGB"))
    assert drawn.shape == (200, 400, 3)
    for (x, y), colour in {
        (125, 125): (127, 191, 127),
        (90, 125): (255, 255, 255),
        (5, 10): (0, 0, 255),
        (390, 10): (0, 0, 255),
        (220, 120): (255, 0, 0),
        (260, 120): (0, 0, 255),
        (220, 160): (9, 9, 9),
        (260, 160): (255, 255, 255),
    }.items():
        assert np.abs(drawn[y, x].astype(int) - colour).max() <= 1, (x, y)


def test_the_font_is_the_one_that_was_cut_and_its_licence_lies_beside_it() -> None:
    text = modules()["vendor/print_font.js"]
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == "79cb1f0c05486db0ea28ddd07561a4c9564a865b807ea7ce1417f0c5bde8fa6b"
    assert "SIL OPEN FONT LICENSE" in (WEB / "vendor" / "LICENSE.liberation").read_text("utf-8")
