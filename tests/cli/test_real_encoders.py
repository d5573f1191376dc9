"""Train, evaluate and explain with the real encoders, one after the other."""

import json

import numpy as np
import pytest
import soundfile
from PIL import Image, ImageDraw

from daam_core import explain, load_model
from daam_core.backbones import load_backbone
from daam_core.errors import EncoderError
from daam_core.export import load
from tests.support.commands import QUICK
from tests.support.data import class_folders


def tones(folder):
    seconds = np.arange(6400) / 16_000
    for name, pitch in (("low", 110), ("high", 880)):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            tone = 0.4 * np.sin(2 * np.pi * (pitch * (1 + i / 50)) * seconds)
            soundfile.write(folder / name / f"{i}.wav", tone, 16_000)
    return folder / "high" / "0.wav"


def pictures(folder):
    for name in ("discs", "stripes"):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            picture = Image.new("RGB", (96, 64), (240, 240 - 5 * i, 230))
            draw = ImageDraw.Draw(picture)
            if name == "discs":
                draw.ellipse((20 + i, 8, 68 + i, 56), fill=(200, 30 + i, 30))
            else:
                for x in range(0, 96, 12):
                    draw.rectangle((x, 0, x + 5, 64), fill=(20, 60 + i, 160))
            picture.save(folder / name / f"{i}.png")
    return folder / "discs" / "0.png"


def sentences(folder):
    sport = ["match", "goal", "coach", "league", "striker", "referee"]
    food = ["soup", "oven", "butter", "recipe", "onion", "bread"]
    tree = {
        "sport": {f"{i}.txt": f"The {word} decided the cup final." for i, word in enumerate(sport)},
        "food": {f"{i}.txt": f"Stir the {word} and bake until golden." for i, word in enumerate(food)},
    }
    return class_folders(folder, tree) / "sport" / "0.txt"


@pytest.mark.parametrize(
    ("modality", "backbone", "make", "expected"),
    [
        ("audio", "whisper-tiny-en", tones, "high"),
        ("image", "efficientnet-lite0", pictures, "discs"),
        ("text", "minilm-l6", sentences, "sport"),
    ],
)
def test_train_evaluate_and_explain_with_a_real_encoder(run, tmp_path, modality, backbone, make, expected):
    try:
        load_backbone(backbone)
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    data, out, cache = tmp_path / "data", tmp_path / "checkpoint", tmp_path / "cache"
    sample = make(data)
    kept = ("--cache-dir", cache)
    words = ["train", data, "--modality", modality, "--backbone", backbone, "--out", out, *QUICK, *kept]
    status, text, err = run(*words, "--folds", 2, "--validation", 0)
    assert status == 0
    (note,) = err.splitlines()  # the one thing that twelve inputs are too few for
    assert note.startswith("daam: note: Where the training data lie was not kept")
    assert "2 folds" in text
    assert {path.name for path in out.iterdir()} == {
        "config.json",
        "model.safetensors",
        "README.md",
        "report.json",
    }
    report = json.loads((out / "report.json").read_text())
    assert report["accuracy"] > 0.7
    assert report["parameters"]["encoder"] > 1_000_000
    assert str(tmp_path) not in (out / "report.json").read_text() + (out / "README.md").read_text()

    status, text, err = run("evaluate", data, "--model", out, "--out", tmp_path / "report", "--json", *kept)
    assert (status, err) == (0, "")
    found = json.loads(text)
    assert found["scores"]["accuracy"] > 0.8
    assert found["trained_on"] is True
    assert found == json.loads((tmp_path / "report" / "report.json").read_text())

    saved = tmp_path / "e.npz"
    status, text, err = run("explain", sample, "--model", out, "--json", "--out", saved)
    assert (status, err) == (0, "")
    answer = json.loads(text)
    direct = explain(load_model(out), sample.read_text() if modality == "text" else sample)
    assert answer["prediction"] == direct.predicted_class == expected
    np.testing.assert_array_equal(load(saved).importance, direct.importance)
    with np.load(saved) as arrays:
        np.testing.assert_array_equal(arrays["gate"], direct.gate)
        assert json.loads(str(arrays["provenance"]))["encoder"] == backbone
