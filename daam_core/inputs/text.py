"""Texts, made safe for any tokenizer and any page."""

import hashlib
import re
from dataclasses import dataclass, field
from typing import ClassVar

from daam_core.errors import InputError
from daam_core.inputs.base import BaseInput
from daam_core.inputs.modality import Modality

MAX_CHARACTERS = 50_000
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
        facts: ``characters``, and ``repaired`` where some could not be kept.
    """

    modality: ClassVar[Modality] = "text"
    content: str = field(repr=False, compare=False)
    change: Edit | None = None

    @property
    def nbytes(self) -> int:
        """Memory that the content takes."""
        return 4 * len(self.content)


def read_text(given: object, *, max_characters: int = MAX_CHARACTERS) -> Text:
    """A text that any tokenizer and any page can take, of the same length as what was given.

    NUL and lone surrogates, which neither UTF-8 nor HTML can carry, become U+FFFD one for one, so
    that character positions stay those of the original.

    Raises:
        InputError: not a ``str``, nothing but white space, or more than ``max_characters``.
    """
    content, repaired = _storable(given, max_characters)
    facts: dict[str, str | int | float] = {"characters": len(content)}
    if repaired:
        facts["repaired"] = f"{repaired} characters that cannot be stored were replaced"
    words = " ".join(content.split())
    return Text(
        name=f"“{words[:NAME_CHARACTERS].rstrip()}{'…' if len(words) > NAME_CHARACTERS else ''}”",
        facts=facts,
        sha256=text_sha256(str(given)),
        content=content,
    )


def text_sha256(text: str) -> str:
    """Of a text's UTF-8 bytes, lone surrogates included."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _storable(given: object, max_characters: int) -> tuple[str, int]:
    """The text, and how many of its characters were replaced."""
    if not isinstance(given, str):
        raise InputError(f"A text must be given as str, got {type(given).__name__}.")
    if len(given) > max_characters:
        raise InputError(
            f"The text has {len(given):,} characters; at most {max_characters:,} can be explained at once, "
            "so give a part of it."
        )
    if not given.strip():
        raise InputError("The text is empty; give at least one word.")
    return _UNSTORABLE.subn("\N{REPLACEMENT CHARACTER}", given)
