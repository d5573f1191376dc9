"""What an explanation shows, in two or three computed sentences: on the page, in files and for programs.

Letters in shapes: H heads, L layers, F features, T tokens.
"""

from collections.abc import Sequence

import numpy as np

from daam_core.reading.differences import compared_quantity, largest_changes, map_correlation
from daam_core.reading.heads import (
    CLOSED,
    NEARLY_ALL,
    head_order,
    highest_gate,
    is_open,
    most_on,
    same_by_construction,
)
from daam_core.reading.numbers import fixed, number, probability, signed
from daam_core.reading.outside import warning
from daam_core.reading.quantities import RIVALS, quantity_map, top_cells
from daam_core.reading.words import join_words
from daam_core.result import Explanation

MAJORITY = 50.0  # percent: heads are named until they carry as much
MOST_NAMED = 3
WINDOW = 0.1  # of a sound's length …
LEAST_WINDOW = 0.5  # … but not shorter than that, in seconds
_THIRDS = (("upper", "middle", "lower"), ("left", "centre", "right"))


def in_words(explanation: Explanation) -> tuple[str, ...]:
    """What stands out in an explanation, after what warns of an input that the classifier does not know.

    Returns:
        One to seven sentences.
    """
    first = warning(explanation)
    return (first, *what_stands_out(explanation)) if first else what_stands_out(explanation)


def what_stands_out(explanation: Explanation) -> tuple[str, ...]:
    """Which heads carry how much and on which layers, which cells stand out, and which parts of the input.

    Returns:
        One to six sentences, the first of which say so where another class than the answer is explained, and
        where cells are muted.
        Numbers are rounded for reading; a part that shows nothing has none.
    """
    muted = said_muted(explanation)
    found = [
        _another_class(explanation),
        _sentence(f"{muted}; shares are of what is left") if muted else None,
    ]
    if explanation.degenerate:
        found += ["No cell stands out: the density attention is the same everywhere."]
    elif (highest := highest_gate(explanation)) < CLOSED:
        found += [
            f"The gates let nothing through: the highest is {number(highest)}. The Importance Factor and all "
            "shares are relative and say nothing here; nearly the same is decided for every input."
        ]
    else:
        found += [_heads(explanation), _levels(explanation), _cells(explanation), _input(explanation)]
    return tuple(sentence for sentence in found if sentence is not None)


def changes_in_words(a: Explanation, b: Explanation) -> tuple[str, ...]:
    """What differs between two explanations: the decision, how alike the maps are, and where they are not.

    The maps are of :func:`~daam_core.reading.differences.compared_quantity`, which the sentences name.

    Returns:
        One to four sentences. Heads of two models do not correspond, so no single cells are named then.
    """
    return (_decisions(a, b), *_alike(a, b))


#: What stands beside the probabilities where an input may have several labels.
STAND_ALONE = (
    "An input may have several of these classes, or none: each probability stands alone, so they need not "
    "add up to 100 %."
)


def chances(e: Explanation) -> str:
    """The probability of what was predicted, for reading; with several labels of each class."""
    if not e.predicted:
        return f"highest: {e.predicted_class}, {probability(float(e.probabilities[e.prediction]))}"
    return ", ".join(probability(float(e.probabilities[index])) for index in e.predicted)


def _decisions(a: Explanation, b: Explanation) -> str:
    p, q = chances(a), chances(b)
    if a.class_names != b.class_names:
        return (
            "The two models know different classes, so each decision stands by itself: A says "
            f"“{a.answer}” ({p}), B says “{b.answer}” ({q})."
        )
    if set(a.predicted) == set(b.predicted):
        return f"A and B both say “{a.answer}”, A with {p}, B with {q}."
    before = probability(float(b.probabilities[a.prediction]))
    return f"A says “{a.answer}” ({p}), B says “{b.answer}” ({q}); “{a.predicted_class}” has {before} there."


def _alike(a: Explanation, b: Explanation) -> tuple[str, ...]:
    quantity = compared_quantity(a, b)
    found = map_correlation(a, b, quantity=quantity)
    by_evidence = quantity == "evidence"
    if a.model != b.model:
        if found is None:
            return ("Their encoders have different sizes, so the maps cannot be laid over each other.",)
        axes, what = " and ".join(a.axis_names), "evidence" if by_evidence else "density attention"
        together = f"All heads together, by {axes}, the two maps of {what} correlate at {fixed(found)}."
        return (together, *_whose_evidence(a, b))
    maps = "maps of evidence" if by_evidence else "maps"
    said = () if found is None else (f"The two {maps} correlate at {fixed(found)}.",)
    what, write = ("evidence", number) if by_evidence else ("Importance Factor", fixed)
    changes = largest_changes(a, b, 1, quantity=quantity)
    if not changes:
        return (*said, f"The {what} is the same in every cell.") if a.shape == b.shape else said
    ((head, layer, feature, before, after),) = changes
    where = _cell_name(a, head, layer, feature)
    moved = f"from {write(before)} to {write(after)}"
    return (*said, f"The {what} changes most at {where}: {moved}.", *_whose_evidence(a, b))


def _whose_evidence(a: Explanation, b: Explanation) -> tuple[str, ...]:
    """What evidence is for and against, where that is not the same in both."""
    if compared_quantity(a, b) != "evidence":
        return ()
    sides = [(e.explained_class, _rival(e)) for e in (a, b)]
    if sides[0] == sides[1]:
        return ()
    (one, next_one), (other, next_other) = sides
    return (
        f"A's evidence is for “{one}” and against {next_one}, B's for “{other}” and against {next_other}.",
    )


def _another_class(e: Explanation) -> str | None:
    """That what is explained is not the answer, where it is not."""
    if e.explained in (e.predicted or (e.prediction,)):
        return None
    answer = _listed([f"“{e.class_names[index]}”" for index in e.predicted]) if e.predicted else e.answer
    return f"Explained is “{e.explained_class}”, which is not the answer ({answer})."


def said_muted(e: Explanation) -> str | None:
    """Which heads, or how many cells, are muted, where any are."""
    count, heads = e.provenance.get("muted_cells"), e.provenance.get("muted_heads", ())
    if not count:
        return None
    cells = f"{count:,} cell{'s are' if count > 1 else ' is'} muted"
    if not heads:
        return cells
    whole = e.head_layers[list(heads)].sum() * e.shape[2]
    named = f"head{'s' if len(heads) > 1 else ''} {_listed([str(head) for head in heads])}"
    verb = "are" if len(heads) > 1 else "is"
    return f"{named} {verb} muted" if count == whole else f"{cells}, all of {named} among them"


def _heads(e: Explanation) -> str:
    shares = np.asarray(e.layer_contribution, dtype=np.float64)
    if same_by_construction(e):
        return _equal_heads(shares, e.axis_names[0])
    totals = shares.sum(axis=1)
    parts: list[str] = []
    covered = 0.0
    order = head_order(shares)
    for head in order[:MOST_NAMED]:
        what = " of the density attention" if not parts else ""
        name = f"head {head}, which lets every cell through," if is_open(e, int(head)) else f"head {head}"
        parts.append(
            f"{name} carries {number(totals[head])} %{what}, {_on_layers(shares[head], e.axis_names[0])}"
        )
        covered += totals[head]
        if covered >= MAJORITY:
            break
    last = number(totals[order[len(parts) - 1]])
    if alike := [f"head {head}" for head in order[len(parts) :] if number(totals[head]) == last]:
        parts.append(f"{_listed(alike)} {'carry' if len(alike) > 1 else 'carries'} as much")
    return _sentence("; ".join(parts))


def _equal_heads(shares: np.ndarray, name: str) -> str:
    """What shares ``[H, L]`` show where all heads have the same: on which layers each is."""
    said = (
        f"Every head carries the same share of the density attention, {number(100 / len(shares))} %, by "
        f"construction: a mixture's gates add up to 1 over a head's {name}s"
    )
    found = [most_on(own) for own in shares]
    if all(one == "even" for one in found):
        return f"{said}; each is spread evenly over its {name}s."
    most = [head for head, one in enumerate(found) if not isinstance(one, str) and len(one) <= MOST_NAMED]
    if not most:
        return f"{said}; each is spread over its {name}s."
    named = sorted(sorted(most, key=lambda head: -shares[head].max())[:MOST_NAMED])
    where = [f"head {head} has {_on_layers(shares[head], name)}" for head in named]
    rest = ""
    if len(named) < len(shares):
        rest = (
            ", these most clearly"
            if len(named) < len(most)
            else f", the others are spread over their {name}s"
        )
    return f"{said}; {_listed(where)}{rest}."


def _levels(e: Explanation) -> str | None:
    """Which heads stand one after the other, and what no head is answerable for."""
    if e.n_levels == 1:
        return None
    per_level = e.shape[0] // e.n_levels
    ends = [(first, first + per_level - 1) for first in range(0, e.shape[0], per_level)]
    levels = [f"{first}" if first == last else f"{first} to {last}" for first, last in ends]
    return (
        f"Heads stand in {e.n_levels} levels, {', then '.join(levels)}: each adds what it lets through, and "
        "the next sees the sum. The values themselves go past all heads and add "
        f"{signed(e.residual_share)} to the logit of “{e.explained_class}”, the heads "
        f"{signed(float(e.class_importance.sum()))}."
    )


def _on_layers(shares: np.ndarray, name: str) -> str:
    """Where a head's share lies, from the shares ``[L]`` of its layers, or what these are called here."""
    found = most_on(shares)
    if found == "even":
        return f"spread evenly over its {name}s"
    if found == "spread" or len(found) > MOST_NAMED:
        return f"spread over its {name}s"
    if not found:
        return f"on no {name}"
    if shares[found[0]] >= NEARLY_ALL * shares.sum():
        return f"nearly all of it on {name} {found[0]}"
    return f"most of it on {name}{'s' if len(found) > 1 else ''} {_listed([str(n) for n in found])}"


def _cells(e: Explanation) -> str | None:
    if e.evidence is not None:
        return _evidence(e)
    found = top_cells(quantity_map(e, "importance"), MOST_NAMED).tolist()
    verb = "are" if len(found) > 1 else "is"
    cells = "cells" if len(found) > 1 else "cell"
    return f"The strongest {cells} by Importance Factor {verb} {_cells_named(e, found)}."


def _evidence(e: Explanation) -> str | None:
    """The cells that decide between the explained class and the strongest other one; in an open head the
    Importance Factor is the same all over a layer, so it names none."""
    values = quantity_map(e, "evidence")
    found = [cell for cell in top_cells(values, MOST_NAMED).tolist() if values[tuple(cell)] > 0]
    if not found:
        return None
    verb = "speak" if len(found) > 1 else "speaks"
    named = _cells_named(e, found)
    return f"By evidence, {named} {verb} most for “{e.explained_class}” and against {_rival(e)}."


def _rival(e: Explanation) -> str:
    """What evidence is against: the strongest other class, with several labels the class's absence."""
    if e.labels == "several":
        return RIVALS["several"]
    others = np.where(np.arange(len(e.class_names)) == e.explained, -np.inf, e.logits)
    return f"“{e.class_names[int(others.argmax())]}”"


def _cells_named(e: Explanation, cells: Sequence[Sequence[int]]) -> str:
    row, column = e.axis_names
    if len({(head, layer) for head, layer, _ in cells}) == 1 < len(cells):
        head, layer, _ = cells[0]
        features = _listed([str(feature) for _, _, feature in cells])
        return f"{column}s {features} on {row} {layer} in head {head}"
    return _listed([_cell_name(e, *cell) for cell in cells])


def _cell_name(e: Explanation, head: int, layer: int, feature: int) -> str:
    row, column = e.axis_names
    return f"{column} {feature} on {row} {layer} in head {head}"


def _input(e: Explanation) -> str | None:
    """Which parts of the input speak for and against the explained class."""
    if not e.token_labels:
        return None
    where, shares = {"text": _words, "audio": _moments, "image": _regions}[e.modality](e)
    order = sorted(range(len(shares)), key=lambda part: -shares[part])
    several = e.modality == "text"
    speaks_for = [where[part] for part in order[: MOST_NAMED if several else 1] if shares[part] > 0]
    against = [where[part] for part in order[-1:] if shares[part] < 0]
    said = []
    if speaks_for:
        verb = "speak" if len(speaks_for) > 1 else "speaks"
        said.append(f"{_listed(speaks_for)} {verb} most for “{e.explained_class}”")
    if against:
        of_it = "it" if speaks_for else f"“{e.explained_class}”"
        said.append(f"{against[0]} {'' if speaks_for else 'speaks '}most against {of_it}")
    return _sentence(", ".join(said)) if said else None


def _words(e: Explanation) -> tuple[list[str], list[float]]:
    """Words of a text; the same word in several places counts as one, and says how often it is there."""
    shares: dict[str, list[float]] = {}
    for word in join_words(e.text or "", e.token_labels, e.token_spans, e.token_attribution):
        if word.start is not None and any(map(str.isalnum, word.text)):
            shares.setdefault(word.text, []).append(word.value)
    said = [
        f"“{word}”" + (f" ({len(found)} times)" if len(found) > 1 else "") for word, found in shares.items()
    ]
    return said, [sum(found) for found in shares.values()]


def _moments(e: Explanation) -> tuple[list[str], list[float]]:
    """The stretches of a sound that speak most for and against the class: equally long, one of each."""
    spans, values = _placed(e)
    if not len(values):
        return [], []
    edges = np.append(spans[:, 0], spans[-1, 1])
    width = min(max(WINDOW * (edges[-1] - edges[0]), LEAST_WINDOW), edges[-1] - edges[0])
    sums = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.searchsorted(edges, edges[:-1] + width, side="left").clip(1, len(values))
    whole = edges[ends] - edges[:-1] >= width * (1 - 1e-6)  # windows that the sound's end does not cut
    starts = np.flatnonzero(whole) if whole.any() else np.array([0])
    windows = sums[ends[starts]] - sums[starts]
    found = sorted({int(starts[windows.argmax()]), int(starts[windows.argmin()])})
    names = [f"the part from {edges[start]:.1f} s to {edges[ends[start]]:.1f} s" for start in found]
    return names, [float(sums[ends[start]] - sums[start]) for start in found]


def _regions(e: Explanation) -> tuple[list[str], list[float]]:
    """Ninths of a picture, by the mean of what lies in each: they need not hold the same number of regions.

    A region counts where its middle lies.
    """
    spans, values = _placed(e)
    inside: dict[str, list[float]] = {}
    for (left, top, right, bottom), value in zip(spans, values, strict=True):
        down, across = (min(2, int(3 * middle / 2)) for middle in (top + bottom, left + right))
        rows, columns = _THIRDS
        name = "the middle of the picture" if down == across == 1 else f"the {rows[down]} {columns[across]}"
        inside.setdefault(name, []).append(float(value))
    return list(inside), [sum(found) / len(found) for found in inside.values()]


def _placed(e: Explanation) -> tuple[np.ndarray, np.ndarray]:
    """Spans and attributions of the tokens that have a place in the input."""
    spans = np.asarray(e.token_spans, dtype=np.float64)
    placed = ~np.isnan(spans).any(axis=1)
    return spans[placed], np.asarray(e.token_attribution, dtype=np.float64)[placed]


def _listed(parts: Sequence[str]) -> str:
    """One, two and three."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
