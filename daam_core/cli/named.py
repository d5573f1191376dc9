"""What an argument of the command line says: a file, a folder or nothing on disk; names; a whole number."""

import argparse
from collections.abc import Callable
from pathlib import Path

from daam_core.errors import InputError
from daam_core.inputs import Modality
from daam_core.inputs.files import is_address


def existing_file(given: str, kind: Modality, *, asked: bool) -> Path | None:
    """The file of that name, if there is one.

    Args:
        given: the argument.
        kind: the modality that it is of.
        asked: whether nobody said so: then an address is no text either.

    Raises:
        InputError: it is an address, and not said to be a text.
    """
    if (asked or kind != "text") and is_address(given):
        raise InputError(
            "INPUT is an address, and nothing is downloaded; fetch it and give the file"
            + (", or say --modality text if it is the text." if kind == "text" else ".")
        )
    return existing(given)


def existing(given: str) -> Path | None:
    """The file of that name, if there is one."""
    return _named(given, Path.is_file)


def existing_folder(given: str) -> Path | None:
    """The folder of that name, if there is one."""
    return _named(given, Path.is_dir)


def _named(given: str, there: Callable[[Path], bool]) -> Path | None:
    if not given:  # a text without a letter, which as a path would be the folder that one is in
        return None
    try:
        path = Path(given)
        return path if there(path) else None
    except (OSError, ValueError):  # too long for a name, or with characters that no name has: a text
        return None


def names_in(listed: str | None) -> tuple[str, ...]:
    """Names that an option lists, separated by commas."""
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())


def whole_number(least: int) -> Callable[[str], int]:
    """A type for argparse: a whole number of at least ``least``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return value

    return read
