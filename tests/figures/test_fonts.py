"""What is drawn of a text: nothing unseen, every letter by some font, and the same in every format."""

import io
import re
import warnings
from dataclasses import replace

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from matplotlib.figure import Figure

from daam_core.figures.fonts import drawable, missing_letters
from daam_core.figures.report import report_figure
from daam_core.figures.style import figure_bytes, print_style
from daam_core.figures.tokens import token_figure
from tests.figures.examples import TEXT

HIDDEN = "\ufeff\u200b\u202e\u2066\u00ad"


def with_text(text):
    """An explanation of that text, whose first token is all of it."""
    spans = TEXT.token_spans.copy()
    spans[:] = float("nan")
    spans[0] = (0, len(text))
    return replace(TEXT, text=text, token_spans=spans)


def written(svg):
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg.decode())


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
@pytest.mark.parametrize(
    "text",
    [
        f"Shares fell {HIDDEN}on Monday{HIDDEN}",
        "中文字 テスト 한국어 😀👍🏽",
        "𓀀 नमस्ते 中\u0301 1\ufe0f\u20e3",
    ],
)
def test_no_letter_ends_a_figure_or_is_complained_of(text, suffix, caplog):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(figure_bytes(token_figure(with_text(text)), suffix)) > 1000
    assert caplog.messages == []


def test_what_cannot_be_seen_is_not_drawn_and_no_word_is_lost():
    words = written(figure_bytes(token_figure(with_text(f"fell {HIDDEN}on{HIDDEN}")), "svg"))
    assert {"fell on", "fellon", "fell", "on"} & set(words)
    assert not set(HIDDEN) & set("".join(words))


def test_chinese_japanese_korean_and_emoji_are_drawn_with_the_fonts_that_come_along():
    assert (
        drawable("中文 國語 ひらがな カタカナ 한국어 😀🚀👍") == "中文 國語 ひらがな カタカナ 한국어 😀🚀👍"
    )
    assert missing_letters(["中文 國語 ひらがな 한국어 😀🚀"]) == ""


def test_letters_that_no_font_has_are_named_in_the_figure():
    assert drawable("a 𓀀") == "a □"
    said = "Drawn as □, because no font here has it: U+13000 EGYPTIAN HIEROGLYPH A001."
    assert missing_letters(["a 𓀀", "𓀀"]) == said
    assert missing_letters(["𓀀𓀁𓀂𓀃𓀄"]).endswith("U+13002 EGYPTIAN HIEROGLYPH A003 and 2 more.")
    assert said in " ".join(written(figure_bytes(token_figure(with_text("a 𓀀")), "svg")))
    named = replace(TEXT, class_names=("𓀀", *TEXT.class_names[1:]))
    page = " ".join(written(figure_bytes(report_figure(named), "svg")))
    assert said in page
    assert "𓀀" not in page


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.text(max_size=12))
@example("中\u0301e\u0323\u0301")
@example("\x0c\x1ca")
def test_whatever_is_given_something_is_drawn_of_it(text):
    with print_style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Figure((2, 2))
        figure.text(0.1, 0.5, drawable(text))
        figure.savefig(io.BytesIO(), format="pdf")
