"""What-if changes: a part of a sound, noise on it, a covered region of a picture, an edited text.

Pure functions; a changed input keeps its original's name, facts and hash, and says how it was changed.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, overload

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.decoded import check_seconds
from daam_core.inputs.limits import MIN_SECONDS
from daam_core.inputs.picture import Picture, Region
from daam_core.inputs.sound import Sound, SoundChange
from daam_core.inputs.text import Edit, Text, read_text

if TYPE_CHECKING:
    from PIL.Image import Image

Change = SoundChange | Region | Edit

MIN_SNR, MAX_SNR = -10.0, 40.0  # decibels
SILENCE_DB = 40.0  # below a clip's loudest frame
SILENCE_FRAME = 0.032  # seconds
MIN_SHARE = 0.005  # of the picture's width and height that a masked region must have


@overload
def changed(given: Sound, change: SoundChange) -> Sound: ...
@overload
def changed(given: Picture, change: Region) -> Picture: ...
@overload
def changed(given: Text, change: Edit) -> Text: ...
@overload
def changed(given: Sound | Picture | Text, change: Change) -> Sound | Picture | Text: ...
def changed(given: Sound | Picture | Text, change: Change) -> Sound | Picture | Text:
    """An input as the change makes it; the original stays as it is.

    >>> from daam_core.inputs import Edit, changed, read_text
    >>> changed(read_text("A good film."), Edit("A bad film.")).title
    '“A good film.” (edited)'

    Raises:
        InputError: the change does not fit the input, or it was changed before: changes start from
            the original.
    """
    if given.change is not None:
        raise InputError(f"{given.title} was changed before; change the original instead.")
    if isinstance(given, Sound) and isinstance(change, SoundChange):
        return replace(given, samples=_part_with_noise(given, change), change=change)
    if isinstance(given, Picture) and isinstance(change, Region):
        return replace(given, rgb=_masked(given.rgb, change), change=change)
    if isinstance(given, Text) and isinstance(change, Edit):
        return replace(given, content=read_text(change.text).content, change=change)
    raise InputError(f"A change of the kind {type(change).__name__} does not fit {given.name}.")


def without_silence(sound: Sound) -> Sound:
    """A clip from its first to its last sound, a little margin included; as it is where that is all.

    What lies more than :data:`SILENCE_DB` below the loudest frame counts as silence.
    """
    import librosa

    _, (start, end) = librosa.effects.trim(
        sound.samples,
        top_db=SILENCE_DB,
        frame_length=round(SILENCE_FRAME * sound.rate),
        hop_length=round(SILENCE_FRAME * sound.rate / 4),
    )
    cut = start > 0 or end < len(sound.samples)
    if not cut or (end - start) / sound.rate < MIN_SECONDS:
        return sound
    return changed(sound, SoundChange(start / sound.rate, end / sound.rate))


def _part_with_noise(sound: Sound, change: SoundChange) -> np.ndarray:
    """A clip's part with white noise at a given signal-to-noise ratio."""
    end = sound.seconds if change.end is None else change.end
    if not 0 <= change.start < end:
        raise InputError(f"The part must begin before it ends, got {change.start:.2f} s to {end:.2f} s.")
    if change.start >= sound.seconds:
        raise InputError(
            f"The part begins at {change.start:.2f} s, but the clip lasts only {sound.seconds:.2f} s."
        )
    samples = sound.samples[round(change.start * sound.rate) : round(end * sound.rate)]
    check_seconds(len(samples) / sound.rate, "The part")
    if change.snr is not None:
        if not MIN_SNR <= change.snr <= MAX_SNR:
            raise InputError(
                f"The signal-to-noise ratio must be {MIN_SNR:.0f} to {MAX_SNR:.0f} dB, got {change.snr:.0f}."
            )
        power = float(np.mean(np.square(samples, dtype=np.float64)))
        deviation = np.sqrt(power / 10 ** (change.snr / 10))
        noise = np.random.default_rng(change.seed).normal(0.0, deviation, len(samples))
        samples = (samples + noise).astype(np.float32)
    return samples


def _masked(picture: "Image", region: Region) -> "Image":
    """A copy with a rectangle covered."""
    from PIL import Image, ImageFilter, ImageStat

    edges = (region.left, region.top, region.right, region.bottom)
    inside = all(0 <= edge <= 1 for edge in edges)
    if not inside or region.right - region.left < MIN_SHARE or region.bottom - region.top < MIN_SHARE:
        raise InputError(
            "The region to mask must lie in the picture and cover some of it: drag a rectangle over it, "
            "or set its four edges."
        )
    left, right = _pixels(region.left, region.right, picture.width)
    top, bottom = _pixels(region.top, region.bottom, picture.height)
    size = (right - left, bottom - top)
    if region.fill == "mean":
        patch = Image.new("RGB", size, tuple(round(value) for value in ImageStat.Stat(picture).mean[:3]))
    elif region.fill == "black":
        patch = Image.new("RGB", size)
    elif region.fill == "blur":
        box = (left, top, right, bottom)
        patch = picture.crop(box).filter(ImageFilter.GaussianBlur(max(size) / 4))
    else:
        raise InputError(f"A region can be filled with mean, black or blur, got {region.fill!r}.")
    covered = picture.copy()
    covered.paste(patch, (left, top, right, bottom))
    return covered


def _pixels(low: float, high: float, side: int) -> tuple[int, int]:
    """First pixel and end of a range of shares of a side: at least one pixel, all within it."""
    first, end = round(low * side), max(round(high * side), round(low * side) + 1)
    return min(first, side - 1), min(end, side)
