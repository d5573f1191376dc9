"""Results as files to download."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from daam_core import export
from daam_core.errors import InputError, shown
from daam_core.reading.sentences import chances
from daam_core.result import Explanation
from daam_core.view.media import media_of
from daam_core.view.page import view_html

from ..server.files import new_file, written
from .inputs import Given
from .session import Result

#: What a file of each format holds, for people.
CONTENTS: Mapping[str, str] = {
    "png": "the figure as a picture",
    "svg": "the figure, for editing",
    "pdf": "the figure, for print",
    "csv": "a table of all cells",
    "npz": "all arrays, for NumPy",
    "json": "all numbers, and where they come from",
    "html": "the interactive page, which works without network",
    "ipynb": "a notebook that computes it again",
}
EVERYTHING = "zip"
FORMATS = (*CONTENTS, EVERYTHING)
WIDTHS = ("single", "double")
FIGURES = ("png", "svg", "pdf", EVERYTHING)  # they have a width …
WITH_MAPS = (*FIGURES, "html")  # … and these show maps of one quantity


def write(
    explanation: Explanation,
    given: Given,
    *,
    format_: object,
    width: object,
    quantity: str | None = None,
    pair: tuple[Result, Result] | None = None,
    pins: Sequence[Mapping[str, object]] = (),
) -> Path:
    """Save an explanation under a name that says what it is, in a folder that nobody can guess.

    Args:
        explanation: to save.
        given: what it explains; figures and pages show it.
        format_: one of :data:`FORMATS`.
        width: of figures, one of :data:`WIDTHS`.
        quantity: which maps figures draw and the interactive page shows first; None: the Importance Factor in
            figures, and in the page what it begins with.
        pair: A and B of a comparison, which the interactive page shows whole; other formats hold
            ``explanation`` alone. :data:`EVERYTHING` holds a file of each format.
        pins: cells with a note each, kept in the interactive page.

    Raises:
        InputError: an unknown format or width, or an input that is no longer there.
        ConfigError: maps that this classifier's explanations lack.
    """
    if format_ not in FORMATS or width not in WIDTHS:
        raise InputError(
            f"Results are saved as {', '.join(FORMATS)}, figures {' or '.join(WIDTHS)} column wide; "
            f"got {shown(format_)} and {shown(width)}."
        )
    path = new_file(f"{_stem(explanation, given)}.{format_}")

    def write_one(path: Path) -> None:
        if path.suffix == ".html":
            path.write_text(_page(explanation, given, pair, pins, quantity), encoding="utf-8")
            return
        # Called as on the page, where examples have titles of their own.
        seen = path.suffix[1:] in export.SHOWING_THE_INPUT
        explained = replace(given.input, name=given.name) if seen else None
        export.save(
            explanation, path, width=width, scale=explanation.scale, shown=explained, quantity=quantity
        )

    with written():
        if format_ != EVERYTHING:
            write_one(path)
            return path
        with ZipFile(path, "w", ZIP_DEFLATED) as archive:
            for suffix in CONTENTS:
                part = path.with_suffix(f".{suffix}")
                write_one(part)
                for file in sorted({*path.parent.iterdir()} - {path}):  # a table has its columns described
                    archive.write(file, file.name)
                    file.unlink()
            archive.writestr("CONTENTS.txt", _contents(explanation, given, path.stem, pair is not None))
    return path


def _contents(explanation: Explanation, given: Given, stem: str, compared: bool) -> str:
    """What is in an archive of everything."""
    e = explanation
    about = {**CONTENTS, "html": f"{CONTENTS['html']}; it holds A and B"} if compared else CONTENTS
    return "\n".join(
        (
            f"{given.title}, explained by {e.model}: {e.answer}, {chances(e)}",
            "",
            *(f"{stem}.{suffix}: {text}" for suffix, text in about.items()),
            f"{stem}.csv-metadata.json: what the table's columns are, for programs",
            "",
        )
    )


def _page(
    explanation: Explanation,
    given: Given,
    pair: tuple[Result, Result] | None,
    pins: Sequence[Mapping[str, object]],
    quantity: str | None,
) -> str:
    """The explanation, or A and B in one page; ``explanation`` is then B's, as it was asked for."""
    state = {"scale": explanation.scale, "pins": list(pins), "quantity": quantity}
    if pair is None:
        shown = replace(given.input, name=given.name)
        return view_html(explanation, media=media_of(shown), names=(shown.title, ""), state=state)
    a, b = pair
    return view_html(
        a.explanation,
        compare=explanation,
        media=media_of(a.given.input),
        compare_media=media_of(b.given.input),
        names=(a.title, b.title),
        state=state | {"side": "b"},
    )


def _stem(explanation: Explanation, given: Given) -> str:
    """``classifier_input``, as files of a panel begin; of letters that every file system takes."""
    own_text = given.modality == "text" and given.example is None  # its name is its first words
    name = "text" if own_text else Path(given.name).stem
    if given.change is not None:
        name = f"{name} changed"
    parts = (re.sub(r"[^a-z0-9]+", "-", part.lower()).strip("-")[:60] for part in (explanation.model, name))
    return "_".join(part or "input" for part in parts)
