"""Properties with hypothesis, and the pieces of well-known tokenizers."""

import itertools
import time

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from daam_core.errors import ShapeError
from daam_core.reading.words import join_words


def pieces(text: str, cuts: list[int]) -> tuple[list[str], np.ndarray]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    spans = list(itertools.pairwise(edges))
    return [text[a:b] for a, b in spans], np.array(spans, dtype=float).reshape(-1, 2)


@given(st.text(max_size=40), st.lists(st.integers(0, 40)), st.integers(0, 2**31))
def test_joining_keeps_every_token_and_the_sum_of_their_values(text, cuts, seed):
    labels, spans = pieces(text, cuts)
    values = np.random.default_rng(seed).normal(size=len(labels))
    words = join_words(text, labels, spans, values)
    assert sorted(token for word in words for token in word.tokens) == list(range(len(labels)))
    assert sum(word.value for word in words) == pytest.approx(values.sum(), abs=1e-9)
    placed = [word for word in words if word.start is not None]
    for word in placed:
        assert word.text == text[word.start : word.end]
        assert word.value == pytest.approx(values[list(word.tokens)].sum(), abs=1e-12)
    for one, next_one in itertools.pairwise(placed):
        assert one.end <= next_one.start
    covered = {place for word in placed for place in range(word.start, word.end)}
    assert {place for place, letter in enumerate(text) if not letter.isspace()} <= covered


def joined(text: str, labels: list[str], spans: list[tuple[float, float]]) -> list[tuple[str, float]]:
    values = np.arange(1.0, len(labels) + 1)
    return [(word.text, word.value) for word in join_words(text, labels, np.array(spans), values)]


NAN = (np.nan, np.nan)


@pytest.mark.parametrize(
    ("text", "labels", "spans", "expected"),
    [
        # BERT: word pieces, punctuation apart, special tokens without a place
        (
            "unaffable, no",
            ["[CLS]", "una", "##ffa", "##ble", ",", "no", "[SEP]"],
            [NAN, (0, 3), (3, 6), (6, 9), (9, 10), (11, 13), NAN],
            [("unaffable", 9.0), (",", 5.0), ("no", 6.0), ("[CLS]", 1.0), ("[SEP]", 7.0)],
        ),
        # GPT-2 and sentencepiece: pieces that begin with the space before them
        ("the cat", ["the", "Ġcat"], [(0, 3), (3, 7)], [("the", 1.0), ("cat", 2.0)]),
        # a piece of its own for the space goes to the word that follows
        ("a bc", ["a", "▁", "bc"], [(0, 1), (1, 2), (2, 4)], [("a", 1.0), ("bc", 5.0)]),
        # apostrophes hold a word together
        ("don't", ["don", "'", "t"], [(0, 3), (3, 4), (4, 5)], [("don't", 6.0)]),
        # one piece over two words joins them
        ("of the", ["of the"], [(0, 6)], [("of the", 1.0)]),
        # Chinese has no spaces: every letter stands alone, unless a piece joins two
        ("我喜欢", ["我", "喜欢"], [(0, 1), (1, 3)], [("我", 1.0), ("喜欢", 2.0)]),
        # combining marks belong to their letters
        ("हिन्दी", ["हि", "न्दी"], [(0, 2), (2, 6)], [("हिन्दी", 3.0)]),
        # what cannot be seen belongs to the word before it, or to the one after
        ("fell \ufeffon", ["fell", "on"], [(0, 4), (6, 8)], [("fell", 1.0), ("\ufeffon", 2.0)]),
        (
            "co\u00adop\u200b.",
            ["co", "op", "."],
            [(0, 2), (3, 5), (6, 7)],
            [("co\u00adop\u200b", 3.0), (".", 3.0)],
        ),
        # overlapping windows: the same piece seen twice
        ("one", ["one", "one"], [(0, 3), (0, 3)], [("one", 3.0)]),
        # a word that the tokenizer dropped keeps its place
        ("a b", ["a"], [(0, 1)], [("a", 1.0), ("b", 0.0)]),
    ],
)
def test_pieces_of_all_tokenizers_become_words(text, labels, spans, expected):
    assert joined(text, labels, spans) == expected


def test_joining_refuses_lists_of_different_length():
    with pytest.raises(ShapeError, match="got 2 labels, spans \\[1, 2\\] and 2 values"):
        join_words("ab", ["a", "b"], np.zeros((1, 2)), np.zeros(2))


def test_a_long_text_is_joined_in_little_time():
    count = 20_000
    spans = np.array([(2 * i, 2 * i + 1) for i in range(count)], dtype=float)
    started = time.perf_counter()
    words = join_words("a " * count, ["a"] * count, spans, np.ones(count))
    assert len(words) == count
    assert time.perf_counter() - started < 5  # 20 s and more where it grows with the square
