"""The page from top to bottom: its steps, and every component that a visit decides about."""

from dataclasses import dataclass

import gradio as gr

from ..visit.offer import Offer
from ..visit.session import SESSION_SECONDS, Session
from ..visit.study import Studies
from .html import frame
from .html.prediction import EMPTY_PREDICTION
from .parts import change_input, charts, compare, data_set, give, is_it_true, mute_parts, save, tour, why


@dataclass(frozen=True)
class Page:
    """The page's components by name.

    Attributes:
        session: what this visitor has done, never seen.
        status: the line that says what happens.
        data_set: there where studies of data sets are shown.
        cancel: ends what goes on; only there while something does.
        sections: steps that are hidden until there is a result.
    """

    session: gr.State
    status: gr.HTML
    cancel: gr.Button
    prediction: gr.HTML
    given: give.Give
    reasons: why.Why
    charts: charts.Charts
    compared: compare.Compare
    changed: change_input.ChangeInput
    muted: mute_parts.MuteParts
    checked: is_it_true.IsItTrue
    saved: save.Save
    data_set: data_set.DataSet | None
    sections: tuple[gr.Column, ...]


def lay_out(offer: Offer, studies: Studies) -> Page:
    """Place every component; to be called while the page is being built."""
    session = gr.State(Session(), time_to_live=SESSION_SECONDS)
    gr.HTML(frame.header(with_studies=bool(studies)), elem_id="top", apply_default_css=False)
    tour.build()
    whole = data_set.build(studies)
    # Before the first result the answer stands beside the input's form; then it is a strip above the maps
    # that stays in sight, and the form is folded behind its button.
    with gr.Row(elem_id="ask", elem_classes="dx-columns"):
        with gr.Column(scale=5, min_width=320, elem_id="step-prediction", elem_classes="dx-card"):
            _heading("Answer")
            with gr.Row(elem_id="working"):
                status = gr.HTML(frame.READY, elem_id="status", apply_default_css=False)
                cancel = gr.Button("Cancel", elem_id="cancel", size="sm", min_width=0, visible="hidden")
            prediction = gr.HTML(EMPTY_PREDICTION, elem_id="prediction", apply_default_css=False)
        with gr.Column(scale=6, min_width=320, elem_id="step-input", elem_classes="dx-card"):
            _heading("Input")
            given = give.build(offer)
    with gr.Column(elem_id="step-why", elem_classes="dx-card"):
        gr.HTML(frame.WHY, apply_default_css=False)
        reasons = why.build()
        drawn = charts.build()
    with gr.Column(elem_id="step-compare", elem_classes="dx-card dx-after", visible=False) as compare_step:
        steps = compare.build_steps(frame.heading("Compare and change"))
        with gr.Tabs(elem_id="change-tabs"):
            with gr.Tab("Results", id="compare", elem_id="tab-compare"):
                compared = compare.build(*steps)
            with gr.Tab("Edit input", id="input", elem_id="tab-change-input"):
                changed = change_input.build()
            with gr.Tab("Mute parts", id="model", elem_id="tab-change-model"):
                muted = mute_parts.build()
            with gr.Tab("Is it true?", id="check", elem_id="tab-check"):
                checked = is_it_true.build()
    with gr.Column(elem_id="step-save", elem_classes="dx-card dx-after", visible=False) as save_step:
        _heading("Save and share")
        saved = save.build()
    gr.HTML(frame.footer(frame.ENDPOINTS), elem_id="foot", apply_default_css=False)
    sections = (compare_step, save_step)
    return Page(
        session,
        status,
        cancel,
        prediction,
        given,
        reasons,
        drawn,
        compared,
        changed,
        muted,
        checked,
        saved,
        whole,
        sections,
    )


def _heading(title: str) -> None:
    gr.HTML(frame.heading(title), apply_default_css=False)
