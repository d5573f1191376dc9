"""Parts of an input that can be taken out of it: words, stretches of sound, patches of a picture.

Letters: P parts, T tokens.
"""

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from daam_core.inputs import (
    Input,
    Modality,
    Picture,
    Sound,
    Text,
    read_picture,
    read_sound,
    read_text,
)

MAX_STRETCHES = 24
SHORTEST_STRETCH = 0.1  # seconds
PATCHES_PER_SIDE = 7
#: What is left of a text when all words are gone: an encoder refuses an empty one.
NO_WORDS = "…"
#: What stands in the place of a part taken out, by modality.
BASELINES: dict[Modality, str] = {
    "audio": "silence",
    "text": "nothing: the word is left out",
    "image": "the picture's mean colour",
}
UNITS: dict[Modality, str] = {"audio": "stretches of sound", "text": "words", "image": "patches"}


@dataclass(frozen=True)
class Parts:
    """An input in P parts.

    Attributes:
        modality: ``audio``, ``text`` or ``image``.
        names: P names: the word, ``0.10–0.20 s``, ``row 2, column 5``.
        spans: ``[P, 2]`` seconds or characters, ``[P, 4]`` fractions of the picture: as tokens have.
        keeping: ``[P]`` bool → the input with only these parts.
    """

    modality: Modality
    names: tuple[str, ...]
    spans: np.ndarray
    keeping: Callable[[np.ndarray], Input]

    def __len__(self) -> int:
        return len(self.names)


def split(given: Input) -> Parts:
    """Split an input into the parts of its modality."""
    if isinstance(given, Sound):
        return _stretches(given)
    return _words(given) if isinstance(given, Text) else _patches(given)


def share_out(attribution: np.ndarray, token_spans: np.ndarray, parts: Parts) -> np.ndarray:
    """Tokens' attributions ``[T]`` given to the parts they stand in, ``[P]``.

    A token over several parts is shared out by the length or area it has in each; a token that
    stands for no part of the input, such as ``[CLS]``, goes nowhere.
    """
    known = ~np.isnan(token_spans).any(1)
    tokens, values = token_spans[known], attribution[known]
    axes = [(0, 1)] if parts.spans.shape[1] == 2 else [(0, 2), (1, 3)]
    overlap = np.ones((len(tokens), len(parts)))
    for low, high in axes:
        start = np.maximum(tokens[:, None, low], parts.spans[None, :, low])
        end = np.minimum(tokens[:, None, high], parts.spans[None, :, high])
        overlap *= np.clip(end - start, 0, None)
    total = overlap.sum(1, keepdims=True)
    shared: np.ndarray = values @ np.divide(overlap, total, out=np.zeros_like(overlap), where=total > 0)
    return shared


def _words(given: Text) -> Parts:
    found = list(re.finditer(r"\S+", given.content))
    words = tuple(match.group() for match in found)

    def keeping(keep: np.ndarray) -> Text:
        left = " ".join(word for word, kept in zip(words, keep, strict=True) if kept)
        return read_text(left or NO_WORDS)

    return Parts("text", words, np.array([match.span() for match in found], dtype=np.float64), keeping)


def _stretches(sound: Sound) -> Parts:
    count = int(np.clip(sound.seconds / SHORTEST_STRETCH, 1, MAX_STRETCHES))
    edges = np.linspace(0, len(sound.samples), count + 1).round().astype(int)
    seconds = edges / sound.rate

    def keeping(keep: np.ndarray) -> Sound:
        left = sound.samples * np.repeat(keep, np.diff(edges)).astype(np.float32)
        return read_sound((left, sound.rate), rate=sound.rate)

    names = tuple(f"{a:.2f}–{b:.2f} s" for a, b in itertools.pairwise(seconds))
    return Parts("audio", names, np.stack([seconds[:-1], seconds[1:]], 1), keeping)


def _patches(picture: Picture) -> Parts:
    pixels = np.asarray(picture.rgb)
    height, width = pixels.shape[:2]
    side = PATCHES_PER_SIDE
    colour = pixels.reshape(-1, 3).mean(0).round().astype(np.uint8)
    row_of = np.minimum(np.arange(height) * side // max(height, 1), side - 1)
    column_of = np.minimum(np.arange(width) * side // max(width, 1), side - 1)

    def keeping(keep: np.ndarray) -> Picture:
        shown = keep.reshape(side, side)[row_of][:, column_of, None]
        return read_picture(np.where(shown, pixels, colour))

    places = [divmod(index, side) for index in range(side * side)]
    spans = np.array([(c / side, r / side, (c + 1) / side, (r + 1) / side) for r, c in places])
    return Parts("image", tuple(f"row {r + 1}, column {c + 1}" for r, c in places), spans, keeping)
