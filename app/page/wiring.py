"""Which component starts which action. Handlers compute, the page shows; this module only connects."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from daam_core.errors import DaamError, InputError
from daam_core.inputs import Edit, Region, Sound, SoundChange

from ..server.working import Finished, working
from ..visit import actions, downloads, links, payload
from ..visit.examples import EXAMPLES, Example, recognised
from ..visit.inputs import Given, given_file, given_text
from ..visit.offer import Offer
from ..visit.session import Session
from . import checks, html
from .page import Page, Updates
from .parts.give import Way

ENCODER = "encoder"  # one encoder run at a time, whoever asks for it
DEFECT = (
    "Something went wrong on the server, and it has been written to its log. Your last result is still here."
)
OWN_LINK = (
    "This link was made for somebody's own input, which a link never carries: give the same input again, "
    "and the view comes back."
)

log = logging.getLogger(__name__)
Private = dict[str, Any]
WITH_REGION = "(session, edges, fill) => [session, window.DaamPage.markedText(), fill]"
PRIVATE: Private = {"api_visibility": "private", "show_progress": "hidden"}


def wire(offer: Offer, page: Page) -> None:
    """Connect every control of the page."""
    runs = [run for way in page.given.ways for run in _wire_way(offer, page, way)]
    runs += _wire_changes(offer, page)
    page.given.cancel.click(
        lambda: (
            page.say("Cancelled. The last result is still here.", kind="info")
            | {page.given.cancel: gr.update(visible="hidden")}
        ),
        None,
        [page.status, page.given.cancel],
        cancels=runs,
        queue=False,
        **PRIVATE,
    )
    _wire_comparison(offer, page)
    _wire_mutes(offer, page)
    _wire_check(offer, page)
    _wire_view(offer, page)
    _wire_save(offer, page)
    _wire_link(offer, page)


# Runs of the encoder: generators, so that they show that they work and can be cancelled


def run(
    offer: Offer,
    page: Page,
    work: Callable[[Offer], Session],
    message: str,
    *,
    before: Updates | None = None,
) -> Iterator[Updates]:
    """An action that may run the encoder, as a stream of updates; a failure leaves the last result."""
    idle = {page.given.cancel: gr.update(visible="hidden")}
    if before:
        yield before
    try:
        for step in working(lambda stop: work(offer.until(stop)), message):
            if isinstance(step, Finished):
                session = step.result
                yield page.show(offer, session) | page.show_input(session) | _finished(page, session) | idle
            else:
                yield page.say(step, kind="busy") | {page.given.cancel: gr.update(visible=True)}
    except DaamError as error:
        yield page.say(str(error), kind="error") | idle
    except Exception:
        log.exception("A run failed")
        yield page.say(DEFECT, kind="error") | idle


def _finished(page: Page, session: Session) -> Updates:
    study = session.current
    if study is None:
        return {}
    sound = study.given.held
    extent = {
        "audio": f"{sound.seconds:.1f} s of sound" if isinstance(sound, Sound) else "the sound",
        "text": f"{len(study.explanation.token_labels):,} tokens",
        "image": "the picture",
    }[study.given.modality]
    how = "answered from cache, the encoder did not run" if study.cached else f"explained {extent}"
    return page.say(f"Done: {how}.")


def act(offer: Offer, page: Page, action: Callable[[], Session], message: str) -> Updates:
    """An action that runs no encoder."""
    try:
        return page.show(offer, action()) | page.say(message)
    except DaamError as error:
        return page.say(str(error), kind="error")
    except Exception:
        log.exception("An action failed")
        return page.say(DEFECT, kind="error")


def _wire_way(offer: Offer, page: Page, way: Way) -> list[Any]:
    outputs = [*page.outputs, page.given.cancel]

    def explain_own(session: Session, model: str, value: Any) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            given = given_text(value) if way.modality == "text" else given_file(way.modality, value)
            return actions.explain_input(offer, session, model, recognised(given))

        yield from run(offer, page, work, "Running the encoder")

    def explain_example(example: Example) -> Callable[[Session, str], Iterator[Updates]]:
        def explain(session: Session, model: str) -> Iterator[Updates]:
            shown = example.content if example.modality == "text" else example.path
            yield from run(
                offer,
                page,
                lambda offer: actions.explain_input(offer, session, model, example.given()),
                "Running the encoder",
                before={way.value: shown},
            )

        return explain

    inputs = [page.session, way.model]
    options: Private = {"concurrency_id": ENCODER, "concurrency_limit": 1, **PRIVATE}
    listeners = [way.run.click(explain_own, [*inputs, way.value], outputs, **options)]
    for example, button in way.examples:
        listeners.append(button.click(explain_example(example), inputs, [*outputs, way.value], **options))
    return listeners


def _wire_changes(offer: Offer, page: Page) -> list[Any]:
    changed = page.changed
    outputs = [*page.outputs, page.given.cancel]
    options: Private = {"concurrency_id": ENCODER, "concurrency_limit": 1, **PRIVATE}

    def changing(session: Session, change: Callable[[Given], Given]) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            if session.original is None:
                raise InputError("There is nothing to change yet: explain an input first.")
            return actions.change_input(offer, session, change(session.original.given))

        for step in run(offer, page, work, "Running the encoder on the changed input"):
            # The controls keep what the visitor set; only a new original resets them.
            yield {part: value for part, value in step.items() if part not in controls}

    controls = {changed.text, changed.start, changed.end, changed.region}

    def change_text(session: Session, text: str) -> Iterator[Updates]:
        yield from changing(session, lambda given: given.changed(Edit(text)))

    def change_sound(
        session: Session, start: float, end: float, noisy: bool, snr: float
    ) -> Iterator[Updates]:
        def cut(given: Given) -> Given:
            sound = given.input
            whole = isinstance(sound, Sound) and float(end) >= round(sound.seconds, 2)
            change = SoundChange(float(start), None if whole else float(end), float(snr) if noisy else None)
            return given.changed(change)

        yield from changing(session, cut)

    def change_image(session: Session, edges: Any, fill: Any) -> Iterator[Updates]:
        yield from changing(session, lambda given: given.changed(parse_region(edges, fill)))

    def compare_models(session: Session, other: str) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            return actions.compare_models(offer, session, other)

        for step in run(offer, page, work, f"Explaining with {other}"):
            yield {part: value for part, value in step.items() if part not in controls}

    return [
        changed.run_text.click(change_text, [page.session, changed.text], outputs, **options),
        changed.run_sound.click(
            change_sound,
            [page.session, changed.start, changed.end, changed.noisy, changed.snr],
            outputs,
            **options,
        ),
        changed.run_image.click(
            change_image, [page.session, changed.edges, changed.fill], outputs, js=WITH_REGION, **options
        ),
        page.compared.run.click(compare_models, [page.session, page.compared.other], outputs, **options),
    ]


def parse_region(edges: Any, fill: Any) -> Region:
    """A region from outside, as an object of four numbers or its JSON text; nothing of it is trusted.

    Raises:
        InputError: no four edges, or an unknown filling.
    """
    if isinstance(edges, str):
        try:
            edges = json.loads(edges)
        except ValueError:
            edges = None
    names = ("left", "top", "right", "bottom")
    if not isinstance(edges, dict) or not all(
        isinstance(edges.get(name), int | float) and not isinstance(edges.get(name), bool) for name in names
    ):
        raise InputError("No region is marked: drag a rectangle over the picture, or set its four edges.")
    if fill not in ("mean", "black", "blur"):
        raise InputError("A region is covered with its mean colour, black or a blur.")
    left, top, right, bottom = (float(edges[name]) for name in names)
    return Region(left, top, right, bottom, fill)


# Actions on what is there already


def _wire_comparison(offer: Offer, page: Page) -> None:
    compared = page.compared
    for button, action, said in (
        (compared.pin, actions.pin, "Kept as A. Explain another input to compare."),
        (compared.swap, actions.swap, "A and B changed places."),
        (compared.end, actions.end_comparison, "The comparison has ended."),
    ):
        button.click(_simple(offer, page, action, said), page.session, page.outputs, **PRIVATE)


def _simple(
    offer: Offer, page: Page, action: Callable[[Session], Session], said: str
) -> Callable[[Session], Updates]:
    return lambda session: act(offer, page, lambda: action(session), said)


def _wire_mutes(offer: Offer, page: Page) -> None:
    muted = page.muted

    def apply(session: Session, heads: Any, layers: Any, features: str) -> Updates:
        return act(offer, page, lambda: actions.mute_parts(offer, session, heads, layers, features), SAID)

    def top(session: Session, count: Any) -> Updates:
        return act(offer, page, lambda: actions.mute_top(offer, session, count), SAID)

    def reset(session: Session) -> Session:
        return actions.set_mutes(offer, session, actions.Mutes())

    parts = [page.session, muted.heads, muted.layers, muted.features]
    muted.apply.click(apply, parts, page.outputs, **PRIVATE)
    # `input` fires for the visitor's own changes only, not for those that `show_mutes` makes.
    muted.heads.input(apply, parts, page.outputs, trigger_mode="always_last", **PRIVATE)
    muted.layers.input(apply, parts, page.outputs, trigger_mode="always_last", **PRIVATE)
    muted.features.submit(apply, parts, page.outputs, **PRIVATE)
    muted.top.click(top, [page.session, muted.count], page.outputs, **PRIVATE)
    for button, action in (
        (muted.cell, lambda s: actions.mute_selected(offer, s)),
        (muted.undo, lambda s: actions.undo(offer, s)),
        (muted.redo, lambda s: actions.redo(offer, s)),
        (muted.reset, reset),
    ):
        button.click(_simple(offer, page, action, SAID), page.session, page.outputs, **PRIVATE)


SAID = "Recomputed; the encoder did not run."


def _wire_check(offer: Offer, page: Page) -> None:
    checked = page.checked

    def check(session: Session) -> Iterator[Updates]:
        try:
            for step in working(lambda _: checks.check_current(offer, session), "Removing cells"):
                if isinstance(step, Finished):
                    yield page.say("Checked; the encoder did not run.") | {checked.result: step.result}
                else:
                    yield page.say(step, kind="busy")
        except DaamError as error:
            yield page.say(str(error), kind="error")
        except Exception:
            log.exception("A check failed")
            yield page.say(DEFECT, kind="error")

    checked.run.click(
        check,
        page.session,
        [page.status, checked.result],
        concurrency_id="check",
        concurrency_limit=1,
        **PRIVATE,
    )


def _wire_view(offer: Offer, page: Page) -> None:
    def cell(session: Session, event: gr.EventData) -> Updates:
        place = _fields(event)
        try:
            chosen = actions.select_cell(session, place.get("head"), place.get("layer"), place.get("feature"))
        except DaamError as error:
            return page.say(str(error), kind="error")
        return {page.session: chosen, page.muted.note: html.mutes(chosen)}

    def target(session: Session, event: gr.EventData) -> Updates:
        index = _fields(event).get("index")
        return act(
            offer,
            page,
            lambda: actions.choose_class(offer, session, index),
            "Another class is explained.",
        )

    def exact(session: Session, event: gr.EventData) -> Any:
        asked = _fields(event)
        try:
            return payload.exact_value(session, asked)
        except DaamError as error:
            return {"id": asked.get("id"), "error": str(error)}

    view = page.reasons.view
    view.cell(
        cell,
        page.session,
        [page.session, page.muted.note, page.status],
        trigger_mode="always_last",
        **PRIVATE,
    )
    view.target(target, page.session, page.outputs, **PRIVATE)
    view.exact(exact, page.session, page.reasons.exact, trigger_mode="multiple", **PRIVATE)


def _fields(event: gr.EventData) -> dict[str, Any]:
    data = getattr(event, "_data", None)
    return data if isinstance(data, dict) else {}


def _wire_save(offer: Offer, page: Page) -> None:
    saved = page.saved

    def save(session: Session, format_: Any, width: Any, scale: Any) -> Updates:
        try:
            study = actions.needed(session.current)
            explanation = actions.rescaled(offer, study, scale)
            path = downloads.write(explanation, study.given, format_=format_, width=width, pair=session.pair)
        except DaamError as error:
            return page.say(str(error), kind="error") | {saved.file: gr.update(value=None)}
        except Exception:
            log.exception("Saving failed")
            return page.say(DEFECT, kind="error") | {saved.file: gr.update(value=None)}
        alone = session.pair is not None and format_ != "html"
        said = f"Saved {path.name}." + (
            " It holds B alone; the interactive page holds both." if alone else ""
        )
        return page.say(said) | {saved.file: gr.update(value=str(path))}

    saved.run.click(
        save,
        [page.session, saved.format, saved.width, saved.scale],
        [page.status, saved.file],
        concurrency_id="export",
        concurrency_limit=2,
        **PRIVATE,
    ).then(None, None, None, js="() => window.DaamPage.download()", api_visibility="private")

    saved.link.click(None, None, None, js="() => window.DaamPage.copyLink()", api_visibility="private")


def _wire_link(offer: Offer, page: Page) -> None:
    query = gr.Textbox(visible=False)
    outputs = [*page.outputs, page.given.cancel, page.given.tabs]
    for way in page.given.ways:
        outputs += [way.value, way.model]
    ways = {way.modality: way for way in page.given.ways}

    def restore(session: Session, asked: Any) -> Iterator[Updates]:
        link = links.parse(asked, offer)
        if link.model is None:
            yield {page.status: gr.skip()}
            return
        way = ways[offer[link.model].config.modality]
        at = {page.given.tabs: gr.update(selected=way.modality), way.model: link.model}
        if link.example is None:
            yield at | (page.say(OWN_LINK, kind="info") if link.own else {})
            return
        example = EXAMPLES[link.example]
        model = link.model

        def work(offer: Offer) -> Session:
            return actions.explain_input(offer, session, model, example.given(), target=link.target)

        shown = example.content if example.modality == "text" else example.path
        yield from run(offer, page, work, "Restoring the view of the link", before={**at, way.value: shown})

    blocks = gr.context.Context.root_block
    if blocks is None:
        raise InputError("The page's parts can be connected only while the page is being built.")
    blocks.load(
        restore,
        [page.session, query],
        outputs,
        js="(session) => [session, window.location.search]",
        concurrency_id=ENCODER,
        concurrency_limit=1,
        **PRIVATE,
    )
