"""Explanations of every kind to draw, and what a figure holds."""

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from daam_core.inputs import read_picture, read_sound
from tests.support.builders import make_explanation

TEXT = make_explanation("text", tokens=40, features=384)
AUDIO = make_explanation("audio", tokens=60, layers=4)
IMAGE = make_explanation("image", tokens=49, heads=8, layers=16, features=80)
GROUPS = make_explanation("text", heads=4, layers=12, mode="layer_groups")
MIXTURE = make_explanation("text", gate_kind="mixture")
CONSTANT = make_explanation("text", constant=True)
LONG = replace(
    make_explanation(
        "text", class_names=tuple(f"a class with a name too long to print {i}" for i in range(43))
    ),
    text="https://example.org/" + "a" * 300 + "\nsecond $1 {line} \\alpha <b>",
    token_spans=np.array([[i * 20, i * 20 + 20] for i in range(16)], dtype=float),
)
SOUND = read_sound((np.sin(np.arange(16_000) / 20) * np.linspace(0, 1, 16_000), 16_000))
PICTURE = read_picture(
    Image.fromarray(np.arange(60 * 80 * 3, dtype=np.uint32).reshape(60, 80, 3).astype(np.uint8))
)


def images(figure: Figure) -> list:
    return [axes.images[0] for axes in figure.axes if axes.images]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible() and text.get_text()]


def drawn(figure: Figure) -> str:
    return "\n".join(texts(figure))
