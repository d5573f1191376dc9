"""Errors a caller can act on, and what finding and telling them shares.

Each message says what was given, what is accepted and what to do.
"""

from typing import TypeGuard


class DaamError(Exception):
    """Base of every error this package raises on purpose: wrong input, never a defect."""


class ShapeError(DaamError, ValueError):
    """A tensor's shape or values do not fit the operation."""


class ConfigError(DaamError, ValueError):
    """A configuration that cannot work, such as fewer than three layers in a head's group."""


class InputError(DaamError, ValueError):
    """A sound, text or image that cannot be read or explained."""


class DataError(DaamError, ValueError):
    """A data set folder or table that cannot be used."""


class EncoderError(DaamError):
    """An encoder that is unknown, incomplete, or not the one a checkpoint was trained with."""


class CheckpointError(DaamError):
    """A checkpoint that is missing, damaged, foreign, or at odds with its own configuration."""


class CancelledError(DaamError):
    """The caller asked a long computation to stop; nothing was kept of the unfinished part."""


#: Characters of another library's message that a sentence of ours quotes at most.
LONGEST_REASON = 200
#: … and of a wrong value.
LONGEST_SHOWN = 60


def first_line(error: BaseException) -> str:
    """The beginning of another library's message, for a sentence of our own.

    >>> first_line(ValueError("no header.\\nAt byte 0"))
    'no header'
    """
    line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return line if len(line) <= LONGEST_REASON else f"{line[: LONGEST_REASON - 1]}…"


def shown(value: object) -> str:
    """A wrong value as a sentence quotes it: in one line, and no longer than a line.

    >>> shown("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…"
    """
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; lists in lists in lists
        text = f"a value of type {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def is_whole(value: object) -> TypeGuard[int]:
    """Whether a value from outside is a whole number; ``True`` and ``False`` are none.

    >>> is_whole(3), is_whole(True), is_whole(3.0)
    (True, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value from outside is a number; ``True`` and ``False`` are none.

    >>> is_number(0.5), is_number(True), is_number("0.5")
    (True, False, False)
    """
    return is_whole(value) or isinstance(value, float)
