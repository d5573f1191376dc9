"""What is switched off, and which cell is selected, as HTML."""

from html import escape

from ...visit.session import Session


def muted_parts_html(session: Session) -> str:
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
