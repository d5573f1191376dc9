"""Pieces of the page as HTML. Every word that comes from a visitor or a model is escaped here."""

from html import escape

from daam_core.result import Explanation

from ..visit.actions import largest_changes, map_correlation
from ..visit.session import Session, Study

HEADER = """
<header class="dx-header">
  <div>
    <h1>Why did the model decide that?</h1>
    <p class="dx-lead">The DAAM explorer shows which layers and features of a frozen encoder a density
    adaptive attention head lets through, head by head, and traces them back to seconds, words and image
    regions.</p>
  </div>
  <div class="dx-header-buttons">
    <button type="button" id="tour-open" class="dx-plain">Two-minute tour</button>
    <button type="button" id="theme-toggle" class="dx-plain">Dark</button>
  </div>
</header>
"""
LIMITS = """
<p class="dx-limits"><strong>What the Importance Factor does not show.</strong> It says how strongly a head
lets a cell through. It is the same for every class, it is no proof that the cell caused the decision, and a
high value may only mark an ordinary one.</p>
"""
FOOTER = """
<div class="dx-footer"><p>Method: Ioannides, Chadha and Elkins, <em>Density Adaptive Attention is All You
Need</em>, arXiv 2401.11143. Everything runs on this server; no other host is asked. No model here is fit for
decisions about people.</p></div>
"""
CONSTANT_MAP = """
<p class="dx-note">The map is constant: no cell stands out, so the Importance Factor is 0 everywhere.</p>
"""
TOP_CLASSES = 5
CHANGED_CLASSES = 6


def percent(share: float) -> str:
    """A probability for reading: a second decimal at the ends, where it matters.

    >>> percent(0.5), percent(0.9996), percent(0.0004), percent(0.00004), percent(0.99999)
    ('50.0 %', '99.96 %', '0.04 %', '< 0.01 %', '> 99.99 %')
    """
    value = 100 * share
    if 0.1 <= value <= 99.9 or value in (0, 100):
        return f"{value:.1f} %"
    if value < 0.01:
        return "< 0.01 %"
    return "> 99.99 %" if value > 99.99 else f"{value:.2f} %"


def status(text: str, *, kind: str = "info") -> str:
    """The line that says what happens: ``info``, ``busy``, ``done`` or ``error``."""
    role = "alert" if kind == "error" else "status"
    return f'<p class="dx-status dx-{kind}" role="{role}"><span class="dx-dot"></span>{escape(text)}</p>'


def heading(number: int, title: str) -> str:
    """A step's heading; the page reads in the order of the numbers."""
    return (
        f'<h2 class="dx-heading"><span class="dx-step" aria-hidden="true">{number}</span>{escape(title)}</h2>'
    )


READY = status("Ready.")
EMPTY_PREDICTION = (
    '<div class="dx-empty"><p class="dx-empty-title">Nothing explained yet</p>'
    "<p>Pick an example on the left, or give a sound, a text or a picture of your own. The decision "
    "appears here, and below it what led to it.</p></div>"
)


def prediction(session: Session) -> str:
    """The decision with every class's probability, most probable first."""
    study = session.current
    if study is None:
        return EMPTY_PREDICTION
    e = study.explanation
    order = sorted(range(len(e.class_names)), key=lambda c: -e.probabilities[c])
    rows = [_class_row(e, c) for c in order]
    shown, rest = rows[:TOP_CLASSES], rows[TOP_CLASSES:]
    more = (
        f'<details class="dx-more"><summary>{len(rest)} more class{"es" if len(rest) > 1 else ""}</summary>'
        f'<ul class="dx-classes">{"".join(rest)}</ul></details>'
        if rest
        else ""
    )
    cached = (
        '<span class="dx-badge" title="The encoder did not run again">from cache</span>'
        if study.cached
        else ""
    )
    muted = (
        f'<span class="dx-badge dx-warn">without {escape(study.mutes.describe())}</span>'
        if study.mutes
        else ""
    )
    return (
        f'<div class="dx-prediction"><p class="dx-input-name">{escape(study.given.title)}</p>'
        f'<p class="dx-answer"><strong>{escape(e.predicted_class)}</strong> '
        f'<span class="dx-share">{percent(e.probabilities[e.prediction])}</span></p>'
        f'<p class="dx-badges"><span class="dx-badge">{escape(study.model)}</span>{cached}{muted}</p>'
        f'<ul class="dx-classes" aria-label="Probability of each class">{"".join(shown)}</ul>{more}'
        f"{CONSTANT_MAP if e.degenerate else ''}</div>"
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


NO_COMPARISON = (
    '<div class="dx-empty"><p>Nothing is compared yet. Keep this result as A, then explain another input; '
    "or change the input or the model: what was before becomes A by itself.</p></div>"
)


def comparison(session: Session) -> str:
    """A and B: what changed in probability and in the Importance Factor."""
    a, b = session.baseline, session.current
    if b is None:
        return ""
    if a is None:
        return NO_COMPARISON
    waiting = a is b
    heading = (
        f'<dl class="dx-pair"><div><dt>A</dt><dd>{escape(a.title)}</dd></div>'
        f"<div><dt>B</dt><dd>{'explain another input' if waiting else escape(b.title)}</dd></div></dl>"
    )
    if waiting:
        return f'{heading}<p class="dx-note">A is kept. The next input, or the next change, becomes B.</p>'
    tables = (_probability_changes(a.explanation, b.explanation), _map_changes(a, b))
    return heading + '<div class="dx-tables">' + "".join(f"<div>{table}</div>" for table in tables) + "</div>"


def _probability_changes(a: Explanation, b: Explanation) -> str:
    if a.class_names != b.class_names:
        return (
            '<p class="dx-note">The two models know different classes, so each decision stands by itself: '
            f"A says {escape(a.predicted_class)} ({percent(a.probabilities[a.prediction])}), "
            f"B says {escape(b.predicted_class)} ({percent(b.probabilities[b.prediction])}).</p>"
        )
    change = b.probabilities - a.probabilities
    order = sorted(range(len(change)), key=lambda c: -abs(change[c]))
    rows = "".join(
        f'<tr data-class="{c}" data-a="{float(a.probabilities[c])!r}" data-b="{float(b.probabilities[c])!r}">'
        f'<th scope="row">{escape(a.class_names[c])}</th><td>{percent(a.probabilities[c])}</td>'
        f"<td>{percent(b.probabilities[c])}</td><td>{_points(change[c])}</td></tr>"
        for c in order[:CHANGED_CLASSES]
    )
    left = len(order) - CHANGED_CLASSES
    note = f'<p class="dx-note">{left} classes that changed less are left out.</p>' if left > 0 else ""
    return (
        '<table class="dx-table"><caption>Probability</caption><thead><tr><th scope="col">Class</th>'
        '<th scope="col">A</th><th scope="col">B</th><th scope="col">B − A, points</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{note}"
    )


def _map_changes(a: Study, b: Study) -> str:
    correlation = map_correlation(a.explanation, b.explanation)
    if a.model != b.model:
        likeness = (
            "Their encoders have different sizes, so the maps cannot be laid over each other."
            if correlation is None
            else f"All heads together, by layer and feature, the two correlate at {correlation:.3f}."
        )
        return (
            '<p class="dx-note">The heads of two models do not correspond: head 0 of A has nothing to do '
            f"with head 0 of B. {likeness}</p>"
        )
    rows = "".join(
        f'<tr><th scope="row">{head} · {layer} · {feature}</th><td>{before:.3f}</td><td>{after:.3f}</td>'
        f"<td>{_signed(after - before, 3)}</td></tr>"
        for head, layer, feature, before, after in largest_changes(a.explanation, b.explanation)
    )
    likeness = "" if correlation is None else f"The two maps correlate at {correlation:.3f}."
    if not rows:
        return f'<p class="dx-note">The Importance Factor is the same in every cell. {likeness}</p>'
    return (
        '<table class="dx-table"><caption>Importance Factor, largest changes</caption><thead><tr>'
        '<th scope="col">Head · layer · feature</th><th scope="col">A</th><th scope="col">B</th>'
        f'<th scope="col">B − A</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="dx-note">{likeness}</p>'
    )


def mutes(session: Session) -> str:
    """What is switched off, and which cell is selected."""
    current = session.current
    if current is None:
        return ""
    cell = (
        "No cell is selected: click one in a map, or move there with the arrow keys."
        if session.cell is None
        else "Selected cell: head {}, layer {}, feature {}{}.".format(
            *session.cell, ", muted" if session.cell in current.mutes.cells else ""
        )
    )
    state = f"Muted: {current.mutes.describe()}." if current.mutes else "Nothing is muted."
    muted = escape(current.mutes.describe())
    return f'<p class="dx-note" data-muted="{muted}">{escape(state)} {escape(cell)}</p>'


def _points(change: float) -> str:
    return _signed(100 * change, 1)


def _signed(value: float, digits: int) -> str:
    text = f"{value:+.{digits}f}"
    if float(text) == 0:
        return f"{0:.{digits}f}"
    return text.replace("-", "−")
