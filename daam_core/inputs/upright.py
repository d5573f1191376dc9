"""A decoded picture made upright RGB on white, in little memory."""

import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from daam_core.errors import InputError
from daam_core.inputs.grey import eight_bits

if TYPE_CHECKING:
    from PIL.Image import Image

#: What Pillow's decoders raise on damaged files.
DEFECTS = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(EOFError, OverflowError, RuntimeError, struct.error, zlib.error),
)

_WHITE = (255, 255, 255, 255)
_BAND = 1 << 20  # pixels put on white at a time
#: EXIF orientation → how to turn the picture upright.
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def upright_rgb(
    image: "Image", name: str, repaired: Sequence[str] = (), *, owned: bool = False
) -> tuple["Image", dict[str, str | int | float]]:
    """Decode, turn upright, scale to 8 bits and composite on white: the pixels, and the facts.

    Args:
        image: as Pillow opened it; it is left as it is, except that it is decoded.
        name: what messages call it.
        repaired: what was done with it before.
        owned: nobody else uses it: its pixels may be taken as they are, or freed.

    Raises:
        InputError: it is damaged, or its values cannot be scaled.
    """
    from PIL import Image

    picture, mode, done = image, image.mode, list(repaired)
    try:
        picture.load()
        turn = _TURNS.get(_orientation(picture))
        if picture.mode.startswith("I") or picture.mode == "F":
            picture, said = eight_bits(picture, name)
            done.append(said)
        if picture.has_transparency_data:
            rgb = _on_white(picture)
            done.append("put on white")
        else:
            # A copy where it is RGB already and the caller's own.
            rgb = picture if owned and picture.mode == "RGB" else picture.convert("RGB")
    except InputError:
        raise
    except DEFECTS as e:
        raise InputError(f"{name} is truncated or damaged: its pixels cannot be decoded.") from e
    if owned and rgb is not image:
        Image.Image.close(image)  # its pixels: a file's own close would close the file too
    if turn is not None:
        rgb = rgb.transpose(Image.Transpose[turn])
        done.append("turned upright")
    if _is_animated(image):
        done.append("first frame taken")
    facts: dict[str, str | int | float] = {"width": rgb.width, "height": rgb.height, "mode": mode}
    if image.format is not None:
        facts["format"] = image.format
    if done:
        facts["repaired"] = ", ".join(done)
    return rgb, facts


def _on_white(picture: "Image") -> "Image":
    """In bands: as a whole it would take four copies of four bytes a pixel."""
    from PIL import Image

    rgb = Image.new("RGB", picture.size)
    step = max(1, _BAND // picture.width)
    for top in range(0, picture.height, step):
        box = (0, top, picture.width, min(top + step, picture.height))
        band = picture.crop(box).convert("RGBA")
        rgb.paste(Image.alpha_composite(Image.new("RGBA", band.size, _WHITE), band).convert("RGB"), box)
    return rgb


def _orientation(picture: "Image") -> int:
    from PIL import ExifTags

    try:
        orientation: int = picture.getexif().get(ExifTags.Base.Orientation, 1)
        return orientation
    except DEFECTS:
        return 1  # a damaged description does not make the pixels unreadable


def _is_animated(picture: "Image") -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except DEFECTS:
        return True  # a damaged second frame is there, and does not matter
