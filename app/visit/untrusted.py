"""Values from browsers and programs, of which nothing is trusted: checked here before they are used."""

import json
from typing import get_args

from daam_core.errors import InputError, is_number, is_whole
from daam_core.inputs import Region
from daam_core.inputs.picture import Fill
from daam_core.result import Scale

from .mutes import NOTHING_MUTED, Cell, Mutes

EDGES = ("left", "top", "right", "bottom")
PARTS = ("heads", "layers", "features")


def whole_number(value: object) -> int:
    """A whole number, which may be written as 3.0.

    Raises:
        ValueError: it is none.
    """
    if is_whole(value):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise ValueError("not a whole number")


def indices_of(values: object) -> frozenset[int]:
    """Numbers of heads or layers, which choices on the page give as text; None is none.

    Raises:
        InputError: they are something else.
    """
    listed = [] if values is None else values
    if isinstance(listed, list) and all(_is_index(value) for value in listed):
        return frozenset(map(int, listed))
    raise InputError("Heads and layers are given by their numbers.")


def _is_index(value: object) -> bool:
    digits = str(value) if is_whole(value) else value
    return isinstance(digits, str) and digits.isascii() and digits.isdecimal() and len(digits) < 9


def scale_of(value: object) -> Scale:
    """What the Importance Factor is scaled over.

    Raises:
        InputError: nothing of that name.
    """
    known: Scale
    for known in get_args(Scale):
        if value == known:
            return known
    raise InputError(f"The scale is {' or '.join(get_args(Scale))}, got {value!r}.")


def region_of(edges: object, fill: object) -> Region:
    """A region to cover, from an object of four numbers or its JSON text.

    Raises:
        InputError: no four edges, or an unknown filling.
    """
    edges = _from_json(edges)
    if not isinstance(edges, dict) or not all(_is_moderate(edges.get(name)) for name in EDGES):
        raise InputError("No region is marked: drag a rectangle over the picture, or set its four edges.")
    left, top, right, bottom = (float(edges[name]) for name in EDGES)
    for known in get_args(Fill):
        if fill == known:
            return Region(left, top, right, bottom, known)
    raise InputError("A region is covered with its mean colour, black or a blur.")


def mutes_of(text: object) -> Mutes:
    """Muted parts from JSON: an object with the lists ``heads``, ``layers``, ``features`` and ``cells``.

    Raises:
        InputError: it is something else.

    >>> mutes_of('{"heads": [0]}').describe()
    'head 0'
    """
    given = _from_json(text)
    if not given:
        return NOTHING_MUTED
    if not isinstance(given, dict) or set(given) - {*PARTS, "cells"}:
        raise InputError("What is muted is a JSON object with the lists heads, layers, features and cells.")
    try:
        parts = {name: frozenset(map(whole_number, given.get(name, ()))) for name in PARTS}
        cells = frozenset(_cell(*place) for place in given.get("cells", ()))
    except (TypeError, ValueError) as error:
        raise InputError(
            "Muted heads, layers and features are lists of whole numbers, cells are lists of three."
        ) from error
    return Mutes(cells=cells, **parts)


def _cell(head: object, layer: object, feature: object) -> Cell:
    return whole_number(head), whole_number(layer), whole_number(feature)


def _is_moderate(value: object) -> bool:
    """Whether a value is a number, and no infinity."""
    return is_number(value) and abs(value) < 1e6


def _from_json(value: object) -> object:
    """What a JSON text says; a text that is none, and anything else, as it is."""
    if not isinstance(value, str):
        return value
    try:
        said: object = json.loads(value)
    except (ValueError, RecursionError):
        return value.strip()
    return said
