"""A classifier built by hand in which exactly known cells decide, and inputs for it."""

import torch
from torch import Tensor

from daam_core.configuration import EncoderIdentity, ModelConfig
from daam_core.faithfulness.maps.cells import Cells, gated_cells
from daam_core.model import DaamClassifier

LAYERS, FEATURES, HEADS, CLASSES = 5, 8, 2, 2
#: (head, layer, feature) of the cells that decide; every other cell is worth nothing.
DECIDING = ((0, 2, 1), (0, 2, 5), (0, 2, 6))
IDENTITY = EncoderIdentity("none", "1", "0" * 64, "1")


def planted_classifier(**changes: object) -> DaamClassifier:
    """Head 0 looks at layer 3 and opens for three features; head 1 is closed and weighs nothing.

    Closed gates have the least scaled variance there is, so they let through nothing but values that
    happen to be their layers' mean.
    """
    settings: dict[str, object] = {
        "modality": "text",
        "encoder": IDENTITY,
        "n_layers": LAYERS,
        "n_features": FEATURES,
        "class_names": ("no", "yes"),
        "n_heads": HEADS,
        "offset_spread": 0.0,
    }
    classifier = DaamClassifier(ModelConfig(**(settings | changes)))  # type: ignore[arg-type]
    attention = classifier.attention
    features = [feature for _, _, feature in DECIDING]
    with torch.no_grad():
        attention.log_scaled_variance.fill_(-10.0)
        attention.log_scaled_variance[0, features] = 6.0
        # No value stands ten deviations from the mean of five, so these gates are shut.
        attention.mean_offset.fill_(10.0)
        attention.mean_offset[0, features] = 0.0
        assert attention.amplitude_logits is not None
        attention.amplitude_logits.fill_(-30.0)
        attention.amplitude_logits[:, 2] = 0.0
        decoder = classifier.decoder
        assert isinstance(decoder, torch.nn.Linear)
        decoder.weight.zero_()
        decoder.bias.zero_()
        decoder.weight.view(CLASSES, HEADS, FEATURES)[1, 0, features] = 3.0
        decoder.weight.view(CLASSES, HEADS, FEATURES)[0, 0, features] = -3.0
    return classifier.eval().requires_grad_(False)


def planted_inputs(count: int = 40, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Noise ``[N, L, F]`` whose deciding cells all say the class, and the classes ``[N]``."""
    draw = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(count, LAYERS, FEATURES, generator=draw)
    labels = torch.arange(count) % 2
    for _, layer, feature in DECIDING:
        x[:, layer, feature] = (2.0 * labels - 1) * (1.5 + torch.rand(count, generator=draw))
    return x, labels


def deciding_mask() -> Tensor:
    """``[R, F]`` bool in ``shared`` mode: rows of head 0, then of head 1."""
    mask = torch.zeros(HEADS, LAYERS, FEATURES, dtype=torch.bool)
    for cell in DECIDING:
        mask[cell] = True
    return mask.flatten(0, 1)


def planted_cells() -> tuple[DaamClassifier, Cells, Tensor, Tensor]:
    """The classifier, its gated cells, the inputs and the labels."""
    classifier = planted_classifier()
    x, labels = planted_inputs()
    return classifier, gated_cells(classifier, x), x, labels
