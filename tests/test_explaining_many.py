"""Many inputs together give what each gives alone, in order, and hold little at a time."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daam_core import explain, explain_each, explain_many
from daam_core.backbones import load_backbone
from daam_core.errors import ConfigError, InputError
from daam_core.explaining_many import BATCHES_AHEAD
from daam_core.inputs import read_picture, read_text
from daam_core.result import Explanation, arrays
from tests.support.small import letter_model

words = st.text("abcdefgh", min_size=1, max_size=12)


def assert_close(found: Explanation, expected: Explanation) -> None:
    a, b = arrays(found), arrays(expected)
    assert a.keys() == b.keys()
    for name in b:
        np.testing.assert_allclose(a[name], b[name], atol=1e-5, rtol=1e-5, err_msg=name)
    for field in dataclasses.fields(Explanation):
        value = getattr(expected, field.name)
        if not isinstance(value, np.ndarray) and field.name != "dataset":
            assert getattr(found, field.name) == value, field.name


@pytest.mark.slow
@given(st.lists(words, max_size=9), st.integers(1, 5))
def test_each_is_explained_as_it_is_alone_and_in_order(texts: list[str], batch_size: int) -> None:
    model = letter_model()
    found = list(explain_many(model, texts, batch_size=batch_size, target="vowels", scale="per_head"))
    assert [one.text for one in found] == texts
    for text, one in zip(texts, found, strict=True):
        assert_close(one, explain(model, text, target="vowels", scale="per_head"))


def test_an_input_that_cannot_be_used_keeps_its_place() -> None:
    found = list(explain_each(letter_model(), ["abc", "", "de", 5], batch_size=2))
    assert [type(one).__name__ for one in found] == ["Explanation", "InputError", "Explanation", "InputError"]
    assert "empty" in str(found[1])


def test_the_first_input_that_cannot_be_used_is_named_after_those_before_it() -> None:
    results = explain_many(letter_model(), ["abc", "de", "", "f"], batch_size=2)
    assert [next(results).text, next(results).text] == ["abc", "de"]
    with pytest.raises(InputError, match=r"^Input 2: "):
        next(results)


def test_an_input_that_the_encoder_refuses_leaves_the_others_of_its_batch(monkeypatch) -> None:
    model = letter_model()
    encode = type(model.backbone).encode

    def picky(self, given):
        if given.content == "bad":
            raise InputError("Too long for this encoder.")
        return encode(self, given)

    monkeypatch.setattr(type(model.backbone), "encode", picky)
    found = list(explain_each(model, ["abc", "bad", "de"], batch_size=3))
    assert str(found[1]) == "Too long for this encoder."
    assert [found[0].text, found[2].text] == ["abc", "de"]


def test_inputs_are_read_as_they_are_needed() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield "abc"

    results = explain_many(letter_model(), endless(), batch_size=2)
    next(results)
    assert taken <= 2 * BATCHES_AHEAD + 64  # and what the worker threads read ahead


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, "many"])
def test_a_batch_size_that_cannot_be_is_refused(batch_size) -> None:
    with pytest.raises(ConfigError, match="batch_size must be a positive whole number, got"):
        next(explain_many(letter_model(), ["abc"], batch_size=batch_size))


def test_a_class_that_does_not_exist_is_refused_before_anything_is_read() -> None:
    def unread() -> Iterator[str]:
        raise AssertionError("read")
        yield ""

    with pytest.raises(InputError, match="There is no class 'digits'; the classes are vowels, consonants"):
        next(explain_many(letter_model(), unread(), target="digits"))


@pytest.mark.parametrize("seed", [0, 1])
def test_the_text_encoder_gives_the_same_in_batches(seed: int) -> None:
    backbone = load_backbone("minilm-l6")
    draw = np.random.default_rng(seed)
    vocabulary = "markets fell sharply on Monday as investors weighed unexpectedly good news".split()
    texts = [" ".join(draw.choice(vocabulary, size=int(size))) for size in draw.integers(1, 60, size=9)]
    texts.append(" ".join(draw.choice(vocabulary, size=700)))  # three windows
    given = [read_text(text) for text in texts]
    for one, found in zip(given, backbone.encode_many(given), strict=True):
        expected = backbone.encode(one)
        assert found.tokens.labels == expected.tokens.labels
        assert found.facts == expected.facts
        np.testing.assert_array_equal(found.tokens.spans, expected.tokens.spans)
        np.testing.assert_allclose(found.hidden, expected.hidden, atol=2e-5)


def test_the_picture_encoder_gives_the_same_in_batches() -> None:
    backbone = load_backbone("efficientnet-lite0")
    draw = np.random.default_rng(0)
    given = [
        read_picture(draw.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for height, width in ((40, 30), (224, 224), (20, 300))
    ]
    for one, found in zip(given, backbone.encode_many(given), strict=True):
        np.testing.assert_allclose(found.hidden, backbone.encode(one).hidden, atol=2e-5)


@pytest.mark.parametrize("name", ["minilm-l6", "efficientnet-lite0", "whisper-tiny-en"])
def test_no_input_is_no_encoding(name: str) -> None:
    assert load_backbone(name).encode_many([]) == []
