"""What a file really is, said where it cannot be read: whatever its name says."""

import io
import tarfile
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import read_picture, read_sound
from daam_core.inputs.first_bytes import format_of
from tests.support.media import encoded, picture_file, sound_file, tone

PNG = picture_file(Image.new("RGB", (8, 8)))
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258d"
    b"aaa5e2ca24d17e2393\nsize 12345\n"
)
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"


def archive(kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(stream, "w") as file:
            file.writestr("a.wav", "x")
    else:
        with tarfile.open(fileobj=stream, mode="w") as file:
            file.addfile(tarfile.TarInfo("a.wav"))
    return stream.getvalue()


def float64_tiff() -> bytes:
    """8 × 4 values in one strip, as numerical programs write them."""
    import struct

    tags = [(256, 4, 8), (257, 4, 4), (258, 3, 64), (259, 3, 1), (262, 3, 1), (273, 4, 8 + 2 + 9 * 12 + 4)]
    tags += [(277, 3, 1), (279, 4, 8 * 4 * 8), (339, 3, 3)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    return (
        b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 9) + entries + b"\0" * 4 + np.zeros(32).tobytes()
    )


@pytest.mark.parametrize(
    ("read", "name", "content", "said"),
    [
        (read_sound, "x.wav", PNG, "x.wav is a PNG picture, not a sound, whatever its name says; WAV, FLAC,"),
        (read_sound, "x.mp3", PAGE, r"x.mp3 is a web page \(HTML\), not a sound: .*; download it again"),
        (read_sound, "x.wav", POINTER, "x.wav is only a pointer of Git LFS, .*: git lfs pull"),
        (read_sound, "x.wav", archive("zip"), "x.wav is a ZIP archive, not a sound; unpack it"),
        (read_sound, "x.wav", archive("tar"), "x.wav is a TAR archive, not a sound; unpack it"),
        (read_sound, "x.mid", b"MThd\0\0\0\6\0\1\0\1", "x.mid is a MIDI file, not a sound"),
        (read_sound, "x.wav", b"\0" * 5000, "x.wav holds nothing but zero bytes"),
        (read_sound, "x.wav", b"RIFF\xff\0\0\0AVI LIST", "x.wav is an AVI film, .*; save its sound as WAV"),
        (read_sound, "x.wav", "Zwölf\n".encode() * 99, "x.wav is a text, not a sound"),
        (read_sound, "x.wav", bytes(range(128, 256)) * 9, "x.wav is not a sound that can be read"),
        (read_picture, "x.png", sound_file(tone()), "x.png is a WAV sound, not a picture, whatever its name"),
        (read_picture, "x.jpg", encoded("mp4", "aac"), "x.jpg is an MP4 film, not a picture"),
        (read_picture, "x.jpg", POINTER, "x.jpg is only a pointer of Git LFS, .*: git lfs pull"),
        (read_picture, "x.jpg", PAGE, r"x.jpg is a web page \(HTML\), not a picture"),
        (read_picture, "x.jpg", b"%PDF-1.7\n", "x.jpg is a PDF file, not a picture"),
        (read_picture, "x.jxl", b"\xff\x0a" + b"\1" * 99, "begins like JPEG XL, .* save it anew as PNG"),
        (read_picture, "x.svg", b'<?xml version="1.0"?>\n<svg xmlns="x"/>', "SVG drawing, .* as PNG"),
        (read_picture, "x.tif", float64_tiff(), "TIFF file of 64-bit floating-point numbers in 1 channel"),
        (read_picture, "x.png", PNG[:-30], "x.png is truncated or damaged"),
    ],
)
def test_the_true_cause_and_what_to_do(read, name, content, said, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(("read", "kind"), [(read_sound, "sound"), (read_picture, "picture")])
def test_addresses_folders_and_empty_files(read, kind, tmp_path):
    for address in ("https://example.org/a.mp3", "s3://bucket/a.mp3", "file:///home/a.mp3"):
        with pytest.raises(
            InputError, match=r"a\.mp3 is an address, and nothing is fetched from there; download"
        ):
            read(address)
    (tmp_path / "clips").mkdir()
    with pytest.raises(InputError, match=f"clips is a folder; give one {kind} file of it"):
        read(tmp_path / "clips")
    (tmp_path / "none").touch()
    with pytest.raises(InputError, match=r"none is empty \(0 bytes\)"):
        read(tmp_path / "none")


@given(st.binary(max_size=300))
def test_any_bytes_are_told_without_an_error(head):
    format_of(head)
    format_of(b"ID3" + head)
    format_of(b"\0\0\0\x20ftyp" + head)
