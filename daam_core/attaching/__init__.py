"""Density attention inside any torch module: found, watched without changing outputs, explained."""

from daam_core.attaching.showing import show
from daam_core.attaching.watching import Attached, Prepared, Watched, attach

__all__ = ["Attached", "Prepared", "Watched", "attach", "show"]
