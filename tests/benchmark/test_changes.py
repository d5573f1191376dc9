"""Harder inputs: how loud the noise is, how many letters are swapped, that pictures keep their size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daam_core.benchmark.changes import harder, harder_features, with_typos
from daam_core.inputs import SAMPLE_RATE, read_input
from daam_core.progress import Progress
from daam_core.training.from_inputs import Sources
from tests.support.small import LetterEncoder, letter_data, letter_features


@given(st.text(max_size=40), st.integers(0, 9))
def test_typos_keep_letters_and_what_lies_between_words(text, seed):
    found = with_typos(text, seed=seed, share=0.5)
    assert sorted(found) == sorted(text)
    moved = [(a, b) for a, b in zip(text, found, strict=True) if a != b]
    assert all(a.isalpha() and b.isalpha() for a, b in moved)
    assert with_typos(text, seed=seed, share=0.0) == text


def test_noise_lies_ten_decibels_below_the_sound():
    tone = np.sin(np.arange(SAMPLE_RATE) / 5).astype(np.float32)
    sound = read_input((tone, SAMPLE_RATE), "audio")
    noise = harder(sound, seed=0).samples - sound.samples
    assert abs(10 * np.log10(np.mean(sound.samples**2) / np.mean(noise**2)) - 10) < 0.2


def test_a_blurred_picture_keeps_its_size_and_colour_and_loses_detail():
    pixels = np.random.default_rng(0).integers(0, 255, (120, 90, 3), dtype=np.uint8)
    picture = read_input(Image.fromarray(pixels), "image")
    blurred = np.asarray(harder(picture, seed=0).rgb, dtype=float)
    assert blurred.shape == (120, 90, 3)
    assert abs(blurred.mean() - pixels.mean()) < 1
    assert blurred.std() < 0.5 * pixels.std()


def test_only_the_inputs_named_are_changed():
    texts, _ = letter_data(6)
    features, _ = letter_features(6)
    found = harder_features(Sources(texts, LetterEncoder()), features, np.array([1, 4]), progress=Progress())
    same = [bool((found[i] == features[i]).all()) for i in range(6)]
    assert not {0, 2, 3, 5} & {i for i, equal in enumerate(same) if not equal}
    assert not (same[1] and same[4])
