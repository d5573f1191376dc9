"""What kind of TIFF a file is, where Pillow cannot read it."""

from typing import IO

_BITS, _SAMPLES, _SAMPLE_FORMAT, _COMPRESSION = 258, 277, 339, 259
_SAMPLE_FORMATS = {
    1: "integers",
    2: "signed integers",
    3: "floating-point numbers",
    5: "complex integers",
    6: "complex numbers",
}


def tiff_kind(stream: IO[bytes]) -> str:
    """Such as ``64-bit floating-point numbers in 1 channel``; empty where its header cannot be read."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    try:
        stream.seek(0)
        header = stream.read(8)
        if header[2:3] == b"+" or header[3:4] == b"+":
            header += stream.read(8)
        tags = ImageFileDirectory_v2(header)
        stream.seek(tags.next)
        tags.load(stream)
        (bits, *_), channels = tags.get(_BITS, (1,)), int(tags.get(_SAMPLES, 1))
        kind = _SAMPLE_FORMATS.get(tags.get(_SAMPLE_FORMAT, (1,))[0], "values")
    except Exception:  # whatever a damaged header makes of itself: it then has no kind
        return ""
    return f"{bits}-bit {kind} in {channels} channel{'s' if channels != 1 else ''}"
