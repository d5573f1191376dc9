"""Which component starts which action. Actions compute, the page shows; this module only connects."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from daam_core.errors import InputError
from daam_core.inputs import Edit, Modality, Sound, SoundChange
from daam_core.reading.quantities import QUANTITIES, quantity_text

from ..visit import actions, downloads, links
from ..visit.charts import chart
from ..visit.examples import EXAMPLES, Example, offered, recognised
from ..visit.faithfulness import Checked, check_current
from ..visit.inputs import Given, given_file, given_text
from ..visit.mutes import NOTHING_MUTED
from ..visit.offer import Offer
from ..visit.session import Result, Session
from ..visit.study import Studies
from ..visit.untrusted import choice_of, pins_of, region_of
from ..visit.view_values import exact_value
from .html.about_model import about_model_html
from .html.faithfulness import check_html
from .html.frame import status
from .html.muted_parts import muted_parts_html
from .layout import Page
from .outcomes import at_once, sentence_of, step_by_step
from .parts.give import Way, note_html
from .parts.save import AS_SHOWN
from .updates import Updates, changing, say, show

#: What every listener of the page is given: no endpoint, and no veil over what it updates.
Options = dict[str, Any]
PRIVATE: Options = {"api_visibility": "private", "show_progress": "hidden"}
#: Who may wait for the encoder, whose turns the offer decides: texts are small, of files a few are held.
#: Who asks again while a run goes on, is next.
TEXTS: Options = {"concurrency_id": "texts", "concurrency_limit": 24, "trigger_mode": "multiple"}
FILES: Options = {"concurrency_id": "files", "concurrency_limit": 4, "trigger_mode": "multiple"}
#: What takes a core for long and needs no encoder, or many runs of it.
CHECK: Options = {"concurrency_id": "check", "concurrency_limit": 1}
EXPORT: Options = {"concurrency_id": "export", "concurrency_limit": 2}
RUNNING = "Explaining your input"
RECOMPUTED = "Done: the answer is computed anew."
OWN_LINK = (
    "This link was made for somebody's own input, which a link never carries: give the same input again, "
    "and the view comes back."
)
WITH_REGION = "(session, edges, fill) => [session, window.DaamPage.markedText(), fill]"
WITH_QUERY = "(session) => [session, window.location.search]"
WITH_VIEW = "(...given) => [...given.slice(0, -3), ...window.DaamPage.forSaving()]"


def waiting(modality: Modality) -> Options:
    """How runs of the encoder on such inputs wait."""
    return TEXTS if modality == "text" else FILES


def wire(blocks: gr.Blocks, offer: Offer, page: Page, studies: Studies) -> None:
    """Connect every control of the page."""
    for way in page.given.ways:
        _wire_way(offer, page, way)
    _wire_changes(offer, page)
    _wire_data_set(offer, page, studies)
    wire_cancel(page.cancel, page.session)
    _wire_comparison(offer, page)
    _wire_mutes(offer, page)
    _wire_check(offer, page)
    _wire_view(offer, page)
    _wire_charts(page)
    _wire_save(offer, page)
    _wire_link(blocks, offer, page)


# Runs of the encoder: generators, so that they show that they work and can be cancelled


def _run(
    offer: Offer,
    page: Page,
    work: Callable[[Offer], Session],
    message: str = RUNNING,
    *,
    before: Session,
    place: gr.HTML | None = None,
    note: str = "",
) -> Iterator[Updates]:
    """An action that may run the encoder on the session ``before`` it; ``note`` is said with its result."""

    def finished(session: Session) -> Updates:
        done = "" if session.current is None else f"Done: {_done(session.current)}. {note}"
        said = say(page, done.strip(), kind="info" if note else "done") if done else {}
        return show(page, offer, session, before=before) | said

    def in_turn(stop: threading.Event) -> Session:
        with before.runs.turns.turn(stop.is_set):
            session = work(offer.until(stop.is_set))
            return session if stop.is_set() else session.ended(before)

    return step_by_step(
        page,
        in_turn,
        message,
        finished,
        cancelled=before.runs.begin(),
        place=place,
        replaces=True,
        meanwhile={page.cancel: gr.update(visible=True)},
        afterwards={page.cancel: gr.update(visible="hidden")},
    )


def _done(result: Result) -> str:
    if result.given.modality == "text":
        return f"explained {len(result.explanation.token_labels):,} tokens"
    sound = result.given.held
    return (
        f"explained {sound.seconds:.1f} s of sound" if isinstance(sound, Sound) else "explained the picture"
    )


def _wire_way(offer: Offer, page: Page, way: Way) -> None:
    refused = gr.State("")  # why the last file that was given is not there

    def explain_own(session: Session, model: str, value: object, why: str) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            if value is None and why:
                raise InputError(why)
            given = given_text(value) if way.modality == "text" else given_file(way.modality, value)
            return actions.explain_input(offer, session, model, recognised(given))

        yield from _run(offer, page, work, before=session)

    def explain_example(example: Example, session: Session, model: str) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            return actions.explain_input(offer, session, model, example.given())

        yield {way.value: _content(example), refused: ""}
        yield from _run(offer, page, work, before=session)

    def choose_model(name: str) -> Updates:
        """What the model is, and its examples; others go out of sight."""
        shown = offered(way.modality, name)
        return {way.about: about_model_html(offer[name]), way.note: note_html(name)} | {
            button: gr.update(value=example.label(name), visible=example in shown)
            for example, button in way.examples
        }

    buttons = [button for _, button in way.examples]
    way.model.change(choose_model, way.model, [way.about, way.note, *buttons], queue=False, **PRIVATE)
    inputs, outputs = [page.session, way.model], [*changing(page), page.cancel]
    options = waiting(way.modality)
    arrived = _wire_arrival(page, way, refused)
    own = [*inputs, way.value, refused]
    way.run.click(explain_own, own, outputs, cancels=arrived, **options, **PRIVATE)
    for example, button in way.examples:
        explain = partial(explain_example, example)
        button.click(explain, inputs, [*outputs, way.value, refused], **options, **PRIVATE)


def _wire_arrival(page: Page, way: Way, refused: gr.State) -> list[Options]:
    """A file is read as soon as it is given, so that one that cannot be read is refused there and then.

    ``refused`` keeps the reason, which is the answer to whoever asks for an explanation all the same.
    """
    if way.modality == "text":
        return []
    modality = way.modality

    def arrived(value: object) -> Updates:
        if value is None:
            return {page.status: gr.skip()}
        try:
            given = given_file(modality, value)
        except Exception as error:
            why = sentence_of(error)
            return say(page, why, kind="error") | {way.value: None, refused: why}
        said = say(page, f"{given.name} can be read. Press Explain.", kind="info", previous=True)
        return said | {refused: ""}

    options = PRIVATE | {"concurrency_id": "read", "concurrency_limit": 2}
    control: Any = way.value
    control.clear(lambda: "", None, refused, queue=False, **PRIVATE)
    return [control.upload(arrived, control, [page.status, control, refused], **options)]


def _content(example: Example) -> str:
    return example.content if example.modality == "text" else example.path


def _wire_changes(offer: Offer, page: Page) -> None:
    text, sound, picture = page.changed.text, page.changed.sound, page.changed.picture
    compared = page.compared

    def explain(session: Session, change: Callable[[Given], Given]) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            if session.original is None:
                raise InputError("There is nothing to change yet: explain an input first.")
            return actions.change_input(offer, session, change(session.original.given))

        message = "Explaining the changed input"
        return _run(offer, page, work, message, before=session, place=page.changed.said)

    def change_text(session: Session, text: str) -> Iterator[Updates]:
        yield from explain(session, lambda given: given.changed(Edit(text)))

    def change_sound(
        session: Session, start: float, end: float, noisy: bool, snr: float
    ) -> Iterator[Updates]:
        def cut(given: Given) -> Given:
            sound = given.input
            whole = isinstance(sound, Sound) and float(end) >= round(sound.seconds, 2)
            change = SoundChange(float(start), None if whole else float(end), float(snr) if noisy else None)
            return given.changed(change)

        yield from explain(session, cut)

    def change_picture(session: Session, edges: object, fill: object) -> Iterator[Updates]:
        yield from explain(session, lambda given: given.changed(region_of(edges, fill)))

    def compare_models(session: Session, other: str) -> Iterator[Updates]:
        def work(offer: Offer) -> Session:
            return actions.compare_models(offer, session, other)

        message = f"Explaining with {other}"
        yield from _run(offer, page, work, message, before=session, place=compared.said)

    sound.noisy.change(
        lambda noisy: gr.update(interactive=bool(noisy)), sound.noisy, sound.snr, queue=False, **PRIVATE
    )
    outputs, options = [*changing(page), page.cancel, page.changed.said, compared.said], FILES | PRIVATE
    sound_values = [page.session, sound.start, sound.end, sound.noisy, sound.snr]
    picture_values = [page.session, picture.edges, picture.fill]
    text.run.click(change_text, [page.session, text.text], outputs, **TEXTS, **PRIVATE)
    sound.run.click(change_sound, sound_values, outputs, **options)
    picture.run.click(change_picture, picture_values, outputs, js=WITH_REGION, **options)
    compared.run.click(compare_models, [page.session, compared.other], outputs, **options)


def _wire_data_set(offer: Offer, page: Page, studies: Studies) -> None:
    """An input of a study is explained where one input is."""
    if page.data_set is None:
        return
    ways = {way.modality: way for way in page.given.ways}

    def explain(session: Session, event: gr.EventData) -> Iterator[Updates]:
        name, number = sent(event, "study"), sent(event, "number")

        def work(offer: Offer) -> Session:
            return actions.explain_input(
                offer, session, studies[name].facts.model, studies.given(name, number)
            )

        if isinstance(name, str) and name in studies.names and studies.explains(name):
            facts = studies[name].facts
            way = ways[facts.modality]
            yield {page.given.tabs: gr.update(selected=way.modality), way.model: facts.model}
        yield from _run(offer, page, work, before=session)

    outputs = [*changing(page), page.cancel, page.given.tabs, *(way.model for way in page.given.ways)]
    page.data_set.view.explain(explain, page.session, outputs, **FILES, **PRIVATE)


def wire_cancel(cancel: gr.Button, session: gr.State) -> None:
    """The button asks the run to stop, and shows nothing: the run has the last word."""

    def ask(visitor: Session) -> None:
        visitor.runs.cancel()

    cancel.click(ask, session, None, queue=False, **PRIVATE)


# Actions on what is there already


def _on_click(
    offer: Offer,
    page: Page,
    button: gr.Button,
    action: Callable[[Session], Session],
    said: str,
    *,
    place: gr.HTML,
) -> None:
    """A button whose action needs the session alone."""

    def clicked(session: Session) -> Updates:
        return _act(offer, page, session, lambda: action(session), said, place=place)

    button.click(clicked, page.session, [*changing(page), place], **PRIVATE)


def _act(
    offer: Offer, page: Page, before: Session, action: Callable[[], Session], said: str, *, place: gr.HTML
) -> Updates:
    def shown() -> Updates:
        return show(page, offer, action().ended(before), before=before) | say(page, said)

    return at_once(place, shown)


def _wire_comparison(offer: Offer, page: Page) -> None:
    compared = page.compared

    def show_again(session: Session, event: gr.EventData) -> Updates:
        action = partial(actions.show_again, session, sent(event, "number"))
        return _act(offer, page, session, action, "An earlier result is shown.", place=compared.said)

    def use_as_a(session: Session, event: gr.EventData) -> Updates:
        action = partial(actions.use_as_a, session, sent(event, "number"))
        said = "A is chosen; what is on screen, and what you explain next, is B."
        return _act(offer, page, session, action, said, place=compared.said)

    outputs = [*changing(page), compared.said]
    compared.results.show(show_again, page.session, outputs, **PRIVATE)
    compared.results.compare(use_as_a, page.session, outputs, **PRIVATE)
    on_click = partial(_on_click, offer, page, place=compared.said)
    on_click(compared.swap, actions.swap, "A and B changed places.")
    on_click(compared.end, actions.end_comparison, "The comparison has ended.")
    on_click(compared.undo, actions.undo, "The last change is undone.")
    on_click(compared.redo, actions.redo, "The change is made again.")


def _wire_mutes(offer: Offer, page: Page) -> None:
    muted = page.muted

    def apply(session: Session, heads: object, layers: object, features: str) -> Updates:
        def action() -> Session:
            return actions.mute_parts(offer, session, heads, layers, features)

        return _act(offer, page, session, action, RECOMPUTED, place=muted.said)

    def mute_top(session: Session, count: object) -> Updates:
        top = partial(actions.mute_top, offer, session, count)
        return _act(offer, page, session, top, RECOMPUTED, place=muted.said)

    parts = [page.session, muted.heads, muted.layers, muted.features]
    outputs = [*changing(page), muted.said]
    muted.apply.click(apply, parts, outputs, **PRIVATE)
    # `input` fires for the visitor's own changes only, not for those that the page makes.
    muted.heads.input(apply, parts, outputs, trigger_mode="always_last", **PRIVATE)
    muted.layers.input(apply, parts, outputs, trigger_mode="always_last", **PRIVATE)
    muted.features.submit(apply, parts, outputs, **PRIVATE)
    muted.top.click(mute_top, [page.session, muted.count], outputs, **PRIVATE)
    for button, action in (
        (muted.cell, actions.mute_selected),
        (muted.reset, partial(actions.set_mutes, mutes=NOTHING_MUTED)),
    ):
        _on_click(offer, page, button, partial(action, offer), RECOMPUTED, place=muted.said)


def _wire_check(offer: Offer, page: Page) -> None:
    def check(session: Session) -> Iterator[Updates]:
        def checked(found: Checked) -> Updates:
            remark = {page.reasons.remark: {"text": found.sentences}}
            return say(page, "Checked.") | {page.checked.result: check_html(found)} | remark

        def work(_: object) -> Checked:
            return check_current(offer, session)

        yield from step_by_step(
            page,
            work,
            "Checking: cells are removed, and the model decides on the rest",
            checked,
            place=page.checked.said,
        )

    outputs = [page.status, page.checked.said, page.checked.result, page.reasons.remark]
    page.checked.run.click(check, page.session, outputs, **CHECK, **PRIVATE)


# What the interactive view tells


def _wire_view(offer: Offer, page: Page) -> None:
    def select_cell(session: Session, event: gr.EventData) -> Updates:
        def selected() -> Updates:
            place = (sent(event, name) for name in ("head", "layer", "feature"))
            chosen = actions.select_cell(session, *place)
            return {page.session: chosen, page.muted.note: muted_parts_html(chosen)}

        return at_once(page.muted.said, selected)

    def choose_class(session: Session, event: gr.EventData) -> Updates:
        def action() -> Session:
            return actions.choose_class(offer, session, sent(event, "index"))

        return _act(offer, page, session, action, "Another class is explained.", place=page.reasons.said)

    def exact(session: Session, event: gr.EventData) -> dict[str, object]:
        asked = {name: sent(event, name) for name in ("id", "side", "name", "head")}
        try:
            return exact_value(session, asked)
        except Exception as error:
            return {"id": asked["id"], "error": sentence_of(error)}

    view, latest = page.reasons.view, PRIVATE | {"trigger_mode": "always_last"}
    view.cell(select_cell, page.session, [page.session, page.muted.note, page.muted.said], **latest)
    view.target(choose_class, page.session, [*changing(page), page.reasons.said], **PRIVATE)
    view.exact(exact, page.session, page.reasons.exact, trigger_mode="multiple", **PRIVATE)


def _wire_charts(page: Page) -> None:
    drawn = page.charts

    def draw(session: Session, kind: object, head: object) -> Updates:
        def figure() -> Updates:
            return {drawn.plot: gr.update(value=chart(session, kind, head), visible=True)}

        return at_once(drawn.said, figure)

    def choose(kind: object) -> Updates:
        return {drawn.head: gr.update(visible=kind == "map")}

    asked, outputs = [page.session, drawn.kind, drawn.head], [drawn.plot, drawn.said]
    drawn.run.click(draw, asked, outputs, **PRIVATE)
    drawn.kind.change(choose, drawn.kind, drawn.head, queue=False, **PRIVATE)


def sent(event: gr.EventData, name: str) -> object:
    """A field of what the browser sent; None where there is none."""
    try:
        return getattr(event, name, None)
    except TypeError:  # it sent no object
        return None


def _wire_save(offer: Offer, page: Page) -> None:
    saved = page.saved
    pins, shown, shown_scale = (gr.Textbox(visible=False) for _ in range(3))  # filled by the page's script

    def has_width(format_: object) -> Updates:
        """What the chosen format knows nothing of cannot be chosen."""
        return {
            saved.width: gr.update(interactive=format_ in downloads.FIGURES),
            saved.quantity: gr.update(interactive=format_ in downloads.WITH_MAPS),
        }

    def write_file(
        session: Session,
        format_: object,
        wanted: object,
        width: object,
        scale: object,
        pinned: object,
        on_screen: object,
        scale_on_screen: object,
    ) -> Iterator[Updates]:
        quantity = on_screen if wanted == AS_SHOWN else wanted
        scaled = scale_on_screen if scale == AS_SHOWN else scale

        def work(_: object) -> Path:
            result = actions.needed(session.current)
            explanation = actions.rescaled(offer, result, scaled)
            return downloads.write(
                explanation,
                result.given,
                format_=format_,
                width=width,
                quantity=choice_of(quantity, "The maps", tuple(QUANTITIES)),
                pair=session.pair,
                pins=pins_of(pinned),
            )

        def written(path: Path) -> Updates:
            alone = session.pair is not None and format_ not in ("html", downloads.EVERYTHING)
            told = f"Saved {path.name}.{' It holds B alone; HTML and ZIP hold both.' if alone else ''}"
            if format_ in downloads.WITH_MAPS:
                told += f" Its maps are of {quantity_text(str(quantity)).name}."
            return say(page, told) | {
                saved.said: status(told, kind="done"),
                saved.file: gr.update(value=str(path)),
            }

        yield {saved.file: gr.update(value=None)}  # of an earlier result
        yield from step_by_step(page, work, "Writing the file", written, place=saved.said)

    inputs = [page.session, saved.format, saved.quantity, saved.width, saved.scale, pins, shown, shown_scale]
    outputs = [saved.said, saved.file, page.status]
    saved.format.change(has_width, saved.format, [saved.width, saved.quantity], queue=False, **PRIVATE)
    done = saved.run.click(write_file, inputs, outputs, js=WITH_VIEW, **EXPORT, **PRIVATE)
    done.then(None, None, None, js="() => window.DaamPage.download()", api_visibility="private")
    saved.link.click(None, None, None, js="() => window.DaamPage.copyLink()", api_visibility="private")


def _wire_link(blocks: gr.Blocks, offer: Offer, page: Page) -> None:
    query = gr.Textbox(visible=False)
    ways = {way.modality: way for way in page.given.ways}

    def restore(session: Session, asked: object) -> Iterator[Updates]:
        link = links.parse(asked, offer)
        missing = " ".join(link.missing)
        if (model := link.model) is None:
            yield say(page, missing, kind="error") if missing else {page.status: gr.skip()}
            return
        way = ways[offer[model].config.modality]
        at: Updates = {page.given.tabs: gr.update(selected=way.modality), way.model: model}
        if link.example is None:
            said = missing or (OWN_LINK if link.own else "")
            yield at | (say(page, said, kind="error" if missing else "info") if said else {})
            return
        example = EXAMPLES[link.example]

        def work(offer: Offer) -> Session:
            return actions.follow(offer, session, link)

        yield at | {way.value: _content(example)}
        yield from _run(offer, page, work, "Restoring the view of the link", before=session, note=missing)

    outputs = [*changing(page), page.cancel, page.given.tabs]
    outputs += [part for way in page.given.ways for part in (way.value, way.model)]
    blocks.load(restore, [page.session, query], outputs, js=WITH_QUERY, **FILES, **PRIVATE)
