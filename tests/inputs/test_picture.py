"""Pictures as people bring them: what is read, and what is refused with which words."""

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs.picture import read_picture
from tests.support.media import picture_file


def png(width: int, height: int) -> bytes:
    """A valid PNG header of that size, and hardly any pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 10))
        + chunk(b"IEND", b"")
    )


class TestPicture:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA"])
    def test_formats(self, kind):
        picture = Image.new("RGB", (40, 24), (200, 30, 60))
        read = read_picture(picture_file(picture, kind)).rgb
        assert (read.mode, read.size) == ("RGB", (40, 24))
        np.testing.assert_allclose(np.asarray(read)[12, 20], (200, 30, 60), atol=4)

    @pytest.mark.parametrize(
        ("mode", "colour", "expected"),
        [
            ("1", 1, (255, 255, 255)),
            ("L", 100, (100, 100, 100)),
            ("LA", (0, 0), (255, 255, 255)),
            ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
            ("RGBA", (0, 0, 0, 51), (204, 204, 204)),
            ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
            ("RGBX", (1, 2, 3, 0), (1, 2, 3)),
            ("CMYK", (0, 255, 255, 0), (255, 0, 0)),
            ("YCbCr", (255, 128, 128), (255, 255, 255)),
            ("HSV", (0, 255, 255), (255, 0, 0)),
            ("P", 0, (0, 0, 0)),
            ("I;16", 0x8080, (128, 128, 128)),
            ("I", 65535, (255, 255, 255)),
            ("F", 0.5, (128, 128, 128)),
            ("F", 200.0, (200, 200, 200)),
        ],
    )
    def test_modes(self, mode, colour, expected):
        assert read_picture(Image.new(mode, (3, 2), colour)).rgb.getpixel((1, 1)) == expected

    def test_transparent_colour_and_palette_become_white(self):
        grey = picture_file(Image.new("L", (4, 4), 7), transparency=7)
        assert read_picture(grey).rgb.getpixel((0, 0)) == (255, 255, 255)
        palette = Image.new("P", (4, 4), 1)
        palette.putpalette([10, 20, 30, 40, 50, 60])
        assert read_picture(picture_file(palette)).rgb.getpixel((0, 0)) == (40, 50, 60)
        assert read_picture(picture_file(palette, transparency=1)).rgb.getpixel((0, 0)) == (255, 255, 255)

    def test_sixteen_bit_png_is_scaled_not_clipped(self):
        ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(2, axis=0)
        read = np.asarray(read_picture(picture_file(Image.fromarray(ramp))).rgb)
        np.testing.assert_array_equal(read[0, :, 0], np.arange(256))

    def test_cmyk_jpeg(self):
        content = picture_file(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
        np.testing.assert_allclose(np.asarray(read_picture(content).rgb)[8, 8], (255, 0, 0), atol=6)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_every_exif_orientation_is_turned_upright(self, orientation):
        # Pillow's own function is the oracle, on a picture without any symmetry.
        from PIL import ImageOps

        pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 3)).astype(np.uint8)
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = picture_file(Image.fromarray(pixels), exif=exif)
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        assert read_picture(content).rgb.size == ((5, 3)[::-1] if orientation < 5 else (5, 3))
        np.testing.assert_array_equal(np.asarray(read_picture(content).rgb), np.asarray(expected))

    def test_damaged_exif_does_not_hide_the_picture(self):
        picture = Image.new("RGB", (8, 8), (9, 9, 9))
        assert read_picture(
            picture_file(picture, "JPEG", exif=b"Exif\0\0damaged beyond repair")
        ).rgb.size == (8, 8)

    def test_first_frame_of_an_animation(self):
        frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
        for kind in ("GIF", "PNG", "WEBP"):
            options = {"lossless": True} if kind == "WEBP" else {}
            content = picture_file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
            assert read_picture(content).rgb.getpixel((3, 3)) == (255, 0, 0)

    @pytest.mark.parametrize("size", [(1, 1), (1, 200), (200, 1)])
    def test_extreme_sizes(self, size):
        assert read_picture(picture_file(Image.new("RGB", size))).rgb.size == size

    def test_thirty_million_pixels_without_a_warning(self, recwarn):
        content = picture_file(Image.new("1", (6_000, 5_000)))
        assert read_picture(content).rgb.size == (6_000, 5_000)
        assert not recwarn.list

    @pytest.mark.parametrize("size", [(6_001, 5_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
    def test_larger_pictures_are_refused_from_the_header(self, size):
        tracemalloc.start()
        try:
            with pytest.raises(InputError, match=r"30,000,000"):
                read_picture(png(*size))
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
    @pytest.mark.parametrize("share", [0.8, 0.4])
    def test_truncated_pictures_are_refused(self, kind, share):
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        content = picture_file(Image.fromarray(pixels), kind)
        with pytest.raises(InputError, match=r"truncated|not a picture"):
            read_picture(content[: int(share * len(content))])

    @pytest.mark.parametrize(
        ("array", "expected"),
        [
            (np.full((2, 3), 7, np.uint8), (7, 7, 7)),
            (np.full((2, 3, 1), 7, np.uint8), (7, 7, 7)),
            (np.full((2, 3, 3), 7, np.uint8), (7, 7, 7)),
            (np.zeros((2, 3, 4), np.uint8), (255, 255, 255)),
            (np.full((2, 3), 0x8080, np.uint16), (128, 128, 128)),
            (np.full((2, 3, 3), 0.2), (51, 51, 51)),
            (np.ones((2, 3), bool), (255, 255, 255)),
        ],
    )
    def test_arrays(self, array, expected):
        read = read_picture(array).rgb
        assert (read.size, read.getpixel((2, 1))) == ((3, 2), expected)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"", r"^The picture is empty \(0 bytes\)\.$"),
            (b"GIF89a and then nothing that makes sense", "truncated, damaged or of a kind"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "is a PostScript file, not a picture"),
            (np.zeros((2, 3, 5), np.uint8), r"\[1, 3 or 4, height, width\], got \[2, 3, 5\]"),
            (np.zeros((0, 3), np.uint8), "has no pixels"),
            (np.full((2, 2), 256, np.int64), r"of int64 must lie in 0…255, got 256 to 256"),
            (np.zeros((2, 2), complex), "got complex128"),
            (np.full((2, 2), 255.0), r"must lie in \[0, 1\]"),
            (np.full((2, 2), np.nan), r"must lie in \[0, 1\]"),
            (np.zeros(4, np.uint8), r"got \[4\]"),
            (Image.new("I", (2, 2), -5), "values from -5 to -5"),
            (Image.fromarray(np.full((2, 2), np.nan, np.float32)), "values from nan"),
            (Image.new("RGB", (0, 5)), "has no pixels"),
            (3.5, "must be a path, bytes, a binary file, a Pillow image or a numpy array, got float"),
        ],
    )
    def test_refusals(self, source, message):
        with pytest.raises(InputError, match=message) as caught:
            read_picture(source)
        assert "\n" not in str(caught.value)

    def test_paths(self, tmp_path):
        path = tmp_path / "picture.txt"  # the content decides, not the extension
        path.write_bytes(picture_file(Image.new("RGB", (2, 2), "red")))
        assert (
            read_picture(path).rgb.getpixel((0, 0))
            == read_picture(str(path)).rgb.getpixel((0, 0))
            == (255, 0, 0)
        )
        with pytest.raises(InputError, match=r"There is no picture file called gone\.jpg") as caught:
            read_picture(tmp_path / "gone.jpg")
        assert str(tmp_path) not in str(caught.value)

    def test_the_callers_picture_is_left_alone(self):
        picture = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
        read_picture(picture)
        assert (picture.mode, picture.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 0))

    @settings(max_examples=100, deadline=None)
    @given(st.data())
    def test_damaged_files_never_fail_in_another_way(self, data):
        kind = data.draw(st.sampled_from("JPEG PNG WEBP GIF BMP TIFF PPM JPEG2000 TGA AVIF HEIF".split()))
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {}
        content = bytearray(picture_file(Image.new("RGB", (20, 10), "teal"), kind, **options))
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            picture = read_picture(bytes(content)).rgb
        except InputError:
            return
        assert picture.mode == "RGB"
