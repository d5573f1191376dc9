"""Explanations as files: every number out, and the same numbers back in.

========  =======================================================================================
suffix    content
========  =======================================================================================
.json     everything, arrays as nested lists, NaN (tokens without a place) as null; strict JSON
.npz      arrays under the field names of ``Explanation``, ``dataset_…`` for the data set's averages,
          ``class_names``, ``token_labels``, and ``provenance`` as JSON; nothing pickled
.csv      one row for each cell that a head sees, with its ``evidence`` where there is any, or, where
          asked for, one for each token (a word piece, a time, a region); ``NAME.csv-metadata.json``
          beside it describes the columns and carries the provenance (the naming of the W3C's "CSV on
          the Web"), so that the table itself opens everywhere
.html     the interactive view in one file that works without network
.png      one-page figure; also .svg (text as text) and .pdf (fonts embedded)
.ipynb    notebook that explains the input again and compares the result with this one
========  =======================================================================================

Layers, features, heads and tokens carry their array index, counted from 0.
Letters in shapes: H heads, L layers, F features, T tokens, C classes.
"""

from pathlib import Path
from typing import Any

from daam_core.errors import InputError
from daam_core.export.arrays import from_json, from_npz, to_json, to_npz
from daam_core.export.csv_tables import CellTable, TableKind, csv_metadata, from_csv, to_csv, to_token_csv
from daam_core.export.notebooks import notebook
from daam_core.export.summary import summary
from daam_core.inputs import Input
from daam_core.result import Explanation, Scale
from daam_core.writing.files import replacing

__all__ = [
    "SHOWING_THE_INPUT",
    "SUFFIXES",
    "CellTable",
    "TableKind",
    "checked_suffix",
    "csv_metadata",
    "file_bytes",
    "from_csv",
    "from_json",
    "from_npz",
    "load",
    "notebook",
    "save",
    "summary",
    "to_csv",
    "to_json",
    "to_npz",
    "to_token_csv",
]

SUFFIXES = ("json", "npz", "csv", "html", "png", "svg", "pdf", "ipynb")
#: Those that draw the explained sound or picture.
SHOWING_THE_INPUT = ("html", "png", "svg", "pdf")


def save(explanation: Explanation, path: str | Path, *, table: TableKind = "cells", **options: Any) -> None:
    """Writes an explanation in the format that the path's suffix names, whole or not at all.

    Args:
        explanation: what to write.
        path: ends in .json, .npz, .csv, .html, .png, .svg, .pdf or .ipynb. Its folder is made if
            it does not exist. A CSV gets its description beside it.
        table: what the rows of a CSV are: ``cells`` or ``tokens``.
        options: as for :func:`file_bytes`.

    Raises:
        InputError: another suffix.
        DaamError: the folder cannot be written to, or the disk is full.
    """
    path = Path(path)
    suffix = checked_suffix(path)
    content = file_bytes(explanation, suffix, table=table, **options)
    if suffix == "csv":
        metadata = csv_metadata(explanation, path.name, table=table)
        _write(path.with_name(f"{path.name}-metadata.json"), metadata.encode())
    _write(path, content)


def load(path: str | Path) -> Explanation:
    """Reads an explanation from a .json or .npz file.

    Raises:
        InputError: another suffix, or the file cannot be read.
        DataError: the file is damaged, or holds something else.
    """
    path = Path(path)
    if path.suffix.lower() not in (".json", ".npz"):
        raise InputError(f"{path.name}: explanations are read from .json or .npz files.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path.name}: {error.strerror or error}.") from error
    return from_json(content) if path.suffix.lower() == ".json" else from_npz(content)


def file_bytes(
    explanation: Explanation,
    suffix: str,
    *,
    quantity: str | None = None,
    scale: Scale = "all_heads",
    width: Any = "double",
    shown: Input | None = None,
    table: TableKind = "cells",
) -> bytes:
    """An explanation as the content of a file.

    Args:
        explanation: what to write.
        suffix: one of :data:`SUFFIXES`.
        quantity: map drawn in figures and shown first in the page: ``importance``,
            ``density_attention``, ``gate``, ``class_importance`` or ``evidence``; None: the Importance Factor
            in figures, and in the page what the view begins with, evidence where there is any.
        scale: colour scale of figures and page, ``all_heads`` or ``per_head``.
        width: of figures: ``single`` (89 mm), ``double`` (183 mm), or millimetres.
        shown: the explained input: figures and page name it, and draw a sound as a waveform, and a
            picture under the token map.
        table: what the rows of a CSV are: ``cells`` or ``tokens``.

    Raises:
        InputError: an unknown suffix.
        ConfigError: an option that figures do not have.
    """
    if suffix == "json":
        return to_json(explanation).encode()
    if suffix == "npz":
        return to_npz(explanation)
    if suffix == "csv":
        return (to_token_csv(explanation) if table == "tokens" else to_csv(explanation)).encode()
    if suffix == "ipynb":
        return notebook(explanation).encode()
    if suffix == "html":
        from daam_core.view.media import media_of
        from daam_core.view.page import view_html

        media = None if shown is None else media_of(shown)
        names = ("" if shown is None else shown.title, "")
        state = {"quantity": quantity, "scale": scale}
        return view_html(explanation, media=media, names=names, state=state).encode()
    if suffix in SUFFIXES:
        from daam_core.figures.report import report_figure
        from daam_core.figures.style import figure_bytes

        drawn = quantity or "importance"
        figure = report_figure(explanation, quantity=drawn, scale=scale, width=width, shown=shown)
        return figure_bytes(figure, suffix)
    raise InputError(f"Cannot write {suffix!r}; choose one of: {', '.join(SUFFIXES)}.")


def checked_suffix(path: str | Path) -> str:
    """The format that a file's name asks for, such as ``json``.

    Raises:
        InputError: none of :data:`SUFFIXES`.
    """
    path = Path(path)
    suffix = path.suffix.lower().removeprefix(".")
    if suffix not in SUFFIXES:
        accepted = ", ".join(f".{name}" for name in SUFFIXES)
        raise InputError(f"Cannot tell the format of {path.name!r}; end its name in one of {accepted}.")
    return suffix


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
