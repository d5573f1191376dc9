"""The list of words and symbols as HTML, for pages around the view; the view's tooltips link to it."""

from html import escape

from daam_core.reading.terms import TERMS, Term


def _title(symbol: str, term: Term) -> str:
    if symbol.replace("-", " ").lower() == term.name.lower():  # a word that has no symbol
        return f"<strong>{escape(term.name)}</strong>"
    return f"<strong>{escape(symbol)}</strong> {escape(term.name)}"


def terms_html(row: str = "layer", column: str = "feature") -> str:
    """A list that can be opened; each entry has the id ``term-SYMBOL``.

    Args:
        row, column: what those of the maps are called.
    """
    entries = "".join(
        f'<dt id="term-{escape(symbol)}">{_title(symbol, term)}</dt>'
        f"<dd>{escape(term.sentence)} <code>{escape(term.formula)}</code></dd>"
        for symbol, term in ((symbol, term.on(row, column)) for symbol, term in TERMS.items())
    )
    return f'<details class="terms"><summary>Words and symbols</summary><dl>{entries}</dl></details>'
