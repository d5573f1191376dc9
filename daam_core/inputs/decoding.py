"""From bytes to text: by the encoding that is said or marked, by UTF-8, or by the only one that fits."""

import codecs
import re
from dataclasses import dataclass

from daam_core.errors import InputError
from daam_core.inputs.first_bytes import HEAD, format_of
from daam_core.inputs.refusals import unreadable

#: What stands in a repository in the place of a large file that was not fetched.
_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_MARKS = (  # the longer ones first: a mark of UTF-32 begins like one of UTF-16
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
#: Documents that are written in letters, and no texts.
_DOCUMENTS = (b"%PDF-", b"{\\rtf", b"%!PS")
#: Control characters that no text has.
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
#: Letters outside ASCII in a row that words of Western European languages do not have.
_FOREIGN_RUN = re.compile("[^\x00-\x7f\\W\\d_]{4}")
_WESTERN_SIGNS = frozenset("‘’“”„‚«»‹›–—…•€£§°©®™¡¿ºª·\xa0´²³½¼¾×")
_WORD_OUTSIDE_ASCII = re.compile(r"\S*[^\x00-\x7f]\S*")
_SHOWN = 24  # characters of a word that shows how a text was read
_PROBED = 1_000_000  # bytes that tell an encoding


@dataclass(frozen=True)
class Decoded:
    """A text and how it was found.

    Attributes:
        text: without a byte order mark.
        encoding: as people call it.
        note: one sentence where the encoding was found out and not said, and is not UTF-8; else empty.
    """

    text: str
    encoding: str
    note: str = ""


def decode(content: bytes, name: str, *, encoding: str | None = None) -> Decoded:
    """The text that bytes stand for.

    UTF-8 first; UTF-16 and UTF-32 by their mark, UTF-16 also by its zero bytes; Windows-1252 where
    every letter outside ASCII is one that Western European languages use.

    Args:
        content: of a file.
        name: what messages call it.
        encoding: by a name that Python knows; found out where it is left out.

    Raises:
        InputError: no text, not of that encoding, or of one that cannot be told.

    >>> decode("Müller".encode("cp1252"), "t.csv").text
    'Müller'
    """
    if content.startswith(_LFS_POINTER):
        raise InputError(
            f"{name} is a pointer of Git LFS and not the file itself; run 'git lfs pull' in its repository."
        )
    if encoding is not None:
        return _as_said(content, name, encoding)
    for mark, codec, known_as in _MARKS:
        if content.startswith(mark):
            return _as_marked(content, name, codec, known_as)
    zero_first = _utf16_without_mark(content[:_PROBED])
    if zero_first:
        return _as_marked(content, name, zero_first, "UTF-16")
    head = content[:HEAD]
    # Texts begin like files too: BMW, FORM, caffeine.
    if (_CONTROL.search(head) or head.startswith(_DOCUMENTS)) and format_of(head) is not None:
        raise unreadable(head, name, "text")
    try:
        return Decoded(content.decode("utf-8"), "UTF-8")
    except UnicodeDecodeError as error:
        return _not_utf8(content, name, error)


def _as_said(content: bytes, name: str, encoding: str) -> Decoded:
    try:
        return Decoded(content.decode(encoding).removeprefix("\ufeff"), encoding)
    except LookupError as error:
        raise InputError(
            f"There is no encoding {encoding!r}; name one such as utf-8, utf-16, cp1252, cp1251, gb18030 or "
            "shift_jis."
        ) from error
    except UnicodeError as error:
        raise InputError(f"{name} is not {encoding} text; leave --encoding out, or name another.") from error


def _as_marked(content: bytes, name: str, codec: str, known_as: str) -> Decoded:
    try:
        text = content.decode(codec).removeprefix("\ufeff")
    except UnicodeError as error:
        raise InputError(
            f"{name} begins as {known_as} text but cannot be read as that to its end; it is cut off or "
            "damaged, or of another encoding, which --encoding names."
        ) from error
    note = "" if known_as == "UTF-8" else f"{name} was read as {known_as}, as its first bytes say."
    return Decoded(text, known_as, note)


def _utf16_without_mark(start: bytes) -> str | None:
    """The byte order of Western text in UTF-16, of which every second byte is zero."""
    half = len(start) // 2
    if half < 2:
        return None
    first, second = start[0::2].count(0) / half, start[1::2].count(0) / half
    if second > 0.6 and first < 0.1:
        return "utf-16-le"
    return "utf-16-be" if first > 0.6 and second < 0.1 else None


def _not_utf8(content: bytes, name: str, error: UnicodeDecodeError) -> Decoded:
    if _CONTROL.search(content[:_PROBED]):
        raise InputError(f"{name} is no text; give a file of plain text.") from error
    repaired = content.decode("utf-8", "replace")
    broken = repaired.count("\N{REPLACEMENT CHARACTER}")
    if sum(letter > "\x7f" for letter in repaired) > 2 * broken:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is UTF-8 text with damaged bytes, the first in line {line}; mend them, or name another "
            "encoding with --encoding."
        ) from error
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or not _looks_western(text):
        raise InputError(
            f"{name} is not UTF-8 text; name its encoding with --encoding, such as cp1252, cp1251, gb18030 "
            "or shift_jis."
        ) from error
    example = _WORD_OUTSIDE_ASCII.search(text)
    word = f" (“{example[0][:_SHOWN]}”)" if example else ""
    return Decoded(
        text,
        "Windows-1252",
        f"{name} is not UTF-8 and was read as Windows-1252{word}; --encoding names another.",
    )


def _looks_western(text: str) -> bool:
    outside = [letter for letter in text[:_PROBED] if letter > "\x7f"]
    strange = sum(not (letter.isalpha() or letter in _WESTERN_SIGNS) for letter in outside)
    return _FOREIGN_RUN.search(text[:_PROBED]) is None and strange <= 0.1 * len(outside)
