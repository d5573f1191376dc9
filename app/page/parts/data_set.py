"""Studies of whole data sets, as a page of their own beside that of one input."""

from dataclasses import dataclass

import gradio as gr

from ...visit.study import Studies
from ..components import script_view

HEADING = '<h2 class="dx-unseen">Data set</h2>'


@dataclass(frozen=True)
class DataSet:
    """The view of studies; triggers ``explain`` (study, number)."""

    view: gr.HTML


def build(studies: Studies) -> DataSet | None:
    """The page of studies, behind the second of the header's tabs; None where there is no study."""
    if not studies:
        return None
    with gr.Column(elem_id="data-set", elem_classes="dx-card"):
        gr.HTML(HEADING, apply_default_css=False)
        value = {"studies": [{"name": name, "explains": studies.explains(name)} for name in studies.names]}
        view = script_view("study", value=value, events=("explain",), elem_id="study")
    return DataSet(view)
