"""A classifier on each kind of encoder from a folder, by commands alone: trained, then asked."""

import json
import math

import numpy as np
import pytest
import soundfile
from PIL import Image

from tests.support import tiny_models as tiny
from tests.support.data import write_table
from tests.support.timm_models import saved, stand_in

FAST = ("--epochs", "2", "--heads", "2", "--validation", "0", "--batch-size", "8")

#: By what is asked of them: modality, what saves the model, its layers and features.
ENCODERS = {
    "sew": ("audio", (tiny.save_waveform, "sew"), 3, 16),
    "AST": ("audio", (tiny.save_ast,), 3, 16),
    "wav2vec2-BERT": ("audio", (tiny.save_wav2vec2_bert,), 3, 16),
    "CLAP": ("audio", (tiny.save_clap, "clap"), 3, 32),
    "T5": ("text", (tiny.save_text, "t5"), 3, 16),
    "XLNet": ("text", (tiny.save_text, "xlnet"), 3, 16),
    "a type without a reader of its own": ("text", (tiny.save_text, "megatron-bert"), 3, 16),
    "CLIP's text": ("text", (tiny.save_text, "clip", tiny.byte_level), 3, 16),
    "SigLIP 2's text": ("text", (tiny.save_text, "siglip2", tiny.byte_level), 3, 16),
    "CLIP": ("image", (tiny.save_patches, "clip"), 3, 16),
    "SigLIP 2": ("image", (tiny.save_patches, "siglip2", "Siglip2"), 3, 16),
    "DINOv3": ("image", (tiny.save_patches, "dinov3_vit", "DINOv3ViT"), 3, 16),
    "ViT-MAE": ("image", (tiny.save_patches, "vit_mae"), 3, 16),
    "Hiera": ("image", (tiny.save_stages, "hiera"), 3, 32),
    "EfficientNet": ("image", (tiny.save_stages, "efficientnet"), 4, 32),
    "MobileViT": ("image", (tiny.save_stages, "mobilevit"), 5, 32),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four inputs of each modality in two classes: a data set, and an input of it."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for label, pitch, colour in (("a", 200, (220, 30, 30)), ("b", 900, (30, 30, 220))):
        for folder in ("audio", "image"):
            (root / folder / label).mkdir(parents=True)
        for i in range(4):
            tone = np.sin(2 * np.pi * pitch * np.arange(4800) / 16_000) + 0.1 * rng.normal(size=4800)
            soundfile.write(root / "audio" / label / f"{i}.wav", 0.3 * tone, 16_000)
            Image.new("RGB", (40 + i, 36), colour).save(root / "image" / label / f"{i}.png")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(4)]
    write_table(root / "text.csv", [("text", "label"), *rows])
    return {
        "audio": (root / "audio", root / "audio" / "a" / "0.wav"),
        "image": (root / "image", root / "image" / "a" / "0.png"),
        "text": (root / "text.csv", "dog box"),
    }


@pytest.mark.parametrize("name", ENCODERS)
def test_train_and_explain_on_an_encoder_of_this_kind(name, run, data, tmp_path):
    modality, (save, *args), n_layers, n_features = ENCODERS[name]
    own = {"tokenizer" if modality == "text" else "processor": args[1]} if len(args) > 1 else {}
    save(tmp_path / "TINY", *args[:1], **own)
    train_and_explain(run, *data[modality], modality, tmp_path, [2, n_layers, n_features])


def test_train_and_explain_on_a_model_of_timm(run, data, tmp_path, monkeypatch):
    made, _ = stand_in(monkeypatch)
    saved(tmp_path / "TINY", made)
    train_and_explain(run, *data["image"], "image", tmp_path, [2, 3, 8])


def train_and_explain(run, source, sample, modality, tmp_path, shape):
    words = ("--modality", modality, "--backbone", tmp_path / "TINY", "--out", tmp_path / "head")
    status, _, err = run("train", source, *words, *FAST, "--cache-dir", tmp_path / "cache")
    assert status == 0, err
    status, out, err = run("explain", sample, "--model", tmp_path / "head", "--json")
    assert status == 0, err
    answer = json.loads(out)
    assert answer["shape"] == shape
    assert math.isclose(sum(answer["probabilities"].values()), 1, abs_tol=1e-5)
    assert answer["provenance"]["encoder"] == "TINY"
