"""The decision as HTML: the predicted class, every class's probability, and what is special about it."""

from html import escape

from daam_core.reading.numbers import percent
from daam_core.reading.remarks import remarks
from daam_core.result import Explanation

from ...visit.session import Session

TOP_CLASSES = 5
EMPTY_PREDICTION = (
    '<div class="dx-empty"><p class="dx-empty-title">Nothing explained yet</p>'
    "<p>Pick an example on the left, or give a sound, a text or a picture of your own. The decision "
    "appears here, and below it what led to it.</p></div>"
)
CONSTANT_MAP = """
<p class="dx-note">The map is constant: no cell stands out, so the Importance Factor is 0 everywhere.</p>
"""


def prediction_html(session: Session) -> str:
    """The decision with every class's probability, most probable first."""
    result = session.current
    if result is None:
        return EMPTY_PREDICTION
    e = result.explanation
    order = sorted(range(len(e.class_names)), key=lambda c: -e.probabilities[c])
    rows = [_class_row(e, c) for c in order]
    shown, rest = rows[:TOP_CLASSES], rows[TOP_CLASSES:]
    more = (
        f'<details class="dx-more"><summary>{len(rest)} more class{"es" if len(rest) > 1 else ""}</summary>'
        f'<ul class="dx-classes">{"".join(rest)}</ul></details>'
        if rest
        else ""
    )
    muted = (
        f'<span class="dx-badge dx-warn">without {escape(result.mutes.describe())}</span>'
        if result.mutes
        else ""
    )
    return (
        '<div class="dx-prediction"><p class="dx-previous">Previous result</p>'
        f'<p class="dx-input-name">{escape(result.given.title)}</p>'
        f'<p class="dx-answer"><strong>{escape(e.predicted_class)}</strong> '
        f'<span class="dx-share">{percent(e.probabilities[e.prediction])}</span></p>'
        f'<p class="dx-badges"><span class="dx-badge">{escape(result.model)}</span>{muted}</p>'
        f'<ul class="dx-classes" aria-label="Probability of each class">{"".join(shown)}</ul>{more}'
        f"{CONSTANT_MAP if e.degenerate else ''}"
        + "".join(f'<p class="dx-note">The input: {escape(remark)}.</p>' for remark in remarks(e))
        + "</div>"
    )


def _class_row(e: Explanation, c: int) -> str:
    share = float(e.probabilities[c])
    chosen = " dx-explained" if c == e.explained else ""
    return (
        f'<li class="dx-class{chosen}" data-class="{c}" data-probability="{share!r}">'
        f'<span class="dx-name">{escape(e.class_names[c])}</span>'
        f'<span class="dx-bar" aria-hidden="true"><i style="width:{100 * share:.2f}%"></i></span>'
        f'<span class="dx-number">{percent(share)}</span></li>'
    )
