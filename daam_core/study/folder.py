"""A study's folder: facts as JSON, one row an input as Parquet, maps as memory-mapped arrays.

::

    study.json               what was studied, by which classifier
    rows/00000.parquet       256 inputs each; a part that is there is finished, with its maps
    maps/density_attention.npy     [N, H, L, F] float16
    maps/class_importance.npy      [N, H, L, F] float16, each input's largest size 1 (see ``Study``)
    maps/values.npy                [N, L, F] float16

Letters: N inputs, H heads, L layers, F features, C classes, T tokens.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from daam_core.errors import DataError
from daam_core.inputs import MODALITIES, Modality
from daam_core.study.place import FACTS
from daam_core.training.data_stored import StoredInput, stored_input
from daam_core.writing.files import replacing, write_text

if TYPE_CHECKING:
    import pandas as pd

VERSION = 2
#: Said where an input has none of several labels.
NONE = "none"
#: A place in a table, or in one of several.
_ROW = re.compile(r"(.* )?row \d+")
#: Inputs in a part: what an interruption loses at most.
PART = 256

StoredMap = Literal["density_attention", "class_importance", "values"]
MAPS: tuple[StoredMap, ...] = get_args(StoredMap)
#: What is asked of: the stored maps, and the gate, which is density attention without the amplitude.
MapName = StoredMap | Literal["gate"]

#: Columns of the rows; after them come the data set's own (``Facts.columns``). ``reason`` says why an
#: input could not be explained; then the rest is null. Where an input may have several labels, ``label`` and
#: ``prediction`` are lists of texts, in the order of the model's classes, and an input is ``right`` where
#: they are the same.
SCHEMA = pa.schema(
    [
        ("number", pa.int64()),  # among the N inputs, from 0
        ("place", pa.string()),  # the path below the data set's folder, or the table's row
        ("path", pa.string()),  # of a sound or picture, or of its cell in a table; null for a text
        ("sha256", pa.string()),  # of the input's bytes; null where it could not be read
        ("group", pa.string()),
        ("label", pa.string()),
        ("reason", pa.string()),
        ("prediction", pa.string()),
        ("right", pa.bool_()),
        ("confidence", pa.float32()),  # probability of the predicted class, or of the most probable one
        ("outside", pa.bool_()),  # farther from the training data than 95 % of the known inputs
        ("outside_distance", pa.float32()),
        ("outside_percentile", pa.float32()),  # of the known inputs lie closer
        ("probabilities", pa.list_(pa.float32())),  # [C]
        ("layers", pa.list_(pa.float32())),  # [L] percent of the density attention, heads together
        ("importance_scale", pa.float32()),  # largest |class importance|, what its map was divided by
        ("text", pa.string()),
        ("thumbnail", pa.binary()),  # of a picture, JPEG
        ("seconds", pa.float64()),  # of a sound
        ("token_spans", pa.list_(pa.float32())),  # [T · 2] or [T · 4], NaN where a token has no place
        ("token_attribution", pa.list_(pa.float32())),  # [T], for the predicted class
    ]
)


@dataclass(frozen=True)
class Facts:
    """What was studied, by which classifier.

    Attributes:
        model: the classifier's name.
        checkpoint_sha256: of its weights.
        encoder: the encoder's name.
        encoder_sha256: of its weights.
        modality: ``audio``, ``text`` or ``image``.
        class_names: C names.
        heads, layers, features: H, L and F.
        head_layers: ``[H][L]``, which layers each head sees.
        amplitude: ``[H][L]``, the learned height λ; density attention is amplitude × gate.
        columns: of the rows that are the data set's own, such as a speaker's age; texts.
        data: the data set's name.
        data_sha256: of all inputs' places, labels and texts, or their files' sizes, in order.
        inputs: N.
        tool: this program and its version.
        command: that made the study.
        version: of this layout.
        labels: ``one`` or ``several``: how many labels an input has.
    """

    model: str
    checkpoint_sha256: str
    encoder: str
    encoder_sha256: str
    modality: Modality
    class_names: tuple[str, ...]
    heads: int
    layers: int
    features: int
    head_layers: tuple[tuple[bool, ...], ...]
    amplitude: tuple[tuple[float, ...], ...]
    columns: tuple[str, ...]
    data: str
    data_sha256: str
    inputs: int
    tool: str
    command: str
    version: int = VERSION
    labels: str = "one"

    @property
    def parts(self) -> int:
        return -(-self.inputs // PART)

    @property
    def schema(self) -> pa.Schema:
        """Columns of the rows."""
        own = pa.schema([*SCHEMA, *((name, pa.string()) for name in self.columns)])
        if self.labels == "several":
            for name in ("label", "prediction"):
                own = own.set(own.get_field_index(name), pa.field(name, pa.list_(pa.string())))
        return own

    def map_shape(self, name: MapName) -> tuple[int, ...]:
        cells = (self.layers, self.features)
        return (self.inputs, *cells) if name == "values" else (self.inputs, self.heads, *cells)


class Study:
    """A study that was opened: rows in memory, maps on disk, read where they are asked for.

    Attributes:
        folder: where it lies.
        facts: what was studied.
        rows: one row an input, in order (``facts.schema``); those of unfinished parts are missing.
        numbers: ``[M]`` the inputs that were explained: places in the maps.
    """

    def __init__(self, folder: Path, facts: Facts, rows: pa.Table) -> None:
        self.folder, self.facts, self.rows = folder, facts, rows
        explained = np.asarray(rows["reason"].is_null())
        self.numbers = np.asarray(rows["number"])[explained]

    @property
    def complete(self) -> bool:
        """Whether every part was finished."""
        return bool(self.rows.num_rows == self.facts.inputs)

    def to_pandas(self) -> "pd.DataFrame":
        """The rows as a table of pandas."""
        return self.rows.to_pandas()

    @cached_property
    def explained(self) -> pa.Table:
        """The rows of ``numbers``."""
        return self.rows.filter(self.rows["reason"].is_null())

    def of_class(self, name: str, column: str = "label") -> np.ndarray:
        """``[M]`` bool: which explained inputs have this class, or are taken for it (``prediction``)."""
        found = self.explained[column]
        if self.facts.labels == "one":
            return np.asarray(pc.fill_null(pc.equal(found, name), False), dtype=bool)
        return np.array([name in (names or ()) for names in found.to_pylist()], dtype=bool)

    @cached_property
    def names(self) -> list[str]:
        """What people read the inputs of ``numbers`` called: ``[M]``.

        That is the place; where it is only a table's row, and the input a file, the file's path below the
        folder that holds them all.
        """
        rows = self.explained.select(["place", "path"]).to_pylist()
        files = [_file_of(row["place"], row["path"]) for row in rows]
        known = [file.parent for file in files if file]
        top = Path(os.path.commonpath(known)) if known else Path()
        return [
            row["place"] if file is None else file.relative_to(top).as_posix()
            for row, file in zip(rows, files, strict=True)
        ]

    @cached_property
    def refused(self) -> list[tuple[str, str]]:
        """Places and reasons of the inputs that could not be explained."""
        rows = self.rows.filter(self.rows["reason"].is_valid()).select(["place", "reason"])
        return [(row["place"], row["reason"]) for row in rows.to_pylist()]

    @cached_property
    def head_layers(self) -> np.ndarray:
        """``[H, L]`` bool, which layers each head sees."""
        return np.array(self.facts.head_layers)

    @cached_property
    def amplitude(self) -> np.ndarray:
        """``[H, L]`` float32, the learned height λ; 1 where a head does not see a layer or it vanishes."""
        heights = np.array(self.facts.amplitude, dtype=np.float32)
        return np.where(heights > 0, heights, np.float32(1))

    def map(self, name: StoredMap) -> np.ndarray:
        """A map of all N inputs, on disk; NaN where an input was not explained.

        ``class_importance`` is divided by each input's ``importance_scale``, since float16 ends at
        6e-8; :meth:`batches` multiplies it again.
        """
        stored: np.ndarray = np.load(self.folder / "maps" / f"{name}.npy", mmap_mode="r")
        return stored

    def batches(
        self, name: MapName, numbers: np.ndarray, *, size: int = PART, part: tuple[slice, ...] = ()
    ) -> Iterator[np.ndarray]:
        """Maps of some inputs, ``[≤ size, ..]`` float32 at a time, in their order.

        Args:
            name: the map.
            numbers: the inputs.
            size: how many are held at a time, at most.
            part: slices of the map's own axes, (head, layer, feature) or (layer, feature); the rest is
                not read.
        """
        stored = self.map("density_attention" if name == "gate" else name)
        for start in range(0, len(numbers), size):
            chosen = numbers[start : start + size]
            index: tuple[np.ndarray | slice, ...] = (chosen, *part)
            maps = stored[index].astype(np.float32)
            if name == "class_importance":
                maps *= self._importance_scales(chosen).reshape(-1, *[1] * (maps.ndim - 1))
            elif name == "gate":
                maps /= self.amplitude[part[:2]][..., None]
            yield maps

    def column(self, name: MapName, cell: tuple[int, ...]) -> np.ndarray:
        """One cell of every explained input, ``[M]`` float32; ``cell`` is (head, layer, feature), or
        (layer, feature) of the values."""
        stored = self.map("density_attention" if name == "gate" else name)
        found = stored.reshape(len(stored), -1)[:, np.ravel_multi_index(cell, stored.shape[1:])]
        found = found[self.numbers].astype(np.float32)
        if name == "class_importance":
            found = found * self._importance_scales(self.numbers)
        elif name == "gate":
            found = found / self.amplitude[cell[:2]]
        return np.asarray(found)

    def original(self, number: int) -> str | Path | StoredInput:
        """An input as it was given, to be explained again.

        Raises:
            DataError: there is no such input, or its file is no longer there.
        """
        row = self.rows.filter(pc.equal(self.rows["number"], number)).select(["text", "path"]).to_pylist()
        if not row:
            raise DataError(f"There is no input {number}; they go from 0 to {self.facts.inputs - 1}.")
        text, path = row[0]["text"], row[0]["path"]
        if path is None:
            return str(text or "")
        found = Path(path)
        if found.is_file():
            return found
        try:
            stored = stored_input(path)
        except ValueError:
            stored = None
        if stored is None or not stored.file.is_file():
            raise DataError(f"{found.name} is no longer where it was when the study was made.")
        return stored

    def _importance_scales(self, numbers: np.ndarray) -> np.ndarray:
        scales = np.asarray(self.rows["importance_scale"])[self.rows_of(numbers)]
        found: np.ndarray = scales.astype(np.float32)
        return found

    def rows_of(self, numbers: np.ndarray) -> np.ndarray:
        """Positions in ``rows`` of some inputs."""
        return np.searchsorted(np.asarray(self.rows["number"]), numbers)


def in_words(classes: str | Iterable[str]) -> str:
    """A row's label or prediction for reading: one class, or several with commas between."""
    return classes if isinstance(classes, str) else ", ".join(classes) or NONE


def open_study(folder: str | Path) -> Study:
    """Open a study, finished or not.

    Raises:
        DataError: there is none, it was made by another version, or a file is damaged.
    """
    folder = Path(folder)
    facts = read_facts(folder)
    try:
        parts = [
            pq.read_table(part_path(folder, part), schema=facts.schema) for part in finished(folder, facts)
        ]
        rows = pa.concat_tables(parts) if parts else facts.schema.empty_table()
        study = Study(folder, facts, rows)
        for name in MAPS:
            if (found := study.map(name)).shape != facts.map_shape(name) or found.dtype != np.float16:
                raise ValueError(f"{name}.npy has shape {list(found.shape)} and type {found.dtype}")
    except (OSError, ValueError, pa.ArrowException) as error:
        raise DataError(f"The study {folder.name} is damaged ({error}); make it again.") from error
    return study


def read_facts(folder: Path) -> Facts:
    """What a folder says that it is a study of.

    Raises:
        DataError: it is no study, or one of another version.
    """
    try:
        raw = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder.name} is no study: it holds no {FACTS}; daam study makes one.") from error
    except (OSError, ValueError) as error:
        raise DataError(f"{FACTS} of the study {folder.name} cannot be read; make it again.") from error
    if not isinstance(raw, dict) or raw.get("version") != VERSION:
        raise DataError(f"The study {folder.name} was made by another version; make it again.")
    facts = facts_of(raw)
    if facts is None:
        raise DataError(f"{FACTS} of the study {folder.name} is damaged; make the study again.")
    return facts


def facts_of(raw: Mapping[str, Any]) -> Facts | None:
    """Facts from plain values; None if they are none."""
    raw = {"labels": "one", **raw}  # those made before an input could have several do not say so
    if set(raw) != {field.name for field in fields(Facts)} or raw["modality"] not in MODALITIES:
        return None
    classes, columns, seen, heights = (
        raw[name] for name in ("class_names", "columns", "head_layers", "amplitude")
    )
    sizes = [raw[name] for name in ("heads", "layers", "features", "inputs")]
    if not all(isinstance(listed, list) for listed in (classes, columns, seen, heights)):
        return None
    if not all(type(size) is int and size > 0 for size in sizes) or raw["labels"] not in ("one", "several"):
        return None
    changed = {"class_names": tuple(classes), "columns": tuple(columns)} | {
        name: tuple(map(tuple, raw[name])) for name in ("head_layers", "amplitude")
    }
    return Facts(**{**raw, **changed})


def write_facts(folder: Path, facts: Facts) -> None:
    write_text(folder / FACTS, json.dumps(asdict(facts), indent=1, ensure_ascii=False) + "\n")


def _file_of(place: str, path: str | None) -> Path | None:
    """The file of an input that only has a row of a table as its place."""
    if path is None or not _ROW.fullmatch(place) or not Path(path).is_absolute():
        return None
    try:
        stored_input(path)
    except ValueError:
        return Path(path)
    return None  # a cell of a table is called by its row


def part_path(folder: Path, part: int) -> Path:
    return folder / "rows" / f"{part:05}.parquet"


def finished(folder: Path, facts: Facts) -> list[int]:
    """Parts that are there, with their maps."""
    return [part for part in range(facts.parts) if part_path(folder, part).is_file()]


def write_part(folder: Path, facts: Facts, part: int, rows: list[dict[str, object]]) -> None:
    """Write a part's rows; its maps must be on disk by then."""
    with replacing(part_path(folder, part)) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=facts.schema), temporary)


def new_maps(folder: Path, facts: Facts) -> None:
    """Make the maps' files, all NaN as far as the file system is concerned: zeros until written."""
    (folder / "maps").mkdir(parents=True, exist_ok=True)
    for name in MAPS:
        path = folder / "maps" / f"{name}.npy"
        np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=facts.map_shape(name)).flush()


def open_maps(folder: Path) -> dict[StoredMap, np.memmap]:
    """The maps, to be written."""
    return {name: np.lib.format.open_memmap(folder / "maps" / f"{name}.npy", mode="r+") for name in MAPS}
