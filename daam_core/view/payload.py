"""What the interactive view reads; the format is documented in ``web/types.js``.

Exactness. A reader must see the numbers of the arrays, not of a picture. Float32 travels whole as long
as a payload stays below :data:`LIMIT_PER_HEAD`; that covers 24 × 1024 with all maps. Beyond it, maps
travel as one byte a cell, which is enough to draw them (at 40 × 5120 one exact map alone is 1.09 MB of
base64, since the digits of a float do not compress), and the script asks for the exact array of a head
(:func:`view_array`, through its event ``exact``) when a number of that head is first read. A file or
notebook cell has nobody to ask, so it always holds everything.
"""

import base64
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from daam_core.errors import InputError, is_whole
from daam_core.reading.colours import DIVERGING, DIVERGING_DARK, HEAD_COLOURS
from daam_core.reading.differences import compared_quantity, largest_changes
from daam_core.reading.heads import gate_entropy, head_similarity, most_on
from daam_core.reading.letters import unturned
from daam_core.reading.outside import verdict, warning
from daam_core.reading.quantities import QUANTITIES, caution, quantity_text
from daam_core.reading.sentences import STAND_ALONE, changes_in_words, what_stands_out
from daam_core.reading.terms import TERMS
from daam_core.reading.words import join_words
from daam_core.result import DatasetMean, Explanation

#: Bytes of encoded arrays a head may take before maps are sent rounded.
LIMIT_PER_HEAD = 600_000

#: Arrays of a payload, the most needed first: what does not fit any more is sent when asked for.
#: Density attention is there only where it is not amplitude × gate; the map shown first needs it or,
#: without it, the gate, which then moves to its place.
_PRIORITY = (
    "token_spans",
    "token_attribution",
    "head_token_attribution",
    "density_attention",
    "mean_offset",
    "scaled_variance",
    "values",
    "statistic_mean",
    "statistic_variance",
    "initial_mean_offset",
    "initial_scaled_variance",
    "gate",
    "class_importance",
    "evidence",
    "dataset_statistic_mean",
    "dataset_statistic_variance",
    "dataset_gate",
    "dataset_values",
    "dataset_density_attention",
)
#: Arrays with one entry per layer and feature.
_MAPS = frozenset(
    {
        "gate",
        "density_attention",
        "values",
        "class_importance",
        "evidence",
        "dataset_gate",
        "dataset_values",
        "dataset_density_attention",
    }
)
_PER_HEAD = _MAPS - {"values", "dataset_values"}
_RANGED = ("gate", "density_attention", "class_importance")


def view_payload(
    explanation: Explanation,
    *,
    compare: Explanation | None = None,
    media: Mapping[str, object] | None = None,
    compare_media: Mapping[str, object] | None = None,
    names: tuple[str, str] = ("", ""),
    limit: int | None = LIMIT_PER_HEAD,
) -> dict[str, object]:
    """What the view shows, ready for ``json.dumps``.

    Args:
        explanation: A.
        compare: B: another input, another model, or the same after a change.
        media: from :func:`~daam_core.view.media.sound_media` or
            :func:`~daam_core.view.media.picture_media`, for A.
        compare_media: the same for B.
        names: what the inputs A and B are called, such as their files' names.
        limit: bytes of arrays a head may take, of each explanation; None sends everything exactly.

    Returns:
        ``{"version", "a", "b", "colours", "quantities", "terms"}``. Arrays are float32; plain text is not
        escaped, since the script never treats it as markup.
    """
    return {
        "version": 2,
        "a": _explanation_payload(explanation, media, limit) | {"letter": "A", "name": names[0]},
        "b": None
        if compare is None
        else _explanation_payload(compare, compare_media, limit) | {"letter": "B", "name": names[1]},
        "changes": [] if compare is None else list(changes_in_words(explanation, compare)),
        "largest_change": None if compare is None else _largest_change(explanation, compare),
        "colours": {
            "heads": list(HEAD_COLOURS),
            "diverging": list(DIVERGING),
            "diverging_dark": list(DIVERGING_DARK),
        },
        "quantities": {
            name: asdict(quantity_text(name, explanation.labels))
            | {"caution": caution(name, explanation.labels)}
            for name in QUANTITIES
            if all(getattr(e, name) is not None for e in (explanation, compare) if e is not None)
        },
        "terms": {
            symbol: f"{term.name}: {term.on(*explanation.axis_names).sentence}"
            for symbol, term in TERMS.items()
        },
    }


def view_array(explanation: Explanation, name: str, *, head: int | None = None) -> dict[str, object]:
    """One array exactly, the answer to the script's event ``exact``.

    Args:
        explanation: the one that the payload was made from.
        name: as the script asks for it.
        head: for arrays ``[H, L, F]`` one head's ``[L, F]``; None gives the whole array.

    Raises:
        InputError: there is no such array or head.
    """
    arrays = _arrays(explanation)
    if name not in arrays:
        raise InputError(f"There is no array {name!r} in this view; it has {', '.join(arrays)}.")
    array = arrays[name]
    if head is not None:
        if name not in _PER_HEAD or not is_whole(head) or not 0 <= head < len(array):
            raise InputError(
                f"Array {name!r} has no head {head!r}; heads go from 0 to {explanation.shape[0] - 1}, and "
                f"only {', '.join(sorted(_PER_HEAD))} are split by head."
            )
        array = array[head]
    return _exact(array)


def _largest_change(a: Explanation, b: Explanation) -> dict[str, int | str] | None:
    """The cell that the sentences on what changed name, and of which map it is, where they name one."""
    quantity = compared_quantity(a, b)
    changes = largest_changes(a, b, 1, quantity=quantity) if a.model == b.model else []
    if not changes:
        return None
    return {name: getattr(changes[0], name) for name in ("head", "layer", "feature")} | {"quantity": quantity}


def _explanation_payload(
    explanation: Explanation, media: Mapping[str, object] | None, limit: int | None
) -> dict[str, object]:
    e = explanation
    return {
        "model": e.model,
        "modality": e.modality,
        "mode": e.mode,
        "gate_kind": e.gate_kind,
        "shape": list(e.shape),
        "class_names": list(e.class_names),
        "logits": _numbers(e.logits),
        "probabilities": _numbers(e.probabilities),
        "prediction": int(e.prediction),
        "predicted": list(e.predicted),
        "answer": e.answer,
        "labels": e.labels,
        "stand_alone": STAND_ALONE if e.labels == "several" else "",
        "explained": int(e.explained),
        "scale": e.scale,
        "degenerate": bool(e.degenerate),
        "head_layers": e.head_layers.tolist(),
        "amplitude": _numbers(e.amplitude),
        "importance_range": _numbers(e.importance_range),
        "layer_contribution": _numbers(e.layer_contribution),
        "most_on": [
            found if isinstance(found := most_on(shares), str) else list(found)
            for shares in e.layer_contribution
        ],
        "ranges": _ranges(e, _RANGED if e.evidence is None else (*_RANGED, "evidence"), e.head_layers),
        "token_labels": list(e.token_labels),
        "token_units": e.token_units,
        "text": e.text,
        "words": None if e.text is None else _words(e),
        "dataset": None
        if e.dataset is None
        else {
            "samples": int(e.dataset.samples),
            "ranges": _ranges(e.dataset, ("gate", "density_attention"), e.head_layers),
        },
        "axis_names": list(e.axis_names),
        "n_levels": e.n_levels,
        "in_words": list(what_stands_out(e)),
        "warning": warning(e),
        "outside": verdict(e),
        "similarity": _numbers(head_similarity(e.gate, e.head_layers)),
        "entropy": _numbers(gate_entropy(e.gate, e.head_layers)),
        "checkpoint": str(e.provenance.get("checkpoint_sha256", "")),
        "media": dict(media) if media else None,
        "arrays": _encoded(_arrays(e), heads=e.shape[0], limit=limit),
    }


def _arrays(explanation: Explanation) -> dict[str, np.ndarray]:
    """Large arrays of a payload by name, float32; density attention only where it cannot be computed."""
    e = explanation
    found: dict[str, np.ndarray] = {
        name: getattr(e, name)
        for name in _PRIORITY
        if name != "density_attention" and getattr(e, name, None) is not None
    }
    if not _is_product(e.density_attention, e.amplitude, e.gate):
        found["density_attention"] = e.density_attention
    if e.dataset is not None:
        found |= {
            name: getattr(e.dataset, name.removeprefix("dataset_"))
            for name in _PRIORITY
            if name.startswith("dataset_") and name != "dataset_density_attention"
        }
        if not _is_product(e.dataset.density_attention, e.amplitude, e.dataset.gate):
            found["dataset_density_attention"] = e.dataset.density_attention
    order = [name for name in _PRIORITY if name in found]
    if "density_attention" not in found:
        order.remove("gate")
        order.insert(order.index("mean_offset"), "gate")
    return {name: np.asarray(found[name], dtype=np.float32) for name in order}


def _ranges(
    source: Explanation | DatasetMean, names: tuple[str, ...], head_layers: np.ndarray
) -> dict[str, object]:
    """Lowest and highest number of each head, over the layers it sees: what scales need of every head."""
    return {
        name: [
            [float(part.min()), float(part.max())]
            for part in (
                np.asarray(array[seen], dtype=np.float32)
                for array, seen in zip(getattr(source, name), head_layers, strict=True)
            )
        ]
        for name in names
    }


def _is_product(density: np.ndarray, amplitude: np.ndarray, gate: np.ndarray) -> bool:
    """Whether density attention is amplitude × gate to the last bit of float32."""
    product = np.asarray(amplitude, dtype=np.float32)[..., None] * np.asarray(gate, dtype=np.float32)
    return bool(np.array_equal(product, np.asarray(density, dtype=np.float32)))


def _encoded(
    arrays: Mapping[str, np.ndarray], *, heads: int, limit: int | None
) -> dict[str, dict[str, object]]:
    """Every array as exactly as the limit allows: first all that fits at all, then exactness in turn."""
    if limit is None:
        return {name: _exact(array) for name, array in arrays.items()}
    left = limit * heads
    smallest = {name: array.size if name in _MAPS else array.nbytes for name, array in arrays.items()}
    sent = {}
    for name, size in smallest.items():  # in order of priority
        sent[name] = _base64_length(size) <= left
        left -= _base64_length(size) if sent[name] else 0
    encoded: dict[str, dict[str, object]] = {}
    for name, array in arrays.items():
        more = _base64_length(array.nbytes) - _base64_length(smallest[name])
        if not sent[name]:
            encoded[name] = {"shape": list(array.shape), "lazy": True}
        elif more <= left:
            encoded[name] = _exact(array)
            left -= more
        else:
            encoded[name] = _rounded(array)
    return encoded


def _base64_length(raw_bytes: int) -> int:
    """Characters that so many bytes take."""
    return 4 * -(-raw_bytes // 3)


def _exact(array: np.ndarray) -> dict[str, object]:
    return {
        "shape": list(array.shape),
        "dtype": "float32",
        "data": _base64(np.ascontiguousarray(array, dtype="<f4").tobytes()),
    }


def _rounded(array: np.ndarray) -> dict[str, object]:
    """One byte a cell. Lowest and highest number of each part are kept exactly."""
    parts = array if array.ndim == 3 else array[None]
    low = parts.min(axis=(1, 2)).astype(np.float64)
    high = parts.max(axis=(1, 2)).astype(np.float64)
    width = np.where(high > low, high - low, 1.0)
    levels = np.round(255 * (parts - low[:, None, None]) / width[:, None, None]).astype(np.uint8)
    return {
        "shape": list(array.shape),
        "dtype": "uint8",
        "ranges": np.stack([low, high], axis=1).tolist(),
        "data": _base64(levels.tobytes()),
    }


def _words(explanation: Explanation) -> dict[str, object]:
    """The text cut into words and what stands between them, and each word's tokens."""
    text = explanation.text or ""
    words = join_words(text, explanation.token_labels, explanation.token_spans, explanation.token_attribution)
    pieces: list[list[object]] = []
    end = 0
    for index, word in enumerate(words):
        if word.start is None or word.end is None:
            continue
        if word.start > end:
            pieces.append([unturned(text[end : word.start]), -1])
        pieces.append([unturned(text[word.start : word.end]), index])
        end = word.end
    if end < len(text):
        pieces.append([unturned(text[end:]), -1])
    return {
        "pieces": pieces,
        "list": [
            {"text": unturned(word.text), "tokens": list(word.tokens), "special": word.start is None}
            for word in words
        ],
    }


def _numbers(array: np.ndarray) -> object:
    """Nested lists of the numbers as they are; JSON has no NaN or infinity, so those become null."""
    numbers = array.astype(object)
    numbers[~np.isfinite(array)] = None
    return numbers.tolist()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
