"""What reading a data set yields, row by row, whatever it is read from."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from daam_core.errors import DaamError, DataError
from daam_core.training.data_stored import StoredInput

#: An input of a data set: a text, a file, or what lies in a table's cell.
Given = str | Path | StoredInput
Found = TypeVar("Found")


@dataclass(frozen=True)
class Skipped:
    """An input that was left out: its place in the data set, and why."""

    place: str
    reason: str


@dataclass(frozen=True)
class TableColumns:
    """Which columns of a table to read; what is left out is found by its usual name.

    Attributes:
        inputs: columns of texts, joined by a line break, or the one column of paths.
        label: column of class names.
        group: column of groups, such as speakers.
        separator: what stands between class names where the label column holds several of them.
        classes: columns of 0 and 1, one for each class, in place of a label column: an input has several
            labels.
    """

    inputs: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None
    separator: str | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.classes and (self.separator is not None or self.label is not None):
            raise DataError(
                "Labels stand in one column of names, with or without a separator, or in several columns of "
                "0 and 1: give --label-separator for the first, several names after --label-column for the "
                "second."
            )
        if len(self.classes) == 1:
            raise DataError("Columns of 0 and 1 are at least two, one for each class.")
        if self.separator == "":
            raise DataError("What separates labels must be a sign, such as | or ;, got nothing.")

    @property
    def several(self) -> bool:
        """Whether an input may have several labels."""
        return bool(self.classes) or self.separator is not None


@dataclass(frozen=True)
class TextFormat:
    """How tables and texts are written down; what is left out is found out.

    Attributes:
        encoding: such as ``utf-8`` or ``cp1252``.
        delimiter: the one character between a table's cells.
        heading: whether a table's first row names its columns; without it they are called 0, 1, 2, …
    """

    encoding: str | None = None
    delimiter: str | None = None
    heading: bool = True

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '\r\n"'):
            raise DataError(
                f"The delimiter must be one character, such as ; or | (a tab: \\t), got {self.delimiter!r}."
            )


@dataclass(frozen=True)
class ClassChoice:
    """Which classes are meant, where folders or labels leave it open.

    Attributes:
        names: the classes to read, inputs of others are left out; ``("all",)``: all of them, whatever
            they look like.
        pattern: regular expression searched for in each file's path below the folder; its first group
            (or the whole match) is the input's class.
        merge_alike: labels that differ only in case, in white space or as 1 and 1.0 do are one class,
            called by its most frequent spelling.
        renamed: pairs of what a class is called in the data and what it is to be called, before any of the
            others counts; those that get one name are one class.
    """

    names: tuple[str, ...] = ()
    pattern: str | None = None
    merge_alike: bool = False
    renamed: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        olds = [old for old, _ in self.renamed]
        if twice := [old for old in olds if olds.count(old) > 1]:
            raise DataError(f"The class {twice[0]!r} is given two names; say one.")

    @property
    def everything(self) -> bool:
        """Whether all classes are meant, and nothing is to be asked."""
        return self.names == ("all",)


@dataclass(frozen=True)
class DataRow:
    """One input: its labels (none, one or several), its place, its group, and what else its table says."""

    given: Given
    labels: tuple[str, ...]
    place: str
    group: str | None = None
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The one label; "" where it has none."""
        return self.labels[0] if self.labels else ""


@dataclass
class Rows:
    """Collects what is found while a data set is read.

    Attributes:
        lenient: unusable inputs are left out instead of ending the reading.
        rows: inputs in order.
        skipped: inputs that were left out.
        unusable: those of them that look like inputs and are broken.
        notes: sentences about what was found out or looks strange.
        several: an input may have several labels, or none.
        not_read: classes that are there and were not asked for, so that nothing of them was read.
    """

    lenient: bool
    rows: list[DataRow] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    unusable: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    several: bool = False
    not_read: set[str] = field(default_factory=set)

    def usable(self, read: Callable[[], Found], place: str) -> Found | None:
        """What ``read`` returns; if it refuses, None with the place noted, or the refusal itself."""
        try:
            return read()
        except DaamError as error:
            if not self.lenient:
                raise DataError(str(error)) from error
            self.skipped.append(Skipped(place, str(error)))
            self.unusable.append(self.skipped[-1])
            return None


def compiled(pattern: str, what: str) -> re.Pattern[str]:
    """A person's regular expression.

    Raises:
        DataError: it is none.
    """
    try:
        return re.compile(pattern)
    except re.error as error:
        raise DataError(f"The {what} pattern '{pattern}' is no regular expression: {error}.") from error


def first_group(match: re.Match[str]) -> str:
    """A match's first group that took part in it, or all of it."""
    return next((str(group) for group in match.groups() if group is not None), str(match[0]))


def listed(names: Sequence[str], *, most: int = 12) -> str:
    """Names for a message: all, or the first ones and how many more there are."""
    shown = ", ".join(names[:most]) or "none"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
