"""Bytes as texts: by mark, by zero bytes, by the only encoding that fits, or refused."""

import codecs

import hypothesis.strategies as st
import pytest
from hypothesis import given

from daam_core.errors import InputError
from daam_core.inputs.decoding import decode

RUSSIAN, CHINESE, JAPANESE, KOREAN = "Привет, как дела", "今天天气很好", "こんにちは世界", "안녕하세요"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff\0"), max_size=40))
def test_utf8_and_marked_texts_come_back_as_they_were(text):
    assert decode(text.encode(), "t").text == text
    for codec, mark in (("utf-8", codecs.BOM_UTF8), ("utf-16", b""), ("utf-32", b"")):
        assert decode(mark + text.encode(codec), "t").text == text


@given(st.text(st.characters(codec="cp1252", min_codepoint=0x20), min_size=1))
def test_an_encoding_that_is_said_is_not_doubted(text):
    assert decode(text.encode("cp1252"), "t", encoding="cp1252").text == text


@pytest.mark.parametrize(
    "text", ["Straße für Müller — “naïve”", "été à la plage", "¿Qué año?", "Ærø, Åse og Øyvind: 5 €"]
)
def test_western_european_text_is_read_and_said(text):
    found = decode(text.encode("cp1252"), "t.txt")
    assert (found.text, found.encoding) == (text, "Windows-1252")
    assert found.note.startswith("t.txt is not UTF-8 and was read as Windows-1252 (“")
    assert found.note.endswith("”); --encoding names another.")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [(RUSSIAN, "cp1251"), (RUSSIAN, "koi8-r"), (CHINESE, "gbk"), (JAPANESE, "shift_jis"), (KOREAN, "euc_kr")],
)
def test_other_encodings_are_not_guessed(text, encoding):
    with pytest.raises(InputError, match=r"t\.txt is not UTF-8 text; name its encoding with --encoding"):
        decode(text.encode(encoding), "t.txt")
    assert decode(text.encode(encoding), "t.txt", encoding=encoding).text == text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\xff\xfea", "begins as UTF-16 text but cannot be read as that to its end"),
        (
            b"\x1aE\xdf\xa3\x9fB\x86\x81\x01",
            "is a WEBM film, not a text, whatever its name says; files of plain text can",
        ),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "is a WAV sound, not a text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "is a PNG picture, not a text"),
        (b"PK\x03\x04\x14\0\0\0", "is a ZIP archive, not a text; unpack it and give a file of it"),
        (b"%PDF-1.4\n%words", "is a PDF file, not a text"),
        (b"\x01\x02\xff\xfe\x9d", "is no text; give a file of plain text"),
        ("naïve ête ü".encode() + b"\xff", "UTF-8 text with damaged bytes, the first in line 1"),
        (b"version https://git-lfs.github.com/spec/v1\n", "run 'git lfs pull' in its repository"),
    ],
)
def test_what_is_no_text_is_called_by_its_name(content, said):
    with pytest.raises(InputError, match=said):
        decode(content, "t.txt")


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13"])
def test_an_encoding_that_does_not_exist_is_refused(encoding):
    with pytest.raises(InputError, match=f"There is no encoding '{encoding}'; name one such as utf-8"):
        decode(b"a", "t.txt", encoding=encoding)


@pytest.mark.parametrize(
    "text", ["BMW sold more cars.", "FORMER president", "caffeine", "riffs", "PK and GIF89"]
)
def test_a_text_may_begin_like_a_file(text):
    assert decode(text.encode(), "t.txt").text == text
