"""Heads for tests of the app: trained in seconds by the built-in encoders, on data made here.

They are real heads of tiny tasks: tones by pitch, sentences by topic, plain pictures by colour.
"""

import colorsys
import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from filelock import FileLock
from PIL import Image

from daam_core.backbones import load_backbone
from daam_core.configuration import ModelConfig
from daam_core.dataset_mean import dataset_mean
from daam_core.encoding import pool
from daam_core.inputs import Modality
from daam_core.trained import TrainedClassifier, identity_of
from daam_core.training.fitting import train_classifier
from daam_core.training.settings import TrainingConfig
from tests.support.encode import encode
from tests.support.run import FOLDER_OF_THE_RUN

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
OF_NO_SUBJECT = (
    "The cat slept on the warm roof.",
    "Rain fell softly all night.",
    "Grandmother baked bread in the old kitchen.",
    "He walked slowly along the river.",
)
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


def small_heads() -> dict[str, Path]:
    """Folders of the heads by name, trained by whichever process of a test run comes first."""
    folder = Path(os.environ[FOLDER_OF_THE_RUN]) / "heads"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            unfinished = folder.with_suffix(".part")
            _train_all(unfinished)
            unfinished.rename(folder)
    return {name: folder / name for name in ("tones", "topics", "topics-b", "colours")}


def several_head() -> Path:
    """Folder of ``subjects``: which subjects a text has, any number of them, by a density decoder."""
    folder = Path(os.environ[FOLDER_OF_THE_RUN]) / "several"
    with FileLock(folder.with_suffix(".lock")):
        if not folder.is_dir():
            names = tuple(SENTENCES)
            single = [(text, {name}) for name, group in SENTENCES.items() for text in group]
            both = [
                (f"{one} {other}", {*subject, *second})
                for (one, subject), (other, second) in itertools.combinations(single, 2)
            ]
            texts = [*single, *both, *((text, set[str]()) for text in OF_NO_SUBJECT)]
            labels = [[float(name in subjects) for name in names] for _, subjects in texts]
            unfinished = folder.with_suffix(".part")
            _train(
                unfinished / "subjects",
                "text",
                "minilm-l6",
                [text for text, _ in texts],
                torch.tensor(labels),
                names,
                labels="several",
                decoder="density",
                n_heads=2,
            )
            unfinished.rename(folder)
    return folder / "subjects"


def _train_all(folder: Path) -> None:
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
    _train_one(folder / "tones", "audio", "whisper-tiny-en", tones)
    _train_one(folder / "topics", "text", "minilm-l6", texts)
    _train_one(folder / "topics-b", "text", "minilm-l6", texts, seed=1)
    _train_one(folder / "colours", "image", "efficientnet-lite0", colours)


def _train_one(
    folder: Path, modality: Modality, encoder: str, samples: list[tuple[object, str]], *, seed: int = 0
) -> None:
    classes = tuple(dict.fromkeys(label for _, label in samples))
    labels = torch.tensor([classes.index(label) for _, label in samples])
    _train(folder, modality, encoder, [given for given, _ in samples], labels, classes, seed=seed)


def _train(
    folder: Path,
    modality: Modality,
    encoder: str,
    given: Sequence[object],
    targets: torch.Tensor,
    classes: tuple[str, ...],
    *,
    seed: int = 0,
    **changes: Any,
) -> None:
    backbone = load_backbone(encoder)
    features = torch.stack([pool(encode(backbone, one)).float() for one in given])
    config = ModelConfig(
        modality=modality,
        encoder=identity_of(backbone),
        n_layers=backbone.n_layers,
        n_features=backbone.n_features,
        class_names=classes,
        amplitude_start=2.0,
        seed=seed,
        **changes,
    )
    classifier, _ = train_classifier(
        config, TrainingConfig(epochs=15, batch_size=8, seed=seed), features, targets
    )
    mean = dataset_mean(classifier, features)
    card = f"# {folder.name}\n\nA classifier for tests.\n"
    TrainedClassifier(classifier, name=folder.name, dataset=mean, card=card).save_pretrained(folder)
