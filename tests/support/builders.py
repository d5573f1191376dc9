"""Explanations for tests: random classifiers explain random encodings, by the program's own rules.

What is built here is consistent in every number but stands for no trained model.
"""

from dataclasses import replace

import numpy as np
import torch

from daam_core.configuration import EncoderIdentity, GateKind, Mode, ModelConfig
from daam_core.dataset_mean import dataset_mean
from daam_core.encoding import Encoding, Tokens
from daam_core.explaining import explain_encoding
from daam_core.importance import importance_factor, layer_contribution
from daam_core.inputs import Modality
from daam_core.model import DaamClassifier
from daam_core.result import Explanation, Scale
from daam_core.trained import TrainedClassifier

_WORDS = (
    "Markets fell sharply on Monday as investors weighed the unexpected announcement , while "
    "shipbuilders and semiconductor companies rose ."
).split()


def _text_tokens(count: int) -> tuple[str, tuple[str, ...], np.ndarray]:
    """A text, word pieces of at most five letters between ``[CLS]`` and ``[SEP]``, and their spans."""
    text, labels, spans = "", ["[CLS]"], [(np.nan, np.nan)]
    word = 0
    while len(labels) < count - 1:
        written = _WORDS[word % len(_WORDS)]
        text += " " * bool(text)
        for start in range(0, len(written), 5):
            if len(labels) == count - 1:
                break
            piece = written[start : start + 5]
            labels.append(piece if start == 0 else f"##{piece}")
            spans.append((float(len(text)), float(len(text) + len(piece))))
            text += piece
        word += 1
    labels.append("[SEP]")
    spans.append((np.nan, np.nan))
    return text or "x", tuple(labels[:count]), np.array(spans[:count])


def _tokens(modality: Modality, count: int) -> tuple[str | None, Tokens]:
    text = None
    if modality == "text":
        text, labels, spans = _text_tokens(count)
    elif modality == "audio":
        starts = np.arange(count) * 0.02
        labels, spans = tuple(f"{s:.2f} s" for s in starts), np.stack([starts, starts + 0.02], 1)
    else:
        columns = int(np.ceil(np.sqrt(count)))
        rows = -(-count // columns)
        places = [divmod(index, columns) for index in range(count)]
        spans = np.array([(c / columns, r / rows, (c + 1) / columns, (r + 1) / rows) for r, c in places])
        labels = tuple(f"row {r + 1}, column {c + 1}" for r, c in places)
    return text, Tokens(modality, spans, labels, np.ones(count))


def make_explanation(
    modality: Modality = "text",
    *,
    heads: int = 4,
    layers: int = 6,
    features: int = 32,
    tokens: int = 16,
    seed: int = 0,
    class_names: tuple[str, ...] = ("world", "sports", "business", "science"),
    gate_kind: GateKind = "density",
    mode: Mode = "shared",
    gaussians: int = 3,
    levels: int = 1,
    scale: Scale = "all_heads",
    dataset: bool = True,
    planted: tuple[int, int, int] | None = None,
    constant: bool = False,
    dtype: type = np.float32,
) -> Explanation:
    """The explanation of a random encoding by a random classifier with the ``pool`` decoder.

    Args:
        levels: with several the classifier is a Density Block, with the decoder that it needs.
        planted: (head, layer, feature) of a cell whose density attention is made ten times the
            highest of all others, to look for it in figures.
        constant: every value is the same, so that gate and map are constant.
    """
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    def hidden() -> torch.Tensor:
        if constant:
            return torch.ones(layers, tokens, features, dtype=torch.float64)
        return 1 + normal(layers, tokens, features) + 2 * normal(layers, 1, features)

    config = ModelConfig(
        modality=modality,
        encoder=EncoderIdentity("drawn", "1", "0" * 64, "none"),
        n_layers=layers,
        n_features=features,
        class_names=class_names,
        n_heads=heads,
        mode=mode,
        gate_kind=gate_kind,
        n_gaussians=gaussians,
        n_levels=levels,
        amplitude="layer" if levels == 1 else "none",
        decoder="pool" if levels == 1 else "linear",
        offset_spread=0.0 if constant else 1.0,
        seed=seed,
    )
    classifier = DaamClassifier(config).double()
    attention = classifier.attention
    moved = 0 if constant else 0.3
    with torch.no_grad():
        classifier.standardisation.mean.fill_(1)
        classifier.standardisation.deviation.fill_(2)
        attention.mean_offset += moved * normal(*attention.mean_offset.shape)
        attention.log_scaled_variance += moved * normal(*attention.log_scaled_variance.shape)
        if attention.amplitude_logits is not None:
            attention.amplitude_logits += moved * 3 * normal(heads, layers)
        for parameter in classifier.decoder.parameters():
            parameter.copy_(normal(*parameter.shape))
    text, standing = _tokens(modality, tokens)
    encoding = Encoding(hidden(), standing, {}, text)
    features_of_others = torch.stack([hidden().mean(1) for _ in range(20)]) if dataset else None
    to_dtype = torch.float32 if dtype is np.float32 else torch.float64
    classifier = classifier.to(to_dtype)
    average = (
        None if features_of_others is None else dataset_mean(classifier, features_of_others.to(to_dtype))
    )
    model = TrainedClassifier(classifier, name="test-head", dataset=average)
    explanation = explain_encoding(model, encoding, scale=scale)
    return explanation if planted is None else _with_planted_cell(explanation, planted)


def without_amplitude(explanation: Explanation) -> Explanation:
    """The same gates with λ = 1, as the paper's own variants have it; evidence and attributions stay."""
    seen = explanation.head_layers
    return replace(
        explanation,
        amplitude=seen.astype(explanation.amplitude.dtype),
        density_attention=explanation.gate,
        layer_contribution=layer_contribution(torch.tensor(explanation.gate)).numpy(),
    )


def _with_planted_cell(explanation: Explanation, cell: tuple[int, int, int]) -> Explanation:
    """The cell's density attention made ten times the highest of all others, and what is scaled by it."""
    attention = torch.tensor(explanation.density_attention)
    attention[cell] = 10 * attention.max()
    factor = importance_factor(
        attention, scale=explanation.scale, head_layers=torch.tensor(explanation.head_layers)
    )
    return replace(
        explanation,
        density_attention=attention.numpy(),
        importance=factor.importance.numpy(),
        importance_range=torch.stack([factor.minimum, factor.maximum], -1).numpy(),
        layer_contribution=layer_contribution(attention).numpy(),
        class_importance=(explanation.gradient * attention.numpy() * explanation.values),
    )
