"""Results as files: what they are called, and what they say of the input."""

import errno
import json
import re
import zipfile

import numpy as np
import pytest

from app.server.files import NO_ROOM
from app.visit import actions, downloads
from app.visit.examples import EXAMPLES
from app.visit.session import Session
from daam_core import export
from daam_core.errors import InputError
from daam_core.inputs import Edit, Region, SoundChange
from daam_core.view.media import media_of
from tests.app.visitor import OTHER

CHANGES = {
    "tones": ("speech-note", SoundChange(0.5, 1.5, 10.0)),
    "colours": ("photo-lion", Region(0.1, 0.2, 0.5, 0.9, "black")),
    "topics": ("news-final", Edit(OTHER)),
}


def test_a_saved_comparison_says_what_is_muted(offer, session):
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    b = muted.current
    path = downloads.write(b.explanation, b.given, format_="html", width="double", pair=muted.pair)
    payload = json.loads(path.read_text("utf-8").split('id="payload">')[1].split("</script>")[0])
    assert [payload[letter]["name"] for letter in "ab"] == [session.current.title, b.title]
    assert "without head 0" in payload["b"]["name"]


def test_a_saved_page_keeps_the_pinned_cells(session):
    pins = [{"head": 0, "layer": 1, "feature": 2, "note": "</script> & ü"}]
    current = session.current
    path = downloads.write(current.explanation, current.given, format_="html", width="double", pins=pins)
    page = path.read_text("utf-8")
    assert json.loads(page.split('id="state">')[1].split("</script>")[0])["pins"] == pins
    payload = json.loads(page.split('id="payload">')[1].split("</script>")[0])
    assert (payload["a"]["name"], payload["b"]) == (current.given.title, None)


def test_a_saved_trim_keeps_its_place_in_the_clip():
    media = media_of(EXAMPLES["speech-note"].given().changed(SoundChange(0.5, 1.5)).input)
    assert media["audio"]["start"] == 0.5
    assert media["audio"]["url"].startswith("data:audio/wav")


@pytest.mark.parametrize("model", CHANGES)
def test_a_changed_input_is_called_changed_in_its_file_and_its_notebook(offer, model):
    example, change = CHANGES[model]
    given = EXAMPLES[example].given()
    session = actions.explain_input(offer, Session(), model, given)
    changed = actions.change_input(offer, session, given.changed(change)).current
    paths = {
        format_: downloads.write(changed.explanation, changed.given, format_=format_, width="single")
        for format_ in ("json", "ipynb")
    }
    title = {"speech-note": "voice-note-3-s", "news-final": "cup-final", "photo-lion": "lion"}[example]
    assert paths["json"].name == f"{model}_{title}-changed.json"
    said = export.load(paths["json"]).provenance["input"]["change"]
    assert said["description"] == change.describe()
    notebook = json.loads(paths["ipynb"].read_text("utf-8"))
    cells = "".join("".join(cell["source"]) for cell in notebook["cells"])
    # A text travels inside a notebook as it was edited; other inputs are changed there once more.
    words = "an edited version of" if model == "topics" else f"changed(given, {type(change).__name__}("
    assert words in cells


@pytest.mark.slow
def test_everything_is_one_archive_that_says_what_is_in_it(offer, session):
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    b = muted.current
    path = downloads.write(b.explanation, b.given, format_="zip", width="single", pair=muted.pair)
    assert list(path.parent.iterdir()) == [path]
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        said = archive.read("CONTENTS.txt").decode().splitlines()
        archive.extractall(path.parent)
    assert [name.partition(".")[2] for name in names] == [
        *("png", "svg", "pdf", "csv", "csv-metadata.json", "npz", "json", "html", "ipynb", "txt")
    ]
    assert said[0].startswith(f"{b.given.title}, explained by topics: {b.explanation.predicted_class}, ")
    assert said[-1] == "topics_text.csv-metadata.json: what the table's columns are, for programs"
    assert said[2:-1] == [
        f"topics_text.{suffix}: {about}{'; it holds A and B' if suffix == 'html' else ''}"
        for suffix, about in downloads.CONTENTS.items()
    ]
    for suffix in ("npz", "json"):
        found = export.load(path.parent / f"topics_text.{suffix}")
        np.testing.assert_array_equal(found.importance, b.explanation.importance)
    begins = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<!DOCTYPE html>", "ipynb": b"{"}
    for suffix, first in begins.items():
        assert (path.parent / f"topics_text.{suffix}").read_bytes().startswith(first), suffix


@pytest.mark.parametrize(("format_", "width"), [("exe", "double"), ("png", "wide"), (["png"], None)])
def test_an_unknown_format_or_width_is_refused(session, format_, width):
    current = session.current
    with pytest.raises(InputError, match="Results are saved as"):
        downloads.write(current.explanation, current.given, format_=format_, width=width)


@pytest.mark.parametrize("format_", ["json", "html", "png"])
def test_a_full_disk_is_a_sentence_without_a_path(session, format_, monkeypatch, tmp_path):
    """Whatever of it fails: the folder, the file, or what is written into it."""
    result = session.current

    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device", str(tmp_path))

    def save():
        pair = (result, result) if format_ == "html" else None
        downloads.write(result.explanation, result.given, format_=format_, width="single", pair=pair)

    last = "pathlib.Path.write_text" if format_ == "html" else "pathlib.Path.replace"
    for place in ("tempfile.mkdtemp", last):
        with monkeypatch.context() as patch:
            patch.setattr(place, full)
            with pytest.raises(InputError, match=f"^{re.escape(NO_ROOM)}$"):
                save()
