"""Results as files to download."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from daam_core import export
from daam_core.errors import InputError, shown
from daam_core.result import Explanation
from daam_core.view.media import media_of
from daam_core.view.page import view_html

from ..server.files import new_file, written
from .inputs import Given
from .session import Result

FORMATS = export.SUFFIXES
WIDTHS = ("single", "double")
FIGURES = ("png", "svg", "pdf")  # they have a width


def write(
    explanation: Explanation,
    given: Given,
    *,
    format_: object,
    width: object,
    pair: tuple[Result, Result] | None = None,
    pins: Sequence[Mapping[str, object]] = (),
) -> Path:
    """Save an explanation under a name that says what it is, in a folder that nobody can guess.

    Args:
        explanation: to save.
        given: what it explains; figures and pages show it.
        format_: one of :data:`FORMATS`.
        width: of figures, one of :data:`WIDTHS`.
        pair: A and B of a comparison, which the interactive page shows whole; other formats hold
            ``explanation`` alone.
        pins: cells with a note each, kept in the interactive page.

    Raises:
        InputError: an unknown format or width, or an input that is no longer there.
    """
    if format_ not in FORMATS or width not in WIDTHS:
        raise InputError(
            f"Results are saved as {', '.join(FORMATS)}, figures {' or '.join(WIDTHS)} column wide; "
            f"got {shown(format_)} and {shown(width)}."
        )
    path = new_file(f"{_stem(explanation, given)}.{format_}")
    with written():
        if format_ == "html":
            path.write_text(_page(explanation, given, pair, pins), encoding="utf-8")
            return path
        # Called as on the page, where examples have titles of their own.
        explained = replace(given.input, name=given.name) if format_ in export.SHOWING_THE_INPUT else None
        export.save(explanation, path, width=width, scale=explanation.scale, shown=explained)
        return path


def _page(
    explanation: Explanation,
    given: Given,
    pair: tuple[Result, Result] | None,
    pins: Sequence[Mapping[str, object]],
) -> str:
    """The explanation, or A and B in one page; ``explanation`` is then B's, as it was asked for."""
    state = {"scale": explanation.scale, "pins": list(pins)}
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
    """``model-input``, ``-changed`` where it was, of letters that every file system takes."""
    name = given.example or (Path(given.name).stem if given.modality != "text" else "text")
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{explanation.model}-{name}").strip("-")[:70] or "explanation"
    return stem if given.change is None else f"{stem}-changed"
