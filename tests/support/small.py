"""A small real pipeline for unit tests: a deterministic encoder of letters, and a head trained on it.

Nothing here is a pretrained model; tests that need one use the built-in encoders.
"""

from functools import lru_cache

import numpy as np
import torch

from daam_core.backbones.base import Backbone
from daam_core.configuration import ModelConfig
from daam_core.dataset_mean import dataset_mean
from daam_core.encoding import Encoding, Tokens, pool
from daam_core.inputs import Input, Text
from daam_core.trained import TrainedClassifier, identity_of
from daam_core.training.fitting import train_classifier
from daam_core.training.settings import TrainingConfig
from tests.support.encode import encode

LAYERS, FEATURES = 6, 8
CLASSES = ("vowels", "consonants")


class LetterEncoder(Backbone):
    """Each letter is a token; its hidden states are fixed sines of its code, layer and feature."""

    name = "letters"
    modality = "text"
    revision = "1"
    weights_sha256 = "0" * 64
    preprocessing = "letters-1"
    n_layers = LAYERS
    n_features = FEATURES

    def hidden(self, letters: str) -> torch.Tensor:
        """``[L, T, F]``."""
        codes = torch.tensor([float(ord(letter)) for letter in letters])
        layer = torch.arange(1.0, LAYERS + 1)[:, None, None]
        feature = torch.arange(1.0, FEATURES + 1)[None, None, :]
        return torch.sin(codes[None, :, None] * feature / (3 * layer)) * layer

    def encode(self, given: Input) -> Encoding:
        letters = self.taken(given, Text).content
        spans = np.array([(i, i + 1) for i in range(len(letters))], dtype=float)
        tokens = Tokens("text", spans, tuple(letters), np.ones(len(letters)))
        return Encoding(self.hidden(letters), tokens, given.record, letters)


def letter_data(count: int, *, seed: int = 0) -> tuple[list[str], torch.Tensor]:
    """Short strings of vowels (class 0) or consonants (class 1)."""
    draw = np.random.default_rng(seed)
    texts, labels = [], []
    for _ in range(count):
        label = int(draw.integers(2))
        letters = list("bcdfghjklmnp" if label else "aeiou")
        texts.append("".join(draw.choice(letters, size=int(draw.integers(2, 9)))))
        labels.append(label)
    return texts, torch.tensor(labels)


def letter_config(**changes: object) -> ModelConfig:
    settings: dict[str, object] = {
        "modality": "text",
        "encoder": identity_of(LetterEncoder()),
        "n_layers": LAYERS,
        "n_features": FEATURES,
        "class_names": CLASSES,
        "n_heads": 2,
        "conv_channels": 4,
    }
    return ModelConfig(**(settings | changes))  # type: ignore[arg-type]


class LetterModel(TrainedClassifier):
    """A model whose encoder is :class:`LetterEncoder`, which no name leads to."""

    backbone = LetterEncoder()  # type: ignore[assignment]


@lru_cache
def letter_model(**changes: object) -> TrainedClassifier:
    """A head trained on letters, with the given changes to its configuration."""
    texts, labels = letter_data(80)
    features = torch.stack([pool(encode(LetterEncoder(), text)) for text in texts])
    classifier, _ = train_classifier(
        letter_config(**changes), TrainingConfig(epochs=40, learning_rate=1e-2), features, labels
    )
    return LetterModel(classifier, name="letters", dataset=dataset_mean(classifier, features))


def letter_features(count: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Pooled features ``[N, L, F]`` and labels of :func:`letter_data`."""
    texts, labels = letter_data(count, seed=seed)
    return torch.stack([encode(LetterEncoder(), text).hidden.mean(1) for text in texts]), labels


def several_data(count: int, *, seed: int = 0) -> tuple[list[str], torch.Tensor]:
    """Strings of vowels, of consonants, of both, and of figures, which are neither: labels ``[N, 2]``."""
    draw = np.random.default_rng(seed)
    labels = draw.random((count, 2)) < 0.6
    kinds = [["aeiou"] * vowels + ["bcdfghjk"] * others for vowels, others in labels.astype(int)]
    texts = ["".join(draw.choice(list("".join(kind) or "0123"), size=8)) for kind in kinds]
    return texts, torch.from_numpy(labels).float()


@lru_cache
def several_model(**changes: object) -> TrainedClassifier:
    """A head that says of a string whether it has vowels and whether it has consonants."""
    texts, labels = several_data(120)
    features = torch.stack([pool(encode(LetterEncoder(), text)) for text in texts])
    classifier, _ = train_classifier(
        letter_config(labels="several", **changes),
        TrainingConfig(epochs=40, learning_rate=1e-2),
        features,
        labels,
    )
    return LetterModel(classifier, name="kinds", dataset=dataset_mean(classifier, features))
