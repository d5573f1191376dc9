"""Files of figures, and text that fits."""

import io
import re

import pytest
from PIL import Image

from daam_core.figures.layers import layer_contribution_figure
from daam_core.figures.style import figure_bytes, text_width, wrapped
from daam_core.figures.tokens import token_figure
from tests.figures.examples import AUDIO, LONG


def test_text_in_svg_is_text_and_dollars_are_dollars():
    svg = figure_bytes(token_figure(LONG), "svg").decode()
    written = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"second", "$", "{", "line", "alpha"} <= set(written)
    assert "&lt;" in svg
    assert "<b>" not in svg


def test_pdf_carries_its_fonts_as_truetype():
    pdf = figure_bytes(layer_contribution_figure(AUDIO), "pdf")
    assert b"/FontFile2" in pdf
    assert b"/Type3" not in pdf
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", pdf)
    assert float(box[1]) == pytest.approx(89 / 25.4 * 72, abs=0.1)


def test_png_has_the_width_at_300_dots_an_inch():
    picture = Image.open(io.BytesIO(figure_bytes(layer_contribution_figure(AUDIO), "png")))
    assert picture.width == pytest.approx(89 / 25.4 * 300, abs=1)
    assert picture.info["dpi"][0] == pytest.approx(300, abs=1)


def test_wrapped_text_fits_and_loses_no_word():
    sentence = "Colours from each map's own lowest to its own highest value, given above it."
    lines = wrapped(sentence, 40).split("\n")
    assert " ".join(lines) == sentence
    assert len(lines) > 1
    assert all(text_width(line) <= 40 for line in lines)
