"""Step 4, first tab: two inputs, or two models, side by side."""

from dataclasses import dataclass

import gradio as gr

from ..components import answer_place
from ..html.comparison import NO_COMPARISON


@dataclass(frozen=True)
class Compare:
    pin: gr.Button
    swap: gr.Button
    end: gr.Button
    models: gr.Row
    other: gr.Dropdown
    run: gr.Button
    said: gr.HTML


def build() -> Compare:
    gr.HTML(
        '<p class="dx-help">Every view above shows A, B or B − A once there are two results. A difference '
        "says what changed in the map, not which change caused the other decision.</p>"
    )
    with gr.Row(elem_classes="dx-actions"):
        pin = gr.Button("Keep this result as A", elem_id="pin", size="md", min_width=0)
        swap = gr.Button("Swap A and B", elem_id="swap", size="md", min_width=0)
        end = gr.Button("End the comparison", elem_id="end-comparison", size="md", min_width=0)
    with gr.Row(elem_classes="dx-run") as models:
        other = gr.Dropdown(
            [],
            label="Another model on the same input",
            elem_id="other-model",
            scale=3,
            min_width=160,
            filterable=False,
        )
        run = gr.Button("Compare models", elem_id="compare-models", scale=1, min_width=140)
    return Compare(pin, swap, end, models, other, run, answer_place("said-compare"))


def build_result() -> gr.HTML:
    return gr.HTML(NO_COMPARISON, elem_id="comparison", apply_default_css=False)
