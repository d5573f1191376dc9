"""From an input to its explanation: encode once, gate, decide, trace back.

Letters: B inputs, H heads, L layers, F features, R rows (see ``layers``), T tokens, C classes.
"""

import platform
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from daam_core.configuration import Labels, class_index
from daam_core.encoding import Encoding, Tokens, pool
from daam_core.errors import ShapeError
from daam_core.importance import importance_factor, layer_contribution, token_attribution
from daam_core.inputs import read_input
from daam_core.layers import DensityAttention
from daam_core.model import DaamClassifier, Evidence, probabilities
from daam_core.outside import judge
from daam_core.plain import PlainMapping
from daam_core.result import AXIS_NAMES, DatasetMean, Explanation, Outside, Scale
from daam_core.trained import TrainedClassifier
from daam_core.version import __version__


def explain(
    model: TrainedClassifier, given: object, *, target: str | int | None = None, scale: Scale = "all_heads"
) -> Explanation:
    """Why ``model`` decides as it does on one input.

    Args:
        model: from :func:`~daam_core.trained.load_model`.
        given: a text, as ``str``, bytes, open file, ``Path`` or ``{"text": …}``; a path to a sound or
            picture; ``(samples, rate)``; a Pillow image or an array, according to the model's modality; or
            an input of :mod:`daam_core.inputs`.
        target: class that gradients and token attribution are about, by name or index; the
            predicted class by default.
        scale: what the Importance Factor's minimum and maximum are taken over.

    Raises:
        InputError: the input cannot be used, or there is no such class.
        EncoderError: the model's encoder is missing or another one.
    """
    class_index(model.class_names, target)  # refused before the encoder runs
    read = read_input(given, model.config.modality, rate=model.backbone.sample_rate)
    return explain_encoding(model, model.backbone.encode(read), target=target, scale=scale)


def explain_encoding(
    model: TrainedClassifier,
    encoding: Encoding,
    *,
    target: str | int | None = None,
    scale: Scale = "all_heads",
    keep: Tensor | np.ndarray | None = None,
) -> Explanation:
    """Explain an input that is already encoded: the encoder does not run again.

    Args:
        model: the trained classifier.
        encoding: what ``model.backbone.encode`` returned.
        target: the explained class, by name or index; the predicted class by default.
        scale: what the Importance Factor is scaled by.
        keep: ``[H, L, F]`` factors in [0, 1] on the density attention, 0 for a muted cell; all ones
            by default. Nothing of a muted cell is let through, as of the training mean, whose standardised
            value is 0; with several levels the value still goes past it, and later levels keep what they saw.

    Raises:
        InputError: there is no such class.
        ShapeError: the encoding or ``keep`` does not fit the model.
    """
    (explanation,) = explain_encodings(model, [encoding], target=target, scale=scale, keep=keep)
    return explanation


def explain_encodings(
    model: TrainedClassifier,
    encodings: Sequence[Encoding],
    *,
    target: str | int | None = None,
    scale: Scale = "all_heads",
    keep: Tensor | np.ndarray | None = None,
) -> list[Explanation]:
    """Explain B ≥ 1 inputs that are already encoded, together; each as :func:`explain_encoding` does."""
    classifier = model.classifier
    attention = classifier.attention
    weights = attention.mean_offset  # of the model's precision, on its device
    kept = _keep_mask(attention, keep)
    pooled = torch.stack([pool(encoding) for encoding in encodings]).to(weights)  # [B, L, F]
    decided = _decided(classifier, pooled, kept, class_index(model.class_names, target))
    amplitude, scaled_variance = attention.amplitude, attention.scaled_variance
    provenance = provenance_of(
        model,
        ("torch", "transformers", "numpy"),
        seed=model.config.seed,
        **_muted(attention, kept),
    )

    of_all, evidence = decided
    texts = [encoding.text for encoding in encodings]
    outside: list[Outside | None] = [None] * len(texts)
    if model.known is not None:
        outside = [*judge(model.known, of_all.values.detach().cpu().numpy(), texts)]

    def by_head(number: int, encoding: Encoding) -> Tensor:
        hidden = classifier.standardise_tokens(encoding.hidden.to(weights))
        shares = torch.as_tensor(encoding.tokens.shares).to(weights)
        # A joint gate is no sum: its gradient × value says little of what decides. Evidence does.
        weight = of_all.gradient if evidence is None else evidence.weight
        return token_attribution(weight[number], of_all.density[number], hidden, shares)

    return explanations_of(
        model=model.name,
        modality=model.config.modality,
        mode=model.config.mode,
        n_levels=model.config.n_levels,
        residual_shares=of_all.residual.tolist(),
        gate_kind=model.config.gate_kind,
        class_names=model.class_names,
        labels=model.config.labels,
        logits=of_all.logits,
        explained=of_all.explained.tolist(),
        values=of_all.values,
        pooled=of_all.pooled,
        head_layers=attention.head_layers,
        gate=of_all.gate,
        amplitude=amplitude,
        density_attention=of_all.density,
        scale=scale,
        gradient=of_all.gradient,
        parameters=(
            attention.mean_offset,
            scaled_variance,
            attention.initial_mean_offset,
            attention.initial_scaled_variance,
        ),
        statistics=(of_all.mean, of_all.variance),
        tokens=[encoding.tokens for encoding in encodings],
        by_token=(by_head(number, encoding) for number, encoding in enumerate(encodings)),
        evidence=None if evidence is None else evidence.cells,
        texts=texts,
        dataset=model.dataset,
        outside=outside,
        provenance=[provenance | {"input": dict(encoding.facts)} for encoding in encodings],
    )


def explanations_of(
    *,
    model: str,
    modality: str,
    mode: str,
    gate_kind: str,
    class_names: tuple[str, ...],
    labels: Labels,
    logits: Tensor,
    explained: Sequence[int],
    values: Tensor,
    pooled: Tensor,
    head_layers: Tensor,
    gate: Tensor,
    amplitude: Tensor,
    density_attention: Tensor,
    scale: Scale,
    gradient: Tensor,
    parameters: tuple[Tensor, Tensor, Tensor, Tensor],
    statistics: tuple[Tensor, Tensor],
    tokens: Sequence[Tokens | None],
    by_token: Iterable[Tensor],
    provenance: Sequence[PlainMapping],
    evidence: Tensor | None = None,
    texts: Sequence[str | None] | None = None,
    dataset: DatasetMean | None = None,
    outside: Sequence[Outside | None] | None = None,
    axis_names: tuple[str, str] = AXIS_NAMES,
    n_levels: int = 1,
    residual_shares: Sequence[float] | None = None,
) -> list[Explanation]:
    """Explanations of what is given and what follows from it: Importance Factor, shares, probabilities.

    Every explanation is made here, those of B inputs together, what is of all of them in one step each.
    Fields of :class:`~daam_core.result.Explanation` have their names and an axis B in front, except

    Args:
        head_layers, amplitude: without B, the classifier's own.
        parameters: δ and ξ, and both before training; without B.
        statistics: ``[B, H, F]`` mean and variance.
        tokens: what stands along the axis of tokens; None where nothing is known of the input.
        by_token: ``[H, T]`` of each.
        texts, outside: of each; none by default.
        residual_shares: of each; 0 by default.
    """
    count = len(explained)
    factor = importance_factor(density_attention, scale=scale, head_layers=head_layers)
    # What does not differ between inputs is fetched once.
    fixed = {
        name: _array(tensor)
        for name, tensor in {
            "head_layers": head_layers,
            "amplitude": amplitude,
            "mean_offset": parameters[0],
            "scaled_variance": parameters[1],
            "initial_mean_offset": parameters[2],
            "initial_scaled_variance": parameters[3],
        }.items()
    }
    of_each = {
        "logits": logits,
        "probabilities": probabilities(logits, labels),
        "values": values,
        "pooled": pooled,
        "gate": gate,
        "density_attention": density_attention,
        "importance": factor.importance,
        "importance_range": torch.stack([factor.minimum, factor.maximum], dim=-1),
        "gradient": gradient,
        "class_importance": gradient * density_attention * values[:, None],
        "layer_contribution": layer_contribution(density_attention),
        "statistic_mean": statistics[0],
        "statistic_variance": statistics[1],
    } | ({} if evidence is None else {"evidence": evidence})
    found = {name: _wide(tensor) for name, tensor in of_each.items()}
    degenerate = (factor.maximum <= factor.minimum).any(-1).tolist()
    predicted = logits.argmax(-1).tolist()

    def one(number: int, known: Tokens | None, contributed: Tensor) -> Explanation:
        # Copies: nothing in a result changes when the model, the encoding or another result does, and a
        # result that is kept holds no other's memory.
        arrays: dict[str, Any] = {name: array.copy() for name, array in fixed.items()}
        arrays |= {name: array[number].copy() for name, array in found.items()}
        return Explanation(
            **{"evidence": None, **arrays},
            model=model,
            modality=modality,
            mode=mode,
            gate_kind=gate_kind,
            class_names=class_names,
            prediction=predicted[number],
            explained=explained[number],
            scale=scale,
            degenerate=degenerate[number],
            token_labels=() if known is None else known.labels,
            token_spans=np.zeros((0, 2)) if known is None else np.asarray(known.spans, dtype=np.float64),
            token_units="" if known is None else known.units,
            token_attribution=_array(contributed.sum(0)),
            head_token_attribution=_array(contributed),
            text=None if texts is None else texts[number],
            dataset=dataset,
            outside=None if outside is None else outside[number],
            provenance=provenance[number],
            axis_names=axis_names,
            n_levels=n_levels,
            residual_share=0.0 if residual_shares is None else residual_shares[number],
            labels=labels,
        )

    return [one(*of) for of in zip(range(count), tokens, by_token, strict=True)]


class _Decided(NamedTuple):
    """What a classifier computes of B inputs."""

    pooled: Tensor  # [B, L, F]
    values: Tensor  # [B, L, F]
    gate: Tensor  # [B, H, L, F]
    density: Tensor  # [B, H, L, F]
    gradient: Tensor  # [B, H, L, F], of the explained class's logit by the gated values
    mean: Tensor  # [B, H, F]
    variance: Tensor  # [B, H, F]
    logits: Tensor  # [B, C]
    predicted: Tensor  # [B]
    explained: Tensor  # [B]
    residual: Tensor  # [B], what the rows that are no head's add to the logit


def _decided(
    classifier: DaamClassifier, pooled: Tensor, kept: Tensor | None, target: int | None
) -> tuple[_Decided, Evidence | None]:
    """Gate, decide and differentiate pooled hidden states ``[B, L, F]``; evidence where it is defined."""
    attention = classifier.attention
    values = classifier.standardise(pooled)
    gate_rows = attention.gate(values)  # [B, R, F]
    density_rows = attention.attend(gate_rows)
    if kept is not None:
        density_rows = density_rows * attention.by_row(kept)
    gated = (density_rows * attention.seen(values, gate_rows)).detach().requires_grad_(True)
    with torch.enable_grad():
        logits, joint = classifier.decode_jointly(gated)
        predicted = logits.argmax(-1)
        explained = predicted if target is None else torch.full_like(predicted, target)
        # Inputs do not meet in the decoder, so the sum's gradient is each one's own.
        (row_gradient,) = torch.autograd.grad(logits.gather(1, explained[:, None]).sum(), gated)
    past = attention.residual_rows
    residual = (row_gradient[:, past] * gated.detach()[:, past]).sum((1, 2))
    if (gain := attention.gain(gate_rows)) is not None:
        row_gradient = gain * row_gradient
    gate, density, gradient = map(attention.by_head, (gate_rows, density_rows, row_gradient))
    mean, variance = attention.statistics(values)
    maps = gate, density, gradient
    answered = logits.detach(), predicted, explained, residual
    decided = _Decided(pooled, values, *maps, mean, variance, *answered)
    return decided, classifier.evidence(gated.detach(), explained, (decided.logits, joint))


def _keep_mask(attention: DensityAttention, keep: Tensor | np.ndarray | None) -> Tensor | None:
    if keep is None:
        return None
    shape = (attention.n_heads, attention.n_layers, attention.n_features)
    mask = torch.as_tensor(keep).to(attention.mean_offset)
    if mask.shape != shape or not bool(((mask >= 0) & (mask <= 1)).all()):
        raise ShapeError(f"keep must be {list(shape)} with values in [0, 1], got {list(mask.shape)}.")
    return mask


def _muted(attention: DensityAttention, kept: Tensor | None) -> dict[str, object]:
    """How many cells of those that heads see are muted, and which heads as a whole."""
    if kept is None:
        return {"muted_cells": 0}
    seen = attention.head_layers[:, :, None]
    cells = int(((kept < 1) & seen).sum())
    heads = ((kept == 0) | ~seen).flatten(1).all(1).nonzero().flatten().tolist()
    return {"muted_cells": cells} | ({"muted_heads": heads} if heads else {})


def provenance_of(model: TrainedClassifier, packages: Sequence[str], **more: object) -> dict[str, object]:
    """Plain values that identify what was used.

    Args:
        model: the classifier and its encoder.
        packages: names of installed packages whose versions are kept beside Python's.
        more: what else there is to say.
    """
    encoder = model.config.encoder
    return {
        "tool": f"daam-explorer {__version__}",
        "model": model.name,
        "checkpoint_sha256": model.sha256,
        "encoder": encoder.name,
        "encoder_revision": encoder.revision,
        "encoder_sha256": encoder.weights_sha256,
        "preprocessing": encoder.preprocessing,
        "versions": {
            "python": platform.python_version(),
            **{package: _version(package) for package in packages},
        },
        **more,
    }


#: Reading a package's metadata takes a millisecond, as long as all the arithmetic of an explanation.
_version = cache(metadata.version)


def _array(tensor: Tensor) -> np.ndarray:
    """A copy of its own, in numbers that files know: nothing in it changes when the model does."""
    return _wide(tensor).copy()


def _wide(tensor: Tensor) -> np.ndarray:
    """In numbers that files know; it may share the tensor's memory."""
    wide = tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
    array: np.ndarray = wide.detach().cpu().numpy()
    return array
