"""What a page shows of a study, ready for ``json.dumps``; the format is documented in ``web/study/types.js``.

A page gets one line of facts an input at once (:func:`study_payload`), and asks for the rest: what a place
answers to (:func:`place_answer`), inputs in full (:func:`inputs_answer`), how groups differ
(:func:`slices_answer`). Letters: M explained inputs, C classes, H heads, L layers, F features.
"""

import base64
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise

import numpy as np
import pyarrow as pa

from daam_core.errors import InputError
from daam_core.reading.colours import DIVERGING, DIVERGING_DARK, HEAD_COLOURS
from daam_core.reading.quantities import QUANTITIES, QuantityText
from daam_core.reading.terms import TERMS
from daam_core.study.cells import Place, cells_like, class_preference, scores
from daam_core.study.folder import Facts, MapName, Study
from daam_core.study.projection import ProjectionMethod, has_umap, project
from daam_core.study.selection import selections, unit_columns
from daam_core.study.slices import compare_slices, mean_map
from daam_core.study.telling import telling_cells

#: Characters of a text that the table shows and searches.
EXCERPT = 300
#: Refused inputs that are named.
REFUSED_SHOWN = 200
#: Classes of an input that are told, the most probable first.
CLASSES_SHOWN = 5
#: Numbers that one comparison may go through; beyond it, groups are drawn from at random.
COMPARED = 20_000_000_000
PERMUTATIONS = 200
FEWEST = 50
#: Columns with more different texts than this are names, and no groups.
MOST_GROUPS = 200

VALUES = QuantityText("Value", "Value", "the standardised hidden state, mean over the input", signed=True)
#: What inputs of one group have in common, where the study does not say it.
_SHARED = {"audio": "speaker"}
#: What a place can be asked for.
ASKED: dict[MapName, QuantityText] = {
    "density_attention": QUANTITIES["density_attention"],
    "gate": QUANTITIES["gate"],
    "class_importance": QUANTITIES["class_importance"],
    "values": VALUES,
}


def study_payload(study: Study) -> dict[str, object]:
    """Facts, columns of all explained inputs, and what the page calls things."""
    facts, rows = study.facts, study.explained
    classes = list(facts.class_names)
    sets, codes = _class_codes(study)
    texts = [" ".join((text or "").split()) for text in rows["text"].to_pylist()]
    seconds = np.asarray(rows["seconds"].to_numpy(zero_copy_only=False), dtype=np.float32)
    return {
        "version": 1,
        "name": study.folder.name,
        "facts": {
            "model": facts.model,
            "checkpoint": facts.checkpoint_sha256,
            "encoder": facts.encoder,
            "modality": facts.modality,
            "classes": classes,
            "labels": facts.labels,
            "sets": sets,
            "shape": [facts.heads, facts.layers, facts.features],
            "head_layers": study.head_layers.tolist(),
            "data": facts.data,
            "inputs": facts.inputs,
            "finished": study.rows.num_rows,
            "command": facts.command,
        },
        "refused": {"count": len(study.refused), "first": study.refused[:REFUSED_SHOWN]},
        "columns": {
            "number": _encoded(study.numbers, np.int32),
            "label": _encoded(codes["label"], np.int32),
            "prediction": _encoded(codes["prediction"], np.int32),
            "confidence": _encoded(rows["confidence"].to_numpy(zero_copy_only=False), np.float32),
            "seconds": None if facts.modality != "audio" else _encoded(seconds, np.float32),
            "name": study.names,
            "place": rows["place"].to_pylist(),
            "text": [text[:EXCERPT] for text in texts] if facts.modality == "text" else None,
        },
        "cut": any(len(text) > EXCERPT for text in texts),
        "outside": _outside(rows),
        "groups": _groups(study),
        "units": list(unit_columns(study)),
        "shared": _shared(facts),
        "selections": {name: _encoded(kept, np.int32) for name, kept in selections(study).items()},
        "methods": ["pca", "umap"] if has_umap() else ["pca"],
        "quantities": {name: asdict(text) for name, text in ASKED.items()},
        "colours": {
            "heads": list(HEAD_COLOURS),
            "diverging": list(DIVERGING),
            "diverging_dark": list(DIVERGING_DARK),
        },
        "terms": {symbol: f"{term.name}: {term.sentence}" for symbol, term in TERMS.items()},
    }


def place_answer(study: Study, place: Place, quantity: MapName) -> dict[str, object]:
    """What a place answers to: a score of every explained input, and how well it tells each class.

    Raises:
        ShapeError: there is no such place.
    """
    found = scores(study, place, quantity)
    preference = class_preference(study, found) if np.isfinite(found).all() else {}
    return {
        "scores": _encoded(found, np.float32),
        "preference": [preference.get(name) for name in study.facts.class_names],
        "constant": bool(len(found) == 0 or found.min() == found.max()),
    }


def alike_answer(study: Study, place: Place, quantity: MapName) -> list[list[object]]:
    """Cells like one cell: ``[[head or None, layer, feature, r], …]``; none of a place of several cells.

    Raises:
        ShapeError: there is no such place.
    """
    head, layer, feature = place.head, place.layer, place.feature
    if layer is None or feature is None or (head is None and quantity != "values") or len(study.numbers) < 2:
        return []
    cell = (0 if head is None else head, layer, feature)
    scores(study, place, quantity)  # refuses a place that is not there
    return [
        [*((None, *found) if len(found) == 2 else found), alike]
        for found, alike in cells_like(study, cell, name=quantity)
    ]


def telling_answer(study: Study) -> list[list[list[object]]]:
    """For each class, the cells that tell it best: ``[[head, layer, feature, d], …]``."""
    found = telling_cells(study)
    return [[[*cell, size] for cell, size in found.get(name, [])] for name in study.facts.class_names]


def projection_answer(study: Study, method: ProjectionMethod) -> dict[str, object]:
    """Where each explained input lies on a plane: x and y ``[M]``, and the axes' shares of the variance.

    Raises:
        ShapeError: fewer than three inputs were explained.
        ConfigError: the method is not installed.
    """
    found = project(study, method)
    return {
        "x": _encoded(found.points[:, 0], np.float32),
        "y": _encoded(found.points[:, 1], np.float32),
        "explained": None if found.explained is None else list(found.explained),
    }


def inputs_answer(study: Study, numbers: Sequence[int]) -> list[dict[str, object]]:
    """Inputs in full: text, where each token lies and what it contributes, and the likeliest classes.

    Raises:
        InputError: a number is not that of an explained input.
    """
    rows = study.rows.take(study.rows_of(_explained(study, numbers))).to_pylist()
    return [_input(study, row) for row in rows]


def slices_answer(
    study: Study, first: Sequence[int], second: Sequence[int], quantity: MapName, units: str | None = None
) -> dict[str, object]:
    """Mean maps of one or two groups, and which cells differ for certain.

    Args:
        study: the study.
        first, second: numbers of explained inputs; the second may be empty.
        quantity: the map; it must have heads.
        units: the column whose values are dealt as wholes; single inputs are by default.

    Raises:
        InputError: a number is not that of an explained input.
        DataError: the first group is empty, a group is too small to compare, they share inputs, or too few
            units.
    """
    one, other = _explained(study, first), _explained(study, second)
    answer: dict[str, object] = {
        "sizes": [len(one), len(other)],
        "first": _encoded(mean_map(study, one, quantity), np.float32),
        "second": None,
        "difference": None,
    }
    if not len(other):
        return answer
    answer["second"] = _encoded(mean_map(study, other, quantity), np.float32)
    compared = _drawn(study, one, other)
    # Their difference is the second group's mean minus the first's; people read it the other way.
    found = compare_slices(study, *compared[::-1], name=quantity, permutations=PERMUTATIONS, units=units)
    return answer | {
        "compared": [len(group) for group in compared],
        "difference": _encoded(found.difference, np.float32),
        "q": _encoded(found.q, np.float32),
        "permutations": found.permutations,
        "units": None if found.units is None else asdict(found.units),
        "level": 0.05,
    }


def _drawn(study: Study, one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The groups, or as many of each at random as can be compared while somebody waits."""
    facts = study.facts
    cells = facts.heads * facts.layers * facts.features
    most = max(2 * FEWEST, COMPARED // (cells * PERMUTATIONS))
    if len(one) + len(other) <= most:
        return one, other
    smaller = min(len(one), len(other), most // 2)
    chance = np.random.default_rng(0)
    sizes = [
        len(group) if len(group) <= smaller else min(len(group), most - smaller) for group in (one, other)
    ]
    return tuple(  # type: ignore[return-value]
        np.sort(chance.choice(group, size, replace=False))
        for group, size in zip((one, other), sizes, strict=True)
    )


def _explained(study: Study, numbers: Sequence[int]) -> np.ndarray:
    chosen = np.asarray(numbers, dtype=np.int64).reshape(-1)
    if not np.isin(chosen, study.numbers).all():
        raise InputError("An input is asked for that was not explained in this study.")
    return chosen


def _input(study: Study, row: dict[str, object]) -> dict[str, object]:
    shares = np.asarray(row["probabilities"] or [], dtype=np.float64)
    best = np.argsort(-shares, kind="stable")[:CLASSES_SHOWN]
    tokens = np.asarray(row["token_attribution"] or [], dtype=np.float64)
    width = 4 if study.facts.modality == "image" else 2
    spans = np.asarray(row["token_spans"] or [], dtype=np.float64).reshape(-1, width)
    return {
        "number": row["number"],
        "text": row["text"],
        "probabilities": [[study.facts.class_names[index], float(shares[index])] for index in best],
        "spans": [None if np.isnan(span).any() else span.tolist() for span in spans],
        "attribution": tokens.tolist(),
        "thumbnail": row["thumbnail"] is not None,
        "file": row["path"] is not None,
    }


def _shared(facts: Facts) -> str:
    """What inputs of one group have in common, in a word: the column that the command named, if it did."""
    try:
        words = shlex.split(facts.command)
    except ValueError:  # somebody else's words
        words = []
    named = [following for word, following in pairwise(words) if word == "--group-column"]
    return named[0] if named else _SHARED.get(facts.modality, "source")


def _codes(column: pa.ChunkedArray, names: list[str]) -> np.ndarray:
    """``[M]`` the number of each text among some names; −1 where it is none of them."""
    index = {name: number for number, name in enumerate(names)}
    return np.array([index.get(name, -1) for name in column.to_pylist()], dtype=np.int32)


def _class_codes(study: Study) -> tuple[list[list[int]], dict[str, np.ndarray]]:
    """Sets of several classes or none that occur, and codes ``[M]`` of labels and predictions.

    A code is the number of a class, or C + i for the i-th set.
    """
    classes, rows = list(study.facts.class_names), study.explained
    columns = {name: rows[name] for name in ("label", "prediction")}
    if study.facts.labels == "one":
        return [], {name: _codes(column, classes) for name, column in columns.items()}
    index = {name: number for number, name in enumerate(classes)}
    found = {
        name: [tuple(index[one] for one in names) for names in column.to_pylist()]
        for name, column in columns.items()
    }
    sets = sorted({one for of_column in found.values() for one in of_column if len(one) != 1})
    code: dict[tuple[int, ...], int] = {(number,): number for number in range(len(classes))}
    code |= {one: len(classes) + place for place, one in enumerate(sets)}
    return [list(one) for one in sets], {
        name: np.array([code[one] for one in of_column], dtype=np.int32) for name, of_column in found.items()
    }


def _outside(rows: pa.Table) -> dict[str, object] | None:
    """Percent of the inputs known in training that lie closer to it, where the study says so; −1 of those
    of which nothing is known."""
    if "outside_percentile" not in rows.column_names:
        return None
    shown = np.array(rows["outside_percentile"].to_pylist(), dtype=np.float64)
    known = np.isfinite(shown)
    return _encoded(np.where(known, shown, -1), np.float32) if known.any() else None


def _groups(study: Study) -> dict[str, object]:
    """Columns whose texts make groups: the data set's own, and the groups that were split by."""
    found: dict[str, object] = {}
    for name in ("group", *study.facts.columns):
        texts = study.explained[name].to_pylist()
        names = sorted({text for text in texts if text is not None})
        if 1 < len(names) <= MOST_GROUPS:
            found[name] = {"names": names, "codes": _encoded(_codes(study.explained[name], names), np.int32)}
    return found


def _encoded(array: np.ndarray, kind: type[np.generic]) -> dict[str, object]:
    raw = np.ascontiguousarray(array, dtype=np.dtype(kind).newbyteorder("<")).tobytes()
    return {"dtype": np.dtype(kind).name, "data": base64.b64encode(raw).decode("ascii")}
