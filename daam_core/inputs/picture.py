"""Pictures as people bring them, made upright RGB on white.

Everything is checked from the header before it is decoded, so that a small file cannot claim a lot of
memory. Every refusal is an :class:`~daam_core.errors.InputError` of one sentence that names the file,
never its folder. Pillow is loaded on first use.
"""

import hashlib
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, ClassVar, Literal

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.base import BaseInput
from daam_core.inputs.files import called, open_file, sha256_of
from daam_core.inputs.first_bytes import HEAD, format_of
from daam_core.inputs.modality import Modality

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 100_000_000

Fill = Literal["mean", "black", "blur"]

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA", "HEIF")
_WHITE = (255, 255, 255, 255)
#: What Pillow's decoders raise on damaged files.
_DEFECTS = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError),
    *(EOFError, OverflowError, RuntimeError, struct.error, zlib.error),
)
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

    EXIF orientation is applied, transparency is composited on white, 16-bit and floating-point
    greyscale is scaled to 8 bits, and the first frame of an animation is taken.

    Args:
        given: path, bytes or binary file of PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000, AVIF,
            HEIC or TGA; a Pillow image; or an array ``[height, width]`` or ``[height, width, 1|3|4]`` of
            uint8, uint16, bool or floats in [0, 1].

    Returns:
        The picture at its full size of 1 to 100 million pixels.

    Raises:
        InputError: it is missing, empty, truncated, no picture or too large.
    """
    from PIL import Image

    if isinstance(given, np.ndarray):
        return _of_pixels(_from_array(given), "The array")
    if isinstance(given, Image.Image):
        _check_pixels(given.size, "The picture")
        return _of_pixels(given, "The picture")
    stream, name = open_file(given, kind="picture", other="a Pillow image or a numpy array")
    label = called(name, "picture")
    with stream, warnings.catch_warnings():
        # Pillow warns from 89 million pixels on; the limit here is checked below.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            _with_heif(stream)
            picture: Image.Image = Image.open(stream, formats=_FORMATS)
        except Image.DecompressionBombError as e:
            raise InputError(f"{label} is larger than {MAX_PIXELS:,} pixels; scale it down.") from e
        except _DEFECTS as e:
            raise InputError(
                f"{label} is not a picture that can be read; PNG, JPEG, WebP, GIF, BMP and TIFF can."
            ) from e
        with picture:
            _check_pixels(picture.size, label)
            rgb, facts = _upright_rgb(picture, label)
        # Asked only now: a file that is refused from its header is not read to its end.
        sha256 = sha256_of(stream)
    return Picture(name=name or "picture", facts=facts, sha256=sha256, rgb=rgb)


def _with_heif(stream: IO[bytes]) -> None:
    """Teach Pillow to read HEIC, as phones write it, where a file is one."""
    found = format_of(stream.read(HEAD))
    stream.seek(0)
    if found is not None and found.name == "HEIC":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)


def _of_pixels(image: "Image", label: str) -> Picture:
    """Of an image in memory, whose hash is that of its upright pixels."""
    rgb, facts = _upright_rgb(image, label)
    seal = hashlib.sha256(f"RGB {rgb.size}\n".encode())
    seal.update(rgb.tobytes())
    return Picture(name="picture", facts=facts, sha256=seal.hexdigest(), rgb=rgb)


def _upright_rgb(image: "Image", label: str) -> tuple["Image", dict[str, str | int | float]]:
    """Decode, turn upright, scale to 8 bits and composite on white: the pixels, and the facts."""
    from PIL import Image

    picture, mode, repaired = image, image.mode, []
    try:
        picture.load()
        turn = _TURNS.get(_orientation(picture))
        if picture.mode.startswith("I") or picture.mode == "F":
            picture = _eight_bits(picture, label)
            repaired.append("scaled to 8 bits")
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture)
            repaired.append("put on white")
        # A copy where it is RGB already: the caller keeps its own.
        rgb = picture.convert("RGB")
    except InputError:
        raise
    except _DEFECTS as e:
        raise InputError(f"{label} is truncated or damaged: its pixels cannot be decoded.") from e
    if turn is not None:
        rgb = rgb.transpose(Image.Transpose[turn])
        repaired.append("turned upright")
    if _is_animated(image):
        repaired.append("first frame taken")
    facts: dict[str, str | int | float] = {"width": rgb.width, "height": rgb.height, "mode": mode}
    if image.format is not None:
        facts["format"] = image.format
    if repaired:
        facts["repaired"] = ", ".join(repaired)
    return rgb, facts


def _check_pixels(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width}×{height}).")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} is {width:,}×{height:,} pixels; at most {MAX_PIXELS:,} can be read, so scale it down."
        )


def _from_array(array: np.ndarray) -> "Image":
    from PIL import Image

    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (1, 3, 4)):
        raise InputError(
            "A picture array must have the shape [height, width] or [height, width, 1, 3 or 4], "
            f"got {list(array.shape)}."
        )
    _check_pixels((array.shape[1], array.shape[0]), "The array")
    if array.dtype == np.uint16:
        array = array / np.float32(65535)
    if array.dtype == bool or array.dtype.kind == "f":
        # The negated comparison also catches NaN.
        if not bool((array >= 0).all() and (array <= 1).all()):
            raise InputError("A picture array of floats must lie in [0, 1]; divide it, or use uint8.")
        array = np.rint(array * np.float32(255)).astype(np.uint8)
    if array.dtype != np.uint8:
        raise InputError(
            f"A picture array must be uint8, uint16, bool or floats in [0, 1], got {array.dtype}."
        )
    return Image.fromarray(np.ascontiguousarray(array.squeeze(2) if array.shape[2:] == (1,) else array))


def _orientation(picture: "Image") -> int:
    from PIL import ExifTags

    try:
        orientation: int = picture.getexif().get(ExifTags.Base.Orientation, 1)
        return orientation
    except _DEFECTS:
        return 1  # a damaged description does not make the pixels unreadable


def _is_animated(picture: "Image") -> bool:
    try:
        return bool(getattr(picture, "is_animated", False))
    except _DEFECTS:
        return True  # a damaged second frame is there, and does not matter


def _eight_bits(picture: "Image", name: str) -> "Image":
    """16-bit integers are scaled by 257; floats by 255 where they lie in [0, 1]."""
    from PIL import Image

    values = np.asarray(picture, dtype=np.float32)
    low, high = float(values.min()), float(values.max())
    # Comparisons with NaN are false.
    if not (low >= 0 and high <= 65535):
        raise InputError(
            f"{name} has values from {low:g} to {high:g}; greyscale pictures need values in 0…65535, or 0…1."
        )
    in_bytes = picture.mode == "F" and high <= 255
    scale = (255.0 if high <= 1 else 1.0) if in_bytes else 1 / 257
    return Image.fromarray(np.rint(values * np.float32(scale)).astype(np.uint8))
