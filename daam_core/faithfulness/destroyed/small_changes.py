"""Small changes of an input that should not change why a model decides."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from daam_core.backbones.base import Sample
from daam_core.encoding import Modality
from daam_core.inputs.sound import read_image, read_sound, read_text

NOISE_DECIBELS = 20.0  # loudness of a sound above the noise added to it
CROPPED_SHARE = 0.05  # of a sound's length or a picture's side, cut off at each end
PIXEL_NOISE = 0.03  # standard deviation, of the full scale


@dataclass(frozen=True)
class Perturbation:
    """A small change: ``apply(sample, seed)`` returns the changed input."""

    name: str
    apply: Callable[[Sample, int], Sample]


def noisy_sound(sample: Sample, seed: int) -> tuple[np.ndarray, int]:
    """White noise, :data:`NOISE_DECIBELS` below the sound's own level."""
    sound = read_sound(sample)
    level = float(np.sqrt(np.mean(sound.samples.astype(np.float64) ** 2)))
    noise = np.random.default_rng(seed).normal(0, level * 10 ** (-NOISE_DECIBELS / 20), len(sound.samples))
    return (sound.samples + noise).astype(np.float32).clip(-1, 1), sound.rate


def cropped_sound(sample: Sample, seed: int) -> tuple[np.ndarray, int]:
    """Start and end cut off, :data:`CROPPED_SHARE` of the length each."""
    sound = read_sound(sample)
    cut = int(CROPPED_SHARE * len(sound.samples))
    return sound.samples[cut : len(sound.samples) - cut], sound.rate


def typo(sample: Sample, seed: int) -> str:
    """Two neighbouring letters swapped, in one word of at least four letters if there is one."""
    text = read_text(sample)
    draw = np.random.default_rng(seed)
    places = [
        index
        for index in range(1, len(text) - 2)
        if text[index - 1 : index + 3].isalpha() and text[index] != text[index + 1]
    ]
    if not places:
        return text
    place = int(draw.choice(places))
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def without_a_word(sample: Sample, seed: int) -> str:
    """One word left out, where there are at least two."""
    words = read_text(sample).split()
    if len(words) > 1:
        del words[int(np.random.default_rng(seed).integers(len(words)))]
    return " ".join(words)


def noisy_image(sample: Sample, seed: int) -> np.ndarray:
    """Noise of deviation :data:`PIXEL_NOISE` on every pixel, ``[height, width, 3]`` uint8."""
    pixels = np.asarray(read_image(sample).convert("RGB"), dtype=np.float64)
    noise = np.random.default_rng(seed).normal(0, 255 * PIXEL_NOISE, pixels.shape)
    return (pixels + noise).round().clip(0, 255).astype(np.uint8)


def cropped_image(sample: Sample, seed: int) -> Sample:
    """Margins cut off, :data:`CROPPED_SHARE` of each side."""
    picture = read_image(sample)
    width, height = picture.size
    left, top = int(CROPPED_SHARE * width), int(CROPPED_SHARE * height)
    return picture.crop((left, top, width - left, height - top))


PERTURBATIONS: dict[Modality, tuple[Perturbation, ...]] = {
    "audio": (
        Perturbation(f"noise {NOISE_DECIBELS:.0f} dB below the sound", noisy_sound),
        Perturbation(f"{CROPPED_SHARE:.0%} cut off at each end", cropped_sound),
    ),
    "text": (
        Perturbation("one typo", typo),
        Perturbation("one word left out", without_a_word),
    ),
    "image": (
        Perturbation(f"pixel noise of {PIXEL_NOISE:.0%}", noisy_image),
        Perturbation(f"{CROPPED_SHARE:.0%} cut off at each side", cropped_image),
    ),
}
