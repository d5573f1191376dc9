"""A classifier on an encoder from a folder opens in the page; an encoder that is nowhere is said at start."""

import shutil

import pytest

from app.__main__ import main as start
from daam_core import explain
from daam_core.cli.main import main
from daam_core.trained import load_model
from tests.browser.app_page import AppPage
from tests.browser.conftest import free_port, serving
from tests.support.commands import QUICK
from tests.support.data import write_table
from tests.support.tiny_models import save_text


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    """A classifier whose encoder was moved to the folder ``elsewhere`` after it was trained."""
    monkeypatch.setenv("DAAM_CACHE_DIR", str(tmp_path / "cache"))
    save_text(tmp_path / "TINY", "bert")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(8)]
    table = write_table(tmp_path / "d.csv", [("text", "label"), *rows])
    words = [
        "train",
        table,
        "--modality",
        "text",
        "--backbone",
        tmp_path / "TINY",
        "--out",
        tmp_path / "pets",
    ]
    assert main([str(word) for word in (*words, *QUICK)]) == 0
    shutil.move(tmp_path / "TINY", tmp_path / "elsewhere")
    return tmp_path / "pets"


def test_a_classifier_on_a_folder_opens_once_its_encoder_is_named(
    checkpoint, page, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    capsys.readouterr()
    assert start(["--model", str(checkpoint), "--port", str(free_port())]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "The encoder folder 'TINY' that pets was trained on is not where it was, nor beside the" in said
    assert "give its place with --encoder DIR" in said

    save_text(tmp_path / "another", "bert", num_hidden_layers=4)
    another = ("--encoder", str(tmp_path / "another"))
    assert start(["--model", str(checkpoint), *another, "--port", str(free_port())]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert "None of the encoders given (another) has the weights of TINY (revision local" in said

    (tmp_path / "app").mkdir()
    options = ("--model", str(checkpoint), "--encoder", str(tmp_path / "elsewhere"))
    with serving(tmp_path / "app", *options) as (url, _, _):
        visitor = AppPage(page, url)
        visitor.page.goto(url)
        visitor.explain_text("dog box")
        expected = explain(load_model(checkpoint, encoder=tmp_path / "elsewhere"), "dog box")
        found = visitor.probabilities()
        assert found == pytest.approx(dict(enumerate(expected.probabilities.tolist())), abs=1e-6)
        assert visitor.problems == []
