"""Test inputs that are harder: sounds with noise at 10 dB, blurred pictures, texts with typos."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from daam_core.encoding import pool
from daam_core.inputs import (
    Edit,
    Input,
    Modality,
    Picture,
    Sound,
    SoundChange,
    changed,
    read_input,
)
from daam_core.progress import Progress
from daam_core.training.from_inputs import Sources

#: Decibels of signal over white noise.
SNR = 10.0
#: Share of letters that are swapped with the next.
TYPOS = 0.05
#: Longer side of a picture over the blur's standard deviation.
BLUR = 60
#: Inputs from one report of the progress to the next.
_TOLD = 50
#: What is done to each kind of input, in words.
CHANGES: dict[Modality, str] = {
    "audio": "white noise at 10 dB",
    "image": "a Gaussian blur, its deviation a sixtieth of the longer side",
    "text": "a letter in twenty swapped with the next",
}


def harder(given: Input, *, seed: int) -> Input:
    """The input with noise, blur or typos."""
    if isinstance(given, Sound):
        return changed(given, SoundChange(snr=SNR, seed=seed))
    if isinstance(given, Picture):
        from PIL import ImageFilter

        soft = ImageFilter.GaussianBlur(max(given.rgb.size) / BLUR)
        return replace(given, rgb=given.rgb.filter(soft))
    return changed(given, Edit(with_typos(given.content, seed=seed)))


def with_typos(text: str, *, seed: int, share: float = TYPOS) -> str:
    """A share of letters swapped with the letter that follows, never across a word's end.

    >>> with_typos("ab", seed=0, share=1.0)
    'ba'
    """
    draw = np.random.default_rng(seed)
    letters = list(text)
    place = 0
    while place + 1 < len(letters):
        both = letters[place].isalpha() and letters[place + 1].isalpha()
        if both and draw.random() < share:
            letters[place], letters[place + 1] = letters[place + 1], letters[place]
            place += 1
        place += 1
    return "".join(letters)


def harder_features(sources: Sources, features: Tensor, numbers: np.ndarray, *, progress: Progress) -> Tensor:
    """Features ``[N, L, F]`` in which those of the inputs at ``numbers`` are of the harder ones.

    Each input's change is seeded by its number.
    """
    found = features.clone()
    backbone = sources.backbone
    with torch.no_grad():
        for done, number in enumerate(numbers.tolist()):
            if done % _TOLD == 0:
                progress.report(done / len(numbers), f"{done:,} of {len(numbers):,} harder inputs encoded")
            given = read_input(sources.inputs[number], backbone.modality, rate=backbone.sample_rate)
            found[number] = pool(backbone.encode(harder(given, seed=number)))
    return found
