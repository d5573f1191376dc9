"""Data sets: what people have on disk, as inputs with labels, and how it is split for measuring.

A data set is a folder of class folders, a table (CSV, tabs, semicolons, JSON lines, Parquet) with a column of
inputs or their paths and a column of labels, what 🤗 datasets saved, or a name on the hub; any of them may
come in parts, such as train and test. The order of inputs never depends on the file system.
Letters: N inputs, C classes.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from daam_core.configuration import Labels
from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.inputs.files import is_address, sha256_of
from daam_core.inputs.text import text_sha256
from daam_core.training.data_cifar import CIFAR
from daam_core.training.data_folders import PARTS, read_folder
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
    "at_most",
    "content_hash",
    "folds",
    "hold_out",
    "hold_out_groups",
    "joined",
    "load_dataset",
    "parts_of",
    "read_inputs",
    "shared_inputs",
    "size_of",
]

#: Column of the data set that an input is from, where several were joined.
DATA_SET = "data set"

#: Folders called like this are speakers, folds and the like; data sets put the class elsewhere.
_NUMBERED_PART = re.compile(
    r"(actor|speaker|spk|subject|subj|session|sess|fold|split|part|batch|participant|patient|person|user)"
    r"[ _-]*\d+",
    re.IGNORECASE,
)
#: Folders called like this hold inputs without a class.
_UNLABELLED = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled", "_background_noise_"})


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
    rows = _of_chosen_classes(path, found, classes, class_names)
    if not rows:
        raise DataError(f"{path.name} holds no inputs{_of_which(found.skipped)}.")
    sessions = len({row.group for row in rows})
    if sessions > 1 and group_pattern is None and is_iemocap(path):
        found.notes.append(
            f"The {sessions} sessions of {name} are its groups; with --folds {sessions} each is left out "
            "once."
        )
    if class_names is None and (never := _without_inputs(columns, classes, found)):
        found.notes.append(
            f"No input of {path.name} has the label {listed(never)}: what none has cannot be learned and is "
            "no class here."
        )
    names = tuple(class_names) if class_names is not None else _classes(path, rows, found)
    always = set.intersection(*({*row.labels} for row in rows)) if found.several else set()
    if class_names is None and always:
        found.notes.append(
            f"Every input of {path.name} has the label {listed(sorted(always))}: what tells it from its "
            "absence cannot be learned."
        )
    index = {name: number for number, name in enumerate(names)}
    for row in rows:
        for label in row.labels:
            if label in index:
                continue
            meant = {_spelling(name): name for name in names}.get(_spelling(label))
            remedy = (
                f"--merge-alike takes it for {meant!r}" if meant else "leave such inputs out with --classes"
            )
            raise DataError(
                f"{path.name}, {row.place}: the class {label!r} is not one of {listed(names)}; {remedy}."
            )
    if found.unusable:
        first = found.unusable[0]
        found.notes.append(
            f"Left out {len(found.unusable):,} inputs of {path.name} that cannot be used, the first: "
            f"{first.reason}"
        )
    if absent := sorted(set(names) - _present(rows)):
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


# Parts


def at_most(dataset: Dataset, per_class: int) -> Dataset:
    """At most so many inputs of each class, drawn with seed 0; of several labels, of each input's rarest.

    The data set's order stays, and a note says how many there are.
    """
    strata = np.array(_strata(dataset, 1))
    draw = np.random.default_rng(0)
    chosen = [draw.permutation(np.flatnonzero(strata == one))[:per_class] for one in np.unique(strata)]
    part = dataset.part(np.sort(np.concatenate(chosen)))
    note = f"Of {dataset.name} {len(part):,} of {len(dataset):,} inputs are taken, {per_class:,} a class."
    return part if len(part) == len(dataset) else replace(part, notes=(*part.notes, note))


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
    single = [name for name, count in dataset.counts.items() if count == 1]
    if single and not dataset.several:
        raise DataError(
            f"Only one of {len(dataset):,} inputs is of the class {single[0]!r}, which is too few to learn "
            "from and to hold out: name the other classes with --classes, or give 0 or a data set with "
            "--validation."
        )
    try:
        rest, held = train_test_split(
            np.arange(len(dataset)), test_size=size, stratify=_strata(dataset, 2), random_state=seed
        )
    except ValueError as error:
        classes = len(set(_strata(dataset, 2)))
        raise DataError(
            f"Holding out {amount:g} of {len(dataset)} inputs leaves a class without inputs: that part and "
            f"the rest need at least {classes} inputs each, one of each class. Say how many with "
            "--validation; or give a data set there, or 0 to hold out none."
        ) from error
    return np.sort(rest), np.sort(held)


def hold_out_groups(dataset: Dataset, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the inputs outside and inside the named groups.

    Raises:
        DataError: the data set has no groups or not these, or one part would be empty.
    """
    present = _require_groups(dataset)
    if missing := sorted(set(groups) - set(present)):
        raise DataError(f"There is no group {missing[0]!r}; the groups are {listed(sorted(set(present)))}.")
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
            raise DataError(f"{count} folds need as many groups; there are {len(names)}: {listed(names)}.")
        return [hold_out_groups(dataset, names[k::count]) for k in range(count)]
    smallest = min(dataset.counts.items(), key=lambda item: item[1])
    if smallest[1] < count and not dataset.several:
        raise DataError(
            f"{count} folds need {count} inputs of each class; {smallest[0]!r} has {smallest[1]}."
        )
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.zeros(len(dataset)), _strata(dataset, count))]


def _strata(dataset: Dataset, least: int) -> Sequence[int]:
    """What a split keeps in the same proportion: classes, or of several labels each input's rarest one.

    With several labels, those with fewer than ``least`` inputs go with the most frequent.
    """
    if dataset.label_sets is None:
        return dataset.labels
    frequency = Counter(label for labels in dataset.label_sets for label in labels)
    rarest = [min(labels, key=lambda label: frequency[label], default=-1) for labels in dataset.label_sets]
    sizes = Counter(rarest)
    most = sizes.most_common(1)[0][0]
    return [label if sizes[label] >= least else most for label in rarest]


def _require_groups(dataset: Dataset) -> tuple[str, ...]:
    if dataset.groups is None:
        raise DataError(
            f"{dataset.name} has no groups: name a column of groups, or a pattern for the files' names."
        )
    return dataset.groups


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
                found.notes += _strange_folders(place, sorted(_present(found.rows)))
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


def _of_chosen_classes(
    path: Path, found: Rows, classes: ClassChoice, class_names: Sequence[str] | None
) -> list[DataRow]:
    """The rows whose class is wanted, under the name that counts."""
    rows = _renamed(path, found.rows, classes, other=class_names is not None)
    alike = _alike([label for row in rows for label in row.labels], class_names or ())
    if classes.merge_alike:
        rows = _called(rows, alike)
    elif alike and not classes.names:
        one, other = next(iter(alike.items()))
        found.notes.append(
            f"The labels {one!r} and {other!r} of {path.name} differ only in case, white space or as 1 and "
            "1.0 do, and are two classes; --merge-alike makes them one, --classes all says they are two."
        )
    if not classes.names or classes.everything:
        return rows
    present = _present(rows)
    if class_names is None and (missing := sorted(set(classes.names) - present)):
        there = listed(sorted(present | found.not_read))
        raise DataError(f"{path.name} has no class {missing[0]!r}; its classes are {there}.")
    if found.several:  # an input without any of them is one that none of them fits
        return [replace(row, labels=tuple(one for one in row.labels if one in classes.names)) for row in rows]
    others = [row for row in rows if row.label not in classes.names]
    found.skipped += [Skipped(row.place, f"the class {row.label} was not asked for") for row in others]
    return [row for row in rows if row.label in classes.names]


def _renamed(path: Path, rows: list[DataRow], classes: ClassChoice, *, other: bool) -> list[DataRow]:
    """The rows with their classes called as asked; of another data set than the one that was trained on,
    not every class needs to be there.
    """
    new = dict(classes.renamed)
    present = _present(rows)
    if not other and (missing := [old for old in new if old not in present]):
        raise DataError(
            f"{path.name} has no class {missing[0]!r} to call {new[missing[0]]!r}; its classes are "
            f"{listed(sorted(present))}."
        )
    return _called(rows, new) if new else rows


def _called(rows: Sequence[DataRow], names: Mapping[str, str]) -> list[DataRow]:
    """The rows with their labels by other names; two that get one name are one."""
    return [
        replace(row, labels=tuple(dict.fromkeys(names.get(one, one) for one in row.labels))) for row in rows
    ]


def _present(rows: Iterable[DataRow]) -> set[str]:
    """Labels that occur."""
    return {label for row in rows for label in row.labels}


def _alike(labels: Sequence[str], preferred: Sequence[str]) -> dict[str, str]:
    """For each label that is another in other spelling: that one, a model's or the most frequent."""
    counts = Counter(labels)
    order = [*preferred, *sorted(counts, key=lambda label: (-counts[label], label))]
    first: dict[str, str] = {}
    for label in order:
        first.setdefault(_spelling(label), label)
    return {label: first[_spelling(label)] for label in sorted(counts) if first[_spelling(label)] != label}


def _spelling(label: str) -> str:
    """What labels have in common that are the same to people."""
    try:
        number = Decimal(label)
    except InvalidOperation:
        number = Decimal("nan")
    if number.is_finite():
        return str(number.normalize())
    return " ".join(re.split(r"[\s_]+", unicodedata.normalize("NFKC", label).casefold())).strip()


def _strange_folders(path: Path, names: Sequence[str]) -> list[str]:
    """One sentence where class folders look like speakers, folds or parts."""
    numbered = [name for name in names if _NUMBERED_PART.fullmatch(name)]
    parts = [name for name in names if name.lower() in PARTS]
    unlabelled = [name for name in names if name.lower() in _UNLABELLED]
    if len(numbered) > 1:
        strange, like = numbered, "speakers, sessions or folds"
    elif parts:
        strange, like = parts, "parts of a data set"
    elif unlabelled:
        strange, like = unlabelled, "inputs without a class"
    else:
        return []
    return [
        f"The folders {listed(strange, most=3)} of {path.name} are taken for classes but look like {like}: "
        "--classes names the classes (all: every folder), --class-pattern says where else they stand."
    ]


def _without_inputs(columns: TableColumns, classes: ClassChoice, found: Rows) -> list[str]:
    """Columns of 0 and 1 that are read as classes and hold no 1."""
    if classes.names and not classes.everything:
        return []  # those are asked for by name, and refused where they are missing
    return sorted(set(columns.classes) - _present(found.rows))


def _classes(path: Path, rows: Sequence[DataRow], found: Rows) -> tuple[str, ...]:
    """The labels found, sorted."""
    names = sorted(_present(rows))
    if len(names) < 2:
        why = "".join(f" {note}" for note in found.notes)
        held = f"the one class {names[0]!r}" if names else "no class: not one input has a label"
        raise DataError(f"{path.name} holds {held}; a classifier needs at least two.{why}")
    return tuple(names)


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
