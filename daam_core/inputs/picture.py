"""Pictures as people bring them, made upright RGB on white.

Everything is checked from the header before it is decoded, so that a small file cannot claim a lot of
memory. Every refusal is an :class:`~daam_core.errors.InputError` of one sentence that names the file,
never its folder. Pillow is loaded on first use.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from daam_core.inputs.arrays import is_tensor
from daam_core.inputs.base import BaseInput
from daam_core.inputs.files import called, open_file, sha256_of
from daam_core.inputs.modality import Modality
from daam_core.inputs.picture_files import check_size, opened_picture
from daam_core.inputs.pixels import image_of_array
from daam_core.inputs.quiet import silenced
from daam_core.inputs.upright import upright_rgb

if TYPE_CHECKING:
    from PIL.Image import Image

Fill = Literal["mean", "black", "blur"]


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


@dataclass(frozen=True, kw_only=True)
class Picture(BaseInput):
    """A picture.

    Attributes:
        rgb: a Pillow image of mode RGB, upright, on white; nobody changes it.
        facts: ``width`` and ``height`` in pixels, upright; the original's Pillow ``mode`` and, for
            files, ``format``; and ``repaired``: what was done to make it upright RGB on white.
    """

    modality: ClassVar[Modality] = "image"
    rgb: "Image" = field(repr=False, compare=False)
    change: Region | None = None

    @property
    def width(self) -> int:
        return self.rgb.width

    @property
    def height(self) -> int:
        return self.rgb.height

    @property
    def nbytes(self) -> int:
        """Memory that the pixels take."""
        return 3 * self.width * self.height


def read_picture(given: object) -> Picture:
    """A picture as upright RGB on white.

    EXIF orientation is applied, transparency is composited on white, greyscale of more than 8 bits is
    scaled to 8, the first frame of an animation is taken, and a large JPEG is decoded at a part of its
    size. What was done stands in the facts.

    Args:
        given: path, bytes or binary file of PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000, AVIF,
            HEIC or TGA; a Pillow image; or an array ``[height, width]`` or ``[height, width, 1|3|4]`` of
            uint8, uint16, bool or floats in [0, 1].

    Returns:
        The picture, of 1 to 30 million pixels.

    Raises:
        InputError: it is missing, empty, truncated, no picture or too large.
    """
    from PIL import Image

    if isinstance(given, np.ndarray) or is_tensor(given):
        image, repaired = image_of_array(given)
        return _of_pixels(image, "The array", repaired)
    if isinstance(given, Image.Image):
        check_size(given.size, "The picture")
        return _of_pixels(given, "The picture", [])
    stream, name = open_file(given, kind="picture", other="a Pillow image or a numpy array")
    label = called(name, "picture")
    with stream, silenced():
        with opened_picture(stream, label) as (picture, repaired):
            rgb, facts = upright_rgb(picture, label, repaired, owned=True)
        # Asked only now: a file that is refused from its header is not read to its end.
        sha256 = sha256_of(stream)
    return Picture(name=name or "picture", facts=facts, sha256=sha256, rgb=rgb)


def _of_pixels(image: "Image", label: str, repaired: list[str]) -> Picture:
    """Of an image in memory, whose hash is that of its upright pixels."""
    rgb, facts = upright_rgb(image, label, repaired)
    seal = hashlib.sha256(f"RGB {rgb.size}\n".encode())
    seal.update(rgb.tobytes())
    return Picture(name="picture", facts=facts, sha256=seal.hexdigest(), rgb=rgb)
