"""The answer as HTML: what was explained by which model, the predicted class, every class's probability.

It is the one place on the page where these stand, so it shows A and B where two results are compared.
"""

from html import escape

import numpy as np

from daam_core.inputs import Modality, Sound, Text
from daam_core.inputs.picture import Picture
from daam_core.reading.numbers import probability, signed
from daam_core.reading.outside import warning
from daam_core.reading.remarks import remarks
from daam_core.reading.sentences import STAND_ALONE, chances
from daam_core.result import Explanation

from ...visit.inputs import Given
from ...visit.session import Result, Session
from .terms import term

TOP_CLASSES = 3
PER_CENT = "\u00a0%"  # a number and its sign stay together
KINDS: dict[Modality, str] = {"audio": "Sound", "text": "Text", "image": "Picture"}
EMPTY_PREDICTION = (
    '<div class="dx-empty"><p class="dx-empty-title">Nothing explained yet</p>'
    "<p>Pick an example, or give a sound, a text or a picture of your own. The answer appears here, and "
    "below it what led to it.</p></div>"
)
CONSTANT_MAP = (
    f'<p class="dx-note">The map is constant: no cell stands out, so the {term("IF", "Importance Factor")} '
    "is 0 everywhere.</p>"
)
# The input's form is folded while there is a result; a script opens it.
CHANGE = (
    '<button type="button" class="dx-plain dx-small" id="change-given" aria-expanded="false" '
    'aria-controls="step-input">Change input</button>'
)


def prediction_html(session: Session) -> str:
    """The answer for what is on screen, in one strip that stays in sight."""
    result = session.current
    if result is None:
        return EMPTY_PREDICTION
    e, before = result.explanation, session.pair[0] if session.pair else None
    order = sorted(range(len(e.class_names)), key=lambda c: -e.probabilities[c])
    few = " dx-few" if len(order) <= TOP_CLASSES else ""
    rows = [_class_row(result, c, before) for c in order]
    notes = (
        [_effect(result, before)] if result.unmuted is not None and not _shows_effect(result, before) else []
    )
    notes += [f'<p class="dx-note dx-alone">{STAND_ALONE}</p>'] if e.labels == "several" else []
    notes += [CONSTANT_MAP] if e.degenerate else []
    notes += [
        f'<p class="dx-note">The input: {escape(remark)}.</p>'
        for remark in remarks(e)
        if remark not in warning(e)
    ]
    return (
        f'<div class="dx-prediction">{_before(before) if before else ""}'
        '<div class="dx-given"><p class="dx-previous">Previous result</p>'
        f"{_given(result, before is not None)}</div>{CHANGE}{_outside(e)}"
        f'<p class="dx-answer"><strong>{escape(e.answer)}</strong> '
        f'<span class="dx-share">{chances(e).replace(" %", PER_CENT)}</span></p>'
        '<ul class="dx-classes dx-top" aria-label="Probability of the likeliest classes">'
        f"{''.join(rows[:TOP_CLASSES])}</ul>"
        f'<details class="dx-all{few}"><summary>All {len(rows)} classes</summary>'
        f'<ul class="dx-classes" aria-label="Probability of each class">{"".join(rows)}</ul></details>'
        f"{''.join(notes)}</div>"
    )


def _before(result: Result) -> str:
    """A of a comparison, in one line."""
    e = result.explanation
    return (
        f'<p class="dx-before"><b>A</b> <span class="dx-input-a">{escape(result.given.title)}</span> '
        f"{_of(result)} <strong>{escape(e.answer)}</strong> "
        f"{chances(e)}{' ⚠ Outside what it knows.' if warning(e) else ''} "
        '<button type="button" class="dx-link-button dx-compare-maps">Compare the maps</button></p>'
    )


def _given(result: Result, compared: bool) -> str:
    letter = "<b>B</b> " if compared else ""
    return (
        f'<p class="dx-name-line">{letter}<span class="dx-input-name">{escape(result.given.title)}</span></p>'
        f'<p class="dx-of-line">{escape(kind_of(result.given))} {_of(result)}</p>{_truth(result)}'
    )


def _truth(result: Result) -> str:
    """The classes that an input of a data set belongs to, and whether the model says the same."""
    if (truth := result.given.truth) is None:
        return ""
    e = result.explanation
    right = set(truth) == {e.class_names[index] for index in e.predicted}
    several = e.labels == "several"
    said, kind = ("✓ predicted", "right") if right else ("✗ not predicted", "wrong")
    return (
        f'<p class="dx-truth dx-{kind}">True class{"es" if several else ""}: '
        f"<strong>{escape(', '.join(truth) or 'none')}</strong> <span>{said}</span></p>"
    )


def _of(result: Result) -> str:
    """The model, and which of its parts are muted."""
    muted = f" without {escape(result.mutes.describe())}" if result.mutes else ""
    warn = " dx-warn" if muted else ""
    return f'<span class="dx-badge{warn}">{escape(result.model)}{muted}</span>'


def kind_of(given: Given) -> str:
    """What an input is, in a few words."""
    kind, held = KINDS[given.modality], given.held
    if isinstance(held, Sound):
        return f"{kind}, {held.seconds:.1f} s"
    if isinstance(held, Text):
        return f"{kind}, {len(held.content):,} characters"
    if isinstance(held, Picture):
        return f"{kind}, {held.rgb.width:,} × {held.rgb.height:,} pixels"
    return kind


def _outside(e: Explanation) -> str:
    """The warning of an input unlike the training data, before the answer; a phone folds its reasons."""
    if said := warning(e):
        return (
            '<p class="dx-outside" role="note"><strong><span aria-hidden="true">⚠ </span>'
            f'Outside what it knows.</strong> <span class="dx-reasons">{escape(said)}</span>'
            '<button type="button" class="dx-unfold" aria-expanded="false">Why</button></p>'
        )
    return ""


def _shows_effect(result: Result, before: Result | None) -> bool:
    """Whether the difference from A is what muting did: A is the same input with nothing muted."""
    return before is not None and before.is_of(result) and not before.mutes


def _effect(result: Result, before: Result | None) -> str:
    """What muting did to the explained class, and how far that is from A, which is another input."""
    e = result.explanation
    whole, share = float(_unmuted(result)[e.explained]), float(e.probabilities[e.explained])
    said = (
        f"Muting {result.mutes.describe()}: {e.explained_class} {probability(whole)} → {probability(share)} "
        f"({signed(100 * (share - whole), 1)} points) for this input"
    )
    if before is not None and before.explanation.class_names == e.class_names:
        apart = 100 * (share - float(before.explanation.probabilities[e.explained]))
        said += f"; from A, another result: {signed(apart, 1)} points"
    return f'<p class="dx-note dx-effect">{escape(said)}.</p>'


def _unmuted(result: Result) -> np.ndarray:
    return result.explanation.probabilities if result.unmuted is None else result.unmuted


def _class_row(result: Result, c: int, before: Result | None) -> str:
    e = result.explanation
    share = float(e.probabilities[c])
    chosen = " dx-explained" if c == e.explained else ""
    moved, than = None, "in A"
    if result.unmuted is not None and not _shows_effect(result, before):
        moved, than = 100 * (share - float(result.unmuted[c])), "with nothing muted"
    elif before is not None and before.explanation.class_names == e.class_names:
        moved = 100 * (share - float(before.explanation.probabilities[c]))
    points = (
        ""
        if moved is None
        else f'<span class="dx-moved" title="Points more or less than {than}">'
        f"{signed(moved, 1)} points</span>"
    )
    return (
        f'<li class="dx-class{chosen}" data-class="{c}" data-probability="{share!r}">'
        f'<span class="dx-name">{escape(e.class_names[c])}</span>'
        f'<span class="dx-bar" aria-hidden="true"><i style="width:{100 * share:.2f}%"></i></span>'
        f'<span class="dx-number">{probability(share)}{points}</span></li>'
    )
