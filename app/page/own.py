"""The page on a model of somebody's own: give an input, see what its density attention did."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import gradio as gr

from ..visit import actions, downloads
from ..visit.inputs import given_file, given_text
from ..visit.own import OwnModel
from ..visit.results import results_value
from ..visit.session import SESSION_SECONDS, Session
from ..visit.view_values import exact_value, view_value
from .components import answer_place, script_view
from .html import frame
from .html.frame import status
from .html.prediction import prediction_html
from .outcomes import at_once, sentence_of
from .parts import why
from .parts.give import value_of
from .updates import Updates
from .wiring import ENCODER, PRIVATE, sent

NOTHING_YET = (
    '<div class="dx-empty"><p class="dx-empty-title">Nothing explained yet</p>'
    "<p>Give the model an input. The answer appears here, and below it what led to it.</p></div>"
)
FORMATS = ("html", "json", "npz", "csv", "png", "svg", "pdf")


@dataclass(frozen=True)
class _Parts:
    """What of the page is asked or updated."""

    session: gr.State
    told: gr.HTML
    prediction: gr.HTML
    value: gr.components.Component
    run: gr.Button
    attention: gr.Dropdown
    reasons: why.Why
    results: gr.HTML
    end: gr.Button
    compare_step: gr.Column
    save_step: gr.Column
    format_: gr.Dropdown
    save: gr.Button
    said: gr.HTML
    file: gr.DownloadButton


def build(own: OwnModel) -> None:
    """Place and connect everything; to be called while the page is being built."""
    parts = _lay_out(own)
    _wire(own, parts)
    _wire_saving(parts)


def _lay_out(own: OwnModel) -> _Parts:
    session = gr.State(Session(), time_to_live=SESSION_SECONDS)
    gr.HTML(frame.header_of(own.attached.name), elem_id="top", apply_default_css=False)
    with gr.Row(elem_id="ask", elem_classes="dx-columns"):
        with gr.Column(scale=5, min_width=320, elem_id="step-prediction", elem_classes="dx-card"):
            gr.HTML(frame.heading("Answer"), apply_default_css=False)
            with gr.Row(elem_id="working"):
                told = gr.HTML(frame.READY, elem_id="status", apply_default_css=False)
            prediction = gr.HTML(NOTHING_YET, elem_id="prediction", apply_default_css=False)
        with gr.Column(scale=6, min_width=320, elem_id="step-input", elem_classes="dx-card"):
            gr.HTML(frame.heading("Input"), apply_default_css=False)
            value = value_of(own.modality)
            run = gr.Button("Explain", variant="primary", elem_id="run")
    with gr.Column(elem_id="step-why", elem_classes="dx-card"):
        gr.HTML(frame.WHY, apply_default_css=False)
        attention = gr.Dropdown(
            own.attentions,
            value=own.attentions[-1],  # nearest to the decision
            label="Attention",
            elem_id="attention",
            filterable=False,
        )
        reasons = why.build()
    with gr.Column(elem_id="step-compare", elem_classes="dx-card dx-after", visible=False) as compare_step:
        gr.HTML(frame.heading("Compare"), apply_default_css=False)
        results = script_view("results", events=("show", "compare"), elem_id="results")
        with gr.Row(elem_classes="dx-actions"):
            end = gr.Button("End the comparison", elem_id="end-comparison", size="md", min_width=0)
    with gr.Column(elem_id="step-save", elem_classes="dx-card dx-after", visible=False) as save_step:
        gr.HTML(frame.heading("Save"), apply_default_css=False)
        format_ = gr.Dropdown(
            [(f"{name.upper()}: {downloads.CONTENTS[name]}", name) for name in FORMATS],
            value="html",
            label="Format",
            elem_id="save-format",
            filterable=False,
        )
        with gr.Row(elem_classes="dx-actions"):
            save = gr.Button("Save", variant="primary", elem_id="save", size="md", min_width=120)
        said = answer_place("said-save")
        file = gr.DownloadButton("Download", elem_id="download", visible="hidden")
    gr.HTML(frame.footer(), elem_id="foot", apply_default_css=False)
    return _Parts(
        session=session,
        told=told,
        prediction=prediction,
        value=value,
        run=run,
        attention=attention,
        reasons=reasons,
        results=results,
        end=end,
        compare_step=compare_step,
        save_step=save_step,
        format_=format_,
        save=save,
        said=said,
        file=file,
    )


def _shown(parts: _Parts, action: Callable[[], Session], done: str) -> Updates:
    """What an action comes to on the page."""

    def updates() -> Updates:
        after = action()
        return {
            parts.session: after,
            parts.prediction: prediction_html(after),
            parts.reasons.view: view_value(after),
            parts.results: results_value(after),
            parts.compare_step: gr.update(visible=True),
            parts.save_step: gr.update(visible=True),
        }

    found = at_once(parts.told, updates)
    return found if found[parts.told] else found | {parts.told: status(done, kind="done")}


def _wire(own: OwnModel, parts: _Parts) -> None:
    session, attention = parts.session, parts.attention
    show = partial(_shown, parts)

    def explain(before: Session, given: object, chosen: object) -> Updates:
        def action() -> Session:
            read = given_text(given) if own.modality == "text" else given_file(own.modality, given)
            return own.explain(before, read, chosen)

        return show(action, "Done: your input is explained.")

    def choose_attention(before: Session, chosen: object) -> Updates:
        if before.current is None:
            return {parts.told: gr.skip()}
        return show(partial(own.choose_attention, before, chosen), "Another attention is shown.")

    def choose_class(before: Session, chosen: object, event: gr.EventData) -> Updates:
        action = partial(own.choose_class, before, chosen, sent(event, "index"))
        return show(action, "Another class is explained.")

    def show_again(before: Session, event: gr.EventData) -> Updates:
        return show(partial(actions.show_again, before, sent(event, "number")), "An earlier result is shown.")

    def use_as_a(before: Session, event: gr.EventData) -> Updates:
        said = "A is chosen; what is on screen, and what you explain next, is B."
        return show(partial(actions.use_as_a, before, sent(event, "number")), said)

    def exact(before: Session, event: gr.EventData) -> dict[str, object]:
        asked = {name: sent(event, name) for name in ("id", "side", "name", "head")}
        try:
            return exact_value(before, asked)
        except Exception as error:
            return {"id": asked["id"], "error": sentence_of(error)}

    told = [parts.told, parts.prediction, parts.reasons.view, parts.results]
    shown = [session, *told, parts.compare_step, parts.save_step]
    parts.run.click(explain, [session, parts.value, attention], shown, **ENCODER, **PRIVATE)
    attention.input(choose_attention, [session, attention], shown, **ENCODER, **PRIVATE)
    parts.reasons.view.target(choose_class, [session, attention], shown, **ENCODER, **PRIVATE)
    parts.reasons.view.exact(exact, session, parts.reasons.exact, **PRIVATE | {"trigger_mode": "multiple"})
    parts.results.show(show_again, session, shown, **PRIVATE)
    parts.results.compare(use_as_a, session, shown, **PRIVATE)
    parts.end.click(
        lambda before: show(partial(actions.end_comparison, before), "The comparison has ended."),
        session,
        shown,
        **PRIVATE,
    )


def _wire_saving(parts: _Parts) -> None:
    def write(before: Session, wanted: object) -> Updates:
        def written() -> Updates:
            result = actions.needed(before.current)
            path = downloads.write(
                result.explanation, result.given, format_=wanted, width="double", pair=before.pair
            )
            return {
                parts.said: status(f"Saved {path.name}.", kind="done"),
                parts.file: gr.update(value=str(path)),
            }

        return at_once(parts.said, written)

    saved = parts.save.click(write, [parts.session, parts.format_], [parts.said, parts.file], **PRIVATE)
    saved.then(None, None, None, js="() => window.DaamPage.download()", api_visibility="private")
