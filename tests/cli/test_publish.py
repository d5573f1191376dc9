"""Handing a classifier on: what the files hold, and what would go to the hub."""

import json
import runpy
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import yaml

from daam_core.trained import load_model
from daam_core.version import __version__
from tests.support.commands import QUICK
from tests.support.data import write_table
from tests.support.tiny_models import save_text


@pytest.fixture
def checkpoint(tmp_path, run, monkeypatch):
    """A classifier on an encoder in a folder."""
    monkeypatch.setenv("DAAM_CACHE_DIR", str(tmp_path / "cache"))
    save_text(tmp_path / "TINY", "bert")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(8)]
    table = write_table(tmp_path / "d.csv", [("text", "label"), *rows])
    words = ("--modality", "text", "--backbone", tmp_path / "TINY", "--out", tmp_path / "pets")
    status, _, err = run("train", table, *words, *QUICK)
    assert status == 0, err
    return tmp_path / "pets"


def test_the_folder_of_a_space_serves_the_classifier_with_its_encoder(
    checkpoint, run, refused, tmp_path, monkeypatch
):
    space = tmp_path / "space"
    status, out, err = run("publish", "--model", checkpoint, "--space", space, "--json")
    assert (status, err, json.loads(out)) == (0, "", {"name": "pets", "space": "space"})
    assert sorted(path.name for path in space.iterdir()) == [
        "README.md",
        "app.py",
        "classifier",
        "requirements.txt",
    ]
    assert (space / "requirements.txt").read_text() == f"daam-explorer[app]=={__version__}\n"
    front = yaml.safe_load((space / "README.md").read_text().split("---\n")[1])
    assert (front["title"], front["sdk"], front["app_file"]) == ("pets", "gradio", "app.py")
    assert json.loads((space / "classifier" / "config.json").read_text())["encoder_folder"] == "TINY"

    # Elsewhere, without what it was made from, it still has its encoder.
    shutil.rmtree(tmp_path / "TINY")
    shutil.move(space, tmp_path / "elsewhere")
    assert load_model(tmp_path / "elsewhere" / "classifier").backbone.name == "TINY"

    started = []
    page = SimpleNamespace(main=lambda words: started.append(words) or 0)
    monkeypatch.setitem(sys.modules, "daam_app", SimpleNamespace(__path__=[]))
    monkeypatch.setitem(sys.modules, "daam_app.__main__", page)
    monkeypatch.setenv("SPACE_HOST", "owner-pets.hf.space")
    with pytest.raises(SystemExit):
        runpy.run_path(str(tmp_path / "elsewhere" / "app.py"))
    shown = "--host 0.0.0.0 --port 7860 --model classifier --allowed-host owner-pets.hf.space"
    assert started == [shown.split()]


def test_onnx_is_what_torch_says(checkpoint, run, refused, tmp_path):
    onnx, onnxruntime = (pytest.importorskip(package) for package in ("onnx", "onnxruntime"))
    status, _, err = run("publish", "--model", checkpoint, "--onnx", tmp_path / "pets.onnx")
    assert (status, err) == (0, "")
    model = load_model(checkpoint)
    pooled = np.random.default_rng(0).normal(size=(5, 3, 16)).astype(np.float32)
    session = onnxruntime.InferenceSession(tmp_path / "pets.onnx", providers=["CPUExecutionProvider"])
    logits, gate = session.run(None, {"pooled": pooled})
    expected = model(torch.from_numpy(pooled))
    np.testing.assert_allclose(logits, expected.logits.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gate, expected.gate.numpy(), rtol=1e-5, atol=1e-5)
    said = refused("publish", "--model", checkpoint)
    assert "Say what is wanted: --onnx FILE, --space DIR, --push OWNER/NAME, or several." in said
    stored = {one.key: one.value for one in onnx.load(tmp_path / "pets.onnx").metadata_props}
    assert stored == stored | {"class_names": '["a", "b"]', "labels": "one"}
    for words, sentence in (
        (("--onnx", tmp_path / "pets.txt"), "An ONNX file's name ends in .onnx, got 'pets.txt'"),
        (("--onnx", tmp_path / "a.onnx", "--private"), "--private goes with --push OWNER/NAME, which is not"),
        (("--push", "a/b", "--overwrite"), "--overwrite goes with --space DIR, which is not asked for"),
    ):
        assert sentence in refused("publish", "--model", checkpoint, *words)
    assert not (tmp_path / "a.onnx").exists()


def test_the_checkpoint_and_its_card_go_to_the_hub(checkpoint, run, refused, monkeypatch):
    sent = {}

    class Hub:
        def __init__(self, **_):
            pass

        def create_repo(self, *, repo_id, private, **_):
            sent["repository"] = (repo_id, private)
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, folder_path, **_):
            sent["files"] = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
            return "https://hub/owner/pets/commit/1"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Hub)
    status, out, err = run("publish", "--model", checkpoint, "--push", "owner/pets", "--private", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["pushed"] == "https://hub/owner/pets/commit/1"
    assert sent["repository"] == ("owner/pets", True)
    here = {path.name: path.read_bytes() for path in checkpoint.iterdir()}
    assert set(sent["files"]) == set(here)
    for name in here.keys() - {"config.json"}:
        assert sent["files"][name] == here[name]
    # Where the encoder lies is said here, and to nobody else.
    configured = json.loads(here["config.json"])
    assert configured.pop("encoder_folder") == "../TINY"
    assert json.loads(sent["files"]["config.json"]) == configured
    assert sent["files"]["README.md"].startswith(b"---\n")

    def refuse(*_, **__):
        raise OSError("401 Client Error. Wrong token")

    monkeypatch.setattr(Hub, "create_repo", refuse)
    said = refused("publish", "--model", checkpoint, "--push", "owner/pets")
    assert "The hub did not take 'owner/pets': 401 Client Error" in said
    assert "Log in with 'hf auth login'" in said
