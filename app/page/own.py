"""The page on a model of somebody's own: give an input, see what its density attention did."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from html import escape

import gradio as gr
from gradio.blocks import Block

from daam_core.faithfulness.parts_of_one_input import PartsCheck
from daam_core.reading.numbers import p_value
from daam_core.reading.quantities import QUANTITIES

from ..visit import actions, downloads
from ..visit.inputs import given_file, given_text
from ..visit.own import OwnModel
from ..visit.results import results_value
from ..visit.session import SESSION_SECONDS, Session
from ..visit.untrusted import choice_of
from ..visit.view_values import exact_value, view_value
from .components import answer_place, script_view
from .html import frame
from .html.faithfulness import NOT_CHECKED
from .html.frame import status
from .html.prediction import prediction_html
from .outcomes import at_once, sentence_of, step_by_step
from .parts import why
from .parts.give import value_of
from .updates import UNCHECKED, Updates
from .wiring import FILES, OWN_LINK, PRIVATE, RUNNING, sent, wire_cancel

NOTHING_YET = (
    '<div class="dx-empty"><p class="dx-empty-title">Nothing explained yet</p>'
    "<p>Give the model an input. The answer appears here, and below it what led to it.</p></div>"
)
ABOUT_THE_CHECK = (
    '<p class="dx-help">Does the model decide by what the tab Input marks? Parts of the input are taken out, '
    "those that speak most for the prediction first, and your model runs on what is left, up to two hundred "
    "times. Cells of the attention cannot be removed or muted here, since only your code knows what it does "
    "with them.</p>"
)
FORMATS = ("html", "json", "npz", "csv", "png", "svg", "pdf")


@dataclass(frozen=True)
class _Parts:
    """What of the page is asked or updated."""

    session: gr.State
    status: gr.HTML
    cancel: gr.Button
    prediction: gr.HTML
    value: gr.components.Component
    run: gr.Button
    attention: gr.Dropdown
    reasons: why.Why
    results: gr.HTML
    end: gr.Button
    check: gr.Button
    said_of_check: gr.HTML
    checked: gr.HTML
    format_: gr.Dropdown
    save: gr.Button
    said: gr.HTML
    file: gr.DownloadButton
    #: Steps that are hidden until there is a result.
    sections: tuple[gr.Column, ...]


def build(blocks: gr.Blocks, own: OwnModel) -> None:
    """Place and connect everything; to be called while the page is being built."""
    parts = _lay_out(own)
    _wire(own, parts)
    _wire_check(own, parts)
    _wire_saving(parts)
    wire_cancel(parts.cancel, parts.session)
    _wire_link(blocks, own, parts)


def _lay_out(own: OwnModel) -> _Parts:
    session = gr.State(Session(), time_to_live=SESSION_SECONDS)
    gr.HTML(frame.header_of(own.attached.name), elem_id="top", apply_default_css=False)
    with gr.Row(elem_id="ask", elem_classes="dx-columns"):
        with gr.Column(scale=5, min_width=320, elem_id="step-prediction", elem_classes="dx-card"):
            gr.HTML(frame.heading("Answer"), apply_default_css=False)
            with gr.Row(elem_id="working"):
                told = gr.HTML(frame.READY, elem_id="status", apply_default_css=False)
                cancel = gr.Button("Cancel", elem_id="cancel", size="sm", min_width=0, visible="hidden")
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
            end = gr.Button(
                "End the comparison", elem_id="end-comparison", size="md", min_width=0, interactive=False
            )
    with gr.Column(elem_id="step-check", elem_classes="dx-card dx-after", visible=False) as check_step:
        gr.HTML(frame.heading("Is it true?"), apply_default_css=False)
        gr.HTML(ABOUT_THE_CHECK)
        with gr.Row(elem_classes="dx-actions"):
            check = gr.Button(
                "Check this explanation", elem_id="check", size="md", min_width=0, variant="primary"
            )
        said_of_check = answer_place("said-check")
        checked = gr.HTML(NOT_CHECKED, elem_id="check-result", apply_default_css=False)
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
    gr.HTML(frame.footer(axes=("row", "column")), elem_id="foot", apply_default_css=False)
    return _Parts(
        session=session,
        status=told,
        cancel=cancel,
        prediction=prediction,
        value=value,
        run=run,
        attention=attention,
        reasons=reasons,
        results=results,
        end=end,
        check=check,
        said_of_check=said_of_check,
        checked=checked,
        format_=format_,
        save=save,
        said=said,
        file=file,
        sections=(compare_step, check_step, save_step),
    )


def _show(parts: _Parts, session: Session, done: str) -> Updates:
    """The session's result in every part of the page."""
    return {
        parts.session: session,
        parts.status: status(done, kind="done"),
        parts.prediction: prediction_html(session),
        parts.reasons.view: view_value(session),
        parts.reasons.remark: {"text": UNCHECKED},
        parts.results: results_value(session),
        parts.end: gr.update(interactive=session.baseline is not None),
        parts.checked: NOT_CHECKED,
        parts.said_of_check: "",
        parts.said: "",  # a file of another result
        **{section: gr.update(visible=True) for section in parts.sections},
    }


def _run(parts: _Parts, before: Session, action: Callable[[], Session], done: str) -> Iterator[Updates]:
    """An action for which the model runs: it says that it lasts, and can be cancelled."""
    return step_by_step(
        parts,
        lambda _: action(),
        RUNNING,
        lambda session: _show(parts, session, done),
        cancelled=before.runs.begin(),
        replaces=True,
        meanwhile={parts.cancel: gr.update(visible=True)},
        afterwards={parts.cancel: gr.update(visible="hidden")},
    )


def _wire(own: OwnModel, parts: _Parts) -> None:
    session, attention = parts.session, parts.attention

    def explain(before: Session, given: object, chosen: object) -> Iterator[Updates]:
        def action() -> Session:
            read = given_text(given) if own.modality == "text" else given_file(own.modality, given)
            return own.explain(before, read, chosen)

        yield from _run(parts, before, action, "Done: your input is explained.")

    def choose_attention(before: Session, chosen: object) -> Iterator[Updates]:
        if before.current is not None:
            action = partial(own.choose_attention, before, chosen)
            yield from _run(parts, before, action, "Another attention is shown.")
        else:
            yield {parts.status: gr.skip()}

    def choose_class(before: Session, chosen: object, event: gr.EventData) -> Iterator[Updates]:
        action = partial(own.choose_class, before, chosen, sent(event, "index"))
        yield from _run(parts, before, action, "Another class is explained.")

    def shown(action: Callable[[], Session], done: str) -> Updates:
        return at_once(parts.status, lambda: _show(parts, action(), done))

    def show_again(before: Session, event: gr.EventData) -> Updates:
        action = partial(actions.show_again, before, sent(event, "number"))
        return shown(action, "An earlier result is shown.")

    def use_as_a(before: Session, event: gr.EventData) -> Updates:
        said = "A is chosen; what is on screen, and what you explain next, is B."
        return shown(partial(actions.use_as_a, before, sent(event, "number")), said)

    def end(before: Session) -> Updates:
        return shown(partial(actions.end_comparison, before), "The comparison has ended.")

    def exact(before: Session, event: gr.EventData) -> dict[str, object]:
        asked = {name: sent(event, name) for name in ("id", "side", "name", "head")}
        try:
            return exact_value(before, asked)
        except Exception as error:
            return {"id": asked["id"], "error": sentence_of(error)}

    changing: list[Block] = [session, parts.status, parts.prediction, parts.reasons.view]
    changing += [
        parts.reasons.remark,
        parts.results,
        parts.end,
        parts.checked,
        *(parts.said_of_check, parts.said),
        *parts.sections,
    ]
    ran = [*changing, parts.cancel]
    parts.run.click(explain, [session, parts.value, attention], ran, **FILES, **PRIVATE)
    attention.input(choose_attention, [session, attention], ran, **FILES, **PRIVATE)
    parts.reasons.view.target(choose_class, [session, attention], ran, **FILES, **PRIVATE)
    parts.reasons.view.exact(exact, session, parts.reasons.exact, **PRIVATE | {"trigger_mode": "multiple"})
    parts.results.show(show_again, session, changing, **PRIVATE)
    parts.results.compare(use_as_a, session, changing, **PRIVATE)
    parts.end.click(end, session, changing, **PRIVATE)


def _wire_check(own: OwnModel, parts: _Parts) -> None:
    def check(before: Session) -> Iterator[Updates]:
        def checked(found: PartsCheck) -> Updates:
            return {
                parts.status: status("Checked.", kind="done"),
                parts.checked: _check_html(found),
                parts.reasons.remark: {"text": found.sentence},
            }

        yield from step_by_step(
            parts,
            lambda stop: own.check(before, stopped=stop.is_set),
            "Checking: parts of the input are taken out, and your model decides on the rest",
            checked,
            cancelled=before.runs.begin(),
            place=parts.said_of_check,
            meanwhile={parts.cancel: gr.update(visible=True)},
            afterwards={parts.cancel: gr.update(visible="hidden")},
        )

    outputs = [parts.status, parts.cancel, parts.said_of_check, parts.checked, parts.reasons.remark]
    parts.check.click(check, parts.session, outputs, **FILES, **PRIVATE)


def _wire_link(blocks: gr.Blocks, own: OwnModel, parts: _Parts) -> None:
    """A link brings back the attention, and, once the same input is given, the view."""

    def restore(query: object) -> Updates:
        if (attention := own.linked(query)) is None:
            return {parts.status: gr.skip()}
        return {parts.attention: attention, parts.status: status(OWN_LINK)}

    query = gr.Textbox(visible=False)
    js = "() => [window.location.search]"
    blocks.load(restore, query, [parts.attention, parts.status], js=js, **PRIVATE)


def _check_html(found: PartsCheck) -> str:
    return (
        f'<p class="dx-verdict">{escape(found.sentence)}</p>'
        f'<p class="dx-note">{found.parts} {escape(found.unit)}; in their place: {escape(found.baseline)}. '
        f"Area under the probability of the prediction, low is good; p against random orders: "
        f"{p_value(found.p_value, orders=found.orders)}. The model "
        f"decided {found.runs} times and refused {found.refused} of these inputs, which counts as no "
        "decision.</p>"
    )


def _wire_saving(parts: _Parts) -> None:
    def write(before: Session, wanted: object, quantity: object) -> Updates:
        def written() -> Updates:
            result = actions.needed(before.current)
            path = downloads.write(
                result.explanation,
                result.given,
                format_=wanted,
                width="double",
                quantity=choice_of(quantity, "The maps", tuple(QUANTITIES)),
                pair=before.pair,
            )
            return {
                parts.said: status(f"Saved {path.name}.", kind="done"),
                parts.file: gr.update(value=str(path)),
            }

        return at_once(parts.said, written)

    shown = gr.Textbox(visible=False)  # filled by the page's script
    js = "(...given) => [...given.slice(0, -1), window.DaamPage.quantity()]"
    outputs = [parts.said, parts.file]
    saved = parts.save.click(write, [parts.session, parts.format_, shown], outputs, js=js, **PRIVATE)
    saved.then(None, None, None, js="() => window.DaamPage.download()", api_visibility="private")
