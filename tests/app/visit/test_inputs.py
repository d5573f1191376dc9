"""What a visitor gives: named, found again, read again."""

import numpy as np
import pytest
import soundfile

from app.visit.actions import explain_input
from app.visit.inputs import given_file, given_text
from app.visit.session import Session
from daam_core.errors import InputError
from daam_core.inputs import Region, SoundChange
from tests.support.small_heads import RATE, colour_picture, tone


def test_the_same_content_has_the_same_key_whatever_its_name(tmp_path):
    for name in ("a.png", "b.png"):
        colour_picture(0.2).save(tmp_path / name)
    one, other = (given_file("image", tmp_path / name) for name in ("a.png", "b.png"))
    assert one.key == other.key
    assert one.key != one.changed(Region(0, 0, 0.5, 0.5)).key
    assert given_text("a").key != given_text("b").key


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"^There is no sound yet: give a file, or pick an example\.$"):
        given_file("audio", None)
    with pytest.raises(InputError, match=r"^There is no sound file called gone\.wav\.$"):
        given_file("audio", tmp_path / "gone.wav")


def test_it_is_named_by_its_file_only(tmp_path):
    soundfile.write(tmp_path / "clip.wav", tone(300, seconds=2), RATE)
    clip = given_file("audio", tmp_path / "clip.wav")
    assert clip.title == "clip.wav"
    assert clip.changed(SoundChange(0.5, 1.0, 10)).title == "clip.wav (0.50 s to 1.00 s, noise at 10 dB)"


def test_a_large_input_is_not_kept_in_a_session_but_read_again(tmp_path, monkeypatch):
    monkeypatch.setattr("app.visit.inputs.MAX_KEPT_BYTES", 1000)
    colour_picture(0.2).save(tmp_path / "a.png")
    whole = given_file("image", tmp_path / "a.png")
    covered = whole.changed(Region(0, 0, 0.5, 0.5))
    for one in (whole, covered):
        kept = one.kept()
        assert kept.held is None
        assert (kept.key, kept.title) == (one.key, one.title)
        assert kept.input == one.input
        assert kept.input.rgb.tobytes() == one.input.rgb.tobytes()
    assert given_text("a text of more than a thousand bytes" * 40).kept().held is not None
    (tmp_path / "a.png").unlink()
    with pytest.raises(InputError, match=r"^a\.png is no longer here; give the file again\.$"):
        _ = whole.kept().input


def test_wrong_files_are_one_sentence(offer, tmp_path):
    (tmp_path / "text.wav").write_text("not a sound")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "short.wav", np.zeros(0, np.float32), RATE)
    colour_picture(0.4, size=(200, 200)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    for name, model in {
        "text.wav": "tones",
        "empty.wav": "tones",
        "short.wav": "tones",
        "cut.jpg": "colours",
    }.items():
        modality = "audio" if model == "tones" else "image"
        with pytest.raises(InputError) as refused:
            explain_input(offer, Session(), model, given_file(modality, tmp_path / name))
        sentence = str(refused.value)
        assert name in sentence
        assert str(tmp_path) not in sentence
        assert "\n" not in sentence
