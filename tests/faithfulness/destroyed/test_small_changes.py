"""Small changes of an input do what they say."""

import numpy as np
import pytest

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
from daam_core.inputs import read_picture, read_text
from tests.support.given import picture, tone


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
