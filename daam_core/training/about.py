"""What a classifier's author says of it, for its model card."""

import json
from dataclasses import dataclass, fields
from pathlib import Path

from daam_core.errors import DataError
from daam_core.plain import PlainObject


@dataclass(frozen=True)
class About:
    """What only the author of a classifier knows; every part is optional.

    Attributes:
        title: heading of the card.
        description: what the classifier is for, in a sentence or two.
        data_name: the data set's proper name.
        data_source: who made it, and where it is described.
        data_terms: the terms it is used under.
        data_url: where it can be had.
        license: of the trained classifier, as the hub abbreviates it (``mit``, ``cc-by-4.0``, ``other``).
        language: of speech or text, as a two-letter code; several with commas between.
        limits: sentences on what it cannot do.
        misuse: sentences on what it must not be used for.
    """

    title: str = ""
    description: str = ""
    data_name: str = ""
    data_source: str = ""
    data_terms: str = ""
    data_url: str = ""
    license: str = ""
    language: str = ""
    limits: tuple[str, ...] = ()
    misuse: tuple[str, ...] = ()


def read_about(path: str | Path) -> About:
    """Read the author's part of a card from a JSON file with the entries of :class:`About`.

    Raises:
        DataError: no such file, no JSON object, or an entry that is unknown or of the wrong kind.
    """
    path = Path(path)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path.name} is no JSON file in UTF-8.") from error
    known = {field.name: field.type for field in fields(About)}
    if not isinstance(raw, dict):
        raise DataError(f"{path.name} must hold a JSON object with the entries {', '.join(known)}.")
    if unknown := sorted(set(raw) - set(known)):
        raise DataError(f"{path.name} has the unknown entry {unknown[0]!r}; there are {', '.join(known)}.")
    values: PlainObject = {}
    for name, value in raw.items():
        if known[name] is str:
            fits = isinstance(value, str)
        else:
            fits = isinstance(value, list) and all(isinstance(sentence, str) for sentence in value)
            value = tuple(value) if fits else value
        if not fits:
            kind = "a text" if known[name] is str else "a list of texts"
            raise DataError(f"{path.name}: {name!r} must be {kind}.")
        values[name] = value
    return About(**values)
