"""Words and symbols of the maps in the page's own sentences: what they mean, and the way to their list."""

from html import escape

from daam_core.reading.terms import TERMS


def term(symbol: str, text: str = "") -> str:
    """A link to a symbol's entry in the list at the foot of the page, with its one sentence as a tooltip.

    Args:
        symbol: one of :data:`~daam_core.reading.terms.TERMS`.
        text: to be read in the sentence, plain; the symbol itself where it is empty.
    """
    meaning = escape(f"{TERMS[symbol].name}: {TERMS[symbol].sentence}")
    return (
        f'<a class="dx-term" href="#term-{escape(symbol)}" title="{meaning}" data-tip="{meaning}">'
        f"{escape(text or symbol)}</a>"
    )
