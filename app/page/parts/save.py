"""Step 5: take the result along."""

from dataclasses import dataclass

import gradio as gr

from ...visit.downloads import CONTENTS, EVERYTHING
from ..components import answer_place
from ..html.terms import term

FORMATS = [(f"{format_.upper()}: {about}", format_) for format_, about in CONTENTS.items()]
FORMATS.append(("ZIP: all of these", EVERYTHING))
WIDTHS = [("Column, 89 mm", "single"), ("Page, 183 mm", "double")]


@dataclass(frozen=True)
class Save:
    format: gr.Dropdown
    width: gr.Radio
    scale: gr.Radio
    run: gr.Button
    file: gr.DownloadButton
    link: gr.Button
    note: gr.HTML
    said: gr.HTML


def build() -> Save:
    gr.HTML(
        f'<p class="dx-help">What is saved is the result on screen; the interactive page holds A as well '
        "where two are compared. Maps in figures are of the Importance Factor, whatever the maps above "
        "show; to save those as they are, take their “Save this”. Figures are light, for print, also on a "
        "dark page, and exactly as wide as chosen; so are those of “Save this” beside each chart. The ZIP "
        "holds every format and a list of what is in it. The "
        f"{term('IF', 'Importance Factor')} can be scaled over all heads together, so that heads can be "
        "compared, or over each head by itself.</p>"
    )
    with gr.Row():
        format_ = gr.Dropdown(
            FORMATS, value="png", label="Format", elem_id="save-format", filterable=False, min_width=240
        )
        width = gr.Radio(
            WIDTHS, value="double", label="Width of figures", elem_id="save-width", min_width=240
        )
        scale = gr.Radio(
            [("All heads together", "all_heads"), ("Per head", "per_head")],
            value="all_heads",
            label="Scale of the Importance Factor",
            elem_id="save-scale",
            min_width=240,
        )
    with gr.Row(elem_classes="dx-actions"):
        run = gr.Button("Save", variant="primary", elem_id="save", size="md", min_width=120)
        link = gr.Button("Copy a link to this view", elem_id="copy-link", size="md", min_width=0)
    said = answer_place("said-save")
    note = gr.HTML("", elem_id="link-note", apply_default_css=False)
    file = gr.DownloadButton("Download", elem_id="download", visible="hidden")
    return Save(format_, width, scale, run, file, link, note, said)
