"""Inputs that lie in a data set's own files: Parquet, and folders that 🤗 datasets saved (Arrow).

Rows are read at once, sounds and pictures when they are opened, so that any number of them takes no memory.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from daam_core.errors import DataError
from daam_core.training.data_cifar import CIFAR, cifar_picture

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather")
#: What a folder holds that 🤗 datasets saved: one data set, or its parts.
SAVED, SAVED_PARTS = "dataset_info.json", "dataset_dict.json"


@dataclass(frozen=True)
class StoredInput(Mapping[str, object]):
    """A sound or picture in a table's cell, as 🤗 datasets stores it: ``{"bytes": …, "path": …}``.

    It is read from the file each time it is asked for.

    Attributes:
        file: the Parquet or Arrow file, or one of CIFAR's.
        column: the column's name.
        row: from 0.
    """

    file: Path
    column: str
    row: int

    def __getitem__(self, key: str) -> object:
        if key not in ("bytes", "path"):
            raise KeyError(key)
        found = _cell(self.file, self.column, self.row)
        if not isinstance(found, Mapping):
            return found if key == "bytes" else None
        path = found.get("path")
        if key == "path" and isinstance(path, str):
            return str(self.file.parent / path)  # as it stands if it is absolute
        return found.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("bytes", "path"))

    def __len__(self) -> int:
        return 2

    def __str__(self) -> str:
        return f"{self.file}#{self.column}:{self.row}"


def stored_input(place: str) -> StoredInput:
    """What ``str`` made of a :class:`StoredInput`.

    Raises:
        ValueError: it did not.
    """
    file, _, inside = place.rpartition("#")
    column, _, row = inside.rpartition(":")
    if not file or not column:
        raise ValueError(f"{place!r} names no cell of a table")
    return StoredInput(Path(file), column, int(row))


@dataclass(frozen=True)
class StoredTable:
    """A table's columns and rows, all but sounds and pictures as texts; those are :class:`StoredInput`.

    Attributes:
        columns: the names of those that can be read.
        rows: of each row its cells; a missing value is an empty text.
    """

    columns: list[str]
    rows: list[list[str | StoredInput]]


def read_stored(file: Path) -> StoredTable:
    """Read a Parquet or Arrow file; numbers of classes become their names, where the file has them.

    Raises:
        DataError: it is damaged, or pyarrow is not installed.
    """
    pa = _pyarrow()
    try:
        schema = _schema(file)
        names = _class_names(file, schema)
        kept: dict[str, list[str | StoredInput]] = {}
        count = _rows(file)
        for field in schema:
            if pa.types.is_struct(field.type) or _is_binary(field.type):
                kept[field.name] = [StoredInput(file, field.name, row) for row in range(count)]
            elif not pa.types.is_nested(field.type) or _is_list_of_labels(field.type):
                cells = _column(file, field.name).to_pylist()
                kept[field.name] = [_text(cell, names.get(field.name)) for cell in cells]
    except (OSError, ValueError, pa.ArrowException) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{file.name} is damaged or no table of its kind ({said}); fetch it again."
        ) from error
    return StoredTable(list(kept), [list(cells) for cells in zip(*kept.values(), strict=True)])


def saved_parts(folder: Path) -> dict[str, list[Path]] | None:
    """Files of each part of a folder that 🤗 datasets saved (``save_to_disk``); the one part of a data set
    that has none is called "". None where it is no such folder.

    Raises:
        DataError: its own lists are damaged, or files are missing.
    """
    try:
        if (folder / SAVED_PARTS).is_file():
            splits = json.loads((folder / SAVED_PARTS).read_text("utf-8"))["splits"]
            return {str(split): _saved_files(folder / str(split)) for split in splits}
        if (folder / SAVED).is_file() and (folder / "state.json").is_file():
            return {"": _saved_files(folder)}
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"The folder {folder.name} looks like one that datasets saved, but its list of files is damaged; "
            "save it again."
        ) from error
    return None


def _saved_files(folder: Path) -> list[Path]:
    state = json.loads((folder / "state.json").read_text("utf-8"))
    if state.get("_indices_data_files"):
        raise DataError(
            f"{folder.name} was saved with a list of chosen rows; save it again after flatten_indices()."
        )
    files = [folder / Path(str(one["filename"])).name for one in state["_data_files"]]
    if missing := [file.name for file in files if not file.is_file()]:
        raise DataError(f"{folder.name} lacks its file {missing[0]}; save the data set again.")
    return files


# Files


@lru_cache(maxsize=8)
def _opened(file: Path) -> Any:
    """A Parquet file, or the mapped table of an Arrow file; little memory either way."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if file.suffix.lower() in PARQUET:
        return pq.ParquetFile(file, memory_map=True)
    mapped = pa.memory_map(str(file))
    try:
        return pa.ipc.open_stream(mapped).read_all()  # as 🤗 datasets writes it
    except pa.ArrowInvalid:
        mapped.seek(0)
        return pa.ipc.open_file(mapped).read_all()


def _schema(file: Path) -> "pa.Schema":
    found = _opened(file)
    return found.schema_arrow if file.suffix.lower() in PARQUET else found.schema


def _rows(file: Path) -> int:
    found = _opened(file)
    return int(found.metadata.num_rows if file.suffix.lower() in PARQUET else found.num_rows)


def _column(file: Path, name: str) -> "pa.ChunkedArray":
    found = _opened(file)
    table = found.read(columns=[name]) if file.suffix.lower() in PARQUET else found
    return table[name]


def _cell(file: Path, column: str, row: int) -> object:
    if file.suffix == CIFAR:
        return cifar_picture(file, row)
    found = _opened(file)
    if file.suffix.lower() not in PARQUET:
        return found[column][row].as_py()
    group = 0
    while row >= (size := found.metadata.row_group(group).num_rows):
        row, group = row - size, group + 1
    return _group(file, column, group)[column][row].as_py()


@lru_cache(maxsize=2)
def _group(file: Path, column: str, group: int) -> "pa.Table":
    """A column of a group of rows: inputs are read in their order, so the next one is in it too."""
    import pyarrow.parquet as pq

    # Its own reader: one of them does not read in several threads.
    return pq.ParquetFile(file).read_row_group(group, columns=[column])


def _is_binary(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _is_list_of_labels(kind: "pa.DataType") -> bool:
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inside = kind.value_type
    return bool(pa.types.is_string(inside) or pa.types.is_large_string(inside) or pa.types.is_integer(inside))


def _text(cell: object, names: Sequence[str] | None) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list):
        return json.dumps([_text(one, names) for one in cell], ensure_ascii=False)
    if names is not None and isinstance(cell, int):
        return names[cell] if 0 <= cell < len(names) else ""  # -1 is no class
    return str(cell)


def _class_names(file: Path, schema: "pa.Schema") -> dict[str, list[str]]:
    """Names of classes by column, where 🤗 datasets left them: in the file, or beside it."""
    found: object = None
    if schema.metadata and b"huggingface" in schema.metadata:
        found = json.loads(schema.metadata[b"huggingface"])
    elif (file.parent / SAVED).is_file():
        found = {"info": json.loads((file.parent / SAVED).read_text("utf-8"))}
    features = found.get("info", {}).get("features") if isinstance(found, dict) else None
    # What a list holds is said by its ``feature``.
    inner = {
        name: feature.get("feature") if isinstance(feature, dict) and "feature" in feature else feature
        for name, feature in (features or {}).items()
    }
    return {
        str(name): [str(one) for one in feature["names"]]
        for name, feature in inner.items()
        if isinstance(feature, dict) and isinstance(feature.get("names"), list)
    }


def _pyarrow() -> Any:
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise DataError(
            "Parquet and saved data sets need the package pyarrow: pip install pyarrow."
        ) from error
    return pa
