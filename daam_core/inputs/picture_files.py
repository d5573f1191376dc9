"""Picture files, opened: limits from the header, reduced decoding of large ones, small damage repaired."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.first_bytes import HEAD, format_of
from daam_core.inputs.limits import MAX_ASPECT, MAX_PIXELS, MAX_REDUCED_PIXELS, MAX_WEBP_PIXELS, MISSING_SHARE
from daam_core.inputs.refusals import unreadable
from daam_core.inputs.tiff import tiff_kind
from daam_core.inputs.upright import DEFECTS

if TYPE_CHECKING:
    from PIL.Image import Image

_UNHEARD = logging.NullHandler()
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA", "HEIF")
_JPEG_END = b"\xff\xd9"
_COMPARED_SIDE = 1000  # pixels, at least, of what is compared for damage
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})


@contextmanager
def opened_picture(stream: IO[bytes], name: str) -> Iterator[tuple["Image", list[str]]]:
    """A file's picture, not larger than it may be decoded, and what was done to read it.

    Args:
        stream: of the file.
        name: what messages call it.

    Raises:
        InputError: it is no picture, damaged, or too large.
    """
    from PIL import Image

    # Pillow's own words on damaged files, which Python prints where nobody set up logging.
    logging.getLogger("PIL").addHandler(_UNHEARD)
    head = stream.read(HEAD)
    found = format_of(head)
    kind = "" if found is None else found.name
    if kind == "HEIC":
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False)
    with warnings.catch_warnings():
        # Pillow warns of large pictures, which are checked here, and of damage, which is said here.
        warnings.simplefilter("ignore")
        source, repaired = _whole_jpeg(stream, name) if kind == "JPEG" else (stream, [])
        try:
            picture = _open(source)
        except Image.DecompressionBombError as e:
            raise InputError(f"{name} is larger than {MAX_PIXELS:,} pixels; scale it down.") from e
        except DEFECTS as e:
            if kind in ("TIFF", "BigTIFF") and (said := tiff_kind(stream)):
                raise InputError(
                    f"{name} is a TIFF file of {said}, which cannot be read, or damaged; "
                    "save it with 8 or 16 bits a channel."
                ) from e
            if kind != "PNG":
                raise unreadable(head, name, "picture") from e
            picture = _open_without_texts(stream, name)
            repaired = ["its long texts left out"]
        with picture:
            if said := _reduce(picture, name):
                repaired.append(said)
            yield picture, repaired


def check_size(size: tuple[int, int], name: str, *, most: int = MAX_PIXELS) -> None:
    """Refuse a picture with no pixels, with too many, or with one side far longer than the other.

    Raises:
        InputError: it is such a one.
    """
    width, height = size
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width}×{height}).")
    if max(size) > MAX_ASPECT * min(size):
        raise InputError(
            f"{name} is {width:,}×{height:,} pixels; a side may be up to {MAX_ASPECT} times as long as the "
            "other, so give a part of it."
        )
    if width * height > most:
        raise InputError(
            f"{name} is {width:,}×{height:,} pixels; at most {most:,} can be read, so scale it down."
        )


def _open(source: IO[bytes]) -> "Image":
    from PIL import Image

    source.seek(0)
    return Image.open(source, formats=_FORMATS)


def _reduce(picture: "Image", name: str) -> str:
    """Have a large JPEG or JPEG 2000 picture decoded at a half, a quarter or an eighth of its size."""
    original, kind = picture.size, picture.format
    # A progressive one is decoded whole before it can be made smaller.
    reducible = (kind in ("JPEG", "MPO") and not picture.info.get("progressive")) or kind == "JPEG2000"
    most = MAX_WEBP_PIXELS if kind == "WEBP" else MAX_PIXELS
    check_size(original, name, most=MAX_REDUCED_PIXELS if reducible else most)
    if original[0] * original[1] <= MAX_PIXELS:
        return ""
    for factor in (2, 4, 8):
        if original[0] * original[1] <= MAX_PIXELS * factor**2:
            break
    if kind == "JPEG2000":
        picture.reduce = factor.bit_length() - 1  # type: ignore[assignment]
    else:
        picture.draft("", (original[0] // factor, original[1] // factor))
    return f"decoded at 1/{factor} of its {original[0]:,}×{original[1]:,} pixels"


def _whole_jpeg(stream: IO[bytes], name: str) -> tuple[IO[bytes], list[str]]:
    """A JPEG file with an end, where hardly more than that is missing.

    libjpeg does not tell how much of a picture it made up. So the file is decoded with two different
    endings: where the two pictures agree, the file itself was enough.

    Raises:
        InputError: a good part is missing.
    """
    stream.seek(-2, io.SEEK_END)
    if stream.read() == _JPEG_END or _decodes(stream):
        return stream, []
    stream.seek(0)
    content = stream.read().rstrip(b"\xff")  # half an end mark
    endings = [byte * 100_000 + _JPEG_END for byte in (b"\x00", b"\x55")]
    one, other = (_pixels(content + ending) for ending in endings)
    if one is None or other is None or one.shape != other.shape:
        raise InputError(f"{name} is truncated or damaged: its pixels cannot be decoded.")
    missing = _missing(one != other)
    if missing > MISSING_SHARE:
        raise InputError(
            f"{name} is truncated: {missing:.0%} of the picture are missing; get the whole file."
        )
    if missing > 0:
        said = f"read although its last {max(missing, 0.001):.1%} are missing"
    elif _is_progressive(content):
        said = "its end mark added, its finest details may be missing"
    else:
        said = "its end mark added"
    return io.BytesIO(content + _JPEG_END), [said]


def _is_progressive(content: bytes) -> bool:
    with _open(io.BytesIO(content)) as picture:
        return bool(picture.info.get("progressive"))


def _missing(differ: np.ndarray) -> float:
    """Share of a picture from the first block on that two endings made differently, in reading order."""
    height, width = differ.shape[:2]
    places = np.argwhere(differ)
    if not len(places):
        return 0.0
    top: int = int(places[0, 0])
    blocks = min(16, height - top)  # high, at most
    left: int = int(places[places[:, 0] < top + 8, 1].min())
    return float(1 - (top + blocks * left / width) / height)


def _decodes(stream: IO[bytes]) -> bool:
    """Whether a picture is complete for Pillow; other bytes may follow its end mark."""
    try:
        with _open(stream) as picture:
            check_size(picture.size, "", most=MAX_REDUCED_PIXELS)
            picture.draft("", (_COMPARED_SIDE, _COMPARED_SIDE))
            picture.load()
    except (*DEFECTS, InputError):
        return False
    return True


def _pixels(content: bytes) -> np.ndarray | None:
    """Decoded, at a part of its size where it is large."""
    try:
        with _open(io.BytesIO(content)) as picture:
            check_size(picture.size, "", most=MAX_REDUCED_PIXELS)
            picture.draft("", (_COMPARED_SIDE, _COMPARED_SIDE))
            return np.asarray(picture)
    except (*DEFECTS, InputError):
        return None


def _open_without_texts(stream: IO[bytes], name: str) -> "Image":
    """A PNG file without its texts, of which Pillow takes only some."""
    stream.seek(0)
    content = stream.read()
    kept, at = [content[:8]], 8
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] not in _TEXT_CHUNKS:
            kept.append(content[at:end])
        at = end
    try:
        return _open(io.BytesIO(b"".join(kept)))
    except DEFECTS as e:
        raise InputError(f"{name} is truncated or damaged: its pixels cannot be decoded.") from e
