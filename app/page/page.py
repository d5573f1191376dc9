"""The page's components by name, and what each shows for a session."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from daam_core.inputs import Sound, Text

from ..visit import payload
from ..visit.offer import Offer
from ..visit.session import Session
from . import checks, html
from .parts.change_input import ChangeInput
from .parts.change_model import ChangeModel
from .parts.check import Check
from .parts.compare import Compare
from .parts.give import Give
from .parts.save import Save
from .parts.why import Why

Updates = dict[Any, Any]


@dataclass(frozen=True)
class Page:
    """Every component that a session decides about."""

    session: gr.State
    status: gr.HTML
    prediction: gr.HTML
    reasons: Why
    given: Give
    compared: Compare
    comparison: gr.HTML
    changed: ChangeInput
    muted: ChangeModel
    checked: Check
    saved: Save
    sections: tuple[gr.Column, ...]

    @property
    def outputs(self) -> list[Any]:
        """Everything that :meth:`show` and :meth:`show_input` may update."""
        m, c = self.muted, self.changed
        return [
            self.session, self.status, self.prediction, self.reasons.view, self.comparison, *self.sections,
            self.checked.result, m.note, m.heads, m.layers, m.features, m.undo, m.redo, m.reset,
            self.compared.swap, self.compared.end, self.compared.other, self.compared.models,
            c.text_group, c.sound_group, c.image_group, c.text, c.start, c.end, c.region,
        ]  # fmt: skip

    def say(self, text: str, *, kind: str = "done") -> Updates:
        """Only the status line."""
        return {self.status: html.status(text, kind=kind)}

    def show(self, offer: Offer, session: Session) -> Updates:
        """The session's result in every part of the page."""
        current = session.current
        if current is None:
            return {self.session: session}
        others = [n for n in offer.names(current.given.modality) if n != current.model]
        return {
            self.session: session,
            self.prediction: html.prediction(session),
            self.reasons.view: payload.view_value(session),
            self.comparison: html.comparison(session),
            self.checked.result: checks.NOT_CHECKED,
            **{section: gr.update(visible=True) for section in self.sections},
            **self.show_mutes(session),
            self.compared.swap: gr.update(interactive=session.pair is not None),
            self.compared.end: gr.update(interactive=session.baseline is not None),
            self.compared.models: gr.update(visible=bool(others)),
            self.compared.other: gr.update(choices=others, value=others[0] if others else None),
        }

    def show_mutes(self, session: Session) -> Updates:
        """The controls of the tab that changes the model."""
        current = session.current
        if current is None:
            return {}
        heads, layers, _ = current.explanation.shape
        mutes = current.mutes
        return {
            self.muted.note: html.mutes(session),
            self.muted.heads: gr.update(
                choices=[(f"Head {h}", str(h)) for h in range(heads)],
                value=[str(h) for h in sorted(mutes.heads)],
            ),
            self.muted.layers: gr.update(
                choices=[(f"Layer {n}", str(n)) for n in range(layers)],
                value=[str(n) for n in sorted(mutes.layers)],
            ),
            self.muted.features: ", ".join(map(str, sorted(mutes.features))),
            self.muted.undo: gr.update(interactive=bool(session.undo)),
            self.muted.redo: gr.update(interactive=bool(session.redo)),
            self.muted.reset: gr.update(interactive=bool(mutes)),
        }

    def show_input(self, session: Session) -> Updates:
        """The controls that change the input, set to a new original."""
        if session.original is None:
            return {}
        given = session.original.given
        updates: Updates = {
            self.changed.text_group: gr.update(visible=given.modality == "text"),
            self.changed.sound_group: gr.update(visible=given.modality == "audio"),
            self.changed.image_group: gr.update(visible=given.modality == "image"),
        }
        if isinstance(given.held, Text):
            updates[self.changed.text] = given.held.content
        elif isinstance(given.held, Sound):
            seconds = round(given.held.seconds, 2)  # the sliders' step
            updates[self.changed.start] = gr.update(maximum=seconds, value=0)
            updates[self.changed.end] = gr.update(maximum=seconds, value=seconds)
        else:
            updates[self.changed.region] = {"picture": (session.original.media or {})["image"]["url"]}
        return updates
