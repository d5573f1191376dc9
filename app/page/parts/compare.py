"""Step 4, first tab: the results of this visit, any of which can be shown again and any two compared."""

from dataclasses import dataclass

import gradio as gr

from ...visit.session import MAX_KEPT
from ..components import answer_place, script_view


@dataclass(frozen=True)
class Compare:
    """What chooses the results on screen.

    Attributes:
        results: the list; triggers ``show`` and ``compare`` with the number of a result.
        undo: before the last change, of whatever kind, and ``redo``: after it.
        swap: A becomes B.
        end: leaves the current result alone.
        models: is there where another model takes the same input.
        other: that model.
        run: compares with it.
        said: what was wrong.
    """

    results: gr.HTML
    undo: gr.Button
    redo: gr.Button
    swap: gr.Button
    end: gr.Button
    models: gr.Row
    other: gr.Dropdown
    run: gr.Button
    said: gr.HTML


def build_steps(heading: str) -> tuple[gr.Button, gr.Button]:
    """The heading of the step, and beside it what takes back any change made in it."""
    with gr.Row(elem_classes="dx-head"):
        gr.HTML(heading, apply_default_css=False)
        undo = gr.Button("Undo", elem_id="undo", size="md", min_width=0, scale=0, interactive=False)
        redo = gr.Button("Redo", elem_id="redo", size="md", min_width=0, scale=0, interactive=False)
    return undo, redo


def build(undo: gr.Button, redo: gr.Button) -> Compare:
    gr.HTML(
        f'<p class="dx-help">The last {MAX_KEPT} results of this visit. Make one of them A, and every map '
        "above can show A, B (the one on screen) or B − A; the tab Compare there has both side by side. The "
        "list is gone when you leave or reload the page.</p>"
    )
    results = script_view("results", events=("show", "compare"), elem_id="results")
    with gr.Row(elem_classes="dx-actions"):
        swap = gr.Button("Swap A and B", elem_id="swap", size="md", min_width=0)
        end = gr.Button("End the comparison", elem_id="end-comparison", size="md", min_width=0)
    with gr.Row(elem_classes="dx-run dx-narrow") as models:
        other = gr.Dropdown(
            [],
            label="Another model on the same input",
            elem_id="other-model",
            scale=3,
            min_width=160,
            filterable=False,
        )
        run = gr.Button("Compare models", elem_id="compare-models", scale=1, min_width=140)
    return Compare(results, undo, redo, swap, end, models, other, run, answer_place("said-compare"))
