"""A small right file of every format that is read, made here."""

import io
from collections.abc import Iterator
from functools import cache

import numpy as np
import soundfile
from PIL import Image

from daam_core.inputs import Modality
from tests.support.media import encoded
from tests.support.small_heads import RATE, colour_picture, tone

SOUNDFILE = ("WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64", "VOC", "NIST", "SVX")
CONTAINERS = (
    ("ipod", "aac"),
    ("ipod", "alac"),
    ("mp4", "aac"),
    ("3gp", "aac"),
    ("mov", "pcm_s16le"),
    ("adts", "aac"),
    ("webm", "libopus"),
    ("matroska", "libopus"),
)
PICTURES = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "TGA", "JPEG2000", "AVIF", "HEIF")


@cache
def files() -> dict[str, tuple[Modality, bytes]]:
    """Content and modality by format; a format that nothing here can write is left out."""
    return {name: (modality, content) for modality, name, content in _made() if content}


def _made() -> Iterator[tuple[Modality, str, bytes]]:
    samples = tone(300, seconds=0.4)
    for name in SOUNDFILE:
        file = io.BytesIO()
        try:
            soundfile.write(file, samples, RATE, format=name, subtype="PCM_16" if name == "RF64" else None)
        except (soundfile.LibsndfileError, ValueError):
            continue
        yield "audio", name, file.getvalue()
    for container, codec in CONTAINERS:
        yield "audio", f"{container} ({codec})", encoded(container, codec, seconds=0.4)
    picture = colour_picture(0.3, size=(48, 32))
    for name in PICTURES:
        if name == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener()
        for suffix, shown in (("", picture), (" grey", picture.convert("L"))):
            file = io.BytesIO()
            shown.save(file, name)
            yield "image", f"{name}{suffix}", file.getvalue()
    for kind, array in (("float", np.linspace(0, 1, 600)), ("16 bit", np.arange(600) * 100)):
        file = io.BytesIO()
        type_ = np.float32 if kind == "float" else np.uint16
        Image.fromarray(array.reshape(20, 30).astype(type_)).save(file, "TIFF")
        yield "image", f"TIFF {kind}", file.getvalue()
