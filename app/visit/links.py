"""Links that restore a view. The query names a model, a built-in example and a class, never an input.

What the interactive view shows (tab, heads, scale, cell, …) follows in the same query; the view's own
script reads and checks that part.
"""

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode

from .examples import EXAMPLES
from .offer import Offer
from .session import Study

MAX_QUERY = 4000  # characters
OWN_INPUT = "own"


@dataclass(frozen=True)
class Link:
    """What a link asks for; None where it says nothing that exists here.

    Attributes:
        model: name of a model on offer.
        example: id of a built-in example that this model can take.
        target: index of the class to explain.
        own: the link was made for a visitor's own input, which it does not carry.
    """

    model: str | None = None
    example: str | None = None
    target: int | None = None
    own: bool = False


def parse(query: object, offer: Offer) -> Link:
    """Read a page's query. Unknown, wrong or hostile values count as absent."""
    if not isinstance(query, str) or len(query) > MAX_QUERY:
        return Link()
    try:
        fields = parse_qs(query.removeprefix("?"), max_num_fields=50, errors="replace")
    except ValueError:
        return Link()
    first = {name: values[0] for name, values in fields.items()}
    model = first.get("model") if first.get("model") in offer.models else None
    example = EXAMPLES.get(first.get("input", ""))
    if model is None and example is not None:
        model = next(iter(offer.names(example.modality)), None)
    if model is None:
        return Link()
    config = offer[model].config
    if example is not None and example.modality != config.modality:
        example = None
    target = first.get("class", "")
    known = (
        target.isascii() and target.isdecimal() and len(target) < 6 and int(target) < len(config.class_names)
    )
    return Link(
        model=model,
        example=None if example is None else example.id,
        target=int(target) if known else None,
        own=example is None and first.get("input") == OWN_INPUT,
    )


def query_of(study: Study) -> str:
    """The part of the query that says what is explained, for the page's address; changes are not in it."""
    fields = {"model": study.model, "input": study.given.example or OWN_INPUT}
    if study.target is not None:
        fields["class"] = str(study.target)
    return urlencode(fields)
