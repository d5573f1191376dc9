"""Step 4, third tab: switch parts of the attention off."""

from dataclasses import dataclass

import gradio as gr

from ...visit.actions import MAX_TOP
from ..components import answer_place
from ..html.terms import term


@dataclass(frozen=True)
class MuteParts:
    heads: gr.CheckboxGroup
    layers: gr.Dropdown
    features: gr.Textbox
    apply: gr.Button
    cell: gr.Button
    count: gr.Number
    top: gr.Button
    reset: gr.Button
    note: gr.HTML
    said: gr.HTML


def build() -> MuteParts:
    gr.HTML(
        '<p class="dx-help">What would the model say without a part of it? A muted part lets '
        "nothing through, as the mean of the training data would; where heads stand in several levels, the "
        "values still go past it. Heads and layers are muted as you choose them, features when you press "
        f"Apply. The strongest cells are those of highest {term('IF')}. Numbers count from 0, as in the "
        "maps.</p>"
    )
    note = gr.HTML("", elem_id="mutes", apply_default_css=False)
    with gr.Row():
        heads = gr.CheckboxGroup([], label="Muted heads", elem_id="mute-heads", min_width=220, scale=4)
        layers = gr.Dropdown(
            [], multiselect=True, label="Muted layers", elem_id="mute-layers", min_width=220, scale=3
        )
        features = gr.Textbox(
            label="Muted features",
            placeholder="3, 7, 20-24",
            elem_id="mute-features",
            min_width=220,
            scale=3,
            max_length=4000,
        )
    with gr.Row(elem_classes="dx-actions"):
        apply = gr.Button("Apply", elem_id="mute-apply", size="md", min_width=0, variant="primary")
        cell = gr.Button("Mute or unmute the selected cell", elem_id="mute-cell", size="md", min_width=0)
        count = gr.Number(
            100,
            label="Strongest cells",
            precision=0,
            minimum=1,
            maximum=MAX_TOP,
            elem_id="mute-count",
            min_width=112,
            scale=0,
        )
        top = gr.Button("Mute these", elem_id="mute-top", size="md", min_width=0)
        reset = gr.Button("Unmute everything", elem_id="unmute", size="md", min_width=0)
    said = answer_place("said-mute")
    return MuteParts(heads, layers, features, apply, cell, count, top, reset, note, said)
