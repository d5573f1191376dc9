"""Texts as people bring them: what is read, and what is refused with which words."""

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import InputError
from daam_core.inputs.limits import MAX_CHARACTERS
from daam_core.inputs.text import read_text


class TestText:
    @given(st.text(alphabet=st.characters(), min_size=1, max_size=50))
    def test_any_unicode_is_storable_and_keeps_its_positions(self, text):
        if not text.strip():
            with pytest.raises(InputError, match="empty"):
                read_text(text)
            return
        read = read_text(text).content
        assert len(read) == len(text)
        read.encode("utf-8")
        assert "\0" not in read
        assert all(
            a == b for a, b in zip(read, text, strict=True) if b != "\0" and not "\ud800" <= b <= "\udfff"
        )

    def test_surrogates_and_nul_become_replacement_characters(self):
        assert read_text("a\ud800b\0c").content == "a\ufffdb\ufffdc"

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", "empty"),
            (" \n\t\u3000", "empty"),
            (
                "a" * (MAX_CHARACTERS + 1),
                f"has {MAX_CHARACTERS + 1:,} characters; at most {MAX_CHARACTERS:,}",
            ),
            (b"", "empty"),
            (Path("a.txt"), r"a\.txt cannot be read: No such file"),
            (None, "a str, bytes, a Path, an open file or a mapping with the key 'text', got NoneType"),
            (["a"], "got list"),
            ({"label": 1}, "as a mapping needs the key 'text', got \\['label'\\]"),
            (b"a" * (4 * MAX_CHARACTERS + 5), f"The text is longer than {MAX_CHARACTERS:,} characters"),
        ],
    )
    def test_refusals(self, source, message):
        with pytest.raises(InputError, match=message):
            read_text(source)

    def test_longest_text(self):
        assert len(read_text("a" * MAX_CHARACTERS).content) == MAX_CHARACTERS

    def test_bytes_files_and_mappings_are_the_text_they_hold(self, tmp_path):
        text = "A good film, naïve."
        path = tmp_path / "film.txt"
        path.write_text(text, encoding="utf-8-sig")
        expected = read_text(text)
        with path.open("rb") as binary, path.open(encoding="utf-8-sig") as letters:
            given = [
                text.encode(),
                bytearray(text.encode()),
                path,
                binary,
                letters,
                {"text": text, "label": 1},
            ]
            for one in [*given, {"text": text.encode()}, io.BytesIO(text.encode()), io.StringIO(text)]:
                assert read_text(one) == expected
                assert read_text(one if not hasattr(one, "seek") else text).facts == expected.facts

    def test_an_encoding_that_is_found_out_is_among_the_facts(self):
        read = read_text("Grüße".encode("cp1252"))
        assert read.content == "Grüße"
        assert "read as Windows-1252 (“Grüße”)" in read.facts["read_as"]
        assert "read_as" not in read_text("Grüße".encode("cp1252"), encoding="cp1252").facts
