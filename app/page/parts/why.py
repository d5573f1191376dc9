"""Step 3: the interactive view of what led to the decision."""

from dataclasses import dataclass

import gradio as gr

from ..components import answer_place, script_view


@dataclass(frozen=True)
class Why:
    """The view of the explanation.

    Attributes:
        view: draws the payload; triggers ``cell`` (head, layer, feature), ``target`` (index of a class)
            and ``exact`` (an array that the payload holds rounded).
        exact: carries such an array back to the script.
        remark: carries what the check found to the view, which says it with what stands out.
        said: what was wrong with what was asked of the view.
    """

    view: gr.HTML
    exact: gr.HTML
    said: gr.HTML
    remark: gr.HTML


def build() -> Why:
    said = answer_place("said-view")
    view = script_view("view", events=("cell", "target", "exact"), elem_id="view")
    exact = script_view("exact", elem_id="exact", visible="hidden")
    remark = script_view("remark", elem_id="remark", visible="hidden")
    return Why(view, exact, said, remark)
