"""Parts of an input, small changes of it, and deletion with the encoder running again."""

import numpy as np
import pytest
import torch
from PIL import Image

from daam_core.encoding import pool
from daam_core.errors import CancelledError
from daam_core.explain import explain_encoding
from daam_core.faithfulness.destroyed.small_changes import (
    NOISE_DECIBELS,
    PERTURBATIONS,
    cropped_picture,
    cropped_sound,
    noisy_picture,
    noisy_sound,
    typo,
    without_a_word,
)
from daam_core.faithfulness.removal.in_the_input import (
    LEAVE_ONE_OUT,
    TOKEN_ATTRIBUTION,
    part_attribution,
    part_cells,
    token_level,
)
from daam_core.faithfulness.removal.parts import NO_WORDS, share_out, split
from daam_core.inputs import Picture, Sound, read_picture, read_sound, read_text
from daam_core.progress import Progress
from tests.support.encode import encode
from tests.support.small import letter_model

TEXTS = ["aei oua bcd", "bcd fgh aa", "uuu bb cc dd", "ae bk"]
INPUTS = [read_text(text) for text in TEXTS]


def tone(seconds: float = 1.0, rate: int = 16_000) -> Sound:
    times = np.arange(int(seconds * rate)) / rate
    return read_sound(((0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), rate))


def picture(width: int = 40, height: int = 30) -> Picture:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return read_picture(pixels)


# Parts


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


# Small changes


def test_noise_has_the_level_it_says():
    sound = tone()
    noisy, samples = noisy_sound(sound, 0), sound.samples
    noise = noisy.samples - samples
    level = 10 * np.log10(np.mean(samples**2) / np.mean(noise**2))
    assert level == pytest.approx(NOISE_DECIBELS, abs=0.3)
    assert noisy.rate == sound.rate
    pixels = np.full((64, 64, 3), 128, dtype=np.uint8)
    grainy = np.asarray(noisy_picture(read_picture(pixels), 0).rgb, dtype=float)
    assert (grainy - 128).std() == pytest.approx(255 * 0.03, rel=0.05)


def test_crops_cut_five_percent_at_each_end():
    np.testing.assert_array_equal(cropped_sound(tone(), 0).samples, tone().samples[800:-800])
    assert cropped_picture(picture(200, 100), 0).rgb.size == (180, 90)


def test_a_typo_swaps_two_letters_of_one_word():
    text = "The weather is fine"
    for seed in range(20):
        changed = typo(read_text(text), seed).content
        places = [i for i, (a, b) in enumerate(zip(text, changed, strict=True)) if a != b]
        assert len(places) == 2
        assert places[1] == places[0] + 1
        assert sorted(changed) == sorted(text)
    assert typo(read_text("a bc"), 0).content == "a bc"
    assert without_a_word(read_text("one two three"), 0).content in {"two three", "one three", "one two"}
    assert without_a_word(read_text("one"), 0).content == "one"


def test_changes_repeat_with_their_seed():
    for perturbation in PERTURBATIONS["text"]:
        text = read_text("several words that may change")
        assert perturbation.apply(text, 5).content == perturbation.apply(text, 5).content
    np.testing.assert_array_equal(noisy_sound(tone(), 5).samples, noisy_sound(tone(), 5).samples)
    assert not np.array_equal(noisy_sound(tone(), 5).samples, noisy_sound(tone(), 6).samples)


# Deletion with the encoder


def test_cells_of_parts_are_decided_by_the_encoder_once_each():
    model = letter_model()
    runs = []
    parts = split(read_text(TEXTS[0]))
    cells = part_cells(model, parts, ran=lambda: runs.append(1))
    whole = model.classifier(pool(encode(model.backbone, TEXTS[0].replace("  ", " "))).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.ones(1, 3)), whole)
    one = model.classifier(pool(encode(model.backbone, "oua")).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.tensor([[0.0, 1.0, 0.0]])), one)
    cells.logits(torch.ones(2, 3))
    assert len(runs) == 2


def test_words_get_what_their_tokens_have():
    model = letter_model()
    text = read_text(TEXTS[2])
    explanation = explain_encoding(model, encode(model.backbone, text))
    found = part_attribution(model, text, split(text))
    letters = explanation.token_attribution
    assert found[0] == pytest.approx(letters[:3].sum(), rel=1e-5)
    assert found[1] == pytest.approx(letters[4:6].sum(), rel=1e-5)


def test_token_level_deletion():
    seen: list[float] = []
    found = token_level(
        letter_model(), INPUTS, seeds=(0, 1), progress=Progress(lambda share, _: seen.append(share))
    )
    assert [method.method for method in found.methods] == [TOKEN_ATTRIBUTION, LEAVE_ONE_OUT]
    assert found.unit == "words"
    assert found.at_random.count == 4
    assert seen == sorted(seen)
    for method in found.methods:
        assert method.highest[0] == pytest.approx(method.lowest[0])
        assert method.highest[-1] == pytest.approx(method.lowest[-1])
        assert method.gain.mean == pytest.approx(found.at_random.mean - method.deletion.mean)
        assert method.insertion.mean >= method.deletion.mean
    # At most every choice of words once: 2^3 + 2^3 + 2^4 + 2^2.
    assert 0 < found.runs <= 36
    assert len(token_level(letter_model(), INPUTS, seeds=(0,), leave_one_out=False).methods) == 1


def test_token_level_deletion_stops_when_asked():
    with pytest.raises(CancelledError):
        token_level(letter_model(), INPUTS, progress=Progress(cancelled=lambda: True))
