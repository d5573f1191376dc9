"""Links that restore a view. The query names models, built-in examples, their changes and a class.

A visitor's own input is never in it. What the interactive view shows (tab, heads, scale, cell, …) follows in
the same query; the view's own script reads and checks that part.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args
from urllib.parse import parse_qs, urlencode

from daam_core.inputs import Change, Edit, Modality, Region, SoundChange
from daam_core.inputs.picture import Fill

from .examples import EXAMPLES
from .offer import Offer
from .session import Result, Session

MAX_QUERY = 6000  # characters; pins and their notes, which the view reads, take up to 2000 of them
MAX_RESULTS = 3000  # characters of it that say what is explained, so that there is room for the view
OWN_INPUT = "own"
BASELINE = "a-"  # before the names of what is said of A
MAX_SEED = 100_000
_ABSENT = "_"  # a number that is None
_SEPARATOR = "~"


@dataclass(frozen=True)
class Link:
    """What a link asks for; None where it says nothing that exists here.

    Attributes:
        model: name of a model on offer.
        example: id of a built-in example that this model can take.
        target: index of the class to explain.
        own: the link was made for a visitor's own input, which it does not carry.
        change: of the example.
        baseline: A of a comparison, where both have an example.
        missing: one sentence for each thing that it asks for and that is not here.
    """

    model: str | None = None
    example: str | None = None
    target: int | None = None
    own: bool = False
    change: Change | None = None
    baseline: "Link | None" = None
    missing: tuple[str, ...] = ()


def parse(query: object, offer: Offer) -> Link:
    """Read a page's query. Unknown, wrong or hostile values count as absent, and are said to be missing."""
    if not isinstance(query, str):
        return Link()
    if len(query) > MAX_QUERY:
        return Link(missing=(f"The link is longer than {MAX_QUERY:,} characters, so it was not read.",))
    try:
        fields = parse_qs(query.removeprefix("?"), max_num_fields=50, errors="replace")
    except ValueError:
        return Link(missing=("The link has too many parts to be one of this page.",))
    first = {name: values[0] for name, values in fields.items()}
    shown = _result(first, offer)
    asked = {name.removeprefix(BASELINE): text for name, text in first.items() if name.startswith(BASELINE)}
    if shown.example is None or not asked:
        return shown
    baseline = _result({"model": shown.model or "", **asked}, offer)
    missing = shown.missing + baseline.missing
    if baseline.example is None:
        return Link(shown.model, shown.example, shown.target, change=shown.change, missing=missing)
    return Link(shown.model, shown.example, shown.target, False, shown.change, baseline, missing)


def _result(fields: Mapping[str, str], offer: Offer) -> Link:
    """One result that a query names."""
    missing = []
    name, wanted = fields.get("model", ""), fields.get("input", "")
    model = name if name in offer.models else None
    if name and model is None:
        missing.append(f"The link names the model “{_shortened(name)}”, which is not here.")
    example = EXAMPLES.get(wanted)
    if wanted and example is None and wanted != OWN_INPUT:
        missing.append(f"The link names the example “{_shortened(wanted)}”, which is not here.")
    if model is None and example is not None:
        model = next(iter(offer.names(example.modality)), None)
    if model is None:
        return Link(missing=tuple(missing))
    config = offer[model].config
    if example is not None and example.modality != config.modality:
        missing.append(f"The example “{example.title}” is no input for {model}.")
        example = None
    target = _whole(fields.get("class", ""), len(config.class_names))
    if target is None and "class" in fields:
        missing.append(f"{model} has no class “{_shortened(fields['class'])}”.")
    change = None
    if example is not None and "change" in fields:
        change = _change(fields["change"], example.modality)
        if change is None:
            missing.append("The link's change of the example cannot be read.")
    return Link(
        model=model,
        example=None if example is None else example.id,
        target=target,
        own=example is None and wanted == OWN_INPUT,
        change=change,
        missing=tuple(missing),
    )


def query_of(session: Session) -> str:
    """The part of the query that says what is explained, for the page's address."""
    return "" if session.current is None else _encoded(*_linked(session, session.current))


def restored_by(session: Session) -> str:
    """What the link of a session restores and what not, in sentences."""
    current, pair = session.current, session.pair
    if current is None:
        return ""
    if current.given.example is None:
        return (
            "It restores model and view. Your input is not in it: whoever opens it must give the file or "
            "text again."
        )
    fields, baseline = _linked(session, current)
    parts = ["the model", "the example", *(["its change"] if "change" in fields else [])]
    parts += ["the result it is compared with"] if baseline else []
    said = [f"It restores {', '.join(parts)} and the view."]
    if isinstance(current.given.change, Edit) and "change" in fields:
        said.append("The changed text is in the link.")
    if current.given.change is not None and "change" not in fields:
        said.append("The change is too long for a link.")
    if pair is not None and not baseline and pair[0].given.example is None:
        said.append("A is your own input, so it is not in the link.")
    if any(result.mutes for result in pair or (current,)):
        said.append("Muted parts are not in it.")
    return " ".join(said)


def _linked(session: Session, current: Result) -> tuple[dict[str, str], dict[str, str]]:
    """What is said of the result on screen and of A: as much as a link may hold and has room for."""
    fields, pair = _fields(current), session.pair
    both = pair is not None and all(result.given.example and not result.mutes for result in pair)
    baseline = _fields(pair[0]) if pair is not None and both else {}
    bare = {name: text for name, text in fields.items() if name != "change"}
    for choice in ((fields, baseline), (fields, {})):
        if len(_encoded(*choice)) <= MAX_RESULTS:
            return choice
    return bare, {}


def _encoded(fields: Mapping[str, str], baseline: Mapping[str, str]) -> str:
    return urlencode({**fields, **{f"{BASELINE}{name}": text for name, text in baseline.items()}})


def _fields(result: Result) -> dict[str, str]:
    fields = {"model": result.model, "input": result.given.example or OWN_INPUT}
    if result.target is not None:
        fields["class"] = str(result.target)
    if result.given.example is not None and result.given.change is not None:
        fields["change"] = _change_text(result.given.change)
    return fields


def _change_text(change: Change) -> str:
    if isinstance(change, Edit):
        return change.text
    if isinstance(change, SoundChange):
        values: tuple[object, ...] = (change.start, change.end, change.snr, change.seed)
    else:
        values = (change.left, change.top, change.right, change.bottom, change.fill)
    return _SEPARATOR.join(_ABSENT if value is None else str(value) for value in values)


def _change(text: str, modality: Modality) -> Change | None:
    """The change that a text stands for, None where it stands for none; whether it fits is checked later."""
    if modality == "text":
        return Edit(text)
    parts = text.split(_SEPARATOR)
    try:
        if modality == "audio":
            start, end, snr, seed = parts
            if (whole := _whole(seed, MAX_SEED)) is None:
                return None
            until, ratio = (None if number == _ABSENT else _number(number) for number in (end, snr))
            return SoundChange(_number(start), until, ratio, whole)
        *edges, wanted = parts
        left, top, right, bottom = map(_number, edges)
    except ValueError:
        return None
    fill: Fill
    for fill in get_args(Fill):
        if fill == wanted:
            return Region(left, top, right, bottom, fill)
    return None


def _number(text: str) -> float:
    """A finite number; ValueError where it is none."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _whole(text: str, size: int) -> int | None:
    """An index below ``size``, or None."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 and int(text) < size else None


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"
