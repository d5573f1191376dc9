import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from daam_core.cli.main import main
from daam_core.explaining import explain
from daam_core.export import save
from daam_core.inputs import Edit, Region, SoundChange, changed, read_input
from daam_core.trained import load_model
from tests.support.small_heads import RATE, colour_picture, tone

TEXT = "The bank raised its interest rate on Monday."


@pytest.fixture(scope="module", params=["json", "npz"])
def exported(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / f"explanation.{request.param}"
    save(explain(load_model("news-topic"), TEXT, target="World", scale="per_head"), path)
    return path


def test_the_same_input_gives_the_same_explanation(exported, capsys):
    assert main(["verify", str(exported), TEXT, "--tolerance", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["largest_difference"]) == (True, 0)


def test_another_input_is_said_in_one_line(exported, capsys):
    assert main(["verify", str(exported), TEXT + " Again."]) == 2
    assert capsys.readouterr().err.startswith("daam: Not the same: ")


def test_a_text_that_differs_in_white_space_alone_is_told_so(exported, capsys):
    assert main(["verify", str(exported), TEXT + "\n"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("daam: Not the same: text differs from what")
    assert said.endswith(" White space at a text's ends counts.\n")


def test_a_changed_number_is_found(exported, capsys, tmp_path):
    if exported.suffix != ".json":
        pytest.skip("numbers of an archive are changed as those of a text are")
    content = json.loads(exported.read_text())
    content["logits"][0] += 0.01
    changed = tmp_path / "changed.json"
    changed.write_text(json.dumps(content))
    assert main(["verify", str(changed), TEXT]) == 2
    assert "logits" in capsys.readouterr().err


def test_another_model_is_refused(exported, capsys):
    assert main(["verify", str(exported), TEXT, "--model", "no-such-model"]) == 2
    assert "There is no model" in capsys.readouterr().err


def test_a_full_disk_is_one_line():
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "daam_core", "models"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "daam: The output cannot be written: there is no space left; free some and run it again."
    ]


# Sounds and pictures


def write_sound(path, *, seed=0):
    soundfile.write(path, tone(300, seconds=1.2, seed=seed), RATE)


def write_picture(path, *, seed=0):
    colour_picture(0.3, seed=seed, size=(120, 90)).save(path)


KINDS = {
    "sound": ("speech-emotion", "audio", "clip.wav", write_sound),
    "picture": ("image-object", "image", "a.png", write_picture),
}


@pytest.fixture(
    scope="module", params=[(kind, suffix) for kind in KINDS for suffix in ("json", "npz")], ids=str
)
def of_a_file(request, tmp_path_factory):
    """A sound or picture file, its exported explanation, and what wrote it."""
    kind, suffix = request.param
    model, _, name, write = KINDS[kind]
    path = tmp_path_factory.mktemp(kind) / name
    write(path)
    exported = path.with_suffix(f".{suffix}")
    save(explain(load_model(model), path), exported)
    return path, exported, write


def test_a_file_gives_the_same_explanation_bit_for_bit(of_a_file, capsys):
    path, exported, _ = of_a_file
    assert main(["verify", str(exported), str(path), "--tolerance", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], found["largest_difference"]) == (True, 0)
    assert found["parts"] > 10


def test_another_file_or_a_changed_number_is_found(of_a_file, capsys, tmp_path):
    path, exported, write = of_a_file
    other = tmp_path / path.name
    write(other, seed=1)
    assert main(["verify", str(exported), str(other)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("daam: Not the same: ")
    assert said.endswith(f"differ from what {path.name} gives now.\n")
    if exported.suffix == ".json":
        content = json.loads(exported.read_text())
        content["logits"][0] += 0.01
        wrong = tmp_path / "wrong.json"
        wrong.write_text(json.dumps(content))
        assert main(["verify", str(wrong), str(path)]) == 2
        assert "logits" in capsys.readouterr().err


def test_a_sound_is_no_picture(of_a_file, capsys, tmp_path):
    path, exported, _ = of_a_file
    other = tmp_path / ("a.png" if path.suffix == ".wav" else "clip.wav")
    (write_picture if path.suffix == ".wav" else write_sound)(other)
    assert main(["verify", str(exported), str(other)]) == 2
    kinds = ("audio", "image") if path.suffix == ".wav" else ("image", "audio")
    assert f"takes {kinds[0]}, but the input is {kinds[1]}; choose another" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "change"),
    [("sound", SoundChange(0.2, 0.9, 20.0, 3)), ("picture", Region(0.1, 0.2, 0.6, 0.7, "blur"))],
)
def test_a_changed_input_is_verified_with_itself_and_not_with_the_original(kind, change, capsys, tmp_path):
    model, modality, name, write = KINDS[kind]
    path, itself = tmp_path / name, tmp_path / f"changed-{name}"
    write(path)
    after = changed(read_input(path, modality, rate=load_model(model).backbone.sample_rate), change)
    exported = tmp_path / "changed.json"
    save(explain(load_model(model), after), exported)
    assert main(["verify", str(exported), str(path)]) == 2
    assert capsys.readouterr().err.startswith("daam: Not the same: ")
    if kind == "picture":
        after.rgb.save(itself)
    else:
        soundfile.write(itself, after.samples, after.rate, subtype="FLOAT")
    assert main(["verify", str(exported), str(itself), "--tolerance", "0"]) == 0


def test_an_edited_text_is_verified_with_the_edited_one(capsys, tmp_path):
    exported = tmp_path / "edited.json"
    save(explain(load_model("news-topic"), changed(read_input("Else.", "text"), Edit(TEXT))), exported)
    assert main(["verify", str(exported), "Else."]) == 2
    assert capsys.readouterr().err.startswith("daam: Not the same: ")
    assert main(["verify", str(exported), TEXT, "--tolerance", "0"]) == 0
