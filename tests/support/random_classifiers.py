"""Classifiers away from their start, so that no term of a formula vanishes."""

import torch

from daam_core.configuration import ModelConfig
from daam_core.model import DaamClassifier
from tests.support.planted import (
    DECIDING,
    IDENTITY,
)

COUNT = len(DECIDING)


def random_classifier(seed: int = 0, **changes: object) -> DaamClassifier:
    """A classifier with parameters away from their start, so that no term of a formula vanishes."""
    settings: dict[str, object] = {
        "modality": "text",
        "encoder": IDENTITY,
        "n_layers": 6,
        "n_features": 5,
        "class_names": ("a", "b", "c"),
        "n_heads": 2,
        "conv_channels": 3,
    }
    torch.manual_seed(seed)
    classifier = DaamClassifier(ModelConfig(**(settings | changes)))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in classifier.attention.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
        classifier.standardisation.fit(2 + 3 * torch.randn(30, 6, 5))
    return classifier.eval().requires_grad_(False)


def random_inputs(count: int = 7) -> torch.Tensor:
    return 2 + 3 * torch.randn(count, 6, 5, generator=torch.Generator().manual_seed(9))
