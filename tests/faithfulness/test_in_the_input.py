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
    cropped_image,
    cropped_sound,
    noisy_image,
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
from daam_core.progress import Progress
from tests.support.small import letter_model

TEXTS = ["aei oua bcd", "bcd fgh aa", "uuu bb cc dd", "ae bk"]


def tone(seconds: float = 1.0, rate: int = 16_000) -> tuple[np.ndarray, int]:
    times = np.arange(int(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), rate


def picture(width: int = 40, height: int = 30) -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


# Parts


def test_words_are_kept_in_order_and_without_any_a_mark_is_left():
    parts = split("One  two\nthree", "text")
    assert parts.names == ("One", "two", "three")
    assert parts.spans.tolist() == [[0, 3], [5, 8], [9, 14]]
    assert parts.keeping(np.array([True, False, True])) == "One three"
    assert parts.keeping(np.zeros(3, dtype=bool)) == NO_WORDS


def test_stretches_cover_the_sound_and_become_silent():
    inputs, rate = tone()
    parts = split((inputs, rate), "audio")
    assert len(parts) == 10
    assert parts.spans[0, 0] == 0
    assert parts.spans[-1, 1] == pytest.approx(1)
    np.testing.assert_allclose(parts.spans[1:, 0], parts.spans[:-1, 1])
    keep = np.ones(10, dtype=bool)
    keep[3] = False
    kept, kept_rate = parts.keeping(keep)
    assert kept_rate == rate
    assert not kept[4800:6400].any()
    np.testing.assert_array_equal(kept[:4800], inputs[:4800])
    np.testing.assert_array_equal(kept[6400:], inputs[6400:])
    assert len(split(tone(30), "audio")) == 24
    assert len(split(tone(0.15), "audio")) == 1


def test_patches_cover_the_picture_and_take_its_mean_colour():
    image = picture()
    parts = split(image, "image")
    assert len(parts) == 49
    pixels = np.asarray(image)
    np.testing.assert_array_equal(parts.keeping(np.ones(49, dtype=bool)), pixels)
    gone = parts.keeping(np.zeros(49, dtype=bool))
    np.testing.assert_allclose(gone[0, 0], pixels.reshape(-1, 3).mean(0), atol=0.5)
    assert (gone == gone[0, 0]).all()
    keep = np.ones(49, dtype=bool)
    keep[0] = False
    changed = (parts.keeping(keep) != pixels).any(-1)
    assert not changed[5:].any()
    assert not changed[:, 6:].any()
    assert changed[:4, :5].all()
    assert parts.names[8] == "row 2, column 2"
    # A picture of fewer pixels than patches still works.
    assert split(Image.new("RGB", (3, 2)), "image").keeping(keep).shape == (2, 3, 3)


def test_attributions_are_shared_out_by_overlap():
    parts = split("ab cd", "text")
    spans = np.array([[0, 1], [1, 4], [4, 5], [np.nan, np.nan]])
    # The second token has one letter in each word.
    assert share_out(np.array([1.0, 2.0, 4.0, 8.0]), spans, parts).tolist() == [2.0, 5.0]
    image = split(picture(), "image")
    whole = share_out(np.array([49.0]), np.array([[0.0, 0, 1, 1]]), image)
    np.testing.assert_allclose(whole, np.ones(49))


@pytest.mark.parametrize(("sample", "modality"), [(tone(), "audio"), (picture(), "image")])
def test_what_tokens_say_is_neither_lost_nor_made(sample, modality):
    parts = split(sample, modality)
    draw = np.random.default_rng(0)
    low = draw.random((20, parts.spans.shape[1] // 2)) * 0.8
    spans = np.concatenate([low, low + 0.15], 1)
    values = draw.normal(size=20)
    assert share_out(values, spans, parts).sum() == pytest.approx(values.sum())


# Small changes


def test_noise_has_the_level_it_says():
    inputs, rate = tone()
    noisy, noisy_rate = noisy_sound((inputs, rate), 0)
    noise = noisy - inputs
    level = 10 * np.log10(np.mean(inputs**2) / np.mean(noise**2))
    assert level == pytest.approx(NOISE_DECIBELS, abs=0.3)
    assert noisy_rate == rate
    pixels = np.full((64, 64, 3), 128, dtype=np.uint8)
    assert (noisy_image(pixels, 0).astype(float) - 128).std() == pytest.approx(255 * 0.03, rel=0.05)


def test_crops_cut_five_percent_at_each_end():
    inputs, _ = tone()
    cropped, _ = cropped_sound(tone(), 0)
    np.testing.assert_array_equal(cropped, inputs[800:-800])
    assert cropped_image(picture(200, 100), 0).size == (180, 90)


def test_a_typo_swaps_two_letters_of_one_word():
    text = "The weather is fine"
    for seed in range(20):
        changed = typo(text, seed)
        places = [i for i, (a, b) in enumerate(zip(text, changed, strict=True)) if a != b]
        assert len(places) == 2
        assert places[1] == places[0] + 1
        assert sorted(changed) == sorted(text)
    assert typo("a bc", 0) == "a bc"
    assert without_a_word("one two three", 0) in {"two three", "one three", "one two"}
    assert without_a_word("one", 0) == "one"


def test_changes_repeat_with_their_seed():
    for perturbation in PERTURBATIONS["text"]:
        text = "several words that may change"
        assert perturbation.apply(text, 5) == perturbation.apply(text, 5)
    np.testing.assert_array_equal(noisy_sound(tone(), 5)[0], noisy_sound(tone(), 5)[0])
    assert not np.array_equal(noisy_sound(tone(), 5)[0], noisy_sound(tone(), 6)[0])


# Deletion with the encoder


def test_cells_of_parts_are_decided_by_the_encoder_once_each():
    model = letter_model()
    runs = []
    parts = split(TEXTS[0], "text")
    cells = part_cells(model, parts, ran=lambda: runs.append(1))
    whole = model.classifier(pool(model.backbone.encode(TEXTS[0].replace("  ", " "))).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.ones(1, 3)), whole)
    one = model.classifier(pool(model.backbone.encode("oua")).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.tensor([[0.0, 1.0, 0.0]])), one)
    cells.logits(torch.ones(2, 3))
    assert len(runs) == 2


def test_words_get_what_their_tokens_have():
    model = letter_model()
    text = TEXTS[2]
    explanation = explain_encoding(model, model.backbone.encode(text))
    found = part_attribution(model, text, split(text, "text"))
    letters = explanation.token_attribution
    assert found[0] == pytest.approx(letters[:3].sum(), rel=1e-5)
    assert found[1] == pytest.approx(letters[4:6].sum(), rel=1e-5)


def test_token_level_deletion():
    seen: list[float] = []
    found = token_level(
        letter_model(), TEXTS, seeds=(0, 1), progress=Progress(lambda share, _: seen.append(share))
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
    assert len(token_level(letter_model(), TEXTS, seeds=(0,), leave_one_out=False).methods) == 1


def test_token_level_deletion_stops_when_asked():
    with pytest.raises(CancelledError):
        token_level(letter_model(), TEXTS, progress=Progress(cancelled=lambda: True))
