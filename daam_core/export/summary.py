"""What an explanation comes down to, for ``--json`` and for people.

Letters in shapes: H heads, L layers, F features, T tokens, C classes.
"""

from dataclasses import asdict

import numpy as np

from daam_core.reading.gaussians import parameter_summary
from daam_core.reading.outside import outside_summary
from daam_core.reading.quantities import caution, quantity_map, top_cells
from daam_core.reading.sentences import in_words
from daam_core.reading.words import join_words
from daam_core.result import AXIS_NAMES, Explanation


def summary(explanation: Explanation, *, top: int = 10) -> dict[str, object]:
    """The explanation without its large arrays, as plain values that JSON can express.

    Args:
        explanation: what to sum up.
        top: how many layers, features and cells are listed.

    Returns:
        Prediction and probabilities by class name, with several labels all that are
        ``predicted``; how far outside of what the classifier knows the input
        lies; what stands out, in sentences, and what the Importance Factor does not show; shape
        ``[H, L, F]``;
        the layers and features with the largest share of the density attention (percent); the cells of
        highest importance, and those of largest class importance; tokens with their attribution (and
        the words they make up);
        ranges of the learned parameters; provenance. Where its axes are not an encoder's layers and
        features, ``axis_names`` says what is called ``layer`` and ``feature`` here.
    """
    e = explanation
    contribution = np.asarray(e.layer_contribution, dtype=np.float64)
    by_layer = contribution.sum(axis=0)
    attention = np.asarray(e.density_attention, dtype=np.float64)
    total = attention.sum()
    by_feature = 100 * attention.sum(axis=(0, 1)) / (total if total > 0 else 1)
    content: dict[str, object] = {
        "model": e.model,
        "modality": e.modality,
        "prediction": e.predicted_class,
        "probability": float(e.probabilities[e.prediction]),
        **({} if e.labels == "one" else {"predicted": [e.class_names[index] for index in e.predicted]}),
        "probabilities": {name: float(p) for name, p in zip(e.class_names, e.probabilities, strict=True)},
        "explained": e.explained_class,
        "outside": outside_summary(e),
        "in_words": list(in_words(e)),
        "caution": caution("importance", e.labels),
        "shape": list(e.shape),
        "mode": e.mode,
        "gate_kind": e.gate_kind,
        "scale": e.scale,
        "degenerate": bool(e.degenerate),
        "importance_range": np.asarray(e.importance_range, dtype=np.float64).tolist(),
        "top_layers": [
            {"layer": layer, "share": float(by_layer[layer]), "by_head": contribution[:, layer].tolist()}
            for layer in top_cells(by_layer, top)[:, 0].tolist()
        ],
        "top_features": [
            {
                "feature": feature,
                "share": float(by_feature[feature]),
                "importance": float(e.importance[:, :, feature].max()),
            }
            for feature in top_cells(by_feature, top)[:, 0].tolist()
        ],
        "top_cells": _cells(e, top_cells(quantity_map(e, "importance"), top)),
        "top_class_cells": _cells(e, top_cells(quantity_map(e, "class_importance"), top, absolute=True)),
        "token_units": e.token_units,
        "tokens": [
            {"label": label, "span": _span(span), "attribution": float(value)}
            for label, span, value in zip(e.token_labels, e.token_spans, e.token_attribution, strict=True)
        ],
    }
    if e.modality == "text" and e.text is not None:
        words = join_words(e.text, e.token_labels, e.token_spans, e.token_attribution)
        content["words"] = [{"text": w.text, "start": w.start, "end": w.end, "value": w.value} for w in words]
    if e.n_levels > 1:
        content |= {"n_levels": e.n_levels, "residual_share": float(e.residual_share)}
    if e.axis_names != AXIS_NAMES:
        content["axis_names"] = list(e.axis_names)
    content["parameters"] = [asdict(row) for row in parameter_summary(e)]
    content["provenance"] = dict(e.provenance)
    return content


def _cells(explanation: Explanation, cells: np.ndarray) -> list[dict[str, int | float]]:
    return [
        {
            "head": head,
            "layer": layer,
            "feature": feature,
            "value": float(explanation.values[layer, feature]),
            **{
                name: float(getattr(explanation, name)[head, layer, feature])
                for name in ("gate", "density_attention", "importance", "class_importance")
            },
        }
        for head, layer, feature in cells.tolist()
    ]


def _span(span: np.ndarray) -> list[float] | None:
    return None if np.isnan(span).any() else [float(v) for v in span]
