"""Texts, made safe for any tokenizer and any page."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from daam_core.errors import InputError, shown
from daam_core.inputs.base import BaseInput
from daam_core.inputs.decoding import decode
from daam_core.inputs.files import describe
from daam_core.inputs.limits import MAX_CHARACTERS
from daam_core.inputs.modality import Modality

NAME_CHARACTERS = 40  # of a text's beginning that it is called by

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Edit:
    """A text put in another's place.

    Attributes:
        text: the new one.
    """

    text: str

    def describe(self) -> str:
        return "edited"


@dataclass(frozen=True, kw_only=True)
class Text(BaseInput):
    """A text.

    Attributes:
        content: as encoders take it, of the original's length unless it was edited.
        facts: ``characters``; ``repaired`` where some could not be kept; ``read_as`` where bytes were
            given and their encoding had to be found out.
    """

    modality: ClassVar[Modality] = "text"
    content: str = field(repr=False, compare=False)
    change: Edit | None = None

    @property
    def nbytes(self) -> int:
        """Memory that the content takes."""
        return 4 * len(self.content)


def read_text(given: object, *, max_characters: int = MAX_CHARACTERS, encoding: str | None = None) -> Text:
    """A text that any tokenizer and any page can take, of the same length as what was given.

    NUL and lone surrogates, which neither UTF-8 nor HTML can carry, become U+FFFD one for one, so
    that character positions stay those of the original.

    Args:
        given: a ``str``; ``bytes``; a file open in text or binary mode; a ``Path``; or a mapping with
            the key ``text``, as data sets have them. A ``str`` is never taken for a path.
        max_characters: of the text.
        encoding: of bytes and files; found out where it is left out (see
            :func:`~daam_core.inputs.decoding.decode`).

    Raises:
        InputError: none of these, no text, nothing but white space, or more than ``max_characters``.
    """
    if isinstance(given, Mapping):
        if "text" not in given:
            raise InputError(f"A text given as a mapping needs the key 'text', got {shown(list(given))}.")
        given = given["text"]
    text, note = (given, "") if isinstance(given, str) else _read(given, max_characters, encoding)
    content, repaired = _storable(text, max_characters)
    facts: dict[str, str | int | float] = {"characters": len(content)}
    if repaired:
        several = "characters that cannot be stored were"
        what = "character that cannot be stored was" if repaired == 1 else several
        facts["repaired"] = f"{repaired} {what} replaced"
    if note:
        facts["read_as"] = note
    words = " ".join(content.split())
    return Text(
        name=f"“{words[:NAME_CHARACTERS].rstrip()}{'…' if len(words) > NAME_CHARACTERS else ''}”",
        facts=facts,
        sha256=text_sha256(text),
        content=content,
    )


def text_sha256(text: str) -> str:
    """Of a text's UTF-8 bytes, lone surrogates included."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(given: object, max_characters: int, encoding: str | None) -> tuple[str, str]:
    """The text of bytes or a file, and how its encoding was found out."""
    most = 4 * max_characters + 4  # bytes, with a byte order mark
    name = "The text"
    try:
        if isinstance(given, bytes | bytearray | memoryview):
            content: Any = bytes(given)
        elif isinstance(given, Path):
            name = describe(given)
            with given.open("rb") as file:
                content = file.read(most + 1)
        elif hasattr(given, "read"):
            named = getattr(given, "name", None)
            if isinstance(named, str):
                name = "Standard input" if named == "<stdin>" else describe(named)
            content = given.read(most + 1)
        else:
            raise InputError(
                "A text must be a str, bytes, a Path, an open file or a mapping with the key 'text', got "
                f"{type(given).__name__}."
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name} cannot be read: {reason}.") from error
    if len(content) > most:
        raise InputError(f"{name} is longer than {max_characters:,} characters; give a part of it.")
    if isinstance(content, str):
        return content, ""
    decoded = decode(content, name, encoding=encoding)
    return decoded.text, decoded.note


def _storable(given: str, max_characters: int) -> tuple[str, int]:
    """The text, and how many of its characters were replaced."""
    if len(given) > max_characters:
        raise InputError(
            f"The text has {len(given):,} characters; at most {max_characters:,} can be explained at once, "
            "so give a part of it."
        )
    if not given.strip():
        raise InputError("The text is empty; give at least one word.")
    return _UNSTORABLE.subn("\N{REPLACEMENT CHARACTER}", given)
