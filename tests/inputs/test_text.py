"""Texts as people bring them: what is read, and what is refused with which words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import InputError
from daam_core.inputs.text import MAX_CHARACTERS, read_text


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
            (b"bytes", "as str, got bytes"),
            (Path("a.txt"), "as str, got"),
            (None, "got NoneType"),
        ],
    )
    def test_refusals(self, source, message):
        with pytest.raises(InputError, match=message):
            read_text(source)

    def test_longest_text(self):
        assert len(read_text("a" * MAX_CHARACTERS).content) == MAX_CHARACTERS
