"""Which inputs of a study are meant: filters, orders, slices by a column, and selections that were saved.

Everything here names inputs by their numbers, ``[M]`` or fewer, as ``Study.numbers`` does.
"""

import json
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daam_core.errors import DaamError, DataError
from daam_core.study.folder import Study
from daam_core.writing.files import write_text

SELECTIONS = "selections.json"
#: Of every study's columns, those whose values make slices; the data set's own are added.
_SLICED = ("label", "prediction", "right", "group")
#: The column that names what inputs have in common, such as their speaker.
GROUP = "group"
_SPOKEN = {True: "right", False: "wrong"}


def slice_columns(study: Study) -> tuple[str, ...]:
    """Columns whose values make slices: label, prediction, right, group, and the data set's own."""
    names = (*_SLICED, *study.facts.columns)
    return tuple(name for name in names if study.explained[name].null_count < study.explained.num_rows)


def unit_columns(study: Study) -> tuple[str, ...]:
    """Columns whose values several inputs share, so that these may be dealt together: ``group`` and the data
    set's own."""
    rows = study.explained
    distinct = {name: pc.count_distinct(rows[name]).as_py() for name in (GROUP, *study.facts.columns)}
    return tuple(
        name for name, values in distinct.items() if 1 < values < rows.num_rows - rows[name].null_count
    )


def slice_counts(study: Study, column: str) -> dict[str, int]:
    """How many explained inputs each value of a column has, the most frequent first; of several labels each.

    ``right`` has the values ``right`` and ``wrong``.

    Raises:
        DataError: there is no such column.
    """
    texts = _texts(study, column)
    counted = pc.value_counts(pc.list_flatten(texts) if _of_sets(texts) else texts).to_pylist()
    counted.sort(key=lambda pair: (-pair["counts"], str(pair["values"])))
    return {str(pair["values"]): int(pair["counts"]) for pair in counted if pair["values"] is not None}


def inputs_of(study: Study, column: str, value: str) -> np.ndarray:
    """Numbers of the explained inputs whose column has a value.

    Raises:
        DataError: there is no such column, or no input has the value.
    """
    found: np.ndarray = study.numbers[_having(study, column, value)]
    if not len(found):
        raise DataError(
            f"No explained input of {study.facts.data} has {value!r} as its {column}; "
            f"give one of {', '.join(list(slice_counts(study, column))[:12])}."
        )
    return found


def matching(
    study: Study,
    *,
    where: Mapping[str, str] | None = None,
    confidence: tuple[float, float] = (0, 1),
    containing: str = "",
) -> np.ndarray:
    """Numbers of the explained inputs that fit every condition.

    Args:
        study: the study.
        where: values by column, as :func:`slice_columns` and :func:`slice_counts` name them; of several
            labels any may be the value.
        confidence: least and largest probability of the predicted class.
        containing: letters that the text or the place holds, in either case.

    Raises:
        DataError: there is no such column.
    """
    rows = study.explained
    fits = np.ones(rows.num_rows, dtype=bool)
    for column, value in (where or {}).items():
        fits &= _having(study, column, value)
    if confidence != (0, 1):
        probabilities = np.asarray(rows["confidence"])
        fits &= (probabilities >= np.float32(confidence[0])) & (probabilities <= np.float32(confidence[1]))
    if containing:
        either = [
            _mask(pc.match_substring(rows[name], containing, ignore_case=True)) for name in ("text", "place")
        ]
        fits &= either[0] | either[1]
    found: np.ndarray = study.numbers[fits]
    return found


def ordered(
    study: Study, numbers: np.ndarray, column: str = "confidence", *, falling: bool = False
) -> np.ndarray:
    """Some inputs in the order of a column; ``errors`` puts errors first, the most confident first.

    Raises:
        DataError: there is no such column.
    """
    rows = study.rows.take(study.rows_of(numbers))
    if column == "errors":
        right = _mask(rows["right"])
        order = np.lexsort((-np.asarray(rows["confidence"]), right))
    elif column in rows.column_names:
        direction = "descending" if falling else "ascending"
        keys = pc.binary_join(rows[column], ", ") if _of_sets(rows[column]) else rows[column]
        order = np.asarray(pc.sort_indices(keys, sort_keys=[("", direction)]))
    else:
        raise DataError(
            f"The study has no column {column!r}; its columns are {', '.join(rows.column_names)}."
        )
    chosen: np.ndarray = numbers[order]
    return chosen


def save_selection(study: Study, name: str, numbers: np.ndarray) -> None:
    """Keep some inputs under a name, in the study's folder; an earlier selection of that name is replaced.

    Raises:
        DataError: the name is empty, or an input is not one of the study's explained ones.
        DaamError: the folder cannot be written to.
    """
    if not name.strip():
        raise DataError("A selection needs a name.")
    if len(unknown := np.setdiff1d(numbers, study.numbers)):
        raise DataError(f"Input {unknown[0]} is not one that was explained.")
    kept = {other: inside.tolist() for other, inside in selections(study).items()}
    kept[name.strip()] = np.unique(numbers).tolist()
    write_text(study.folder / SELECTIONS, json.dumps(kept, ensure_ascii=False) + "\n")


def why_not_written(write: Callable[[], None]) -> str:
    """Write selections; why the study's folder cannot be written to, empty where it was.

    Raises:
        DaamError: what else ``write`` raises.
    """
    try:
        write()
    except DaamError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        return f"the study's folder cannot be written to ({error.__cause__.strerror})"
    return ""


def drop_selection(study: Study, name: str) -> None:
    """Remove a saved selection; one that is not there is none to remove.

    Raises:
        DataError: the file of selections is damaged.
        DaamError: the folder cannot be written to.
    """
    kept = {other: inside.tolist() for other, inside in selections(study).items()}
    if kept.pop(name.strip(), None) is not None:
        write_text(study.folder / SELECTIONS, json.dumps(kept, ensure_ascii=False) + "\n")


def rename_selection(study: Study, name: str, other: str) -> None:
    """Give a saved selection another name; its place among them stays.

    Raises:
        DataError: there is no such selection, the new name is empty or another selection's, or the file of
            selections is damaged.
        DaamError: the folder cannot be written to.
    """
    kept, name, other = selections(study), name.strip(), other.strip()
    if name not in kept:
        raise DataError(f"There is no selection {name!r}; there is {', '.join(kept) or 'none'}.")
    if not other:
        raise DataError("A selection needs a name.")
    if other in kept and other != name:
        raise DataError(f"There is a selection {other!r} already; give another name, or remove that one.")
    renamed = {other if one == name else one: inside.tolist() for one, inside in kept.items()}
    write_text(study.folder / SELECTIONS, json.dumps(renamed, ensure_ascii=False) + "\n")


def selections(study: Study) -> dict[str, np.ndarray]:
    """The saved selections: numbers of inputs by name, in the order in which they were saved.

    Raises:
        DataError: their file is damaged.
    """
    path = study.folder / SELECTIONS
    if not path.is_file():
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = {str(name): np.array(numbers, dtype=np.int64).reshape(-1) for name, numbers in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise DataError(f"{SELECTIONS} of the study {study.folder.name} is damaged; remove it.") from error
    return {name: np.intersect1d(numbers, study.numbers) for name, numbers in found.items()}


def _texts(study: Study, column: str) -> pa.ChunkedArray:
    if column not in (*_SLICED, *study.facts.columns):
        known = ", ".join(slice_columns(study))
        raise DataError(f"The study has no slices by {column!r}; its columns for slices are {known}.")
    found = study.explained[column]
    if pa.types.is_boolean(found.type):
        return pc.if_else(found, _SPOKEN[True], _SPOKEN[False])
    return found


def _of_sets(column: pa.ChunkedArray) -> bool:
    """Whether a row holds several texts: labels or predictions where an input may have several."""
    return bool(pa.types.is_list(column.type)) and bool(pa.types.is_string(column.type.value_type))


def _having(study: Study, column: str, value: str) -> np.ndarray:
    """``[M]`` bool: which explained inputs have a value in a column, as the only one or among others."""
    texts = _texts(study, column)
    return study.of_class(value, column) if _of_sets(texts) else _mask(pc.equal(texts, value))


def _mask(found: pa.ChunkedArray) -> np.ndarray:
    """Yes or no by row; a missing value is no."""
    return np.asarray(pc.fill_null(found, False), dtype=bool)
