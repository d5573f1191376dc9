"""What each component shows for a session: pure functions from a session to updates of the page."""

from typing import Protocol

import gradio as gr
from gradio.blocks import Block

from daam_core.inputs import Sound, Text

from ..visit.offer import Offer
from ..visit.results import results_value
from ..visit.session import Result, Session
from ..visit.view_values import view_value
from .html.faithfulness import NOT_CHECKED
from .html.frame import status
from .html.muted_parts import muted_parts_html
from .html.prediction import prediction_html
from .layout import Page
from .parts import save

UNCHECKED = "Not checked yet: see “Is it true?” below."

#: New values by component.
Updates = dict[Block, object]


class Told(Protocol):
    """A page with a line that says what happens."""

    @property
    def status(self) -> gr.HTML: ...


def changing(page: Page) -> list[Block]:
    """Everything that :func:`show` may update."""
    muted, changed, compared = page.muted, page.changed, page.compared
    of_the_result = [page.prediction, page.reasons.view, page.checked.result]
    of_the_result.append(page.reasons.remark)
    of_the_charts = [page.charts.plot, page.charts.head]
    of_the_mutes = [muted.note, muted.heads, muted.layers, muted.features]
    of_the_mutes.append(muted.reset)
    of_the_comparison: list[Block] = [
        compared.results,
        compared.undo,
        compared.redo,
        compared.swap,
        compared.end,
    ]
    of_the_comparison += [compared.other, compared.models]
    groups = [changed.text.group, changed.sound.group, changed.picture.group]
    return [
        *(page.saved.quantity, page.saved.said),
        *(page.session, page.status, *page.sections, *of_the_result, *of_the_charts),
        *(*of_the_mutes, *of_the_comparison, *groups, *changed.values),
    ]


def say(page: Told, text: str, *, kind: str = "done", previous: bool = False) -> Updates:
    """Only the status line; ``previous`` calls the result on screen the previous one."""
    return {page.status: status(text, kind=kind, previous=previous)}


def show(page: Page, offer: Offer, session: Session, *, before: Session) -> Updates:
    """The session's result in every part of the page.

    The controls that change an input keep what the visitor set, until there is another original.
    """
    current = session.current
    if current is None:
        return {page.session: session}
    others = [name for name in offer.names(current.given.modality) if name != current.model]
    original, earlier = session.original, before.original
    another = earlier is None or original is None or original.given.key != earlier.given.key
    return {
        **(_show_original(page, session) if another else {}),
        page.session: session,
        page.prediction: prediction_html(session),
        page.reasons.view: view_value(session),
        page.checked.result: NOT_CHECKED,
        page.reasons.remark: {"text": UNCHECKED},
        page.charts.plot: gr.update(value=None, visible=False),  # of another result
        page.charts.head: gr.update(choices=_heads(current), value=0),
        **{section: gr.update(visible=True) for section in page.sections},
        **_show_mutes(page, session, current),
        page.saved.quantity: gr.update(choices=save.choices(current.explanation), value=save.AS_SHOWN),
        page.saved.said: "",  # of another result
        page.compared.results: results_value(session),
        page.compared.undo: gr.update(interactive=bool(session.undo)),
        page.compared.redo: gr.update(interactive=bool(session.redo)),
        page.compared.swap: gr.update(interactive=session.pair is not None),
        page.compared.end: gr.update(interactive=session.baseline is not None),
        page.compared.models: gr.update(visible=bool(others)),
        page.compared.other: gr.update(choices=others, value=others[0] if others else None),
    }


def _heads(current: Result) -> list[tuple[str, int]]:
    return [(f"Head {head}", head) for head in range(current.explanation.shape[0])]


def _show_mutes(page: Page, session: Session, current: Result) -> Updates:
    """The controls that mute parts of the model."""
    heads, layers, _ = current.explanation.shape
    mutes, muted = current.mutes, page.muted
    return {
        muted.note: muted_parts_html(session),
        muted.heads: gr.update(
            choices=[(f"Head {head}", str(head)) for head in range(heads)],
            value=[str(head) for head in sorted(mutes.heads)],
        ),
        muted.layers: gr.update(
            choices=[(f"Layer {layer}", str(layer)) for layer in range(layers)],
            value=[str(layer) for layer in sorted(mutes.layers)],
        ),
        muted.features: ", ".join(map(str, sorted(mutes.features))),
        muted.reset: gr.update(interactive=bool(mutes)),
    }


def _show_original(page: Page, session: Session) -> Updates:
    """The controls that change the input, set to a new original."""
    if session.original is None:
        return {}
    given, changed = session.original.given, page.changed
    updates: Updates = {
        changed.text.group: gr.update(visible=given.modality == "text"),
        changed.sound.group: gr.update(visible=given.modality == "audio"),
        changed.picture.group: gr.update(visible=given.modality == "image"),
    }
    if isinstance(given.held, Text):
        updates[changed.text.text] = given.held.content
    elif isinstance(given.held, Sound):
        seconds = round(given.held.seconds, 2)  # the sliders' step
        updates[changed.sound.start] = gr.update(maximum=seconds, value=0)
        updates[changed.sound.end] = gr.update(maximum=seconds, value=seconds)
    else:
        updates[changed.picture.region] = {"picture": (session.original.media or {})["image"]["url"]}
    return updates
