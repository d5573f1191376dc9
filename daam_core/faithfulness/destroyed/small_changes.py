"""Small changes of an input that should not change why a model decides."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from daam_core.inputs import (
    Modality,
    Picture,
    Sound,
    Text,
    read_picture,
    read_sound,
    read_text,
)

NOISE_DECIBELS = 20.0  # loudness of a sound above the noise added to it
CROPPED_SHARE = 0.05  # of a sound's length or a picture's side, cut off at each end
PIXEL_NOISE = 0.03  # standard deviation, of the full scale


Kind = TypeVar("Kind", Sound, Picture, Text)


@dataclass(frozen=True)
class Perturbation(Generic[Kind]):
    """A small change: ``apply(given, seed)`` makes another input of one of its kind."""

    name: str
    apply: Callable[[Kind, int], Kind]


def noisy_sound(given: Sound, seed: int) -> Sound:
    """White noise, :data:`NOISE_DECIBELS` below the sound's own level."""
    level = float(np.sqrt(np.mean(given.samples.astype(np.float64) ** 2)))
    noise = np.random.default_rng(seed).normal(0, level * 10 ** (-NOISE_DECIBELS / 20), len(given.samples))
    return _sound((given.samples + noise).astype(np.float32).clip(-1, 1), given)


def cropped_sound(given: Sound, seed: int) -> Sound:
    """Start and end cut off, :data:`CROPPED_SHARE` of the length each."""
    cut = int(CROPPED_SHARE * len(given.samples))
    return _sound(given.samples[cut : len(given.samples) - cut], given)


def typo(given: Text, seed: int) -> Text:
    """Two neighbouring letters swapped, in one word of at least four letters if there is one."""
    text = given.content
    draw = np.random.default_rng(seed)
    places = [
        index
        for index in range(1, len(text) - 2)
        if text[index - 1 : index + 3].isalpha() and text[index] != text[index + 1]
    ]
    if not places:
        return given
    place = int(draw.choice(places))
    return read_text(text[:place] + text[place + 1] + text[place] + text[place + 2 :])


def without_a_word(given: Text, seed: int) -> Text:
    """One word left out, where there are at least two."""
    words = given.content.split()
    if len(words) > 1:
        del words[int(np.random.default_rng(seed).integers(len(words)))]
    return read_text(" ".join(words))


def noisy_picture(given: Picture, seed: int) -> Picture:
    """Noise of deviation :data:`PIXEL_NOISE` on every pixel."""
    pixels = np.asarray(given.rgb, dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0, 255 * PIXEL_NOISE, pixels.shape)
    return read_picture((pixels + noise).round().clip(0, 255).astype(np.uint8))


def cropped_picture(given: Picture, seed: int) -> Picture:
    """Margins cut off, :data:`CROPPED_SHARE` of each side."""
    width, height = given.width, given.height
    left, top = int(CROPPED_SHARE * width), int(CROPPED_SHARE * height)
    return read_picture(given.rgb.crop((left, top, width - left, height - top)))


def _sound(samples: np.ndarray, like: Sound) -> Sound:
    return read_sound((samples, like.rate), rate=like.rate)


PERTURBATIONS: dict[Modality, tuple[Perturbation[Any], ...]] = {
    "audio": (
        Perturbation(f"noise {NOISE_DECIBELS:.0f} dB below the sound", noisy_sound),
        Perturbation(f"{CROPPED_SHARE:.0%} cut off at each end", cropped_sound),
    ),
    "text": (
        Perturbation("one typo", typo),
        Perturbation("one word left out", without_a_word),
    ),
    "image": (
        Perturbation(f"pixel noise of {PIXEL_NOISE:.0%}", noisy_picture),
        Perturbation(f"{CROPPED_SHARE:.0%} cut off at each side", cropped_picture),
    ),
}
