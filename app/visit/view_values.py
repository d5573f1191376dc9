"""What the interactive view gets for a session."""

import uuid
from collections.abc import Mapping

from daam_core.errors import InputError, is_whole
from daam_core.view.payload import view_array, view_payload

from .links import query_of, restored_by
from .session import Session


def view_value(session: Session) -> dict[str, object] | None:
    """The view's value: its payload, the address that restores it, what that restores, and its own mark."""
    current, pair = session.current, session.pair
    if current is None:
        return None
    first = pair[0] if pair else current
    payload = view_payload(
        first.explanation,
        compare=current.explanation if pair else None,
        media=first.media,
        compare_media=current.media if pair else None,
        names=(first.title, current.title),
    )
    return {
        "payload": payload,
        "query": query_of(session),
        "restores": restored_by(session),
        "revision": uuid.uuid4().hex,
    }


def exact_value(session: Session, asked: Mapping[str, object]) -> dict[str, object]:
    """One exact array of what is on screen, asked for by the view's script.

    Raises:
        InputError: there is no such array, head or result.
    """
    side, name, head = asked.get("side"), asked.get("name"), asked.get("head")
    result = session.pair[0] if session.pair and side == "a" else session.current
    if result is None or side not in ("a", "b"):
        raise InputError("There is no result on this page to take values from; explain an input first.")
    if not isinstance(name, str) or not (head is None or is_whole(head)):
        raise InputError("An array is asked for by its name and the number of a head.")
    return {"id": asked.get("id"), "array": view_array(result.explanation, name, head=head)}
