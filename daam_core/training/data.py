"""Data sets: what people have on disk, as inputs with labels.

A data set is a folder of class folders, a table (CSV, tabs, semicolons, JSON lines, Parquet) with a column of
inputs or their paths and a column of labels, what 🤗 datasets saved, or a name on the hub; any of them may
come in parts, such as train and test. The order of inputs never depends on the file system.
Letters: N inputs, C classes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.configuration import Labels
from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.inputs.files import is_address, sha256_of
from daam_core.inputs.text import text_sha256
from daam_core.training.data_cifar import CIFAR
from daam_core.training.data_classes import (
    classes_of,
    labels_of,
    never_or_always,
    of_chosen_classes,
    refuse_unknown,
    strange_folders,
)
from daam_core.training.data_folders import read_folder
from daam_core.training.data_layouts import is_iemocap, read_cifar, read_iemocap, refuse_beside_iemocap
from daam_core.training.data_parts import MEASURED, TRAINED, Files, HubFile, chosen_part, hub_name, parts_of
from daam_core.training.data_rows import (
    ClassChoice,
    DataRow,
    Given,
    Rows,
    Skipped,
    TableColumns,
    TextFormat,
    compiled,
    first_group,
    listed,
)
from daam_core.training.data_stored import StoredInput
from daam_core.training.data_tables import TABLES, read_table

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "MEASURED",
    "ClassChoice",
    "DataRow",
    "Dataset",
    "Given",
    "Skipped",
    "StoredInput",
    "TableColumns",
    "TextFormat",
    "content_hash",
    "joined",
    "load_dataset",
    "parts_of",
    "read_inputs",
    "shared_inputs",
    "size_of",
]

#: Column of the data set that an input is from, where several were joined.
DATA_SET = "data set"


@dataclass(frozen=True)
class Dataset:
    """N labelled inputs, in an order that is the same on every machine.

    Attributes:
        name: the folder's or table's name.
        modality: ``audio``, ``text`` or ``image``.
        inputs: N texts, or N sounds or pictures: paths, or cells of a table.
        labels: N class indices; none where inputs have several labels.
        class_names: C names, sorted, or in a model's order.
        places: N short names for messages and tables: a path below the folder, or a table's row.
        groups: N groups that must not be split between training and test, such as speakers; or None.
        columns: what else a table says of its inputs: N texts by column, "" where there is none.
        skipped: what was left out because it cannot be used, with the reasons.
        notes: sentences about how the data set was read and what looks strange about it.
        label_sets: N sets of class indices, each sorted, where an input has several labels or none of them;
            else None.
    """

    name: str
    modality: Modality
    inputs: tuple[Given, ...]
    labels: tuple[int, ...]
    class_names: tuple[str, ...]
    places: tuple[str, ...]
    groups: tuple[str, ...] | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()
    label_sets: tuple[tuple[int, ...], ...] | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def several(self) -> bool:
        """Whether an input may have several labels."""
        return self.label_sets is not None

    @property
    def targets(self) -> "Tensor":
        """``[N]`` int64 class indices; with several labels ``[N, C]`` float32, 1 for those an input has."""
        import torch  # here: a list of inputs is read, and refused, without waiting for it

        if self.label_sets is None:
            return torch.tensor(self.labels, dtype=torch.int64)
        found = torch.zeros(len(self), len(self.class_names))
        for row, labels in enumerate(self.label_sets):
            found[row, list(labels)] = 1
        return found

    @property
    def counts(self) -> dict[str, int]:
        """Samples by class name."""
        found = Counter(label for labels in self.sets for label in labels)
        return {name: found[index] for index, name in enumerate(self.class_names)}

    @property
    def sets(self) -> tuple[tuple[int, ...], ...]:
        """Of each input its class indices, one or several."""
        return tuple((label,) for label in self.labels) if self.label_sets is None else self.label_sets

    def with_labels(self, labels: Labels) -> "Dataset":
        """The same inputs for a classifier that decides for one class, or for several.

        Raises:
            DataError: they have several labels, and one class is decided for.
        """
        if labels == "several":
            return replace(self, labels=(), label_sets=self.sets)
        if self.several:
            raise DataError(
                f"The inputs of {self.name} have several labels each, and what they are for decides for one "
                "class: give data with one label an input, or a classifier for several (--labels several)."
            )
        return self

    def part(self, indices: Iterable[int]) -> "Dataset":
        """The inputs at ``indices``, in their order; classes stay the same."""
        chosen = [int(index) for index in indices]
        return replace(
            self,
            inputs=tuple(self.inputs[i] for i in chosen),
            labels=() if self.several else tuple(self.labels[i] for i in chosen),
            label_sets=None if self.label_sets is None else tuple(self.label_sets[i] for i in chosen),
            places=tuple(self.places[i] for i in chosen),
            groups=None if self.groups is None else tuple(self.groups[i] for i in chosen),
            columns={name: tuple(cells[i] for i in chosen) for name, cells in self.columns.items()},
        )


def load_dataset(
    path: str | Path,
    *,
    modality: Modality,
    columns: TableColumns | None = None,
    group_pattern: str | None = None,
    class_names: Sequence[str] | None = None,
    skip_broken: bool = False,
    written: TextFormat | None = None,
    classes: ClassChoice | None = None,
    part: str | None = None,
    preferred: Sequence[str] = TRAINED,
) -> Dataset:
    """Read the list of inputs and labels; sounds and pictures themselves are opened later.

    Files of other kinds and what computers put into folders is left out, and said in ``notes``; so is what
    was found out about encodings and separators, and classes that look like something else.

    Args:
        path: a folder of class folders or of parts; a table, whose paths are relative to it; a folder
            that 🤗 datasets saved; or a data set's name on the hub.
        modality: what the inputs are.
        columns: a table's columns, where their names are not the usual ones.
        group_pattern: regular expression searched for in each file's name, or, with a ``/`` in it, in its
            path from this data set's name on; its first group that matches (or the whole match) is the
            input's group. ``^(..)`` takes the first two characters of the name.
        class_names: the classes of a trained model, in its order; other labels are refused, and a class
            without inputs is one that does not occur. By default the labels found, sorted.
        skip_broken: leave out missing files, empty texts and rows without label, and list them in
            ``skipped``, instead of refusing the data set.
        written: encoding, separator and heading of tables and texts; found out by default.
        classes: which classes are meant, where that is not plain.
        part: which one is meant of a data set in parts.
        preferred: parts that are taken where nobody says, the first that is there.

    Raises:
        DataError: nothing is there, the classes are none or one, a column is unknown, a file is
            missing or a text empty; the message names the row or file.
    """
    if is_address(path):
        raise DataError("The data set is given as an address, and nothing is downloaded; fetch it first.")
    path = Path(path)
    columns, written, classes = columns or TableColumns(), written or TextFormat(), classes or ClassChoice()
    found = Rows(lenient=skip_broken)
    name = _read(
        path,
        modality,
        columns,
        written,
        classes,
        found,
        part=part,
        preferred=preferred,
        known=class_names or (),
    )
    rows = of_chosen_classes(path, found, classes, class_names)
    if not rows:
        raise DataError(f"{path.name} holds no inputs{_of_which(found.skipped)}.")
    sessions = len({row.group for row in rows})
    if sessions > 1 and group_pattern is None and is_iemocap(path):
        found.notes.append(
            f"The {sessions} sessions of {name} are its groups; with --folds {sessions} each is left out "
            "once."
        )
    if class_names is None:
        found.notes += never_or_always(path, rows, columns, classes, found)
    names = classes_of(path, rows, found) if class_names is None else tuple(class_names)
    refuse_unknown(path, rows, names)
    index = {name: number for number, name in enumerate(names)}
    if found.unusable:
        first = found.unusable[0]
        found.notes.append(
            f"Left out {len(found.unusable):,} inputs of {path.name} that cannot be used, the first: "
            f"{first.reason}"
        )
    if absent := sorted(set(names) - labels_of(rows)):
        found.notes.append(f"{path.name} has no inputs of {listed(absent)}; they count as absent.")
    return Dataset(
        name=name,
        modality=modality,
        inputs=tuple(row.given for row in rows),
        labels=() if found.several else tuple(index[row.label] for row in rows),
        label_sets=tuple(tuple(sorted(index[label] for label in row.labels)) for row in rows)
        if found.several
        else None,
        class_names=names,
        places=tuple(row.place for row in rows),
        groups=_groups(name, rows, columns, group_pattern),
        columns=_columns(rows),
        skipped=tuple(found.skipped),
        notes=tuple(found.notes),
    )


def joined(datasets: Sequence[Dataset]) -> Dataset:
    """Several data sets as one, whose column ``data set`` says which each input is from.

    Classes of one name are one class. A group stays within its data set: ``speech-emodb/03``.

    Raises:
        DataError: two of them have the same name, other modalities, or only some of them groups.
    """
    if len(datasets) == 1:
        return datasets[0]
    if any(dataset.several for dataset in datasets):
        datasets = [dataset.with_labels("several") for dataset in datasets]
    sets = [dataset.name for dataset in datasets]
    if twice := [name for name, count in Counter(sets).items() if count > 1]:
        raise DataError(
            f"Two of the data sets are called {twice[0]!r}; rename one: their inputs are told apart by it."
        )
    if len({dataset.modality for dataset in datasets}) > 1 or len({d.groups is None for d in datasets}) > 1:
        raise DataError(
            f"{listed(sets)} cannot be joined: all must be of one modality, with groups or without."
        )
    names = tuple(dict.fromkeys(name for dataset in datasets for name in dataset.class_names))
    if len({dataset.class_names for dataset in datasets}) > 1:
        names = tuple(sorted(names))
    columns = dict.fromkeys(name for dataset in datasets for name in dataset.columns)
    return Dataset(
        name=" + ".join(sets),
        modality=datasets[0].modality,
        inputs=tuple(given for dataset in datasets for given in dataset.inputs),
        labels=tuple(names.index(d.class_names[label]) for d in datasets for label in d.labels),
        label_sets=tuple(
            tuple(sorted(names.index(d.class_names[label]) for label in labels))
            for d in datasets
            for labels in d.sets
        )
        if datasets[0].several
        else None,
        class_names=names,
        places=tuple(f"{dataset.name}/{place}" for dataset in datasets for place in dataset.places),
        groups=None
        if datasets[0].groups is None
        else tuple(f"{dataset.name}/{group}" for dataset in datasets for group in dataset.groups or ()),
        columns={
            name: tuple(cell for d in datasets for cell in d.columns.get(name, ("",) * len(d)))
            for name in columns
        }
        | {DATA_SET: tuple(dataset.name for dataset in datasets for _ in dataset.inputs)},
        skipped=tuple(
            replace(skipped, place=f"{dataset.name}/{skipped.place}")
            for dataset in datasets
            for skipped in dataset.skipped
        ),
        notes=tuple(note for dataset in datasets for note in dataset.notes),
    )


def read_inputs(
    path: str | Path,
    *,
    modality: Modality,
    columns: TableColumns | None = None,
    part: str | None = None,
    class_names: Sequence[str] = (),
) -> tuple[list[DataRow], list[str]]:
    """The inputs of a table, of a data set's tables or of IEMOCAP, labelled or not, and sentences about how
    they were read.

    Args:
        path, modality, columns, part: as of :func:`load_dataset`.
        class_names: of a model; they say whether IEMOCAP's excitement is a class of its own.

    Raises:
        DataError: as :func:`load_dataset`.
    """
    found = Rows(lenient=False)
    _read(
        Path(path),
        modality,
        columns or TableColumns(),
        TextFormat(),
        ClassChoice(),
        found,
        part=part,
        preferred=MEASURED,
        labelled=False,
        known=class_names,
    )
    return found.rows, found.notes


def content_hash(given: Given) -> str:
    """SHA-256 of a text, or of the bytes of a file or cell.

    Raises:
        DataError: the file cannot be read.
    """
    if isinstance(given, str):
        return text_sha256(given)
    if isinstance(given, StoredInput):
        content = given["bytes"]
        if isinstance(content, bytes):
            return hashlib.sha256(content).hexdigest()
        given = Path(str(given["path"]))
    try:
        with given.open("rb") as file:
            return sha256_of(file)
    except OSError as error:
        raise DataError(f"{given.name} cannot be read: {error.strerror}.") from error


def size_of(given: Path | StoredInput) -> int:
    """A file's size in bytes, of a cell that of its table; -1 where there is no such file."""
    try:
        return (given.file if isinstance(given, StoredInput) else given).stat().st_size
    except OSError:
        return -1


def shared_inputs(tested: Dataset, trained: Dataset) -> int:
    """How many inputs of ``tested`` occur in ``trained`` too, by content: on those, accuracy flatters."""
    known = {content_hash(given) for given in trained.inputs}
    return sum(content_hash(given) in known for given in tested.inputs)


# Reading


def _read(
    path: Path,
    modality: Modality,
    columns: TableColumns,
    written: TextFormat,
    classes: ClassChoice,
    found: Rows,
    *,
    part: str | None,
    preferred: Sequence[str],
    labelled: bool = True,
    known: Sequence[str] = (),
) -> str:
    """Add what a data set holds; its name."""
    name = path.as_posix() if hub_name(path) else path.resolve().name
    files: Files = [path]
    if (parts := parts_of(path, classes)) is not None:
        chosen, said = chosen_part(name, parts, part, preferred)
        found.notes += [said] if said else []
        files, name = parts[chosen], f"{name}/{chosen}" if chosen else name
    elif part is not None:
        raise DataError(f"{name} has no parts; leave out --part.")
    for file in files:
        place = file.fetch() if isinstance(file, HubFile) else file
        if place.is_dir():
            if columns != TableColumns():
                raise DataError(f"{place.name} is a folder of class folders: columns are for tables only.")
            if is_iemocap(place):
                read_iemocap(place, modality, classes, found, labelled=labelled, known=known)
                continue
            if classes.pattern is None:
                refuse_beside_iemocap(place)
            read_folder(place, modality, written, classes, found)
            if not classes.names and classes.pattern is None:
                found.notes += strange_folders(place, sorted(labels_of(found.rows)))
        elif place.is_file():
            if classes.pattern is not None:
                raise DataError(
                    f"{place.name} is a table, its classes are a column: leave out --class-pattern."
                )
            if place.suffix == CIFAR:
                read_cifar(place, modality, columns, found)
                continue
            named = len(files) > 1
            read_table(place, modality, columns, written, found, labelled=labelled, named=named)
        else:
            raise DataError(
                f"There is no data set {place.name!r}: give a folder of class folders, or a table "
                f"({', '.join(TABLES)})."
            )
    return name


def _columns(rows: Sequence[DataRow]) -> dict[str, tuple[str, ...]]:
    names = dict.fromkeys(name for row in rows for name in row.columns)
    return {name: tuple(row.columns.get(name, "") for row in rows) for name in names}


def _groups(
    data_set: str, rows: Sequence[DataRow], columns: TableColumns, pattern: str | None
) -> tuple[str, ...] | None:
    if pattern is None:
        grouped = columns.group or any(row.group is not None for row in rows)
        return tuple(row.group or "" for row in rows) if grouped else None
    if columns.group:
        raise DataError("Groups come from a column or from a pattern of the files' names, not from both.")
    expression = compiled(pattern, "group")
    what = "path" if "/" in pattern else "file name"
    groups = []
    for row in rows:
        if what == "path":
            name = f"{data_set}/{row.place}"
        else:
            name = row.given.name if isinstance(row.given, Path) else row.place.rpartition("/")[2]
        match = expression.search(name)
        if match is None:
            raise DataError(f"The group pattern '{pattern}' does not match the {what} {name!r}.")
        groups.append(first_group(match))
    return tuple(groups)


def _of_which(skipped: Sequence[Skipped]) -> str:
    return f" that can be used ({len(skipped)} were skipped, {skipped[0].reason})" if skipped else ""
