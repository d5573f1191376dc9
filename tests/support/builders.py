"""Explanations for tests: random parameters and inputs, everything computed from them by the rules.

What is built here is consistent (gates come from the gate functions, token attribution sums to class
importance, …) but stands for no trained model.
"""

import numpy as np
import torch

from daam_core.gating import axis_statistics, density_gate, mixture_gate
from daam_core.importance import importance_factor, layer_contribution, token_attribution
from daam_core.result import DatasetMean, Explanation, Scale

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


def _tokens(modality: str, count: int) -> tuple[str | None, tuple[str, ...], np.ndarray, str]:
    if modality == "text":
        text, labels, spans = _text_tokens(count)
        return text, labels, spans, "characters"
    if modality == "audio":
        starts = np.arange(count) * 0.02
        return None, tuple(f"{s:.2f} s" for s in starts), np.stack([starts, starts + 0.02], 1), "seconds"
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    places = [divmod(index, columns) for index in range(count)]
    spans = np.array([(c / columns, r / rows, (c + 1) / columns, (r + 1) / rows) for r, c in places])
    return None, tuple(f"row {r + 1}, column {c + 1}" for r, c in places), spans, "fraction"


def make_explanation(
    modality: str = "text",
    *,
    heads: int = 4,
    layers: int = 6,
    features: int = 32,
    tokens: int = 16,
    seed: int = 0,
    class_names: tuple[str, ...] = ("world", "sports", "business", "science"),
    gate_kind: str = "density",
    mode: str = "shared",
    gaussians: int = 3,
    scale: Scale = "all_heads",
    dataset: bool = True,
    planted: tuple[int, int, int] | None = None,
    constant: bool = False,
    dtype: type = np.float32,
) -> Explanation:
    """A consistent explanation of a random input by a random head with the ``pool`` decoder.

    Args:
        planted: (head, layer, feature) of a cell whose density attention is made ten times the
            highest of all others, to look for it in figures.
        constant: every value is the same, so that gate and map are constant.
    """
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    hidden = torch.zeros(layers, tokens, features, dtype=torch.float64)
    if not constant:
        hidden = 0.5 * normal(layers, tokens, features) + normal(layers, 1, features)
    values = hidden.mean(1)
    if mode == "shared":
        head_layers = torch.ones(heads, layers, dtype=torch.bool)
    else:
        head_layers = torch.arange(layers)[None] // (layers // heads) == torch.arange(heads)[:, None]
    density = gate_kind == "density"
    width = features if density else gaussians
    offset_start = torch.linspace(-1, 1, heads, dtype=torch.float64)[:, None].repeat(1, width)
    spread_start = torch.full((heads, width), 2.0 if density else 1.0, dtype=torch.float64)
    offset = offset_start + (0 if constant else 0.3 * normal(heads, width))
    spread = spread_start * (1 if constant else (0.4 * normal(heads, width)).exp())
    if constant:
        offset = torch.zeros_like(offset)
    gate = torch.zeros(heads, layers, features, dtype=torch.float64)
    mean = torch.zeros(heads, features, dtype=torch.float64)
    variance = torch.zeros_like(mean)
    for head, seen in enumerate(head_layers):
        gate_of = density_gate if density else mixture_gate
        gate[head, seen] = gate_of(values[seen], offset[head], spread[head])
        mean[head], variance[head] = (
            statistic[0] for statistic in axis_statistics(values[seen], unbiased=not density)
        )
    logits_of_layers = torch.zeros(heads, layers) if constant else normal(heads, layers)
    shares = logits_of_layers.double().masked_fill(~head_layers, -torch.inf).softmax(-1)
    amplitude = shares * head_layers.sum(-1, keepdim=True)
    attention = amplitude[..., None] * gate
    if planted is not None:
        attention[planted] = 10 * attention.max()
    factor = importance_factor(attention, scale=scale, head_layers=head_layers)
    decoder = normal(len(class_names), heads, features)
    pooled = (attention * values).sum(1) / head_layers.sum(-1)[:, None]
    logits = torch.einsum("chf,hf->c", decoder, pooled)
    prediction = int(logits.argmax())
    gradient = decoder[prediction][:, None].expand(-1, layers, -1) / head_layers.sum(-1)[:, None, None]
    gradient = gradient * head_layers[..., None]
    by_head = token_attribution(gradient, attention, hidden, torch.full((tokens,), 1 / tokens).double())
    text, labels, spans, units = _tokens(modality, tokens)

    def array(tensor: torch.Tensor) -> np.ndarray:
        return tensor.numpy().astype(dtype)

    average = None
    if dataset:
        other = make_explanation(
            modality,
            heads=heads,
            layers=layers,
            features=features,
            tokens=tokens,
            seed=seed + 1,
            class_names=class_names,
            gate_kind=gate_kind,
            mode=mode,
            gaussians=gaussians,
            dataset=False,
            dtype=dtype,
        )
        average = DatasetMean(
            other.gate,
            other.density_attention,
            other.importance,
            other.values,
            other.statistic_mean,
            other.statistic_variance,
            20,
        )
    return Explanation(
        model="test-head",
        modality=modality,
        mode=mode,
        gate_kind=gate_kind,
        class_names=class_names,
        logits=array(logits),
        probabilities=array(logits.softmax(0)),
        prediction=prediction,
        explained=prediction,
        values=array(values),
        pooled=array(2 * values + 1),
        head_layers=head_layers.numpy(),
        gate=array(gate),
        amplitude=array(amplitude),
        density_attention=array(attention),
        importance=array(factor.importance),
        importance_range=array(torch.stack([factor.minimum, factor.maximum], -1)),
        scale=scale,
        degenerate=factor.degenerate,
        gradient=array(gradient),
        class_importance=array(gradient * attention * values),
        layer_contribution=array(layer_contribution(attention)),
        mean_offset=array(offset),
        scaled_variance=array(spread),
        initial_mean_offset=array(offset_start),
        initial_scaled_variance=array(spread_start),
        statistic_mean=array(mean),
        statistic_variance=array(variance),
        token_labels=labels,
        token_spans=spans,
        token_units=units,
        token_attribution=array(by_head.sum(0)),
        head_token_attribution=array(by_head),
        text=text,
        dataset=average,
        provenance={"model": "test-head", "seed": seed, "versions": {"numpy": np.__version__}},
    )
