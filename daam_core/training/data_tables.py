"""Data sets that are tables: what separates the cells, which columns count, and the rows."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from daam_core.errors import DataError, InputError
from daam_core.inputs import Modality, modality_by_suffix
from daam_core.inputs.decoding import decode
from daam_core.training.data_rows import DataRow, Rows, TableColumns, TextFormat, listed
from daam_core.training.data_stored import ARROW, PARQUET, StoredInput, read_stored

_SEPARATED, _JSON_LINES = (".csv", ".tsv", ".tab"), (".jsonl", ".ndjson", ".json")
#: Endings of files that are read as tables, in small letters.
TABLES = (*_SEPARATED, *_JSON_LINES, *PARQUET, *ARROW)
#: Usual names of columns, tried in this order where none is given.
TEXT_COLUMNS = ("text", "sentence", "content", "review", "document", "message")
PATH_COLUMNS = ("path", "file", "filename", "file_name", "filepath", "audio", "sound", "image", "picture")
LABEL_COLUMNS = ("label", "class", "category", "target", "class_name", "emotion", "topic")

#: What may separate cells, in this order where several fit.
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
#: Rows that tell what separates the cells.
_PROBED_ROWS = 50
#: A cell may be as long as a text file; the csv module's own limit is 131,072 characters.
_MAX_CELL = 4_000_000
#: Excel's first line of a table that says what separates its cells.
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)


Cell = str | StoredInput


@dataclass(frozen=True)
class _Table:
    """A table's own columns and rows."""

    columns: list[str]
    rows: list[list[Cell]]


def read_table(
    path: Path,
    modality: Modality,
    columns: TableColumns,
    written: TextFormat,
    found: Rows,
    *,
    labelled: bool = True,
    named: bool = False,
) -> None:
    """Add the inputs of a table.

    Args:
        path: the table; its ending says how it is written.
        modality: what the inputs are.
        columns: which ones to read.
        written: encoding, separator and heading of a text.
        found: what they are added to.
        labelled: whether every row needs a label; otherwise one that is there is read.
        named: whether a row's place names the table, as one of several.

    Raises:
        DataError: no table, a column is unknown, or a row cannot be used; its number is named.
    """
    suffix = path.suffix.lower()
    if suffix in (*PARQUET, *ARROW):
        stored = read_stored(path)
        table = _Table(stored.columns, stored.rows)
    elif suffix in _JSON_LINES:
        table = _of_json(path, _content(path, written, found), found)
    elif suffix in _SEPARATED:
        table = _parsed(path, _content(path, written, found), written, found)
        table, columns = _numbered(path, table, modality, columns, written, found)
    else:
        raise DataError(
            f"{path.name} is no table: a data set is a folder, or a file ending in {', '.join(TABLES)}."
        )
    if suffix not in _SEPARATED:
        written = TextFormat()  # these have names of columns always
    chosen = _chosen_columns(path, table, modality, columns, written, found, labelled=labelled)
    labels_of = _reader_of_labels(path, table, chosen, found)
    for number, cells in enumerate(table.rows, start=1):
        place = f"{path.name} row {number}" if named else f"row {number}"
        where = f"{path.name}, row {number}" + (" below the heading" if suffix in _SEPARATED else "")
        read = partial(_row, path, modality, chosen, labels_of, table.columns, cells, place, where, labelled)
        row = found.usable(read, place)
        if row is not None:
            found.rows.append(row)


def _of_json(path: Path, text: str, found: Rows) -> _Table:
    """JSON lines, an object each; or one list of objects."""
    objects: list[dict[str, object]] = []
    if text.lstrip().startswith("["):
        try:
            listed_whole = json.loads(text)
        except ValueError as error:
            raise DataError(f"{path.name} is no list of JSON objects: {error}.") from error
        numbered: Iterator[tuple[str, object]] = (
            (f"{path.name}, object {number}", one) for number, one in enumerate(listed_whole, start=1)
        )
    else:
        lines = enumerate(text.split("\n"), start=1)
        numbered = ((f"{path.name}, line {number}", line) for number, line in lines if line.strip())
    for where, one in numbered:
        kept = found.usable(partial(_object, where, one), where.rpartition(", ")[2])
        if kept is not None:
            objects.append(kept)
    names = list(dict.fromkeys(name for one in objects for name in one))
    return _Table(names, [[_json_cell(one.get(name)) for name in names] for one in objects])


def _object(where: str, given: object) -> dict[str, object]:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise DataError(f"{where}: it is no JSON: {error}.") from error
    if not isinstance(given, dict):
        raise DataError(f'{where}: it is no JSON object, such as {{"text": …, "label": …}}.')
    return given


def _json_cell(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _content(path: Path, written: TextFormat, found: Rows) -> str:
    try:
        decoded = decode(path.read_bytes(), path.name, encoding=written.encoding)
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    except InputError as error:
        raise DataError(str(error)) from error
    if decoded.note:
        found.notes.append(decoded.note)
    return decoded.text


def _parsed(path: Path, text: str, written: TextFormat, found: Rows) -> _Table:
    said = _SEPARATOR_LINE.match(text)
    if said is not None:
        text = text[said.end() :]
    delimiter = written.delimiter or (said[1] if said is not None else _delimiter(path, text, found))
    rows = _rows(path, text, delimiter, found)
    if not written.heading:
        return _Table(
            [str(number) for number in range(max(map(len, rows), default=0))], [[*row] for row in rows]
        )
    return _Table(rows[0] if rows else [], [[*row] for row in rows[1:]])


def _numbered(
    path: Path, table: _Table, modality: Modality, asked: TableColumns, written: TextFormat, found: Rows
) -> tuple[_Table, TableColumns]:
    """A table as AG News and the data sets around it are published: no heading, the number of the class first
    (from 1, names in ``classes.txt``), then one or more texts. Any other table stays as it is.
    """
    listed_names = path.parent / "classes.txt"
    if modality != "text" or asked != TableColumns() or not written.heading or not listed_names.is_file():
        return table, asked
    names = [line.strip() for line in listed_names.read_text("utf-8").splitlines() if line.strip()]
    rows: list[list[Cell]] = [[*table.columns], *table.rows]
    numbers = {str(number): name for number, name in enumerate(names, start=1)}
    if min(map(len, rows)) < 2 or any(row[0] not in numbers for row in rows):
        return table, asked
    found.notes.append(
        f"{path.name} has no heading: its first column numbers the classes of {listed_names.name}, "
        f"{listed(names)}; the others are the texts."
    )
    columns = [str(number) for number in range(len(rows[0]))]
    named = _Table(columns, [[numbers[str(row[0])], *row[1:]] for row in rows])
    return named, TableColumns(tuple(columns[1:]), columns[0])


def _delimiter(path: Path, text: str, found: Rows) -> str:
    """What separates the cells: by which most of the first rows have as many cells as the heading."""
    usual = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    fits: dict[str, tuple[float, int]] = {}
    for delimiter in sorted(_DELIMITERS, key=lambda one: one != usual):
        lengths = [len(row) for row in islice(_by_quotes(text, delimiter, strict=False), _PROBED_ROWS)]
        if lengths and lengths[0] > 1:
            fits[delimiter] = (lengths.count(lengths[0]) / len(lengths), lengths[0])
    best = max(fits, key=lambda one: fits[one], default=usual)
    if best != usual:
        found.notes.append(f"The cells of {path.name} are separated by {_DELIMITERS[best]}.")
    return best


def _rows(path: Path, text: str, delimiter: str, found: Rows) -> list[list[str]]:
    """A table's rows, its heading included, without empty lines.

    In a table of tabs a quotation mark is a letter like any other, unless it encloses a cell. In others it
    may enclose line breaks and separators, if that leaves every row as many cells as the heading.
    """
    lines = [_by_line(line, delimiter) for line in re.split(r"\r\n|\r|\n", text) if line]
    even = len({len(cells) for cells in lines}) == 1 and len(lines[0]) > 1
    if even and delimiter == "\t":
        return lines
    rows: list[list[str]] = []
    try:
        rows.extend(_by_quotes(text, delimiter, strict=True))
    except csv.Error as error:
        if not even:
            number = max(len(rows) - 1, 0)
            raise DataError(
                f"{path.name} is no proper table after row {number} below its heading: {error}."
            ) from error
    else:
        if not even or len({len(cells) for cells in rows}) == 1:
            return rows
    found.notes.append(
        f"Quotation marks in {path.name} do not come in pairs and were read as letters like any other."
    )
    return lines


def _by_line(line: str, delimiter: str) -> list[str]:
    return [_unquoted(cell) for cell in line.split(delimiter)]


def _unquoted(cell: str) -> str:
    """A cell without the marks that enclose it; marks inside must be doubled for that."""
    inner = cell[1:-1].replace('""', "")
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in inner
    return cell[1:-1].replace('""', '"') if quoted else cell


def _by_quotes(text: str, delimiter: str, *, strict: bool) -> Iterator[list[str]]:
    # One limit for the whole process; it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), _MAX_CELL))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    return (row for row in reader if row)


def _row(
    table: Path,
    modality: Modality,
    columns: TableColumns,
    labels_of: "ReadLabels",
    names: list[str],
    cells: list[Cell],
    place: str,
    where: str,
    labelled: bool,
) -> DataRow:
    by_name = dict(zip(names, cells, strict=False))
    needed = _all_of(columns)
    if len(cells) > len(names) or any(name not in by_name for name in needed):
        raise DataError(
            f"{where}: it has not as many cells as the heading, {len(cells)} and not {len(names)}; cells "
            "that hold the separator need quotation marks, and --delimiter names another separator."
        )
    said = {name: cell.strip() for name, cell in by_name.items() if isinstance(cell, str)}
    label = labels_of(said, where)
    if labelled and label is None:
        raise DataError(f"{where}: the column {columns.label!r} is empty.")
    label = label or ()
    group = said.get(columns.group) if columns.group else None
    others = {name: cell for name, cell in said.items() if name not in needed}
    first = by_name[columns.inputs[0]]
    if isinstance(first, StoredInput):
        return DataRow(first, label, place, group, others)
    given = [said.get(name, "") for name in columns.inputs]
    if not any(given):
        kind = "text" if modality == "text" else "path"
        raise DataError(f"{where}: the {kind} is empty.")
    if modality == "text":
        return DataRow("\n".join(cell for cell in given if cell), label, place, group, others)
    path = table.parent / given[0]
    try:
        there = path.is_file()
    except (OSError, ValueError):  # a name too long for the file system, or with a NUL in it
        there = False
    if not there:
        raise DataError(f"{where}: there is no file {given[0]!r}; paths are relative to the table's folder.")
    return DataRow(path, label, place, group, others)


def _chosen_columns(
    path: Path,
    table: _Table,
    modality: Modality,
    asked: TableColumns,
    written: TextFormat,
    found: Rows,
    *,
    labelled: bool,
) -> TableColumns:
    present = table.columns
    given = _all_of(asked)
    if not present:
        raise DataError(f"{path.name} is empty; give a table with a row for each input.")
    for name in given:
        if name not in present:
            raise DataError(f"{path.name} has no column {name!r}; its columns are {_named(present)}.")
        if present.count(name) > 1:
            raise DataError(f"{path.name} has {present.count(name)} columns called {name!r}; rename them.")
    if not written.heading and not (asked.inputs and (asked.label or asked.classes)):
        asked = _guessed(path, table, modality, asked, found)
    usual = TEXT_COLUMNS if modality == "text" else PATH_COLUMNS
    inputs = asked.inputs or tuple(_usual(present, usual)[:1])
    label = asked.label or next(iter([] if asked.classes else _usual(present, LABEL_COLUMNS)), None)
    if not inputs or (label is None and not asked.classes and labelled):
        what, option = ("texts" if modality == "text" else "paths", "--input-column")
        if inputs:
            what, option = "labels", "--label-column"
        heading = ", or give --no-heading if its first row is one of the inputs"
        heading = heading if path.suffix.lower() in _SEPARATED else ""
        raise DataError(
            f"{path.name}: which column holds the {what}? Its columns are {_named(present)}; name one with "
            f"{option}{heading}."
        )
    if modality != "text" and len(inputs) > 1:
        raise DataError(f"Paths stand in one column, got {len(inputs)}: {listed(inputs)}.")
    stored = (
        {name for name, cell in zip(present, table.rows[0], strict=False) if not isinstance(cell, str)}
        if table.rows
        else set()
    )
    if wrong := [
        name
        for name in (label, asked.group, *asked.classes, *(inputs if modality == "text" else ()))
        if name in stored
    ]:
        raise DataError(
            f"The column {wrong[0]!r} of {path.name} holds files and no texts; name another column."
        )
    if modality == "text" and not asked.inputs and written.heading and not found.rows:  # said once
        found.notes += _other_texts(path, table, inputs, (label, asked.group))
    return replace(asked, inputs=inputs, label=label)


def _other_texts(path: Path, table: _Table, taken: Sequence[str], known: Sequence[str | None]) -> list[str]:
    """A sentence where other columns than the one that was taken hold texts of several words, too."""

    def holds_texts(place: int) -> bool:
        cells = [str(row[place]) for row in table.rows[:_PROBED_ROWS] if place < len(row)]
        return 2 * sum(len(cell.split()) > 2 for cell in cells) > len(cells)

    others = [
        name
        for place, name in enumerate(table.columns)
        if name not in (*taken, *known) and holds_texts(place)
    ]
    said = (
        f"The texts of {path.name} are read from the column {taken[0]!r} and not from {_named(others)}; "
        "--input-column names one or several."
    )
    return [said] if others else []


#: Labels of a row's cells; None where there are none though each input has one. The text says where it is.
ReadLabels = Callable[[dict[str, str], str], tuple[str, ...] | None]


def _reader_of_labels(path: Path, table: _Table, columns: TableColumns, found: Rows) -> ReadLabels:
    """How a row's labels are read: one, several in a cell, a list in it, or columns of 0 and 1."""
    label = columns.label
    if columns.classes:
        found.several = True
        return lambda said, where: tuple(n for n in columns.classes if _is_one(said.get(n, ""), n, where))
    if label is None:
        return lambda said, where: ()
    place = table.columns.index(label)
    cells = [str(row[place]).strip() for row in table.rows if place < len(row)]
    if cells and all(_listed_labels(cell) is not None for cell in cells):
        found.several = True
        found.notes.append(f"The column {label!r} of {path.name} holds lists: an input has several labels.")
        return lambda said, where: _listed_labels(said.get(label, ""))
    separator = columns.separator
    if separator is None:
        found.notes += _look_separated(path, label, cells)
        return lambda said, where: (said[label],) if said.get(label) else None
    found.several = True
    if not any(separator in cell for cell in cells):
        raise DataError(
            f"No label of {path.name} holds {separator!r}, which --label-separator says stands between "
            f"labels; a label is {cells[0][:40]!r}."
            if cells
            else f"{path.name} has no rows."
        )

    def separated(said: dict[str, str], where: str) -> tuple[str, ...]:
        names = (name.strip() for name in said.get(label, "").split(separator))
        return tuple(dict.fromkeys(name for name in names if name))

    return separated


def _is_one(cell: str, name: str, where: str) -> bool:
    """Whether a column of 0 and 1 says that the class is meant.

    Raises:
        DataError: it says something else.
    """
    said = {
        **dict.fromkeys(("1", "1.0", "true", "yes"), True),
        **dict.fromkeys(("0", "0.0", "false", "no", ""), False),
    }
    if cell.lower() not in said:
        raise DataError(
            f"{where}: the column {name!r} must hold 0 or 1, whether the input has this label, got "
            f"{cell[:40]!r}."
        )
    return said[cell.lower()]


def _listed_labels(cell: str) -> tuple[str, ...] | None:
    """Labels of a cell that is a JSON list of texts or numbers; None where it is none."""
    if not cell.startswith("["):
        return None
    try:
        listed_here = json.loads(cell)
    except ValueError:
        return None
    if not all(isinstance(one, str | int | float) for one in listed_here):
        return None
    return tuple(dict.fromkeys(str(one).strip() for one in listed_here if str(one).strip()))


def _look_separated(path: Path, label: str, cells: Sequence[str]) -> list[str]:
    """A sentence where labels look like several in one cell: parts of some are labels of their own."""
    alone = set(cells)
    for sign in "|;,":
        parts = [cell.split(sign) for cell in alone if sign in cell]
        if parts and all(part.strip() in alone for one in parts for part in one):
            example = next(cell for cell in cells if sign in cell)
            return [
                f"Labels of {path.name} such as {example[:40]!r} look like several in the column {label!r} "
                f"and are read as one; --label-separator {sign!r} reads them apart."
            ]
    return []


def _all_of(columns: TableColumns) -> list[str]:
    """Every column that is named."""
    single = (name for name in (columns.label, columns.group) if name is not None)
    return [*columns.inputs, *single, *columns.classes]


def _guessed(path: Path, table: _Table, modality: Modality, asked: TableColumns, found: Rows) -> TableColumns:
    """Columns without names: labels repeat, paths end as files do, texts are long."""
    cells = {
        name: [str(row[i]) for row in table.rows if i < len(row)] for i, name in enumerate(table.columns)
    }
    free = [name for name in table.columns if name not in (*asked.inputs, asked.label, asked.group)]

    def most_like_inputs(name: str) -> tuple[bool, int]:
        named = sum(modality_by_suffix(cell) == modality for cell in cells[name])
        return modality != "text" and 2 * named > len(cells[name]), sum(map(len, cells[name]))

    inputs = asked.inputs or tuple([max(free, key=most_like_inputs)] if free else [])
    repeating = [name for name in free if name not in inputs and len(set(cells[name])) > 1]
    label = asked.label or min(repeating, key=lambda name: len(set(cells[name])), default=None)
    if inputs and label is not None:
        found.notes.append(
            f"{path.name} was read without a heading: inputs from column {', '.join(inputs)}, labels from "
            f"column {label}; --input-column and --label-column name others."
        )
    return replace(asked, inputs=inputs, label=label)


def _named(columns: Sequence[str]) -> str:
    """Names of columns for a message, which may be whole texts where a heading is missing."""
    return listed([name if len(name) <= 40 else f"{name[:40].rstrip()}…" for name in columns])


def _usual(present: Sequence[str], names: Sequence[str]) -> list[str]:
    by_lower = {name.strip().lower(): name for name in present}
    return [by_lower[name] for name in names if name in by_lower]
