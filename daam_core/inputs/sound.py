"""Sounds, pictures and texts as people bring them, made safe and uniform for the encoders.

Everything is checked from the header before it is decoded, so that a small file cannot claim a lot of
memory. Every refusal is an :class:`~daam_core.errors.InputError` of one sentence that names the file,
never its folder. soundfile, soxr and Pillow are loaded on first use.
"""

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from daam_core.errors import InputError
from daam_core.inputs.files import describe

if TYPE_CHECKING:
    from PIL.Image import Image

SAMPLE_RATE = 16_000  # hertz; what speech encoders are trained on
MIN_SECONDS = 0.1
MAX_SECONDS = 600.0
LOUDEST = 10.0  # full scale is 1; more than 20 dB above it means integers passed as floats
MAX_PIXELS = 100_000_000
MAX_CHARACTERS = 50_000

_BLOCK = 1 << 20  # values decoded at a time
_PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF", "TGA")
_WHITE = (255, 255, 255, 255)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Sound:
    """A mono clip.

    Attributes:
        samples: ``[N]`` float32, full scale 1.
        rate: samples per second.
        facts: plain values about the original: its duration in ``seconds``, ``rate``, ``channels``
            and, for files, ``format``.
    """

    samples: np.ndarray
    rate: int
    facts: dict[str, str | int | float]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read_sound(source: Any, *, rate: int = SAMPLE_RATE) -> Sound:
    """Decode, mix down to mono and resample a clip of 0.1 s to 10 min.

    Files are read in blocks, so the memory used is that of the mono result whatever the rate and the
    number of channels of the original.

    Args:
        source: path, bytes or binary file of WAV, FLAC, OGG, MP3 or another format libsndfile knows,
            recognised by content; or ``(samples, rate)`` with samples ``[N]`` or ``[N, channels]``,
            floats of full scale 1 or integers of their type's full scale.
        rate: samples per second of the result.

    Returns:
        The clip; silence is as good as any other.

    Raises:
        InputError: the source is missing, empty, truncated, no sound, too short, too long, too loud
            to be scaled rightly, or holds NaN or infinity.
    """
    if isinstance(source, tuple):
        return _sound_from_array(*_samples_and_rate(source), rate=rate)
    return _sound_from_file(source, rate=rate)


def read_image(source: Any) -> "Image":
    """A picture as upright RGB on white.

    EXIF orientation is applied, transparency is composited on white, 16-bit and floating-point
    greyscale is scaled to 8 bits, and the first frame of an animation is taken.

    Args:
        source: path, bytes or binary file of PNG, JPEG, WebP, GIF, BMP, TIFF, PPM, JPEG 2000, AVIF
            or TGA; a Pillow image; or an array ``[height, width]`` or ``[height, width, 1|3|4]`` of
            uint8, uint16, bool or floats in [0, 1].

    Returns:
        A Pillow image of mode RGB, at its full size of 1 to 100 million pixels.

    Raises:
        InputError: the source is missing, empty, truncated, no picture or too large.
    """
    from PIL import Image

    if isinstance(source, np.ndarray):
        return _rgb(_picture_from_array(source), "The array")
    if isinstance(source, Image.Image):
        _check_pixels(source.size, "The picture")
        return _rgb(source, "The picture")
    stream, name = _open(source, kind="picture", other="a Pillow image or a numpy array")
    with stream, warnings.catch_warnings():
        # Pillow warns from 89 million pixels on; the limit here is checked below.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            picture = Image.open(stream, formats=_PICTURE_FORMATS)
        except Image.DecompressionBombError as e:
            raise InputError(f"{name} is larger than {MAX_PIXELS:,} pixels; scale it down.") from e
        except _PICTURE_DEFECTS as e:
            raise InputError(
                f"{name} is not a picture that can be read; PNG, JPEG, WebP, GIF, BMP and TIFF can."
            ) from e
        with picture:
            _check_pixels(picture.size, name)
            return _rgb(picture, name)


def read_text(source: Any, *, max_characters: int = MAX_CHARACTERS) -> str:
    """A text that any tokenizer and any page can take, of the same length as the source.

    NUL and lone surrogates, which neither UTF-8 nor HTML can carry, become U+FFFD one for one, so
    that character positions stay those of the source.

    Raises:
        InputError: not a ``str``, nothing but white space, or more than ``max_characters``.
    """
    if not isinstance(source, str):
        raise InputError(f"A text must be given as str, got {type(source).__name__}.")
    if len(source) > max_characters:
        raise InputError(
            f"The text has {len(source):,} characters; at most {max_characters:,} can be explained at once, "
            "so give a part of it."
        )
    if not source.strip():
        raise InputError("The text is empty; give at least one word.")
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", source)


def _open(source: Any, *, kind: str, other: str) -> tuple[IO[bytes], str]:
    """A seekable binary stream of a path, bytes or file, and its name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        stream: IO[bytes] = io.BytesIO(source)
        name = f"The {kind}"
    elif isinstance(source, (str, Path)):
        name = describe(source) or f"The {kind}"
        try:
            found = Path(source).is_file()  # a folder is not, nor a device that could be read forever
            stream = Path(source).open("rb") if found else io.BytesIO()  # noqa: SIM115
        except (OSError, ValueError) as e:
            reason = getattr(e, "strerror", None) or "its name is not valid"
            raise InputError(f"{name} cannot be opened: {reason}.") from e
        if not found:
            raise InputError(f"There is no {kind} file called {name}.")
    elif hasattr(source, "read"):
        # Read whole: the caller keeps its file, a pipe will do, and a text file is noticed here.
        try:
            if source.seekable():
                source.seek(0)
            content = source.read()
        except (OSError, ValueError) as e:
            raise InputError(f"The {kind} file cannot be read: {e}.") from e
        if not isinstance(content, bytes):
            raise InputError(f"The {kind} file must be opened in binary mode.")
        return _open(content, kind=kind, other=other)
    else:
        raise InputError(
            f"A {kind} must be a path, bytes, a binary file, {other}, got {type(source).__name__}."
        )
    if not stream.read(1):
        stream.close()
        raise InputError(f"{name} is empty (0 bytes).")
    stream.seek(0)
    return stream, name


# Sound


def _samples_and_rate(source: tuple[Any, ...]) -> tuple[np.ndarray, int]:
    if len(source) != 2 or isinstance(source[0], (str, bytes)):
        raise InputError("A sound given as a tuple must be (samples, rate).")
    try:
        samples = np.asarray(source[0])
        rate = float(source[1])
    except (TypeError, ValueError, RuntimeError) as e:
        raise InputError("A sound given as a tuple must be (samples, rate), an array and a number.") from e
    if not (np.isfinite(rate) and rate >= 1 and rate == int(rate)):
        raise InputError(f"The sampling rate must be a whole number of hertz from 1, got {source[1]}.")
    if samples.ndim not in (1, 2) or samples.dtype.kind not in "iuf":
        raise InputError(
            f"Samples must be real numbers of shape [N] or [N, channels], "
            f"got {samples.dtype} of shape {list(samples.shape)}."
        )
    if samples.ndim == 2 and samples.shape[1] > max(samples.shape[0], 2):
        raise InputError(
            f"Samples of shape {list(samples.shape)} would be {samples.shape[1]:,} channels; "
            "channels come second, so transpose the array."
        )
    return samples, int(rate)


def _sound_from_array(samples: np.ndarray, original_rate: int, *, rate: int) -> Sound:
    name = "The sound"
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    _check_seconds(len(samples) / original_rate if channels else 0.0, name)
    mixer = _Mixer(original_rate, rate, name)
    step = max(1, _BLOCK // channels)
    for start in range(0, len(samples), step):
        block = samples[start : start + step]
        mixer.add(_full_scale_one(block).reshape(len(block), channels))
    facts = {"seconds": len(samples) / original_rate, "rate": original_rate, "channels": channels}
    return Sound(mixer.finish(), rate, facts)


def _full_scale_one(samples: np.ndarray) -> np.ndarray:
    kind, bits = samples.dtype.kind, 8 * samples.dtype.itemsize
    if kind == "f":
        return samples.astype(np.float32)
    middle = 2.0 ** (bits - 1)
    return ((samples.astype(np.float64) - (middle if kind == "u" else 0.0)) / middle).astype(np.float32)


def _sound_from_file(source: Any, *, rate: int) -> Sound:
    import soundfile

    stream, name = _open(source, kind="sound", other="or (samples, rate)")
    with stream:
        cut = _ends_inside_ogg_page(stream)
        guessed = _is_mp3_without_length(stream)
        try:
            # Without its name, which would make libsndfile trust the extension.
            file = soundfile.SoundFile(_Nameless(stream))
        except (soundfile.LibsndfileError, TypeError) as e:
            raise InputError(
                f"{name} is not a sound that can be read, or is damaged; WAV, FLAC, OGG and MP3 can be read."
            ) from e
        with file:
            if cut or _ends_inside_chunk(file.extra_info):
                raise InputError(f"{name} is truncated: it ends before the sound that its header announces.")
            # Compressed formats only estimate their length until they are decoded.
            _check_seconds(file.frames / file.samplerate, name)
            mixer = _Mixer(file.samplerate, rate, name)
            step = max(1, _BLOCK // file.channels)
            frames = 0
            while True:
                try:
                    block = file.read(step, dtype="float32", always_2d=True)
                except soundfile.LibsndfileError as e:
                    raise InputError(
                        f"{name} is truncated or damaged: it cannot be decoded to its end."
                    ) from e
                if not len(block):
                    break
                frames += len(block)
                _check_seconds(frames / file.samplerate, name, at_least=0.0)
                mixer.add(block)
            if frames < file.frames and not guessed:
                raise InputError(f"{name} is truncated: it ends before the sound that its header announces.")
            facts = {
                "seconds": frames / file.samplerate,
                "rate": file.samplerate,
                "channels": file.channels,
                "format": file.format,
            }
            return Sound(mixer.finish(), rate, facts)


class _Nameless:
    """A binary stream without the attribute ``name``."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.read, self.seek, self.tell = stream.read, stream.seek, stream.tell
        self.readinto = stream.readinto  # type: ignore[attr-defined]


class _Mixer:
    """Blocks ``[n, channels]`` in, one mono float32 ``[N]`` at another rate out."""

    def __init__(self, original_rate: int, rate: int, name: str) -> None:
        import soxr

        self._name = name
        self._resampler = (
            None if original_rate == rate else soxr.ResampleStream(original_rate, rate, 1, dtype="float32")
        )
        self._parts: list[np.ndarray] = []

    def add(self, block: np.ndarray) -> None:
        loudest = float(np.abs(block).max(initial=0.0))
        if not np.isfinite(loudest):
            raise InputError(f"{self._name} holds samples that are NaN or infinite.")
        if loudest > LOUDEST:
            raise InputError(
                f"{self._name} has floating-point samples up to {loudest:,.0f}; their full scale must be 1, "
                "so divide them, or give integers."
            )
        mono = block.mean(axis=1, dtype=np.float32)
        self._parts.append(mono if self._resampler is None else self._resampler.resample_chunk(mono))

    def finish(self) -> np.ndarray:
        if self._resampler is not None:
            self._parts.append(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        return np.concatenate(self._parts)


def _check_seconds(seconds: float, name: str, *, at_least: float = MIN_SECONDS) -> None:
    # Rounded, because encoders such as MP3's pad a clip by some milliseconds.
    if round(seconds, 1) > MAX_SECONDS:
        raise InputError(
            f"{name} lasts {seconds:,.1f} s; sounds of up to {MAX_SECONDS:.0f} s can be explained, so cut it."
        )
    if round(seconds, 3) < at_least:
        raise InputError(f"{name} lasts {seconds:.3f} s; a sound must last at least {at_least} s.")


def _ends_inside_chunk(log: str) -> bool:
    """Whether libsndfile's log says that a WAV or AIFF file is shorter than its sound chunk.

    Programs that write to a pipe announce 2³¹ bytes or more because they do not know: not a defect.
    """
    found = re.search(r"^ *(?:data|SSND) : (\d+) \(should be (\d+)\)", log, re.MULTILINE)
    return found is not None and int(found[2]) < int(found[1]) < 0x7FFF_0000


def _ends_inside_ogg_page(stream: IO[bytes]) -> bool:
    """Whether an OGG file's last page reaches beyond its end; libsndfile plays what there is."""
    longest = 27 + 255 + 255 * 255  # bytes of a page: header, segment table, segments
    magic = stream.read(4)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - longest))
    tail = stream.read() if magic == b"OggS" else b""
    stream.seek(0)
    page = tail.rfind(b"OggS")
    if page < 0:
        return False
    if len(tail) < page + 27:
        return True
    table = tail[page + 27 : page + 27 + tail[page + 26]]
    return page + 27 + tail[page + 26] + sum(table) > len(tail)


def _is_mp3_without_length(stream: IO[bytes]) -> bool:
    """Whether this is an MP3 that does not say how many frames it has.

    Its length is then guessed from its size, tags included, so a shorter sound is no sign of damage.
    """
    start = stream.read(10)
    if start[:3] == b"ID3" and len(start) == 10:
        size = sum(byte << shift for byte, shift in zip(start[6:], (21, 14, 7, 0), strict=True))
        stream.seek(10 + size)
        start = b""
    start += stream.read(256)
    stream.seek(0)
    is_mp3 = len(start) > 2 and start[0] == 0xFF and start[1] & 0xE0 == 0xE0
    return is_mp3 and not any(mark in start for mark in (b"Xing", b"Info", b"VBRI"))


# Pictures

#: What Pillow's decoders raise on damaged files.
_PICTURE_DEFECTS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, AttributeError,
    EOFError, OverflowError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip


def _check_pixels(size: tuple[int, int], name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise InputError(f"{name} has no pixels ({width}×{height}).")
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{name} is {width:,}×{height:,} pixels; at most {MAX_PIXELS:,} can be read, so scale it down."
        )


def _picture_from_array(array: np.ndarray) -> "Image":
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


def _rgb(picture: "Image", name: str) -> "Image":
    """Decode, turn upright, scale to 8 bits and composite on white."""
    from PIL import Image

    try:
        picture.load()
        orientation = _orientation(picture)
        if picture.mode.startswith("I") or picture.mode == "F":
            picture = _eight_bits(picture, name)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, _WHITE), picture)
        rgb = picture.convert("RGB")
    except InputError:
        raise
    except _PICTURE_DEFECTS as e:
        raise InputError(f"{name} is truncated or damaged: its pixels cannot be decoded.") from e
    turn = _TURNS.get(orientation)
    return rgb if turn is None else rgb.transpose(Image.Transpose[turn])


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


def _orientation(picture: "Image") -> int:
    from PIL import ExifTags

    try:
        return picture.getexif().get(ExifTags.Base.Orientation, 1)
    except _PICTURE_DEFECTS:
        return 1  # a damaged description does not make the pixels unreadable


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
