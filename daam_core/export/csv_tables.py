"""The cells of an explanation as a CSV table, and back; and its tokens as another.

Letters in shapes: H heads, L layers, F features, T tokens.
"""

import csv
import io
import json
from dataclasses import dataclass
from typing import Literal

import numpy as np

from daam_core.errors import DataError, InputError, first_line
from daam_core.export.summary import summary
from daam_core.reading.quantities import QUANTITIES, quantity_text
from daam_core.reading.words import join_words
from daam_core.result import AXIS_NAMES, Explanation

CSV_COLUMNS = (
    "head",
    "layer",
    "feature",
    "value",
    "gate",
    "amplitude",
    "density_attention",
    "importance",
    "class_importance",
)
_CSV_MEANINGS = (
    "index of the head, counted from 0",
    "index of the encoder layer, counted from 0",
    "index of the feature, counted from 0",
    "standardised pooled value",
    "how typical the value is for its feature, 0 to 1",
    "learned height of the head at this layer",
    "amplitude times gate",
    "Importance Factor, 0 to 1",
    "signed share in the logit of the explained class",
)
#: One column more, where the explanation has evidence.
EVIDENCE = "evidence"
_PLACES = {
    "audio": "seconds from the sound's beginning",
    "text": "index of a character of the text, counted from 0; the end is the character after the last",
    "image": "share of the picture's width or height, from its left or upper side",
}

#: What a CSV file has its rows of.
TableKind = Literal["cells", "tokens"]


@dataclass(frozen=True)
class CellTable:
    """The numbers of a CSV file as arrays, 0 in cells that a head does not see.

    Attributes:
        head_layers: ``[H, L]`` bool.
        values: ``[L, F]``.
        gate, density_attention, importance, class_importance: ``[H, L, F]``.
        amplitude: ``[H, L]``.
        evidence: ``[H, L, F]``, None where the table has no such column.
    """

    head_layers: np.ndarray
    values: np.ndarray
    gate: np.ndarray
    amplitude: np.ndarray
    density_attention: np.ndarray
    importance: np.ndarray
    class_importance: np.ndarray
    evidence: np.ndarray | None


def cell_columns(explanation: Explanation) -> dict[str, str]:
    """The columns of :func:`to_csv` and what they mean: :data:`CSV_COLUMNS`, and evidence if there is any."""
    meanings = dict(zip(CSV_COLUMNS, _CSV_MEANINGS, strict=True))
    if explanation.axis_names != AXIS_NAMES:
        names = zip(AXIS_NAMES, explanation.axis_names, strict=True)
        meanings |= {column: f"index along the axis {name!r}, counted from 0" for column, name in names}
    if explanation.n_levels > 1:
        size = explanation.shape[0] // explanation.n_levels
        meanings["head"] += f"; {size} of each of {explanation.n_levels} levels, the first level's first"
    if explanation.evidence is not None:
        meanings[EVIDENCE] = quantity_text("evidence", explanation.labels).meaning
    return meanings


def to_csv(explanation: Explanation) -> str:
    """One row for each head, layer it sees, and feature; see :func:`cell_columns`.

    Numbers have all their digits: read as float64 they equal the arrays' values exactly.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    header = cell_columns(explanation)
    writer.writerow(header)
    maps = [getattr(explanation, name) for name in header if name in QUANTITIES]
    for head, layer in np.argwhere(explanation.head_layers).tolist():
        columns = (explanation.values[layer].tolist(), *(one[head, layer].tolist() for one in maps))
        amplitude = float(explanation.amplitude[head, layer])
        for feature, (value, gate, *others) in enumerate(zip(*columns, strict=True)):
            writer.writerow((head, layer, feature, value, gate, amplitude, *others))
    return buffer.getvalue()


def from_csv(content: str | bytes) -> CellTable:
    """The numbers that :func:`to_csv` wrote, as float64; rows may stand in any order.

    Raises:
        DataError: other columns, a value that is no number, or cells that are missing or doubled.
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content.removeprefix("\ufeff")
        lines = text.splitlines()
        header = tuple(next(csv.reader(lines[:1]), []))
        if header not in (CSV_COLUMNS, (*CSV_COLUMNS, EVIDENCE)):
            raise DataError(
                f"The table needs the columns {', '.join(CSV_COLUMNS)}, in this order, and may have "
                f"{EVIDENCE} after them."
            )
        if not any(line.strip() for line in lines[1:]):
            raise DataError("The table is damaged: it has no rows.")
        rows = np.loadtxt(lines[1:], delimiter=",", dtype=np.float64, ndmin=2, comments=None)
    except (ValueError, csv.Error) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"The table is damaged: {first_line(error)}.") from error
    if rows.shape[1] != len(header) or not np.isfinite(rows).all():
        raise DataError(f"The table is damaged: every row needs {len(header)} finite numbers.")
    return _cell_table(rows, header)


def _cell_table(rows: np.ndarray, header: tuple[str, ...]) -> CellTable:
    cells = rows[:, :3].astype(np.int64)
    if (cells != rows[:, :3]).any() or (cells < 0).any():
        raise DataError("The table is damaged: head, layer and feature must be whole numbers from 0 on.")
    sizes = [len(np.unique(column)) for column in cells.T]
    complete = all(size == column.max() + 1 for size, column in zip(sizes, cells.T, strict=True))
    pairs = np.unique(cells[:, :2], axis=0)
    if not complete or len(np.unique(cells, axis=0)) != len(rows) or len(pairs) * sizes[2] != len(rows):
        raise DataError("The table is damaged: cells are missing, or listed twice.")
    heads, layers, features = sizes
    head, layer, feature = cells.T
    seen = np.zeros((heads, layers), dtype=bool)
    seen[head, layer] = True
    maps = {}
    for place, name in enumerate(header[3:], start=3):
        maps[name] = np.zeros((heads, layers, features))
        maps[name][head, layer, feature] = rows[:, place]
    values = maps["value"].max(axis=0, where=seen[:, :, None], initial=-np.inf)
    amplitude = maps["amplitude"].max(axis=2)
    for name, agreed in (("value", values[None]), ("amplitude", amplitude[:, :, None])):
        if (maps[name] != agreed)[seen].any():
            raise DataError(f"The table is damaged: {name} differs between rows where it cannot.")
    return CellTable(
        head_layers=seen,
        values=values,
        gate=maps["gate"],
        amplitude=amplitude,
        density_attention=maps["density_attention"],
        importance=maps["importance"],
        class_importance=maps["class_importance"],
        evidence=maps.get(EVIDENCE),
    )


def token_columns(explanation: Explanation) -> dict[str, str]:
    """The columns of :func:`to_token_csv` and what they mean.

    Raises:
        InputError: nothing is known of the input's tokens.
    """
    if explanation.modality not in _PLACES:
        raise InputError(
            f"The input of {explanation.model} has no tokens that are known, so there is no table of them; "
            "save its cells."
        )
    sides = ("left", "top", "right", "bottom") if explanation.modality == "image" else ("start", "end")
    where = f"{_PLACES[explanation.modality]}; empty for a token that stands for no part of the input"
    words = {
        "word": "the word of the text that the token is part of; empty for a special token",
        "word_attribution": "sum over the tokens of that word; empty for a special token",
    }
    heads = range(explanation.shape[0])
    said = "logit" if explanation.evidence is None else "evidence"
    return {
        "token": "index of the token, counted from 0",
        "label": "what the token is called",
        **dict.fromkeys(sides, where),
        **(words if explanation.modality == "text" else {}),
        "attribution": f"signed share in the {said} of the explained class, all heads together",
        **{f"attribution_head_{head}": f"the share that head {head} has in it" for head in heads},
    }


def to_token_csv(explanation: Explanation) -> str:
    """One row for each token: where it stands in the input, and what it says of the explained class.

    Numbers have all their digits. The sum of the column ``attribution`` is that of all cells' ``evidence``,
    where there is any, else of their ``class_importance``, up to rounding.

    Raises:
        InputError: nothing is known of the input's tokens.
    """
    e, columns = explanation, token_columns(explanation)
    parts: list[list[object]] = [[index, label] for index, label in enumerate(e.token_labels)]
    for row, span in zip(parts, e.token_spans.tolist(), strict=True):
        placed = not any(edge != edge for edge in span)
        edges = [int(edge) for edge in span] if placed and e.modality == "text" else span
        row += edges if placed else [""] * len(span)
    if e.text is not None:
        words = join_words(e.text, e.token_labels, e.token_spans, e.token_attribution)
        found = {token: word for word in words for token in word.tokens}
        for index, row in enumerate(parts):
            word = found[index]
            row += ["", ""] if word.start is None else [word.text, word.value]
    values = np.column_stack([e.token_attribution, e.head_token_attribution.T]).tolist()
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([*row, *numbers] for row, numbers in zip(parts, values, strict=True))
    return buffer.getvalue()


#: What a CSV's description takes over from the summary.
_NOTED = (
    *("model", "modality", "prediction", "explained", "probabilities", "in_words", "caution", "shape"),
    *("scale", "provenance"),
)


def csv_metadata(explanation: Explanation, file_name: str, *, table: TableKind = "cells") -> str:
    """Description of a CSV file in JSON, as the W3C's "CSV on the Web" defines it, with provenance."""
    meanings, key = cell_columns(explanation), list(CSV_COLUMNS[:3])
    if table == "tokens":
        meanings, key = token_columns(explanation), ["token"]
    columns = [
        {"name": name, "datatype": _datatype(name, explanation, key), "dc:description": text}
        for name, text in meanings.items()
    ]
    found = summary(explanation)
    content = {
        "@context": "http://www.w3.org/ns/csvw",
        "url": file_name,
        "tableSchema": {"columns": columns, "primaryKey": key},
        "notes": [{name: found[name] for name in _NOTED}],
    }
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _datatype(name: str, explanation: Explanation, key: list[str]) -> str:
    if name in key or (explanation.modality == "text" and name in ("start", "end")):
        return "integer"
    return "string" if name in ("label", "word") else "double"
