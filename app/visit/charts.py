"""Plotly figures of a visitor's result."""

from typing import TYPE_CHECKING

from daam_core import figures
from daam_core.errors import InputError, is_whole

from . import actions
from .session import Session

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def chart(session: Session, kind: object, head: object) -> "Figure":
    """The figure asked for: ``parameters``, ``layers``, or the ``map`` of one head.

    Raises:
        InputError: there is no result, or no such chart or head.
    """
    explanation = actions.needed(session.current).explanation
    if kind == "parameters":
        return figures.plotly_parameters(explanation)
    if kind == "layers":
        return figures.plotly_layers(explanation)
    if kind != "map":
        raise InputError("Choose one of the charts in the list.")
    heads = explanation.shape[0]
    if not isinstance(head, int) or not is_whole(head) or not 0 <= head < heads:
        raise InputError(f"Choose a head from 0 to {heads - 1}.")
    return figures.plotly_map(explanation, heads=head)
