"""Several inputs of one call: a row each, those that cannot be explained with the reason."""

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from daam_core.configuration import class_index
from daam_core.errors import InputError, shown
from daam_core.export.row_per_input import ExplanationRow, explanation_row
from daam_core.inputs.limits import MAX_UPLOAD_MB
from daam_core.result import Explanation, Scale

from .inputs import Given
from .offer import Offer

#: Inputs of one call, and what all of them together may have.
MOST_INPUTS = 64
MOST_CHARACTERS = 200_000
MOST_BYTES = MAX_UPLOAD_MB * 1_000_000
#: Of one batch: others wait meanwhile, and its inputs are held in memory.
BATCH, HELD_BYTES = 16, 64_000_000


def several_of(values: object, name: str, *, texts: bool) -> list[str]:
    """Texts, or paths of uploaded files, as a call gives them.

    Raises:
        InputError: no list of them, or more than :data:`MOST_INPUTS`, or too much all together.
    """
    what = "texts" if texts else "files"
    if texts and isinstance(values, str):  # as tools of agents send lists
        with contextlib.suppress(ValueError):
            values = json.loads(values)
    if not isinstance(values, list) or not values:
        raise InputError(f"{name} is a list of 1 to {MOST_INPUTS} {what}, got {shown(values)}.")
    if len(values) > MOST_INPUTS:
        raise InputError(
            f"{name} holds up to {MOST_INPUTS} {what} a call, got {len(values):,}; call several times."
        )
    if wrong := [value for value in values if not isinstance(value, str)]:
        raise InputError(f"{name} is a list of {what}, got {shown(wrong[0])} among them.")
    if texts and (characters := sum(map(len, values))) > MOST_CHARACTERS:
        raise InputError(
            f"{name} may have {MOST_CHARACTERS:,} characters all together, got {characters:,}; call several "
            "times."
        )
    if not texts and (size := sum(map(_bytes, values))) > MOST_BYTES:
        raise InputError(
            f"{name} may have {MAX_UPLOAD_MB} MB all together, got {size / 1e6:,.0f}; call several times."
        )
    return values


def explain_several(
    offer: Offer,
    model_name: object,
    values: Sequence[str],
    read: Callable[[str], Given],
    *,
    target: str | None,
    scale: Scale,
) -> dict[str, object]:
    """A row for each input, in order, as ``daam explain`` writes them.

    Args:
        offer: the models.
        model_name: of one of them.
        values: from :func:`several_of`.
        read: makes an input of one; an ``InputError`` becomes its row's reason.
        target: the explained class; each input's predicted one by default.
        scale: what the Importance Factor is scaled by.

    Raises:
        InputError: there is no such model or class.
    """
    model = offer[model_name]
    class_index(model.class_names, target)  # refused before anything is read
    rows: list[ExplanationRow] = []
    for batch in _batches(values, read, texts=model.config.modality == "text"):
        given = [one for one in batch if isinstance(one, Given)]
        found = iter(offer.explain_each(model, given, target=target, scale=scale))
        for one in batch:
            result = next(found) if isinstance(one, Given) else one[1]
            row: ExplanationRow = {"name": one.name if isinstance(one, Given) else one[0], "reason": None}
            if isinstance(result, Explanation):
                rows.append(row | explanation_row(result))
            else:
                rows.append(row | {"reason": str(result)})
    explained = sum(row["reason"] is None for row in rows)
    return {"model": model.name, "inputs": len(rows), "explained": explained, "rows": rows}


def _batches(
    values: Sequence[str], read: Callable[[str], Given], *, texts: bool
) -> Iterator[list[Given | tuple[str, InputError]]]:
    """Inputs that are explained together; in place of one that cannot be read, its name and the reason."""
    batch: list[Given | tuple[str, InputError]] = []
    held = 0
    for number, value in enumerate(values):
        try:
            given = read(value)
            held += given.input.nbytes
            batch.append(given)
        except InputError as error:
            batch.append((f"text {number}" if texts else Path(value).name, error))
        if len(batch) == BATCH or held > HELD_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _bytes(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except (OSError, ValueError):  # gone meanwhile: its row will say so
        return 0
