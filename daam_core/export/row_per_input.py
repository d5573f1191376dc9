"""One row an input: what many explanations come down to, as JSON lines, CSV or Parquet."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from daam_core.errors import InputError
from daam_core.export.parquet import parquet_bytes
from daam_core.reading.outside import outside_columns
from daam_core.reading.quantities import top_cells
from daam_core.reading.words import join_words
from daam_core.result import Explanation
from daam_core.writing.files import replacing

ROW_SUFFIXES = ("jsonl", "csv", "parquet")
ExplanationRow = dict[str, object]
#: Layers and parts of the input that a row names.
_NAMED = 5


def explanation_row(explanation: Explanation) -> ExplanationRow:
    """An explanation without its arrays, as plain values.

    Returns:
        ``prediction``, ``confidence``, ``explained``, with several labels all that are ``predicted``;
        ``outside`` what the classifier knows, and how far;
        ``probabilities`` by class name; ``top_layers`` with
        their share of the density attention in percent; ``top_parts`` of the input, those of largest
        attribution (words of a text, else tokens, those that stand for a part of it), each with its ``span``.
    """
    e = explanation
    layers = e.layer_contribution.sum(0)
    if e.text is not None:
        words = join_words(e.text, e.token_labels, e.token_spans, e.token_attribution)
        parts = [
            (word.text, [word.start, word.end], word.value)
            for word in words
            if word.start is not None and word.end is not None
        ]
    else:
        tokens = zip(e.token_labels, e.token_spans, e.token_attribution.tolist(), strict=True)
        parts = [(label, span.tolist(), value) for label, span, value in tokens if not np.isnan(span).any()]
    parts.sort(key=lambda part: -abs(part[2]))
    return {
        "prediction": e.predicted_class,
        "confidence": float(e.probabilities[e.prediction]),
        **({} if e.labels == "one" else {"predicted": [e.class_names[index] for index in e.predicted]}),
        "explained": e.explained_class,
        **outside_columns(e),
        "probabilities": {name: float(p) for name, p in zip(e.class_names, e.probabilities, strict=True)},
        "top_layers": [
            {"layer": layer, "share": float(layers[layer])}
            for layer in top_cells(layers, _NAMED)[:, 0].tolist()
        ],
        "top_parts": [
            {"part": part, "span": [float(end) for end in span], "attribution": float(value)}
            for part, span, value in parts[:_NAMED]
        ],
    }


def write_rows(rows: Sequence[Mapping[str, object]], path: str | Path) -> None:
    """Write rows whole or not at all; the name's ending chooses the format.

    In CSV, lists and objects are JSON in their cell; in Parquet they are nested columns.

    Raises:
        InputError: the name ends in none of :data:`ROW_SUFFIXES`.
        DaamError: it cannot be written, or Parquet needs a package that is not installed.
    """
    suffix = row_suffix(path)
    with replacing(path) as temporary:
        if suffix == "parquet":
            temporary.write_bytes(parquet_bytes(rows))
        else:
            text = _csv(rows) if suffix == "csv" else "".join(f"{json_line(row)}\n" for row in rows)
            temporary.write_text(text, encoding="utf-8", newline="")


def row_suffix(path: str | Path) -> str:
    """The format that a name asks for, such as ``csv``.

    Raises:
        InputError: none of :data:`ROW_SUFFIXES`.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in ROW_SUFFIXES:
        accepted = ", ".join(f".{name}" for name in ROW_SUFFIXES)
        raise InputError(
            f"Cannot tell the format of {Path(path).name!r}; for several inputs end its name in one of "
            f"{accepted}."
        )
    return suffix


def json_line(row: Mapping[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, allow_nan=False)


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(dict.fromkeys(name for row in rows for name in row)))
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: json_line(cell) if isinstance(cell, dict | list) else cell for name, cell in row.items()}  # type: ignore[arg-type]
        )
    return file.getvalue()
