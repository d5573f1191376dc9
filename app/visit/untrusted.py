"""Values from browsers and programs, of which nothing is trusted: checked here before they are used."""

import json
from collections.abc import Sequence
from typing import get_args

from daam_core.errors import InputError, is_number, is_whole, shown
from daam_core.inputs import Region, SoundChange
from daam_core.inputs.changes import MAX_SNR, MIN_SNR
from daam_core.inputs.limits import MAX_SECONDS
from daam_core.inputs.picture import Fill
from daam_core.result import Scale

from .mutes import NOTHING_MUTED, Cell, Mutes

EDGES = ("left", "top", "right", "bottom")
PARTS = ("heads", "layers", "features")
LARGEST_WHOLE = 2**53  # as far as JSON's numbers are exact
LARGEST_SEED = 2**32 - 1
LONGEST_NAME = 200
MOST_PINS = 12  # as in the view's own script
LONGEST_NOTE = 120


def whole_number(value: object) -> int:
    """A whole number, which may be written as 3.0.

    Raises:
        ValueError: it is none.
    """
    if is_whole(value) and abs(value) <= LARGEST_WHOLE:
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= LARGEST_WHOLE:
        return int(value)
    raise ValueError("not a whole number")


def text_of(value: object, name: str) -> str:
    """A text; None is an empty one.

    Raises:
        InputError: it is something else.
    """
    if value is None or isinstance(value, str):
        return value or ""
    raise InputError(f"{name} is a text, got {shown(value)}.")


def name_of(value: object, name: str) -> str:
    """A name, such as a class's; None is an empty one.

    Raises:
        InputError: no text, or one that is too long for a name.
    """
    if len(found := text_of(value, name)) <= LONGEST_NAME:
        return found
    raise InputError(f"{name} is a name of up to {LONGEST_NAME} characters, got {len(found):,}.")


def choice_of(value: object, name: str, choices: Sequence[str]) -> str:
    """One of several words.

    Raises:
        InputError: it is something else.
    """
    if isinstance(value, str) and value in choices:
        return value
    raise InputError(f"{name} is one of {', '.join(choices)}; got {shown(value)}.")


def sound_change_of(start: object, end: object, snr: object, seed: object) -> SoundChange:
    """A part of a sound with noise on it; None stands for the beginning, the end, no noise and seed 0.

    Raises:
        InputError: something else than numbers, or numbers that no sound can have.
    """
    first = 0.0 if start is None else _second(start, "start")
    last = None if end is None else _second(end, "end")
    if snr is not None and not (is_number(snr) and MIN_SNR <= snr <= MAX_SNR):
        raise InputError(
            f"noise is a signal-to-noise ratio of {MIN_SNR:.0f} to {MAX_SNR:.0f} dB, or left out; "
            f"got {shown(snr)}."
        )
    try:
        number = 0 if seed is None else whole_number(seed)
    except ValueError:
        number = -1
    if not 0 <= number <= LARGEST_SEED:
        raise InputError(f"seed is a whole number from 0 to {LARGEST_SEED}, got {shown(seed)}.")
    return SoundChange(first, last, None if snr is None else float(snr), number)


def _second(value: object, name: str) -> float:
    if is_number(value) and 0 <= value < MAX_SECONDS + 1:  # the longest sounds end a little later
        return float(value)
    raise InputError(f"{name} is a number of seconds from 0 to {MAX_SECONDS:.0f}, got {shown(value)}.")


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
    raise InputError(f"The scale is {' or '.join(get_args(Scale))}, got {shown(value)}.")


def share_of(value: object, name: str) -> float:
    """Where an edge lies, as a share of a picture's side.

    Raises:
        InputError: no number from 0 to 1.
    """
    if is_number(value) and 0 <= value <= 1:
        return float(value)
    raise InputError(f"{name} is a share of the picture's side, a number from 0 to 1; got {shown(value)}.")


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


def pins_of(text: object) -> list[dict[str, object]]:
    """Pinned cells with their notes from JSON, as the view has them in its state.

    Raises:
        InputError: something else, or more than the view allows.
    """
    given = _from_json(text) or []
    if not isinstance(given, list) or len(given) > MOST_PINS:
        raise InputError(f"Pinned cells are a JSON list of up to {MOST_PINS}.")
    return [_pin(one) for one in given]


def _pin(given: object) -> dict[str, object]:
    places = ("head", "layer", "feature")
    if isinstance(given, dict) and isinstance(note := given.get("note"), str) and len(note) <= LONGEST_NOTE:
        try:
            return {**{name: whole_number(given.get(name)) for name in places}, "note": note}
        except ValueError:
            pass
    raise InputError(
        f"A pinned cell has the numbers of its head, layer and feature and a note of up to {LONGEST_NOTE} "
        "characters."
    )


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
