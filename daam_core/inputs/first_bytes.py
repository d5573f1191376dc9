"""What a file is, by its first bytes: whatever its name says."""

from dataclasses import dataclass
from typing import Literal

Holds = Literal["sound", "picture", "video", "document", "archive"]

HEAD = 4096  # bytes that tell every format that is known here


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes:
        name: as people call it.
        holds: what is in such a file; a ``video`` may have a sound track.
    """

    name: str
    holds: Holds


#: (place, bytes there, format), the first that fits counts.
_MARKS: tuple[tuple[int, bytes, Format], ...] = (
    (8, b"WAVE", Format("WAV", "sound")),
    (8, b"WEBP", Format("WEBP", "picture")),
    (8, b"AVI ", Format("AVI", "video")),
    (0, b"riff", Format("W64", "sound")),
    (0, b"fLaC", Format("FLAC", "sound")),
    (0, b"OggS", Format("OGG", "sound")),
    (0, b"FORM", Format("AIFF", "sound")),
    (0, b".snd", Format("AU", "sound")),
    (0, b"caff", Format("CAF", "sound")),
    (0, b"NIST_1A", Format("NIST", "sound")),
    (0, b"Creative Voice File", Format("VOC", "sound")),
    (0, b"#!AMR", Format("AMR", "sound")),
    (0, b"MThd", Format("MIDI", "document")),
    (0, b"\xf0\x7e", Format("MIDI sample dump", "document")),
    (0, b"\x89PNG", Format("PNG", "picture")),
    (0, b"\xff\xd8\xff", Format("JPEG", "picture")),
    (0, b"GIF8", Format("GIF", "picture")),
    (0, b"BM", Format("BMP", "picture")),
    (0, b"II*\0", Format("TIFF", "picture")),
    (0, b"MM\0*", Format("TIFF", "picture")),
    (0, b"II+\0", Format("BigTIFF", "picture")),
    (0, b"MM\0+", Format("BigTIFF", "picture")),
    (0, b"\0\0\0\x0cjP  ", Format("JPEG 2000", "picture")),
    (0, b"\xff\x4f\xff\x51", Format("JPEG 2000", "picture")),
    (0, b"\xff\x0a", Format("JPEG XL", "picture")),
    (0, b"\0\0\0\x0cJXL ", Format("JPEG XL", "picture")),
    (0, b"8BPS", Format("Photoshop", "picture")),
    (0, b"\x1a\x45\xdf\xa3", Format("WEBM", "video")),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Format("WMA", "video")),
    (0, b"FLV", Format("FLV", "video")),
    (0, b"\0\0\x01\xba", Format("MPEG", "video")),
    (0, b"%PDF", Format("PDF", "document")),
    (0, b"%!PS", Format("PostScript", "document")),
    (0, b"{\\rtf", Format("RTF", "document")),
    (0, b"\x7fELF", Format("a program", "document")),
    (0, b"PK\x03\x04", Format("ZIP", "archive")),
    (0, b"\x1f\x8b", Format("GZIP", "archive")),
    (0, b"7z\xbc\xaf", Format("7-Zip", "archive")),
    (0, b"Rar!", Format("RAR", "archive")),
    (0, b"\xfd7zXZ", Format("XZ", "archive")),
    (0, b"\x93NUMPY", Format("NumPy", "document")),
    (0, b"SQLite format 3", Format("SQLite", "document")),
    (257, b"ustar", Format("TAR", "archive")),
)
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_AVIF = frozenset({b"avif", b"avis"})
AAC = Format("AAC", "sound")
MP3 = Format("MP3", "sound")


def format_of(head: bytes) -> Format | None:
    """The format of a file that begins with these bytes; None where none is recognised.

    >>> format_of(b"fLaC and more").name
    'FLAC'
    """
    for place, mark, found in _MARKS:
        if head[place : place + len(mark)] == mark:
            return found
    if head[4:8] == b"ftyp":
        return _iso_media(head)
    start = id3_bytes(head)
    if start == 0 or len(head) < start + 2:
        # A tag alone, with a cover picture that is longer than what was read, stands before an MP3.
        return MP3 if start else _mpeg_audio(head)
    return format_of(head[start:])


def id3_bytes(head: bytes) -> int:
    """How long the ID3 tag is that these bytes begin with; 0 where there is none."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    size = sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    return 10 + size


def _iso_media(head: bytes) -> Format:
    """MP4 and its relatives, told apart by their brands."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size, 4))]
    if brands[0] in _AVIF or (brands[0] in _HEIC and _AVIF.intersection(brands)):
        return Format("AVIF", "picture")
    if _HEIC.intersection(brands):
        return Format("HEIC", "picture")
    return Format("M4A", "sound") if brands[0][:3] == b"M4A" else Format("MP4", "video")


def _mpeg_audio(head: bytes) -> Format | None:
    """A frame of MPEG audio: eleven bits of one; of AAC, the layer is 0."""
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    if head[1] & 0xF6 == 0xF0:
        return AAC
    return MP3 if head[1] & 0x06 and head[2] >> 4 != 0xF else None
