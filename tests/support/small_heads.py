"""Heads for tests of the app: trained in seconds by the built-in encoders, on data made here.

They are real heads of tiny tasks: tones by pitch, sentences by topic, plain pictures by colour.
"""

import atexit
import colorsys
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from daam_core.backbones import load_backbone
from daam_core.dataset_mean import dataset_mean
from daam_core.encoding import pool
from daam_core.inputs import Modality
from daam_core.model import ModelConfig
from daam_core.trained import TrainedClassifier, identity_of
from daam_core.training.fitting import TrainingConfig, train_classifier
from tests.support.encode import encode

RATE = 16_000
SENTENCES = {
    "sport": [
        "The striker scored twice in the second half.",
        "She won the marathon in record time.",
        "Their coach praised the defence after the match.",
    ],
    "money": [
        "Shares of the bank fell on Monday.",
        "The company reported lower profits this quarter.",
        "Inflation made the central bank raise its rate.",
    ],
    "science": [
        "The telescope found a planet around a distant star.",
        "Researchers taught a computer to read handwriting.",
        "A new enzyme breaks plastic down within days.",
    ],
}
COLOURS = 12  # more classes than the page shows unasked
COLOUR_NAMES = tuple(f"hue {30 * index:03d}" for index in range(COLOURS))


def tone(frequency: float, *, seconds: float = 0.6, seed: int = 0) -> np.ndarray:
    """``[N]`` float32 at 16 kHz: a tone with a little noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    return (0.3 * np.sin(2 * np.pi * frequency * time) + noise).astype(np.float32)


def colour_picture(hue: float, *, seed: int = 0, size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A picture of one hue, grainy."""
    base = 255 * np.array(colorsys.hsv_to_rgb(hue, 0.9, 0.9))
    grain = np.random.default_rng(seed).normal(0, 12, (size[1], size[0], 3))
    return Image.fromarray((base + grain).clip(0, 255).astype(np.uint8))


@cache
def small_heads() -> dict[str, Path]:
    """Folders of the heads by name, trained once per test run."""
    folder = Path(tempfile.mkdtemp(prefix="small-heads-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return train_small_heads(folder)


def train_small_heads(folder: Path) -> dict[str, Path]:
    """Train ``tones`` (sound), ``topics`` and ``topics-b`` (text, two seeds) and ``colours`` (image)."""
    texts = [(text, label) for label, group in SENTENCES.items() for text in group]
    tones = [
        ((tone(frequency * (1 + 0.05 * take), seed=take), RATE), label)
        for label, frequency in (("low", 180.0), ("high", 1500.0))
        for take in range(4)
    ]
    colours = [
        (colour_picture(index / COLOURS, seed=take), name)
        for index, name in enumerate(COLOUR_NAMES)
        for take in range(2)
    ]
    return {
        name: _train(folder / name, name, modality, encoder, samples, seed=seed)
        for name, modality, encoder, samples, seed in (
            ("tones", "audio", "whisper-tiny-en", tones, 0),
            ("topics", "text", "minilm-l6", texts, 0),
            ("topics-b", "text", "minilm-l6", texts, 1),
            ("colours", "image", "efficientnet-lite0", colours, 0),
        )
    }


def _train(
    folder: Path, name: str, modality: Modality, encoder: str, samples: list[tuple[object, str]], *, seed: int
) -> Path:
    backbone = load_backbone(encoder)
    classes = tuple(dict.fromkeys(label for _, label in samples))
    features = torch.stack([pool(encode(backbone, given)).float() for given, _ in samples])
    labels = torch.tensor([classes.index(label) for _, label in samples])
    config = ModelConfig(
        modality=modality,
        encoder=identity_of(backbone),
        n_layers=backbone.n_layers,
        n_features=backbone.n_features,
        class_names=classes,
        amplitude_start=2.0,
        seed=seed,
    )
    classifier, _ = train_classifier(
        config, TrainingConfig(epochs=15, batch_size=8, seed=seed), features, labels
    )
    mean = dataset_mean(classifier, features)
    TrainedClassifier(
        classifier, name=name, dataset=mean, card=f"# {name}\n\nA classifier for tests.\n"
    ).save_pretrained(folder)
    return folder
