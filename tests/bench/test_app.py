"""Timing the real app, and what is said where it does not start."""

import json

import pytest

from daam_core.backbones import load_backbone
from daam_core.bench import app as bench_app_module
from daam_core.bench.app import bench_app
from daam_core.cli.main import main
from daam_core.errors import ConfigError, EncoderError
from tests.support.data import class_folders
from tests.support.small import letter_model


@pytest.mark.slow
def test_the_real_app_is_timed(tmp_path, capsys):
    try:
        load_backbone("minilm-l6")
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    texts = {"sport": ["a goal", "the match"], "food": ["hot soup", "fresh bread"]}
    tree = {name: {f"{i}.txt": text for i, text in enumerate(found)} for name, found in texts.items()}
    data, head = class_folders(tmp_path / "data", tree), tmp_path / "head"
    words = ["train", data, "--modality", "text", "--backbone", "minilm-l6", "--validation", "0"]
    words += ["--epochs", "1", "--out", head, "--cache-dir", tmp_path / "cache"]
    assert main(list(map(str, words))) == 0
    capsys.readouterr()
    assert main(["bench", "app", "--model", str(head), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["app"]
    assert found["page_bytes"] > 10_000
    assert found["start_ratio"] == pytest.approx(found["start_seconds"] / found["imports_seconds"])
    (view,) = found["views"]
    assert (view["heads"], view["layers"], view["features"]) == (4, 6, 384)
    assert 4 * 6 * 384 < view["payload_bytes"] < 600_000 * 4
    assert view["payload_bytes_per_head"] == view["payload_bytes"] / 4


def test_an_app_that_does_not_start_is_noticed_at_once(monkeypatch):
    monkeypatch.setattr(bench_app_module.sys, "executable", "/bin/false")
    monkeypatch.setattr(bench_app_module, "_imports", lambda: 1.0)
    monkeypatch.setattr(bench_app_module, "load_model", lambda name: letter_model())
    with pytest.raises(ConfigError, match=r"The app ended instead of starting\. Its last words: none"):
        bench_app(models=["letters"])


def test_timing_the_app_needs_a_classifier_for_text(monkeypatch):
    with pytest.raises(ConfigError, match="needs a classifier for text"):
        bench_app(models=[])
