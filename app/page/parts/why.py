"""Steps 2 and 3: the decision, and the interactive view of what led to it."""

from dataclasses import dataclass

import gradio as gr

from .. import html
from ..components import script_view


@dataclass(frozen=True)
class Why:
    """The view of the explanation.

    Attributes:
        view: draws the payload; triggers ``cell`` (head, layer, feature), ``target`` (index of a class)
            and ``exact`` (an array that the payload holds rounded).
        exact: carries such an array back to the script.
    """

    view: gr.HTML
    exact: gr.HTML


def build_prediction() -> gr.HTML:
    return gr.HTML(html.EMPTY_PREDICTION, elem_id="prediction", apply_default_css=False)


def build() -> Why:
    view = script_view("view", events=("cell", "target", "exact"), elem_id="view")
    exact = script_view("exact", elem_id="exact", visible="hidden")
    return Why(view, exact)
