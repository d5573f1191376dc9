"""Charts of the result that can be zoomed, hovered and saved; drawn when they are asked for."""

from dataclasses import dataclass

import gradio as gr

from ..components import answer_place
from ..html.terms import term

KINDS = [
    ("Parameters: what each head learned", "parameters"),
    ("Layers: share of the density attention", "layers"),
    ("Map of one head", "map"),
]


@dataclass(frozen=True)
class Charts:
    kind: gr.Dropdown
    head: gr.Dropdown
    run: gr.Button
    said: gr.HTML
    plot: gr.Plot


def build() -> Charts:
    with gr.Accordion("Charts to zoom and save", open=False, elem_id="charts"):
        gr.HTML(
            '<p class="dx-help">The same numbers as above, as charts of their own: the learned '
            f"{term('δ')} and {term('ξ')}, how much {term('DA')} each layer gets, the {term('IF')} of one "
            "head. Drag to zoom, double-click to see all again, point at something for its value; the "
            "camera saves a picture.</p>"
        )
        with gr.Row(elem_classes="dx-fields"):
            kind = gr.Dropdown(
                KINDS,
                value="parameters",
                label="Chart",
                elem_id="chart-kind",
                filterable=False,
                min_width=240,
            )
            head = gr.Dropdown(
                [("Head 0", 0)],
                value=0,
                label="Head of the map",
                elem_id="chart-head",
                filterable=False,
                min_width=120,
                visible=False,
            )
            run = gr.Button("Draw", elem_id="chart-draw", size="md", min_width=120, scale=0)
        said = answer_place("said-charts")
        plot = gr.Plot(None, show_label=False, elem_id="chart-plot", visible=False)
    return Charts(kind, head, run, said, plot)
