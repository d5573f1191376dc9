"""A and B as HTML: what changed in probability and in the Importance Factor."""

from html import escape

from daam_core.reading.differences import largest_changes, map_correlation
from daam_core.reading.numbers import percent, signed
from daam_core.result import Explanation

from ...visit.session import Result, Session

CHANGED_CLASSES = 6
NO_COMPARISON = (
    '<div class="dx-empty"><p>Nothing is compared yet. Keep this result as A, then explain another input; '
    "or change the input or the model: what was before becomes A by itself.</p></div>"
)


def comparison_html(session: Session) -> str:
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
        f"<td>{percent(b.probabilities[c])}</td><td>{signed(100 * change[c], 1)}</td></tr>"
        for c in order[:CHANGED_CLASSES]
    )
    left = len(order) - CHANGED_CLASSES
    note = f'<p class="dx-note">{left} classes that changed less are left out.</p>' if left > 0 else ""
    return (
        '<table class="dx-table"><caption>Probability</caption><thead><tr><th scope="col">Class</th>'
        '<th scope="col">A</th><th scope="col">B</th><th scope="col">B − A, points</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{note}"
    )


def _map_changes(a: Result, b: Result) -> str:
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
        f"<td>{signed(after - before, 3)}</td></tr>"
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
