"""Step 5: take the result along."""

from dataclasses import dataclass

import gradio as gr

from ..components import answer_place

FORMATS = [
    ("PNG figure", "png"),
    ("SVG figure", "svg"),
    ("PDF figure", "pdf"),
    ("Interactive page (HTML, works without network)", "html"),
    ("All numbers (JSON)", "json"),
    ("All arrays (NumPy NPZ)", "npz"),
    ("Table of cells (CSV)", "csv"),
    ("Notebook that reproduces it (ipynb)", "ipynb"),
]
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
        '<p class="dx-help">Figures, tables and arrays hold the newest result; the interactive page also '
        "holds the one it is compared with.</p>"
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
