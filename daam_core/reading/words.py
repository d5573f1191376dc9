"""From a tokenizer's pieces to words.

Letters in shapes: T tokens.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from daam_core.errors import ShapeError
from daam_core.reading.letters import INVISIBLE


@dataclass(frozen=True)
class Word:
    """A word of the explained text.

    Attributes:
        text: as written; for a special token its label.
        start, end: character indices, end exclusive; None for a special token.
        value: sum of its tokens' attribution, in logits.
        tokens: indices of the tokens joined here.
    """

    text: str
    start: int | None
    end: int | None
    value: float
    tokens: tuple[int, ...]


def _word_spans(text: str) -> list[tuple[int, int]]:
    """Words, with inner apostrophes and combining marks; anything else that is not space stands alone.

    So do wide (East Asian) letters, since no space tells their words apart. Characters that cannot be
    seen belong to the word before them, else to the one after.
    """
    spans: list[tuple[int, int]] = []
    word_open = False  # whether the next letter continues the last span
    unseen_only = False  # whether the last span holds nothing that can be seen
    for place, character in enumerate(text):
        if character.isspace():
            word_open = False
            continue
        letter = character.isalnum() or character == "_"
        wide = unicodedata.east_asian_width(character) in "WF"
        unseen = INVISIBLE.match(character) is not None
        mark = unseen or unicodedata.category(character).startswith("M")
        apostrophe = character in "'’" and text[place + 1 : place + 2].isalnum()
        touching = bool(spans) and spans[-1][1] == place
        attached = touching and (mark or unseen_only)
        if attached or (word_open and ((letter and not wide) or apostrophe)):
            spans[-1] = (spans[-1][0], place + 1)
            unseen_only = unseen_only and unseen
        else:
            spans.append((place, place + 1))
            unseen_only = unseen
        word_open = (letter and not wide and not unseen) or (word_open and (apostrophe or mark))
    return spans


def join_words(
    text: str, labels: Sequence[str], spans: np.ndarray, attribution: np.ndarray
) -> tuple[Word, ...]:
    """Joins a tokenizer's pieces into words; the values' sum is kept.

    A piece that covers several words joins them. A piece without any character of its own goes to
    the word that follows. Pieces seen twice (overlapping windows) count twice, as they do in the
    model. Words without a piece have value 0.

    Args:
        text: the text explained.
        labels: T token names, used for special tokens only.
        spans: ``[T, 2]`` character indices, NaN for special tokens.
        attribution: ``[T]`` in logits.

    Returns:
        Words in the order of the text, then special tokens, one of each label.

    Raises:
        ShapeError: labels, spans and attribution differ in length.

    >>> spans = np.array([[0, 2], [2, 5], [6, 9]])
    >>> words = join_words("token two", ["to", "##ken", "two"], spans, np.array([0.5, 0.25, 1.0]))
    >>> [(word.text, word.value) for word in words]
    [('token', 0.75), ('two', 1.0)]
    """
    if len(labels) != len(attribution) or np.shape(spans) != (len(labels), 2):
        raise ShapeError(
            f"Words need a label, a span and a value for each token, got {len(labels)} labels, spans "
            f"{list(np.shape(spans))} and {len(attribution)} values."
        )
    words = _word_spans(text)
    ends = np.array([end for _, end in words], dtype=np.int64)
    starts = np.array([start for start, _ in words], dtype=np.int64)
    group = list(range(len(words)))  # the first word that each word is joined to
    members: dict[int, list[int]] = {index: [] for index in group}
    specials: dict[str, list[int]] = {}
    homes: list[tuple[int, int]] = []  # (token, first word)
    for token, (label, span) in enumerate(zip(labels, spans, strict=True)):
        if np.isnan(span).any() or not words:
            specials.setdefault(label, []).append(token)
            continue
        first = min(int(np.searchsorted(ends, span[0], side="right")), len(words) - 1)
        last = max(int(np.searchsorted(starts, span[1], side="left")) - 1, first)
        homes.append((token, first))
        for joined in range(first + 1, last + 1):
            group[joined] = min(group[joined], group[first])
    for index in range(len(words)):  # links point backwards, so one pass finds each group's first word
        group[index] = group[group[index]]
    for token, first in homes:
        members[group[first]].append(token)

    def word(label: str, start: int | None, end: int | None, tokens: list[int]) -> Word:
        value = float(np.sum(np.asarray(attribution, dtype=np.float64)[tokens])) if tokens else 0.0
        return Word(label, start, end, value, tuple(tokens))

    last_of = {first: index for index, first in enumerate(group)}  # the later ones overwrite
    found = []
    for index, last in last_of.items():
        start, end = words[index][0], words[last][1]
        found.append(word(text[start:end], start, end, members[index]))
    return (*found, *(word(label, None, None, tokens) for label, tokens in specials.items()))
