"""Parts of an input: words, stretches of sound, patches of a picture."""

import numpy as np
import pytest
from PIL import Image

from daam_core.faithfulness.removal.parts import NO_WORDS, share_out, split
from daam_core.inputs import read_picture, read_text
from tests.support.given import picture, tone


def test_words_are_kept_in_order_and_without_any_a_mark_is_left():
    parts = split(read_text("One  two\nthree"))
    assert parts.names == ("One", "two", "three")
    assert parts.spans.tolist() == [[0, 3], [5, 8], [9, 14]]
    assert parts.keeping(np.array([True, False, True])).content == "One three"
    assert parts.keeping(np.zeros(3, dtype=bool)).content == NO_WORDS


def test_stretches_cover_the_sound_and_become_silent():
    sound = tone()
    parts = split(sound)
    assert len(parts) == 10
    assert parts.spans[0, 0] == 0
    assert parts.spans[-1, 1] == pytest.approx(1)
    np.testing.assert_allclose(parts.spans[1:, 0], parts.spans[:-1, 1])
    keep = np.ones(10, dtype=bool)
    keep[3] = False
    left = parts.keeping(keep)
    assert left.rate == sound.rate
    kept, samples = left.samples, sound.samples
    assert not kept[4800:6400].any()
    np.testing.assert_array_equal(kept[:4800], samples[:4800])
    np.testing.assert_array_equal(kept[6400:], samples[6400:])
    assert len(split(tone(30))) == 24
    assert len(split(tone(0.15))) == 1


def test_patches_cover_the_picture_and_take_its_mean_colour():
    image = picture()
    parts = split(image)
    assert len(parts) == 49
    pixels = np.asarray(image.rgb)
    np.testing.assert_array_equal(np.asarray(parts.keeping(np.ones(49, dtype=bool)).rgb), pixels)
    gone = np.asarray(parts.keeping(np.zeros(49, dtype=bool)).rgb)
    np.testing.assert_allclose(gone[0, 0], pixels.reshape(-1, 3).mean(0), atol=0.5)
    assert (gone == gone[0, 0]).all()
    keep = np.ones(49, dtype=bool)
    keep[0] = False
    changed = (np.asarray(parts.keeping(keep).rgb) != pixels).any(-1)
    assert not changed[5:].any()
    assert not changed[:, 6:].any()
    assert changed[:4, :5].all()
    assert parts.names[8] == "row 2, column 2"
    # A picture of fewer pixels than patches still works.
    assert split(read_picture(Image.new("RGB", (3, 2)))).keeping(keep).rgb.size == (3, 2)


def test_attributions_are_shared_out_by_overlap():
    parts = split(read_text("ab cd"))
    spans = np.array([[0, 1], [1, 4], [4, 5], [np.nan, np.nan]])
    # The second token has one letter in each word.
    assert share_out(np.array([1.0, 2.0, 4.0, 8.0]), spans, parts).tolist() == [2.0, 5.0]
    image = split(picture())
    whole = share_out(np.array([49.0]), np.array([[0.0, 0, 1, 1]]), image)
    np.testing.assert_allclose(whole, np.ones(49))


@pytest.mark.parametrize("given", [tone(), picture()])
def test_what_tokens_say_is_neither_lost_nor_made(given):
    parts = split(given)
    draw = np.random.default_rng(0)
    low = draw.random((20, parts.spans.shape[1] // 2)) * 0.8
    spans = np.concatenate([low, low + 0.15], 1)
    values = draw.normal(size=20)
    assert share_out(values, spans, parts).sum() == pytest.approx(values.sum())
