"""Step 4, fourth tab: is this explanation true?"""

from dataclasses import dataclass

import gradio as gr

from ..components import answer_place
from ..html.faithfulness import NOT_CHECKED


@dataclass(frozen=True)
class IsItTrue:
    run: gr.Button
    said: gr.HTML
    result: gr.HTML


def build() -> IsItTrue:
    gr.HTML(
        '<p class="dx-help">Does the map mark what the decision rests on? Cells are removed (nothing of them '
        "is let through), the highest of a map first, and the model decides on what is left. A true "
        "map takes the prediction away sooner than removal at random. Muted parts are on again for this.</p>"
    )
    with gr.Row(elem_classes="dx-actions"):
        run = gr.Button("Check this explanation", elem_id="check", size="md", min_width=0, variant="primary")
    said = answer_place("said-check")
    result = gr.HTML(NOT_CHECKED, elem_id="check-result", apply_default_css=False)
    return IsItTrue(run, said, result)
