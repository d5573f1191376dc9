"""A file is opened once, whatever is done with it, and what was changed in it is not forgotten."""

import builtins
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app.visit import actions, downloads
from app.visit.inputs import given_file
from app.visit.offer import Offer
from app.visit.session import Session
from daam_core import explain, export
from daam_core.inputs import Region, SoundChange, changed, read_input, read_sound
from daam_core.trained import load_model
from tests.support.small_heads import colour_picture, small_heads

SHOWING = ("png", "svg", "pdf", "html")


@pytest.fixture(scope="module")
def models():
    return {name: load_model(folder) for name, folder in small_heads().items()}


@pytest.fixture
def clip(tmp_path) -> Path:
    """3.328 s of stereo at 48 kHz."""
    seconds = np.arange(round(3.328 * 48_000)) / 48_000
    channels = [0.3 * np.sin(2 * np.pi * hertz * seconds) for hertz in (200, 220)]
    soundfile.write(tmp_path / "clip.wav", np.stack(channels, axis=1), 48_000)
    return tmp_path / "clip.wav"


@pytest.fixture
def picture(tmp_path) -> Path:
    colour_picture(0.3).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


class Opened:
    """How often each path was opened by Python code; the libraries are handed streams, not paths."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.paths: list[str] = []
        opens = io.open

        def counting(file: Any, *args: Any, **options: Any) -> Any:
            self.paths.append(str(file))
            return opens(file, *args, **options)

        monkeypatch.setattr(io, "open", counting)
        monkeypatch.setattr(builtins, "open", counting)

    def times(self, path: Path) -> int:
        return self.paths.count(str(path))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sound", "picture"])
def test_explaining_and_saving_in_every_format_opens_the_file_once(
    kind, clip, picture, models, monkeypatch, tmp_path
):
    path, model = (clip, models["tones"]) if kind == "sound" else (picture, models["colours"])
    opened = Opened(monkeypatch)
    given = read_input(path, model.config.modality)
    assert opened.times(path) == 1
    path.unlink()  # the strictest proof: from here on there is nothing to open
    explanation = explain(model, given)
    for suffix in export.SUFFIXES:
        export.save(explanation, tmp_path / f"saved.{suffix}", shown=given if suffix in SHOWING else None)
    assert opened.times(path) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sound", "picture"])
def test_a_visit_opens_the_file_once(kind, clip, picture, models, monkeypatch):
    path, name = (clip, "tones") if kind == "sound" else (picture, "colours")
    modality = models[name].config.modality
    change = SoundChange(0.5, 1.5) if kind == "sound" else Region(0, 0, 0.5, 0.5)
    offer = Offer(list(models.values()))
    opened = Opened(monkeypatch)
    given = given_file(modality, path)
    # Gradio copies a sound into its own folder, to play it from there; that is not ours to count.
    monkeypatch.setattr("app.server.files.save_file_to_cache", lambda file, folder: file)
    session = actions.explain_input(offer, Session(), name, given)
    session = actions.change_input(offer, session, session.original.given.changed(change))
    for format_ in downloads.FORMATS:
        study = session.current
        downloads.write(study.explanation, study.given, format_=format_, width="double", pair=session.pair)
    assert opened.times(path) == 1


def test_a_trimmed_sound_still_says_what_it_was_cut_from(clip, models):
    trimmed = changed(read_sound(clip), SoundChange(1.0, 2.0))
    explanation = explain(models["tones"], trimmed)
    record = explanation.provenance["input"]
    assert (record["name"], record["seconds"], record["rate"], record["channels"], record["format"]) == (
        "clip.wav",
        3.328,
        48_000,
        2,
        "WAV",
    )
    assert record["change"] == {
        "description": "1.00 s to 2.00 s",
        "start": 1.0,
        "end": 2.0,
        "snr": None,
        "seed": 0,
    }
    assert export.from_json(export.to_json(explanation)).provenance["input"] == record


@pytest.mark.parametrize(
    ("kind", "change", "written"),
    [
        ("sound", SoundChange(1.0, 2.0), "SoundChange(start=1.0, end=2.0)"),
        ("sound", SoundChange(snr=5.0, seed=7), "SoundChange(snr=5.0, seed=7)"),
        (
            "picture",
            Region(0.1, 0.2, 0.5, 0.9, "black"),
            "Region(left=0.1, top=0.2, right=0.5, bottom=0.9, fill='black')",
        ),
    ],
)
def test_a_saved_notebook_changes_the_input_as_it_was_changed(
    kind, change, written, clip, picture, models, tmp_path, monkeypatch
):
    path, name = (clip, "tones") if kind == "sound" else (picture, "colours")
    model = models[name]
    given = given_file(model.config.modality, path).changed(change)
    explanation = explain(model, given.input)
    saved = downloads.write(explanation, given, format_="ipynb", width="double")
    assert saved.name == f"{name}_{path.stem}-changed.ipynb"
    cells = json.loads(saved.read_text("utf-8"))["cells"]
    reading = next("".join(cell["source"]) for cell in cells if "read_input(" in "".join(cell["source"]))
    assert f"changed(given, {written})  # {change.describe()}" in reading
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"model": model}
    exec(reading, names)
    again = explain(model, names["given"])
    np.testing.assert_array_equal(again.importance, explanation.importance)
    np.testing.assert_array_equal(again.probabilities, explanation.probabilities)


def test_the_notebook_of_another_file_says_so(clip, models, tmp_path, monkeypatch, capsys):
    saved = export.notebook(explain(models["tones"], clip))
    reading = next("".join(c["source"]) for c in json.loads(saved)["cells"] if "read_input(" in str(c))
    monkeypatch.chdir(tmp_path)
    soundfile.write("clip.wav", np.zeros(16_000), 16_000)
    exec(reading, {"model": models["tones"]})
    assert capsys.readouterr().out == "This is another file: expect other numbers.\n"


def test_the_notebook_of_an_edited_text_holds_the_edited_one(models):
    from app.visit.inputs import given_text
    from daam_core.inputs import Edit

    edited = given_text("The striker scored twice.").changed(Edit("The striker never scored."))
    explanation = explain(models["topics"], edited.input)
    saved = downloads.write(explanation, edited, format_="ipynb", width="double")
    assert saved.name == "topics_text-changed.ipynb"
    assert "# an edited version of “The striker scored twice.”" in saved.read_text("utf-8")
    assert "read_input('The striker never scored.', 'text')" in saved.read_text("utf-8")
    assert edited.title == "“The striker scored twice.” (edited)"
