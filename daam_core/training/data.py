"""Data sets: what people have on disk, as inputs with labels, and how it is split for measuring.

A data set is a folder of class folders, or a table (CSV, or tab separated) with a column of paths or
texts and a column of labels. The order of inputs never depends on the file system.
Letters: N inputs, C classes.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from daam_core.errors import DataError
from daam_core.inputs import SUFFIXES, Modality
from daam_core.inputs.files import sha256_of
from daam_core.inputs.text import text_sha256

#: Usual names of columns, tried in this order where none is given.
TEXT_COLUMNS = ("text", "sentence", "content", "review", "document", "message")
PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "audio", "sound", "image", "picture")
LABEL_COLUMNS = ("label", "class", "category", "target", "class_name", "emotion", "topic")

#: Names that stand for parts of a data set and not for classes.
PARTS = frozenset({"train", "training", "test", "val", "valid", "validation", "dev"})

MAX_TEXT_FILE_BYTES = 4_000_000


Found = TypeVar("Found")


@dataclass(frozen=True)
class Dataset:
    """N labelled inputs, in an order that is the same on every machine.

    Attributes:
        name: the folder's or table's name.
        modality: ``audio``, ``text`` or ``image``.
        inputs: N texts, or N paths of sounds or pictures.
        labels: N class indices.
        class_names: C names, sorted, or in a model's order.
        places: N short names for messages and tables: a path below the folder, or a table's row.
        groups: N groups that must not be split between training and test, such as speakers; or None.
        skipped: places of inputs that were left out because they cannot be used.
    """

    name: str
    modality: Modality
    inputs: tuple[str | Path, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]
    places: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    skipped: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def targets(self) -> Tensor:
        """``[N]`` int64 class indices."""
        return torch.tensor(self.labels, dtype=torch.int64)

    @property
    def counts(self) -> dict[str, int]:
        """Samples by class name."""
        found = Counter(self.labels)
        return {name: found[index] for index, name in enumerate(self.class_names)}

    def part(self, indices: Iterable[int]) -> "Dataset":
        """The inputs at ``indices``, in their order; classes stay the same."""
        chosen = [int(index) for index in indices]
        return replace(
            self,
            inputs=tuple(self.inputs[i] for i in chosen),
            labels=tuple(self.labels[i] for i in chosen),
            places=tuple(self.places[i] for i in chosen),
            groups=None if self.groups is None else tuple(self.groups[i] for i in chosen),
        )


@dataclass(frozen=True)
class TableColumns:
    """Which columns of a table to read; what is left out is found by its usual name.

    Attributes:
        inputs: columns of texts, joined by a line break, or the one column of paths.
        label: column of class names.
        group: column of groups, such as speakers.
    """

    inputs: tuple[str, ...] = ()
    label: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class _Row:
    given: str | Path
    label: str
    place: str
    group: str | None = None


def load_dataset(
    path: str | Path,
    *,
    modality: Modality,
    columns: TableColumns | None = None,
    group_pattern: str | None = None,
    class_names: Sequence[str] | None = None,
    skip_broken: bool = False,
) -> Dataset:
    """Read the list of inputs and labels; sounds and pictures themselves are opened later.

    Args:
        path: a folder of class folders, or a table ending in ``.csv`` or ``.tsv``. Paths in a table
            are relative to the table.
        modality: what the inputs are.
        columns: a table's columns, where their names are not the usual ones.
        group_pattern: regular expression searched for in each file's name; its first group (or the
            whole match) is the input's group. ``^(..)`` takes the first two characters.
        class_names: the classes of a trained model, in its order; other labels are refused. By
            default the labels found, sorted.
        skip_broken: leave out missing files, empty texts and rows without label, and list them in
            ``skipped``, instead of refusing the data set.

    Raises:
        DataError: nothing is there, the classes are none or one, a column is unknown, a file is
            missing or a text empty; the message names the row or file.
    """
    path = Path(path)
    columns = columns or TableColumns()
    skipped: list[str] = []
    rows = _read(path, modality, columns, skipped if skip_broken else None)
    if not rows:
        raise DataError(f"{path.name} holds no inputs{_of_which(skipped)}.")
    names = tuple(class_names) if class_names is not None else _classes(path, rows)
    index = {name: number for number, name in enumerate(names)}
    for row in rows:
        if row.label not in index:
            raise DataError(
                f"{path.name}, {row.place}: the class {row.label!r} is not one of {_listed(names)}."
            )
    return Dataset(
        name=path.resolve().name,
        modality=modality,
        inputs=tuple(row.given for row in rows),
        labels=tuple(index[row.label] for row in rows),
        class_names=names,
        places=tuple(row.place for row in rows),
        groups=_groups(rows, columns, group_pattern),
        skipped=tuple(skipped),
    )


def content_hash(given: str | Path) -> str:
    """SHA-256 of a text, or of a file's bytes.

    Raises:
        DataError: the file cannot be read.
    """
    if isinstance(given, str):
        return text_sha256(given)
    try:
        with given.open("rb") as file:
            return sha256_of(file)
    except OSError as error:
        raise DataError(f"{given.name} cannot be read: {error.strerror}.") from error


def shared_inputs(tested: Dataset, trained: Dataset) -> int:
    """How many inputs of ``tested`` occur in ``trained`` too, by content: on those, accuracy flatters."""
    known = {content_hash(given) for given in trained.inputs}
    return sum(content_hash(given) in known for given in tested.inputs)


# Parts


def hold_out(dataset: Dataset, amount: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split at random, every class in the same proportion.

    Args:
        dataset: what to split.
        amount: a share below 1, or a number of inputs from 1.
        seed: of the draw.

    Returns:
        Indices of the rest and of the part held out, each sorted.

    Raises:
        DataError: a part would be empty or lack a class.
    """
    from sklearn.model_selection import train_test_split

    size: float | int = amount if 0 < amount < 1 else int(amount)
    if amount <= 0 or (amount >= 1 and int(amount) != amount) or amount >= len(dataset):
        raise DataError(
            f"The part held out must be a share between 0 and 1 or a number of inputs below {len(dataset)}, "
            f"got {amount:g}."
        )
    try:
        rest, held = train_test_split(
            np.arange(len(dataset)), test_size=size, stratify=dataset.labels, random_state=seed
        )
    except ValueError as error:
        smallest = min(dataset.counts.items(), key=lambda item: item[1])
        raise DataError(
            f"Holding out {amount:g} of {len(dataset)} inputs leaves a class without inputs: "
            f"{smallest[0]!r} has {smallest[1]}. Hold out more, or give a validation data set."
        ) from error
    return np.sort(rest), np.sort(held)


def hold_out_groups(dataset: Dataset, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the inputs outside and inside the named groups.

    Raises:
        DataError: the data set has no groups or not these, or one part would be empty.
    """
    present = _require_groups(dataset)
    if missing := sorted(set(groups) - set(present)):
        raise DataError(f"There is no group {missing[0]!r}; the groups are {_listed(sorted(set(present)))}.")
    inside = np.isin(np.array(present), list(groups))
    if inside.all():
        raise DataError("All inputs are in the groups held out; none is left for training.")
    return np.flatnonzero(~inside), np.flatnonzero(inside)


def folds(dataset: Dataset, count: int, *, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation: each input is tested once.

    With groups: groups sorted, fold k holds groups k, k + ``count``, …, so no group is on both sides
    and ``seed`` changes nothing. Without: at random, every class in the same proportion.

    Returns:
        ``count`` pairs of sorted training and test indices.

    Raises:
        DataError: fewer than two folds, fewer groups than folds, or a class smaller than that.
    """
    if count < 2:
        raise DataError(f"Cross-validation needs at least 2 folds, got {count}.")
    if dataset.groups is not None:
        names = sorted(set(dataset.groups))
        if len(names) < count:
            raise DataError(f"{count} folds need as many groups; there are {len(names)}: {_listed(names)}.")
        return [hold_out_groups(dataset, names[k::count]) for k in range(count)]
    smallest = min(dataset.counts.items(), key=lambda item: item[1])
    if smallest[1] < count:
        raise DataError(
            f"{count} folds need {count} inputs of each class; {smallest[0]!r} has {smallest[1]}."
        )
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.zeros(len(dataset)), dataset.labels)]


def _require_groups(dataset: Dataset) -> tuple[str, ...]:
    if dataset.groups is None:
        raise DataError(
            f"{dataset.name} has no groups: name a column of groups, or a pattern for the files' names."
        )
    return dataset.groups


# Reading


def _read(path: Path, modality: Modality, columns: TableColumns, skipped: list[str] | None) -> list[_Row]:
    if path.is_dir():
        if columns != TableColumns():
            raise DataError(f"{path.name} is a folder of class folders: columns are for tables only.")
        return list(_read_folder(path, modality, skipped))
    if path.is_file():
        return list(_read_table(path, modality, columns, skipped))
    raise DataError(
        f"There is no data set {path.name!r}: give a folder of class folders, or a table (.csv or .tsv)."
    )


def _classes(path: Path, rows: Sequence[_Row]) -> tuple[str, ...]:
    """The labels found, sorted."""
    names = sorted({row.label for row in rows})
    if len(names) < 2:
        raise DataError(f"{path.name} holds the one class {names[0]!r}; a classifier needs at least two.")
    return tuple(names)


def _read_folder(folder: Path, modality: Modality, skipped: list[str] | None) -> Iterator[_Row]:
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        tables = sorted(path.name for path in folder.glob("*.[ct]sv"))
        hint = f"; give one of its tables: {_listed(tables)}" if tables else ""
        raise DataError(f"{folder.name} has no class folders{hint}.")
    if {entry.name.lower() for entry in classes} <= PARTS:
        names = [entry.name for entry in classes]
        raise DataError(
            f"{folder.name} holds the parts {_listed(names)} and no classes; give one of the parts."
        )
    suffixes = SUFFIXES[modality]
    for entry in classes:
        files = sorted(
            (path for path in entry.rglob("*") if path.suffix.lower() in suffixes and path.is_file()),
            key=lambda path: path.relative_to(folder).as_posix(),
        )
        files = [path for path in files if not path.name.startswith(".")]
        if not files:
            raise DataError(
                f"The class folder {entry.name} holds no {modality} files ({', '.join(suffixes)})."
            )
        for path in files:
            place = path.relative_to(folder).as_posix()
            given: str | Path = path
            if modality == "text":
                text = _usable(partial(_read_text, path, place), place, skipped)
                if text is None:
                    continue
                given = text
            yield _Row(given, entry.name, place)


def _read_table(
    table: Path, modality: Modality, columns: TableColumns, skipped: list[str] | None
) -> Iterator[_Row]:
    if table.suffix.lower() not in (".csv", ".tsv"):
        raise DataError(
            f"{table.name} is no table: a data set is a folder, or a file ending in .csv or .tsv."
        )
    for place, row, chosen in _table_rows(table, modality, columns):
        found = _usable(partial(_table_row, table, modality, chosen, row, place), place, skipped)
        if found is not None:
            yield found


def _table_rows(
    table: Path, modality: Modality, columns: TableColumns
) -> Iterator[tuple[str, dict[str, str], TableColumns]]:
    """Each row's place and cells, with the columns to read."""
    number = 0
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            heading = file.readline()
            tabs = table.suffix.lower() == ".tsv" or ("\t" in heading and "," not in heading)
            file.seek(0)
            reader = csv.DictReader(file, delimiter="\t" if tabs else ",", strict=True)
            chosen = _choose_columns(table, list(reader.fieldnames or []), modality, columns)
            for number, row in enumerate(reader, start=1):
                yield f"row {number}", row, chosen
    except OSError as error:
        raise DataError(f"{table.name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{table.name} is not UTF-8 text; save the table with that encoding.") from error
    except csv.Error as error:
        raise DataError(
            f"{table.name} is no proper table after row {number} below its heading: {error}."
        ) from error


def _table_row(
    table: Path, modality: Modality, columns: TableColumns, row: dict[str, str], place: str
) -> _Row:
    needed = [*columns.inputs, columns.label or "", *([columns.group] if columns.group else [])]
    # A row with more cells than the heading puts the rest under the key None.
    if None in row or any(row[name] is None for name in needed):
        raise DataError(f"{table.name}, {place} below the heading: it has not as many cells as the heading.")
    label = row[columns.label or ""].strip()
    if not label:
        raise DataError(f"{table.name}, {place} below the heading: the column {columns.label!r} is empty.")
    cells = [row[name].strip() for name in columns.inputs]
    if not any(cells):
        kind = "text" if modality == "text" else "path"
        raise DataError(f"{table.name}, {place} below the heading: the {kind} is empty.")
    given: str | Path = "\n".join(cell for cell in cells if cell)
    if modality != "text":
        given = table.parent / given
        try:
            found = given.is_file()
        except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
            found = False
        if not found:
            raise DataError(
                f"{table.name}, {place} below the heading: there is no file {cells[0]!r}; "
                "paths are relative to the table's folder."
            )
    return _Row(given, label, place, row[columns.group].strip() if columns.group else None)


def _choose_columns(table: Path, present: list[str], modality: Modality, asked: TableColumns) -> TableColumns:
    given = [*asked.inputs, *(name for name in (asked.label, asked.group) if name is not None)]
    for name in given:
        if name not in present:
            raise DataError(f"{table.name} has no column {name!r}; its columns are {_listed(present)}.")
    usual = TEXT_COLUMNS if modality == "text" else PATH_COLUMNS
    inputs = asked.inputs or tuple(_usual(present, usual)[:1])
    label = asked.label or next(iter(_usual(present, LABEL_COLUMNS)), None)
    if not inputs or label is None:
        what, option = ("texts" if modality == "text" else "paths", "--input-column")
        if inputs:
            what, option = "labels", "--label-column"
        raise DataError(
            f"{table.name}: which column holds the {what}? Its columns are {_listed(present)}; "
            f"name one with {option}."
        )
    if modality != "text" and len(inputs) > 1:
        raise DataError(f"Paths stand in one column, got {len(inputs)}: {_listed(inputs)}.")
    return TableColumns(inputs, label, asked.group)


def _usual(present: list[str], names: Sequence[str]) -> list[str]:
    by_lower = {name.strip().lower(): name for name in present}
    return [by_lower[name] for name in names if name in by_lower]


def _usable(read: Callable[[], Found], place: str, skipped: list[str] | None) -> Found | None:
    """What ``read`` returns; if it refuses, None with the place noted, or the refusal itself."""
    try:
        return read()
    except DataError:
        if skipped is None:
            raise
        skipped.append(place)
        return None


def _read_text(path: Path, place: str) -> str:
    try:
        if path.stat().st_size > MAX_TEXT_FILE_BYTES:
            raise DataError(f"{place} is larger than {MAX_TEXT_FILE_BYTES // 1_000_000} MB.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{place} is not UTF-8 text.") from error
    if not text.strip():
        raise DataError(f"{place} is empty.")
    return text


def _groups(rows: Sequence[_Row], columns: TableColumns, pattern: str | None) -> tuple[str, ...] | None:
    if pattern is None:
        return tuple(row.group or "" for row in rows) if columns.group else None
    if columns.group:
        raise DataError("Groups come from a column or from a pattern of the files' names, not from both.")
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"The group pattern {pattern!r} is no regular expression: {error}.") from error
    groups = []
    for row in rows:
        name = row.given.name if isinstance(row.given, Path) else row.place.rpartition("/")[2]
        match = expression.search(name)
        if match is None:
            raise DataError(f"The group pattern {pattern!r} does not match the file name {name!r}.")
        groups.append(match[1] if expression.groups and match[1] is not None else match[0])
    return tuple(groups)


def _of_which(skipped: Sequence[str]) -> str:
    return f" that can be used ({len(skipped)} were skipped)" if skipped else ""


def _listed(names: Sequence[str], *, most: int = 12) -> str:
    """Names for a message: all, or the first ones and how many more there are."""
    shown = ", ".join(names[:most]) or "none"
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
