"""Sounds, pictures and texts that people could give."""

import numpy as np

from daam_core.inputs import Picture, Sound, read_picture, read_sound, read_text

TEXTS = ["aei oua bcd", "bcd fgh aa", "uuu bb cc dd", "ae bk"]
INPUTS = [read_text(text) for text in TEXTS]


def tone(seconds: float = 1.0, rate: int = 16_000) -> Sound:
    times = np.arange(int(seconds * rate)) / rate
    return read_sound(((0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), rate))


def picture(width: int = 40, height: int = 30) -> Picture:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return read_picture(pixels)
