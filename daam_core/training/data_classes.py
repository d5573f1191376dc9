"""Which classes a data set's rows have: chosen, renamed, merged, and what about them a person should hear."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from pathlib import Path

from daam_core.errors import DataError
from daam_core.training.data_folders import PARTS
from daam_core.training.data_rows import ClassChoice, DataRow, Rows, Skipped, TableColumns, listed

#: Folders called like this are speakers, folds and the like; data sets put the class elsewhere.
_NUMBERED_PART = re.compile(
    r"(actor|speaker|spk|subject|subj|session|sess|fold|split|part|batch|participant|patient|person|user)"
    r"[ _-]*\d+",
    re.IGNORECASE,
)
#: Folders called like this hold inputs without a class.
_UNLABELLED = frozenset({"unsup", "unsupervised", "unlabeled", "unlabelled", "_background_noise_"})


def of_chosen_classes(
    path: Path, found: Rows, classes: ClassChoice, class_names: Sequence[str] | None
) -> list[DataRow]:
    """The rows whose class is wanted, under the name that counts.

    Args:
        path: the data set, for messages.
        found: its rows; notes and what is skipped are added to it.
        classes: which classes are wanted, and what they are to be called.
        class_names: those of a trained model, or None.

    Raises:
        DataError: a class that was asked for does not occur.
    """
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
    present = labels_of(rows)
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
    present = labels_of(rows)
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


def labels_of(rows: Iterable[DataRow]) -> set[str]:
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


def strange_folders(path: Path, names: Sequence[str]) -> list[str]:
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


def never_or_always(
    path: Path, rows: Sequence[DataRow], columns: TableColumns, classes: ClassChoice, found: Rows
) -> list[str]:
    """Sentences about classes that no input has, or all have: neither can be learned."""
    notes = []
    by_name = classes.names and not classes.everything  # refused where they are missing
    if not by_name and (never := sorted(set(columns.classes) - labels_of(found.rows))):
        notes.append(
            f"No input of {path.name} has the label {listed(never)}: what none has cannot be learned and is "
            "no class here."
        )
    if found.several and (always := sorted(set.intersection(*({*row.labels} for row in rows)))):
        notes.append(
            f"Every input of {path.name} has the label {listed(always)}: what tells it from its absence "
            "cannot be learned."
        )
    return notes


def refuse_unknown(path: Path, rows: Sequence[DataRow], names: Sequence[str]) -> None:
    """Refuse labels that are none of these classes.

    Raises:
        DataError: names the first such input, and the class that is meant if only the spelling differs.
    """
    known = {*names}
    for row in rows:
        for label in row.labels:
            if label in known:
                continue
            meant = {_spelling(name): name for name in names}.get(_spelling(label))
            remedy = (
                f"--merge-alike takes it for {meant!r}" if meant else "leave such inputs out with --classes"
            )
            raise DataError(
                f"{path.name}, {row.place}: the class {label!r} is not one of {listed(names)}; {remedy}."
            )


def classes_of(path: Path, rows: Sequence[DataRow], found: Rows) -> tuple[str, ...]:
    """The labels found, sorted.

    Raises:
        DataError: they are fewer than two.
    """
    names = sorted(labels_of(rows))
    if len(names) < 2:
        why = "".join(f" {note}" for note in found.notes)
        held = f"the one class {names[0]!r}" if names else "no class: not one input has a label"
        raise DataError(f"{path.name} holds {held}; a classifier needs at least two.{why}")
    return tuple(names)
