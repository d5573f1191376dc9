"""What readable files are called: the one list that data folders, the command line and the page go by.

A file is read by its content; its name only says which files of a folder are meant as inputs.
"""

from collections.abc import Mapping
from pathlib import Path

from daam_core.inputs.modality import Modality

#: Endings of file names, in small letters, of every kind of input that can be read.
SUFFIXES: Mapping[Modality, tuple[str, ...]] = {
    "audio": tuple(
        ".wav .wave .flac .mp3 .mp2 .mpga .ogg .oga .opus .aiff .aif .aifc .au .snd .caf .rf64 .w64 .voc "
        ".sph .nist .m4a .m4b .mp4 .m4v .mov .3gp .3g2 .aac .webm .weba .mka .mkv .amr .wma".split()
    ),
    "text": (".txt",),
    "image": tuple(
        ".jpg .jpeg .jpe .jfif .mpo .png .apng .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .pnm .pfm .tga "
        ".jp2 .j2k .j2c .jpc .jpf .jpx .avif .avifs .heic .heif .hif".split()
    ),
}


def modality_by_suffix(path: str | Path) -> Modality | None:
    """What a file's name says that it holds; None where it says nothing.

    >>> modality_by_suffix("holiday/IMG_0001.HEIC")
    'image'
    """
    suffix = Path(path).suffix.lower()
    return next((modality for modality, suffixes in SUFFIXES.items() if suffix in suffixes), None)
