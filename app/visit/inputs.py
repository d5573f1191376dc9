"""What a visitor gives the app, and the changes that can be tried on it.

Nothing here is a model's business: a :class:`Source` says where an input comes from and how it was
changed, :func:`prepare` makes of it what an encoder takes.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from daam_core.encoding import Modality
from daam_core.errors import InputError
from daam_core.inputs.sound import SAMPLE_RATE, Sound, read_image, read_sound, read_text

MIN_SNR, MAX_SNR = -10.0, 40.0  # decibels
MIN_SHARE = 0.005  # of the picture's width and height that a masked region must have

Fill = Literal["mean", "black", "blur"]


@dataclass(frozen=True)
class SoundChange:
    """A part of the clip, with noise on top.

    Attributes:
        start: seconds.
        end: seconds; None is the clip's end.
        snr: signal-to-noise ratio of added white noise in decibels; None adds none.
        seed: of the noise.
    """

    start: float = 0.0
    end: float | None = None
    snr: float | None = None
    seed: int = 0

    def describe(self) -> str:
        parts = []
        if self.start > 0 or self.end is not None:
            parts.append(f"{self.start:.2f} s to {'the end' if self.end is None else f'{self.end:.2f} s'}")
        if self.snr is not None:
            parts.append(f"noise at {self.snr:.0f} dB")
        return ", ".join(parts) or "unchanged"


@dataclass(frozen=True)
class Region:
    """A part of the picture that is covered, in fractions of width and height.

    Attributes:
        left, top, right, bottom: in [0, 1], right > left and bottom > top.
        fill: what it is covered with: the picture's ``mean`` colour, ``black``, or a strong ``blur``.
    """

    left: float
    top: float
    right: float
    bottom: float
    fill: Fill = "mean"

    def describe(self) -> str:
        across, down = (
            f"{low:.0%}–{high:.0%}" for low, high in ((self.left, self.right), (self.top, self.bottom))
        )
        return f"masked {across} across, {down} down"


@dataclass(frozen=True)
class Source:
    """One input.

    Attributes:
        modality: ``audio``, ``text`` or ``image``.
        content: the text, or the path of a file.
        name: what the page calls it; never a folder's name.
        example: id of a built-in example, None for a visitor's own input.
        change: a what-if change of it.
    """

    modality: Modality
    content: str
    name: str
    example: str | None = None
    change: SoundChange | Region | None = None

    def changed(self, change: SoundChange | Region) -> "Source":
        return replace(self, change=change)

    @property
    def title(self) -> str:
        return self.name if self.change is None else f"{self.name} ({self.change.describe()})"


def text_source(text: Any, *, example: str | None = None, name: str | None = None) -> Source:
    """A text, named by its first words.

    Raises:
        InputError: empty, too long, or no text.
    """
    content = read_text(text)
    if name is None:
        words = " ".join(content.split())
        name = f"“{words[:40].rstrip()}{'…' if len(words) > 40 else ''}”"
    return Source("text", content, name, example)


def file_source(
    modality: Modality, path: Any, *, example: str | None = None, name: str | None = None
) -> Source:
    """A sound or picture on disk.

    Raises:
        InputError: no file was given.
    """
    kind = "sound" if modality == "audio" else "picture"
    if not path or not isinstance(path, str | Path):
        raise InputError(f"There is no {kind} yet: give a file, or pick an example.")
    return Source(modality, str(path), name or Path(path).name, example)


def prepare(source: Source) -> Any:
    """What the encoder takes: a text, a path, ``(samples, rate)`` or a Pillow image, changes applied.

    Raises:
        InputError: the input cannot be read, or the change does not fit it.
    """
    if isinstance(source.change, SoundChange):
        sound = change_sound(read_sound(source.content), source.change)
        return sound.samples, sound.rate
    if isinstance(source.change, Region):
        return mask_region(read_image(source.content), source.change)
    return source.content


def digest(source: Source) -> str:
    """SHA-256 of an input's content and change: the same for the same input, whatever its name."""
    content = source.content.encode() if source.modality == "text" else _file_bytes(source)
    seal = hashlib.sha256(f"{source.modality}\n{source.change!r}\n".encode())
    seal.update(content)
    return seal.hexdigest()


def _file_bytes(source: Source) -> bytes:
    try:
        return Path(source.content).read_bytes()
    except OSError as error:
        raise InputError(f"{source.name} is no longer here; give the file again.") from error


def change_sound(sound: Sound, change: SoundChange) -> Sound:
    """A clip's part with white noise at a given signal-to-noise ratio.

    Raises:
        InputError: the part lies outside the clip, or the ratio outside −10 to 40 dB.
    """
    end = sound.seconds if change.end is None else change.end
    if not 0 <= change.start < end:
        raise InputError(f"The part must begin before it ends, got {change.start:.2f} s to {end:.2f} s.")
    if change.start >= sound.seconds:
        raise InputError(
            f"The part begins at {change.start:.2f} s, but the clip lasts only {sound.seconds:.2f} s."
        )
    samples = sound.samples[round(change.start * sound.rate) : round(end * sound.rate)]
    if change.snr is not None:
        if not MIN_SNR <= change.snr <= MAX_SNR:
            raise InputError(
                f"The signal-to-noise ratio must be {MIN_SNR:.0f} to {MAX_SNR:.0f} dB, got {change.snr:.0f}."
            )
        power = float(np.mean(np.square(samples, dtype=np.float64))) if len(samples) else 0.0
        deviation = np.sqrt(power / 10 ** (change.snr / 10))
        noise = np.random.default_rng(change.seed).normal(0.0, deviation, len(samples))
        samples = (samples + noise).astype(np.float32)
    return Sound(samples, sound.rate, sound.facts | {"changed": change.describe()})


def mask_region(picture: Any, region: Region) -> Any:
    """A copy of a Pillow image with a rectangle covered.

    Raises:
        InputError: the region is empty or outside the picture, or its filling unknown.
    """
    from PIL import Image, ImageFilter, ImageStat

    edges = (region.left, region.top, region.right, region.bottom)
    inside = all(0 <= edge <= 1 for edge in edges)
    if not inside or region.right - region.left < MIN_SHARE or region.bottom - region.top < MIN_SHARE:
        raise InputError(
            "The region to mask must lie in the picture and cover some of it: drag a rectangle over it, "
            "or set its four edges."
        )
    width, height = picture.size
    left, right = round(region.left * width), max(round(region.right * width), round(region.left * width) + 1)
    top, bottom = (
        round(region.top * height),
        max(round(region.bottom * height), round(region.top * height) + 1),
    )
    box = (min(left, width - 1), min(top, height - 1), min(right, width), min(bottom, height))
    size = (box[2] - box[0], box[3] - box[1])
    if region.fill == "mean":
        patch = Image.new("RGB", size, tuple(round(v) for v in ImageStat.Stat(picture).mean[:3]))
    elif region.fill == "black":
        patch = Image.new("RGB", size)
    elif region.fill == "blur":
        patch = picture.crop(box).filter(ImageFilter.GaussianBlur(max(size) / 4))
    else:
        raise InputError(f"A region can be filled with mean, black or blur, got {region.fill!r}.")
    changed = picture.copy()
    changed.paste(patch, box)
    return changed


def clip_seconds(source: Source) -> float:
    """Length of a sound in seconds, as the encoder sees it."""
    return read_sound(source.content, rate=SAMPLE_RATE).seconds
