"""Step 5: take the result along."""

from dataclasses import dataclass

import gradio as gr

from daam_core.reading.quantities import QUANTITIES
from daam_core.result import Explanation

from ...visit.downloads import CONTENTS, EVERYTHING
from ..components import answer_place
from ..html.terms import term

FORMATS = [(f"{format_.upper()}: {about}", format_) for format_, about in CONTENTS.items()]
FORMATS.append(("ZIP: all of these", EVERYTHING))
AS_SHOWN = "as shown"
WIDTHS = [("Column, 89 mm", "single"), ("Page, 183 mm", "double")]


@dataclass(frozen=True)
class Save:
    """What is saved, and how.

    Attributes:
        quantity: which maps; :data:`AS_SHOWN` stands for those that the view shows.
        scale: of the maps; :data:`AS_SHOWN` stands for the view's.
    """

    format: gr.Dropdown
    quantity: gr.Dropdown
    width: gr.Radio
    scale: gr.Radio
    run: gr.Button
    file: gr.DownloadButton
    link: gr.Button
    note: gr.HTML
    said: gr.HTML


def choices(explanation: Explanation | None) -> list[tuple[str, str]]:
    """The maps that can be saved: first those that are shown, then each that an explanation has."""
    known = [
        (text.name, name)
        for name, text in QUANTITIES.items()
        if explanation is not None and getattr(explanation, name) is not None
    ]
    return [("As shown above", AS_SHOWN), *known]


def build() -> Save:
    gr.HTML(
        '<p class="dx-help">Saves the result on screen; an interactive page of a comparison holds A, too. '
        "Figures are light, for print, and exactly as wide as chosen. Tables and arrays hold all maps. One "
        "scale for all heads lets heads be compared; with a scale for each, the "
        f"{term('IF', 'Importance Factor')} goes from 0 to 1 in every head, and a weak one's pattern shows."
        "</p>"
    )
    with gr.Row(elem_classes="dx-fields"):
        format_ = gr.Dropdown(
            FORMATS,
            value="png",
            label="Format",
            elem_id="save-format",
            filterable=False,
            min_width=240,
            scale=3,
        )
        quantity = gr.Dropdown(
            choices(None),
            value=AS_SHOWN,
            label="Maps",
            elem_id="save-quantity",
            filterable=False,
            min_width=200,
            scale=2,
        )
        width = gr.Radio(
            WIDTHS,
            value="double",
            label="Width of figures",
            elem_id="save-width",
            min_width=300,
            scale=4,
        )
        scale = gr.Radio(
            [("As shown above", AS_SHOWN), ("All heads", "all_heads"), ("Per head", "per_head")],
            value=AS_SHOWN,
            label="Scale of maps",
            elem_id="save-scale",
            min_width=320,
            scale=3,
        )
    with gr.Row(elem_classes="dx-actions"):
        run = gr.Button("Save", variant="primary", elem_id="save", size="md", min_width=120)
        link = gr.Button("Copy a link to this view", elem_id="copy-link", size="md", min_width=0)
    said = answer_place("said-save")
    note = gr.HTML("", elem_id="link-note", apply_default_css=False)
    file = gr.DownloadButton("Download", elem_id="download", visible="hidden")
    return Save(format_, quantity, width, scale, run, file, link, note, said)
