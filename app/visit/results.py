"""The results of a visit as a list to choose from, newest first."""

from daam_core.reading.sentences import chances

from .session import Session


def results_value(session: Session) -> list[dict[str, object]]:
    """What the page's list says of each kept result: plain values, drawn by its script.

    Returns:
        For each its number, input, model with what is muted, answer, probability (and as text), when it
        was explained (seconds since 1970), and whether it is on screen (``b``) or is A (``a``).
    """
    pair, listed = session.pair, []
    for kept in reversed(session.kept):
        result = kept.result
        e, muted = result.explanation, f" without {result.mutes.describe()}" if result.mutes else ""
        listed.append(
            {
                "number": kept.number,
                "input": result.given.title,
                "model": f"{result.model}{muted}",
                "answer": e.answer,
                "probability": float(e.probabilities[e.prediction]),
                "share": chances(e),
                "at": result.at,
                "b": result is session.current,
                "a": result is session.baseline,
                "letter": "A" if result is session.baseline else "B" if pair and result is pair[1] else "",
            }
        )
    return listed
