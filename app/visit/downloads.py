"""Results as files to download."""

import re
import tempfile
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from daam_core import export
from daam_core.errors import InputError
from daam_core.inputs.sound import read_image, read_sound
from daam_core.result import Explanation
from daam_core.view.payload import view_html

from .inputs import Source, prepare
from .media import media_of
from .session import Study

FORMATS = export.SUFFIXES
WIDTHS = ("single", "double")


def write(
    explanation: Explanation,
    source: Source,
    *,
    format_: Any,
    width: Any,
    pair: tuple[Study, Study] | None = None,
) -> Path:
    """Save an explanation under a name that says what it is, in a folder that nobody can guess.

    Args:
        explanation: to save.
        source: what it explains; figures and pages show it.
        format_: one of :data:`FORMATS`.
        width: of figures, one of :data:`WIDTHS`.
        pair: A and B of a comparison, which the interactive page shows whole; other formats hold
            ``explanation`` alone.

    Raises:
        InputError: an unknown format or width, or an input that is no longer there.
    """
    if format_ not in FORMATS or width not in WIDTHS:
        raise InputError(
            f"Results are saved as {', '.join(FORMATS)}, figures {' or '.join(WIDTHS)} column wide; "
            f"got {format_!r} and {width!r}."
        )
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="saved-", dir=folder)) / f"{_stem(explanation, source)}.{format_}"
    if format_ == "html" and pair is not None:
        path.write_text(_compared_page(*pair, explanation), encoding="utf-8")
        return path
    named = None if source.modality == "text" else Path(source.content).name
    export.save(explanation, path, width=width, scale=explanation.scale, source=named, **_shown(source))
    return path


def _compared_page(a: Study, b: Study, explanation: Explanation) -> str:
    """A and B in one page; ``explanation`` is B's, as it was asked for."""
    return view_html(
        a.explanation,
        compare=explanation,
        media=media_of(a.source, embedded=True),
        compare_media=media_of(b.source, embedded=True),
        labels=(f"A: {a.title}", f"B: {b.title}"),
        state={"scale": explanation.scale, "source": "b"},
    )


def _shown(source: Source) -> dict[str, Any]:
    """The sound or picture as figures and pages show it."""
    if source.modality == "audio":
        sound = read_sound(prepare(source))
        return {"sound": (sound.samples, sound.rate)}
    if source.modality == "image":
        return {"picture": read_image(prepare(source))}
    return {}


def _stem(explanation: Explanation, source: Source) -> str:
    """``model-input``, of letters that every file system takes."""
    name = source.example or (Path(source.name).stem if source.modality != "text" else "text")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", f"{explanation.model}-{name}").strip("-")[:80] or "explanation"
