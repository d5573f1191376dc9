"""A saved page: the interactive view with all that it shows, in one HTML file without network."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

from daam_core.reading.quantities import caution
from daam_core.result import Explanation
from daam_core.version import __version__
from daam_core.view.modules import import_map, view_style
from daam_core.view.payload import view_payload
from daam_core.view.terms import terms_html


def view_html(
    explanation: Explanation,
    *,
    compare: Explanation | None = None,
    media: Mapping[str, object] | None = None,
    compare_media: Mapping[str, object] | None = None,
    names: tuple[str, str] = ("", ""),
    state: Mapping[str, object] | None = None,
    title: str | None = None,
) -> str:
    """The view as one HTML page that needs no network and no other file.

    Args:
        explanation, compare, media, compare_media, names: as for
            :func:`~daam_core.view.payload.view_payload`; all arrays
            are in the page, exactly.
        state: what to show first, see ``DEFAULTS`` in ``web/state.js``.
        title: of the page; by default models and predictions.
    """
    payload = view_payload(
        explanation, compare=compare, media=media, compare_media=compare_media, names=names, limit=None
    )
    heading = title or _heading(explanation, compare)
    inputs = [name for name, shown in zip(names, (explanation, compare), strict=True) if name and shown]
    letters = ("A: ", "B: ") if len(inputs) > 1 else ("Input: ",)
    given = "; ".join(f"{letter}{name}" for letter, name in zip(letters, inputs, strict=False))
    modules = json.dumps(import_map())
    return _PAGE.format(
        policy=f"default-src 'none'; script-src data: {_digest(modules)} {_digest(_START)}; "
        "style-src 'unsafe-inline'; img-src data:; media-src data:",
        title=html.escape(heading),
        given=html.escape(given),
        terms=terms_html(*explanation.axis_names),
        caution=html.escape(_cautions(payload, explanation.labels)),
        style=view_style(),
        modules=modules,
        start=_START,
        arrays=_arrays_in_html(payload),
        payload=_json_in_html(payload),
        state=_json_in_html(dict(state or {})),
        version=html.escape(__version__),
        provenance=html.escape(
            json.dumps(dict(explanation.provenance), indent=2, ensure_ascii=False, default=str)
        ),
    )


def _heading(a: Explanation, b: Explanation | None) -> str:
    if b is None:
        return f"Why “{a.answer}”? An explanation of {a.model}"
    models = a.model if a.model == b.model else f"{a.model} and {b.model}"
    return f"Why “{a.answer}” (A), why “{b.answer}” (B)? Two explanations of {models}"


def _cautions(payload: Mapping[str, Any], labels: str) -> str:
    """What the maps do not show: evidence, first where there is any, and the Importance Factor."""
    shown = [name for name in ("evidence", "importance") if name in payload["quantities"]]
    return " ".join(caution(name, labels) for name in shown)


def _digest(script: str) -> str:
    """What a content security policy calls a script that may run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _arrays_in_html(payload: Mapping[str, object]) -> str:
    """The arrays' bytes, moved out of the payload: each is read where it is first shown, not all at once."""
    elements = []
    for side in (payload["a"], payload["b"]):
        if isinstance(side, dict):
            for name, spec in side["arrays"].items():
                text = spec.pop("data")
                elements.append(f'<script type="text/plain" id="{side["letter"]}-{name}">{text}</script>')
    return "\n".join(elements)


def _json_in_html(value: Mapping[str, object]) -> str:
    """JSON for a script element: without ``<`` no text in it can end the element."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


_START = """
import 'daam-view/daam_view.js';
const text = (id) => document.getElementById(id).textContent;
const read = (id) => JSON.parse(text(id));
const payload = read('payload');
for (const side of [payload.a, payload.b].filter(Boolean)) {
  for (const [name, array] of Object.entries(side.arrays)) {
    Object.defineProperty(array, 'data', { get: () => text(`${side.letter}-${name}`) });
  }
}
const view = document.querySelector('daam-view');
view.options = { theme: 'auto', heading: 2 };
view.state = read('state');
view.payload = payload;
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>{title}</title>
<script type="importmap">{modules}</script>
<style>
body {{ margin: 0; background: #ffffff; color: #1c2430; font: 14px/1.5 system-ui, sans-serif; }}
main {{ max-width: 1600px; margin: 0 auto; padding: 24px clamp(16px, 3vw, 40px) 64px; }}
h1 {{ font-size: 24px; line-height: 32px; font-weight: 600; margin: 0 0 24px; letter-spacing: -0.01em; \
overflow-wrap: anywhere; }}
.given {{ margin: -16px 0 16px; overflow-wrap: anywhere; }}
.given:empty {{ display: none; }}
.caution {{ max-width: 96ch; margin: 0 0 24px; padding-left: 12px; border-left: 3px solid #8a6a00; }}
footer {{ margin-top: 64px; font-size: 13px; }}
summary {{ cursor: pointer; }}
.terms dd {{ margin: 0 0 8px; max-width: 84ch; }}
pre {{ overflow-x: auto; }}
@media (max-width: 640px) {{
  main {{ padding: 12px 12px 40px; }}
  h1 {{ font-size: 18px; line-height: 24px; margin-bottom: 4px; }}
  .given {{ margin: 0 0 8px; }}
  .caution {{ margin-bottom: 12px; font-size: 12px; line-height: 16px; }}
  summary {{ min-height: 24px; }}
}}
@media (prefers-color-scheme: dark) {{ body {{ background: #16191e; color: #e7ebf0; }} }}
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="given">{given}</p>
<p class="caution"><strong>What the map does not show.</strong> {caution}</p>
<daam-view></daam-view>
<footer>
{terms}
<details><summary>Where this comes from</summary>
<pre tabindex="0">{provenance}</pre>
</details>
<p>Made with the DAAM explorer {version}. This page holds all that it shows and asks no server.</p>
</footer>
</main>
{arrays}
<script type="application/json" id="payload">{payload}</script>
<script type="application/json" id="state">{state}</script>
<script type="module">{start}</script>
</body>
</html>
"""
