"""Classifiers trained on an encoder in a folder: it is found again, or said where it was looked for."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from daam_core.errors import EncoderError
from daam_core.trained import load_model
from tests.support.commands import QUICK
from tests.support.data import write_table
from tests.support.tiny_models import save_text


@pytest.fixture
def trained(tmp_path, run, monkeypatch):
    """A folder with the encoder enc/TINY, and the checkpoint out/h trained on it by a relative path."""
    monkeypatch.setenv("DAAM_CACHE_DIR", str(tmp_path / "cache"))
    root = tmp_path / "root"
    root.mkdir()
    save_text(root / "enc" / "TINY", "bert")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(8)]
    write_table(root / "d.csv", [("text", "label"), *rows])
    monkeypatch.chdir(root)
    words = ("train", "d.csv", "--modality", "text", "--backbone", "enc/TINY", "--out", "out/h")
    status, _, err = run(*words, *QUICK)
    assert status == 0, err
    monkeypatch.chdir(tmp_path)
    return root


def explained(run, checkpoint, *more):
    return run("explain", "dog box", "--model", checkpoint, "--json", *more)


def test_it_is_found_where_it_was_from_any_folder_and_after_a_move_of_both(trained, run, tmp_path):
    status, out, err = explained(run, trained / "out" / "h")
    assert (status, err) == (0, "")
    provenance = json.loads(out)["provenance"]
    assert (provenance["encoder"], len(provenance["encoder_sha256"])) == ("TINY", 64)
    shutil.move(trained, tmp_path / "moved")
    assert explained(run, tmp_path / "moved" / "out" / "h")[0] == 0


def test_no_path_of_the_computer_is_kept(trained):
    folder = trained / "out" / "h"
    assert json.loads((folder / "config.json").read_text())["encoder_folder"] == "../../enc/TINY"
    assert all(str(trained) not in path.read_text() for path in folder.glob("*.json"))
    assert str(trained) not in (folder / "README.md").read_text()


@pytest.mark.parametrize("place", ["out/h/TINY", "out/TINY"])
def test_it_is_found_beside_the_checkpoint(trained, run, place):
    shutil.move(trained / "enc" / "TINY", trained / place)
    status, _, err = explained(run, trained / "out" / "h")
    assert status == 0, err


def test_a_checkpoint_called_as_its_encoder_is_not_taken_for_it(trained, run, refused):
    checkpoint = trained / "out" / "TINY"
    shutil.move(trained / "out" / "h", checkpoint)
    shutil.move(trained / "enc" / "TINY", trained / "elsewhere")
    said = refused("explain", "dog", "--model", checkpoint)
    assert "The encoder folder 'TINY' that TINY was trained on is not where it was, nor beside the" in said
    shutil.move(trained / "elsewhere", checkpoint / "TINY")
    assert explained(run, checkpoint)[0] == 0


def test_a_folder_that_is_nowhere_is_asked_for(trained, run, refused, tmp_path):
    shutil.move(trained / "enc" / "TINY", tmp_path / "elsewhere")
    checkpoint = trained / "out" / "h"
    said = refused("explain", "dog", "--model", checkpoint)
    assert "The encoder folder 'TINY' that h was trained on is not where it was, nor beside the" in said
    assert "give its place with --encoder DIR" in said
    assert explained(run, checkpoint, "--encoder", tmp_path / "elsewhere")[0] == 0


def test_of_several_encoders_the_right_one_is_taken(trained, run, refused, tmp_path):
    shutil.move(trained / "enc" / "TINY", tmp_path / "elsewhere")
    checkpoint = trained / "out" / "h"
    for number, layers in enumerate((4, 5)):
        save_text(tmp_path / f"other-{number}", "bert", num_hidden_layers=layers)
    others = ("--encoder", tmp_path / "other-0", "--encoder", tmp_path / "other-1")
    assert explained(run, checkpoint, *others, "--encoder", tmp_path / "elsewhere")[0] == 0
    said = refused("explain", "dog", "--model", checkpoint, *others)
    assert "None of the encoders given (other-0, other-1) has the weights of TINY (revision local" in said
    said = refused("evaluate", trained / "d.csv", "--model", checkpoint, "--out", "x", "--encoder", "nowhere")
    assert "There is no encoder folder 'nowhere'; give the one to which 'TINY' was copied" in said


def test_folders_for_other_classifiers_leave_an_encoder_in_its_place(trained, tmp_path):
    """As the page is started: with several classifiers, and the folders of those that were moved."""
    save_text(tmp_path / "other", "bert", num_hidden_layers=4)
    model = load_model(trained / "out" / "h")
    model.look_for_encoder([str(tmp_path / "other")])
    assert Path(model.find_encoder()).resolve() == trained / "enc" / "TINY"
    shutil.move(trained / "enc" / "TINY", tmp_path / "elsewhere")
    model.look_for_encoder([str(tmp_path / "other"), str(tmp_path / "elsewhere")])
    assert model.find_encoder() == str(tmp_path / "elsewhere")
    model = load_model(trained / "out" / "h")
    with pytest.raises(EncoderError, match=r"None of the encoders given \(other\) has the weights of TINY"):
        model.look_for_encoder([str(tmp_path / "other")])
    with pytest.raises(EncoderError, match="There is no encoder folder 'nowhere'"):
        model.look_for_encoder(["nowhere"])


def test_an_encoder_in_half_precision_stays_in_it(trained, run, refused, tmp_path):
    words = ("--modality", "text", "--backbone", trained / "enc" / "TINY", "--out", tmp_path / "half")
    more = ("--dtype", "bfloat16", "--workers", 1)
    status, _, err = run("train", trained / "d.csv", *words, *QUICK, *more)
    assert status == 0, err
    model = load_model(tmp_path / "half")
    assert model.config.encoder.preprocessing.endswith(":bfloat16")
    assert str(next(iter(model.backbone.weights())).dtype) == "torch.bfloat16"
    status, out, _ = run("evaluate", trained / "d.csv", "--model", tmp_path / "half", "--out", "r", "--json")
    assert (status, json.loads(out)["trained_on"]) == (0, True)
    assert explained(run, tmp_path / "half")[0] == 0
    if not torch.cuda.is_available():
        said = refused("explain", "dog", "--model", tmp_path / "half", "--device", "cuda")
        assert "This computer's torch has no device 'cuda'" in said


def test_another_encoder_in_its_place_is_refused(trained, refused):
    shutil.rmtree(trained / "enc" / "TINY")
    save_text(trained / "enc" / "TINY", "bert", num_hidden_layers=4)
    assert "trained on TINY" in refused("explain", "dog", "--model", trained / "out" / "h")


def test_a_copy_of_a_checkpoint_knows_where_the_encoder_is(trained, run, tmp_path):
    load_model(trained / "out" / "h").save_pretrained(tmp_path / "copy")
    assert explained(run, tmp_path / "copy")[0] == 0
