"""The interactive view: its script, its payload, and pages that hold both.

One script serves the app, a single HTML file without network, and a notebook cell. What it reads is
made here by :func:`view_payload`; its format is documented at the top of ``static/view_core.js``.

Exactness. A reader must see the numbers of the arrays, not of a picture. Float32 travels whole as long
as a payload stays below :data:`LIMIT_PER_HEAD`; that covers 24 × 1024 with all maps. Beyond it, maps
travel as one byte a cell, which is enough to draw them (at 40 × 5120 one exact map alone is 1.09 MB of
base64, since the digits of a float do not compress), and the script asks for the exact array of a head
(:func:`view_array`, through its option ``load``) when a number of that head is first read. A file or
notebook cell has nobody to ask, so it always holds everything.
"""

import base64
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from daam_core.errors import InputError
from daam_core.reading.quantities import gate_entropy, head_similarity, join_words
from daam_core.result import Explanation
from daam_core.version import __version__

#: Bytes of encoded arrays a head may take before maps are sent rounded.
LIMIT_PER_HEAD = 600_000

#: The script's parts, in the order in which they are joined.
SCRIPTS = (
    "view_core.js",
    "view_numbers.js",
    "view_state.js",
    "view_colour.js",
    "view_dom.js",
    "view_heatmap.js",
    "view_charts.js",
    "view_fields.js",
    "view_maps.js",
    "view_heads.js",
    "view_compare.js",
    "view_cell.js",
    "view_parameters.js",
    "view_layers.js",
    "view_tokens.js",
    "view_words.js",
    "view_sound.js",
    "view_picture.js",
    "view_input.js",
    "view_mount.js",
)

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
        "dataset_gate",
        "dataset_values",
        "dataset_density_attention",
    }
)
_PER_HEAD = _MAPS - {"values", "dataset_values"}


@cache
def view_script() -> str:
    """The view's script; defines the global ``DaamView``."""
    folder = resources.files("daam_core.view") / "web"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def view_style() -> str:
    """The view's style sheet."""
    return (resources.files("daam_core.view") / "web" / "view.css").read_text(encoding="utf-8")


def view_payload(
    explanation: Explanation,
    *,
    compare: Explanation | None = None,
    media: Mapping[str, Any] | None = None,
    compare_media: Mapping[str, Any] | None = None,
    labels: tuple[str, str] = ("A", "B"),
    limit: int | None = LIMIT_PER_HEAD,
) -> dict[str, Any]:
    """What the view shows, ready for ``json.dumps``.

    Args:
        explanation: A.
        compare: B: another input, another model, or the same after a change.
        media: from :func:`~daam_core.view.media.sound_media` or
            :func:`~daam_core.view.media.picture_media`, for A.
        compare_media: the same for B.
        labels: what A and B are called.
        limit: bytes of arrays a head may take, of each explanation; None sends everything exactly.

    Returns:
        ``{"version", "a", "b", "labels"}``. Numbers are float32; plain text is not escaped, since the
        script never treats it as markup.
    """
    return {
        "version": 1,
        "a": _explanation_payload(explanation, media, limit),
        "b": None if compare is None else _explanation_payload(compare, compare_media, limit),
        "labels": {"a": labels[0], "b": labels[1]},
    }


def view_array(explanation: Explanation, name: str, *, head: int | None = None) -> dict[str, Any]:
    """One array exactly, for the script's option ``load``.

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
        if name not in _PER_HEAD or isinstance(head, bool) or not 0 <= head < len(array):
            raise InputError(
                f"Array {name!r} has no head {head!r}; heads go from 0 to {explanation.shape[0] - 1}, and "
                f"only {', '.join(sorted(_PER_HEAD))} are split by head."
            )
        array = array[head]
    return _exact(array)


def view_html(
    explanation: Explanation,
    *,
    compare: Explanation | None = None,
    media: Mapping[str, Any] | None = None,
    compare_media: Mapping[str, Any] | None = None,
    labels: tuple[str, str] = ("A", "B"),
    state: Mapping[str, Any] | None = None,
    title: str | None = None,
) -> str:
    """The view as one HTML page that needs no network and no other file.

    Args:
        explanation, compare, media, compare_media, labels: as for :func:`view_payload`; all arrays
            are in the page, exactly.
        state: what to show first, see ``DaamView.defaults``.
        title: of the page; by default model and prediction.
    """
    payload = view_payload(
        explanation, compare=compare, media=media, compare_media=compare_media, labels=labels, limit=None
    )
    heading = title or f"Why “{explanation.predicted_class}”? An explanation of {explanation.model}"
    return _PAGE.format(
        title=html.escape(heading),
        style=view_style(),
        script=view_script(),
        payload=_json_in_html(payload),
        state=_json_in_html(dict(state or {})),
        version=html.escape(__version__),
        provenance=html.escape(
            json.dumps(dict(explanation.provenance), indent=2, ensure_ascii=False, default=str)
        ),
    )


@dataclass(frozen=True)
class NotebookView:
    """A page for a notebook cell: shown as the cell's value, in a frame of its own.

    Attributes:
        page: the HTML page.
        height: of the frame, in pixels.
    """

    page: str
    height: int

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="Interactive explanation" sandbox="allow-scripts" '
            f'srcdoc="{html.escape(self.page)}" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>'
        )


def notebook_view(explanation: Explanation, *, height: int = 900, **options: Any) -> NotebookView:
    """The view for a notebook cell.

    Args:
        explanation: what to show.
        height: of the cell's frame, in pixels.
        options: as for :func:`view_html`.
    """
    return NotebookView(view_html(explanation, **options), height)


def _explanation_payload(
    explanation: Explanation, media: Mapping[str, Any] | None, limit: int | None
) -> dict[str, Any]:
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
        "explained": int(e.explained),
        "scale": e.scale,
        "degenerate": bool(e.degenerate),
        "head_layers": e.head_layers.tolist(),
        "amplitude": _numbers(e.amplitude),
        "importance_range": _numbers(e.importance_range),
        "layer_contribution": _numbers(e.layer_contribution),
        "ranges": _ranges(e, ("gate", "density_attention", "class_importance"), e.head_layers),
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
        name: getattr(e, name) for name in _PRIORITY if name != "density_attention" and hasattr(e, name)
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


def _ranges(source: Any, names: tuple[str, ...], head_layers: np.ndarray) -> dict[str, Any]:
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


def _encoded(arrays: Mapping[str, np.ndarray], *, heads: int, limit: int | None) -> dict[str, dict[str, Any]]:
    """Every array as exactly as the limit allows: first all that fits at all, then exactness in turn."""
    if limit is None:
        return {name: _exact(array) for name, array in arrays.items()}
    left = limit * heads
    smallest = {name: array.size if name in _MAPS else array.nbytes for name, array in arrays.items()}
    sent = {}
    for name, size in smallest.items():  # in order of priority
        sent[name] = _base64_length(size) <= left
        left -= _base64_length(size) if sent[name] else 0
    encoded: dict[str, dict[str, Any]] = {}
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


def _exact(array: np.ndarray) -> dict[str, Any]:
    return {
        "shape": list(array.shape),
        "dtype": "float32",
        "data": _base64(np.ascontiguousarray(array, dtype="<f4").tobytes()),
    }


def _rounded(array: np.ndarray) -> dict[str, Any]:
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


def _words(explanation: Explanation) -> dict[str, Any]:
    """The text cut into words and what stands between them, and each word's tokens."""
    text = explanation.text or ""
    words = join_words(text, explanation.token_labels, explanation.token_spans, explanation.token_attribution)
    pieces: list[list[Any]] = []
    end = 0
    for index, word in enumerate(words):
        if word.start is None or word.end is None:
            continue
        if word.start > end:
            pieces.append([text[end : word.start], -1])
        pieces.append([text[word.start : word.end], index])
        end = word.end
    if end < len(text):
        pieces.append([text[end:], -1])
    return {
        "pieces": pieces,
        "list": [
            {"text": word.text, "tokens": list(word.tokens), "special": word.start is None} for word in words
        ],
    }


def _numbers(array: np.ndarray) -> Any:
    """Nested lists of float32 numbers; JSON has no NaN or infinity, so those become null."""
    single = np.asarray(array, dtype=np.float32).astype(object)
    single[~np.isfinite(np.asarray(array, dtype=np.float64))] = None
    return single.tolist()


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def _json_in_html(value: Any) -> str:
    """JSON for a script element: without ``<`` no text in it can end the element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:; media-src data:">
<title>{title}</title>
<style>
body {{ margin: 0; background: #ffffff; color: #1c2430; font: 14px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1280px; margin: 0 auto; padding: 24px clamp(16px, 3vw, 40px) 64px; }}
h1 {{ font-size: 24px; line-height: 32px; font-weight: 600; margin: 0 0 24px; letter-spacing: -0.01em; \
overflow-wrap: anywhere; }}
footer {{ margin-top: 64px; font-size: 13px; }}
summary {{ cursor: pointer; }}
pre {{ overflow-x: auto; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #16191e; color: #e7ebf0; }} }}
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="view"></div>
<footer>
<details><summary>Where this comes from</summary>
<pre tabindex="0">{provenance}</pre>
</details>
<p>Made with the DAAM explorer {version}. This page holds all that it shows and asks no server.</p>
</footer>
</main>
<script type="application/json" id="payload">{payload}</script>
<script type="application/json" id="state">{state}</script>
<script>
{script}
</script>
<script>
(function () {{
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  window.daamView = DaamView.mount(document.getElementById('view'), read('payload'), {{
    state: read('state'), theme: 'auto', heading: 2,
  }});
}}());
</script>
</body>
</html>
"""
