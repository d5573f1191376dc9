"""What-if on the model: which parts of the attention are switched off."""

from dataclasses import dataclass

import numpy as np

from daam_core.errors import InputError

Cell = tuple[int, int, int]  # head, layer, feature


@dataclass(frozen=True)
class Mutes:
    """Heads, layers, features and single cells that count as the training mean.

    Attributes:
        heads: indices in 0 … H − 1.
        layers: indices in 0 … L − 1, muted in every head.
        features: indices in 0 … F − 1, muted in every head and layer.
        cells: (head, layer, feature).
    """

    heads: frozenset[int] = frozenset()
    layers: frozenset[int] = frozenset()
    features: frozenset[int] = frozenset()
    cells: frozenset[Cell] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.heads or self.layers or self.features or self.cells)

    def describe(self) -> str:
        """In words, counted from 0 as everywhere on the page."""
        parts = [
            f"{word}{'s' if len(members) > 1 else ''} {_ranges(members)}"
            for word, members in (("head", self.heads), ("layer", self.layers), ("feature", self.features))
            if members
        ]
        if self.cells:
            parts.append(f"{len(self.cells):,} cell{'s' if len(self.cells) > 1 else ''}")
        return ", ".join(parts) or "nothing"


NOTHING_MUTED = Mutes()


def keep_mask(mutes: Mutes, shape: tuple[int, int, int]) -> np.ndarray | None:
    """``[H, L, F]`` float32: 0 where muted, else 1; None where nothing is.

    Raises:
        InputError: a muted part does not exist in a map of this shape.
    """
    if not mutes:
        return None
    heads, layers, features = shape
    _check(mutes.heads, heads, "head")
    _check(mutes.layers, layers, "layer")
    _check(mutes.features, features, "feature")
    keep = np.ones(shape, dtype=np.float32)
    keep[sorted(mutes.heads)] = 0
    keep[:, sorted(mutes.layers)] = 0
    keep[:, :, sorted(mutes.features)] = 0
    for head, layer, feature in mutes.cells:
        _check({head}, heads, "head")
        _check({layer}, layers, "layer")
        _check({feature}, features, "feature")
        keep[head, layer, feature] = 0
    return keep


def parse_indices(text: str, size: int, *, word: str) -> frozenset[int]:
    """Indices written as ``3, 7, 20-24``.

    Raises:
        InputError: not numbers, or beyond the last index.

    >>> sorted(parse_indices("3, 7, 20-22", 384, word="feature"))
    [3, 7, 20, 21, 22]
    """
    found: set[int] = set()
    for part in text.replace("–", "-").replace(";", ",").split(","):
        if not (part := part.strip()):
            continue
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not (first.isdecimal() and len(first) < 9) or (dash and not (last.isdecimal() and len(last) < 9)):
            raise InputError(
                f"{word.capitalize()}s are written as numbers, such as 3, 7, 20-24; got {part!r}."
            )
        low, high = int(first), int(last or first)
        if low > high:
            raise InputError(f"{part} runs backwards; write {high}-{low}.")
        _check({low, high}, size, word)
        found.update(range(low, high + 1))
    return frozenset(found)


def _check(members: frozenset[int] | set[int], size: int, word: str) -> None:
    if members and not (min(members) >= 0 and max(members) < size):
        wrong = next(member for member in sorted(members) if not 0 <= member < size)
        raise InputError(f"There is no {word} {wrong}: {word}s go from 0 to {size - 1}.")


def _ranges(members: frozenset[int]) -> str:
    """``0, 2–4`` for 0, 2, 3, 4."""
    runs: list[list[int]] = []
    for member in sorted(members):
        if runs and member == runs[-1][1] + 1:
            runs[-1][1] = member
        else:
            runs.append([member, member])
    return ", ".join(f"{low}" if low == high else f"{low}–{high}" for low, high in runs)
