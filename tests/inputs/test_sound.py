"""Sounds, pictures and texts as people bring them: what is read, and what is refused with which words."""

import importlib.util
import io
import os
import struct
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs.sound import (
    MAX_CHARACTERS,
    MAX_SECONDS,
    SAMPLE_RATE,
    read_image,
    read_sound,
    read_text,
)

FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", None),
]


def tone(seconds: float = 1.0, rate: int = SAMPLE_RATE, *, hertz: float = 440.0) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def sound_file(
    samples: np.ndarray, rate: int = SAMPLE_RATE, *, kind: str = "WAV", subtype: str | None = None
) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=kind, subtype=subtype)
    return stream.getvalue()


def picture_file(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def loudest_hertz(samples: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * rate / len(samples)


class TestSound:
    @pytest.mark.parametrize(("kind", "subtype"), FORMATS)
    def test_formats_keep_pitch_length_and_level(self, kind, subtype):
        sound = read_sound(sound_file(tone(1.0), kind=kind, subtype=subtype))
        assert sound.samples.dtype == np.float32
        assert sound.samples.ndim == 1
        assert sound.seconds == pytest.approx(1.0, abs=0.08)
        assert loudest_hertz(sound.samples, sound.rate) == pytest.approx(440, abs=2)
        assert np.abs(sound.samples[2000:12000]).max() == pytest.approx(0.3, abs=0.03)
        assert sound.facts["format"] == kind

    @pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
    def test_any_rate(self, rate):
        sound = read_sound(sound_file(tone(0.5, rate), rate))
        assert sound.rate == SAMPLE_RATE
        assert len(sound.samples) == pytest.approx(0.5 * SAMPLE_RATE, abs=1)
        assert sound.facts["rate"] == rate
        assert loudest_hertz(sound.samples, SAMPLE_RATE) == pytest.approx(440, abs=3)

    def test_resampling_in_blocks_equals_soxr_at_once(self):
        import soxr

        clip = np.random.default_rng(0).normal(0, 0.1, 3_000_000).astype(np.float32)  # three blocks
        ours = read_sound((clip, 44_100)).samples
        np.testing.assert_allclose(ours, soxr.resample(clip, 44_100, SAMPLE_RATE, quality="HQ"), atol=1e-6)

    def test_channels_are_averaged(self):
        left, right = tone(), tone(hertz=880)
        stereo = np.stack([left, right], axis=1)
        expected = (left + right) / 2
        np.testing.assert_allclose(read_sound((stereo, SAMPLE_RATE)).samples, expected, atol=1e-7)
        from_file = read_sound(sound_file(stereo, subtype="FLOAT"))
        np.testing.assert_allclose(from_file.samples, expected, atol=1e-7)
        assert from_file.facts["channels"] == 2

    @pytest.mark.parametrize(
        "dtype", [np.int8, np.int16, np.int32, np.uint8, np.uint16, np.float16, np.float64]
    )
    def test_arrays_are_scaled_by_their_type(self, dtype):
        clip = tone()
        if np.dtype(dtype).kind == "f":
            given = clip.astype(dtype)
        else:
            info = np.iinfo(dtype)
            middle = (info.max + 1) / 2 if info.min == 0 else 0.0
            given = np.rint(clip.astype(np.float64) * (info.max - middle) + middle).astype(dtype)
        np.testing.assert_allclose(read_sound((given, SAMPLE_RATE)).samples, clip, atol=2 / 128)

    def test_integer_full_scale_is_exact(self):
        clip = np.tile(np.array([-32768, 0, 16384], np.int16), 1000)
        assert read_sound((clip, SAMPLE_RATE)).samples[:3].tolist() == [-1.0, 0.0, 0.5]

    def test_silence_is_a_sound(self):
        assert not read_sound((np.zeros(SAMPLE_RATE), SAMPLE_RATE)).samples.any()

    def test_sources_are_equivalent(self, tmp_path):
        content = sound_file(tone())
        path = tmp_path / "a.raw"  # the content decides, not the extension
        path.write_bytes(content)
        expected = read_sound(content).samples
        for source in (path, str(path), io.BytesIO(content), bytearray(content)):
            np.testing.assert_array_equal(read_sound(source).samples, expected)
        with path.open("rb") as stream:
            np.testing.assert_array_equal(read_sound(stream).samples, expected)
            assert not stream.closed

    def test_wave_from_a_pipe_does_not_know_its_length(self):
        content = bytearray(sound_file(tone()))
        at = content.index(b"data") + 4
        content[at : at + 4] = struct.pack("<I", 0xFFFFFFFF)
        assert read_sound(bytes(content)).seconds == 1.0

    @pytest.mark.parametrize(("kind", "subtype"), FORMATS)
    @pytest.mark.parametrize("share", [0.9, 0.5, 0.1])
    def test_truncated_files_are_refused(self, kind, subtype, share):
        content = sound_file(tone(3.0), kind=kind, subtype=subtype)
        with pytest.raises(InputError, match=r"truncated|damaged"):
            read_sound(content[: int(share * len(content))])

    def test_mp3_without_a_frame_count_is_no_truncated_one(self):
        """110 frames of 1152 samples at 32 kHz behind an ID3 tag; libsndfile guesses 4.477 s by the size."""
        package = Path(importlib.util.find_spec("gradio").origin).parent
        sound = read_sound(package / "media_assets" / "audio" / "cate_blanch_2.mp3")
        assert sound.seconds == pytest.approx(3.96)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"", r"^The sound is empty \(0 bytes\)\.$"),
            (b"this is a text, not a sound " * 50, "is not a sound that can be read"),
            ((np.zeros(0), 16_000), r"lasts 0\.000 s; a sound must last at least 0\.1 s"),
            ((np.zeros(100), 16_000), r"lasts 0\.006 s; a sound must last at least 0\.1 s"),
            ((np.zeros((16_000, 0)), 16_000), r"lasts 0\.000 s"),
            ((np.full(16_000, np.nan), 16_000), "NaN or infinite"),
            ((np.full(16_000, np.inf), 16_000), "NaN or infinite"),
            ((np.full(16_000, 20_000.0), 16_000), r"samples up to 20,000; their full scale must be 1"),
            ((np.zeros(16_000), 0), "whole number of hertz from 1, got 0"),
            ((np.zeros(16_000), float("nan")), "whole number of hertz"),
            ((np.zeros(16_000), 16_000.5), "whole number of hertz"),
            ((np.zeros(16_000), "fast"), r"must be \(samples, rate\)"),
            ((np.zeros(16_000),), r"must be \(samples, rate\)"),
            ((16_000, np.zeros(16_000)), r"must be \(samples, rate\)"),
            ((np.zeros((2, 16_000)), 16_000), "channels come second, so transpose"),
            ((np.zeros((1, 1, 16_000)), 16_000), r"shape \[N\] or \[N, channels\]"),
            ((np.zeros(16_000, complex), 16_000), "must be real numbers"),
            ((np.zeros(16_000, bool), 16_000), "must be real numbers"),
            ((np.zeros(601), 1), "lasts 601.0 s; sounds of up to 600 s"),
            (17, "must be a path, bytes, a binary file, or .samples, rate., got int"),
            (None, "got NoneType"),
        ],
    )
    def test_refusals(self, source, message):
        with pytest.raises(InputError, match=message) as caught:
            read_sound(source)
        assert "\n" not in str(caught.value)

    def test_refusals_name_the_file_and_not_its_folder(self, tmp_path):
        (tmp_path / "empty.wav").touch()
        (tmp_path / "notes.wav").write_text("a text renamed .wav\n" * 20)
        (tmp_path / "none.wav").write_bytes(sound_file(np.zeros(0, np.float32)))
        (tmp_path / "broken.wav").write_bytes(sound_file(np.full(8000, np.nan, np.float32), subtype="FLOAT"))
        (tmp_path / "folder.wav").mkdir()
        for name, words in {
            "empty.wav": "is empty",
            "notes.wav": "not a sound that can be read",
            "none.wav": "lasts 0.000 s",
            "broken.wav": "NaN",
            "missing.wav": "There is no sound file called missing.wav",
            "folder.wav": "There is no sound file called folder.wav",
            "a" * 5000: "cannot be opened",
        }.items():
            with pytest.raises(InputError, match=words) as caught:
                read_sound(tmp_path / name)
            assert name in str(caught.value)
            assert str(tmp_path) not in str(caught.value)

    def test_a_pipe_is_read_and_a_closed_file_refused(self):
        content = sound_file(tone(0.2))
        reading, writing = os.pipe()
        with os.fdopen(writing, "wb") as stream:
            stream.write(content)
        with os.fdopen(reading, "rb") as stream:
            np.testing.assert_array_equal(read_sound(stream).samples, read_sound(content).samples)
        with pytest.raises(InputError, match=r"The sound file cannot be read: .*closed"):
            read_sound(stream)

    def test_text_streams_are_refused(self, tmp_path):
        path = tmp_path / "a.wav"
        path.write_text("abc")
        with path.open() as stream, pytest.raises(InputError, match="opened in binary mode"):
            read_sound(stream)

    def test_length_is_refused_from_the_header(self):
        hour = bytearray(sound_file(np.zeros(1600, np.float32)))
        size = 3600 * SAMPLE_RATE * 2
        at = hour.index(b"data") + 4
        hour[at : at + 4] = struct.pack("<I", size)
        with pytest.raises(InputError, match="truncated"):
            read_sound(bytes(hour))
        long = sound_file(np.zeros(int(MAX_SECONDS + 1) * 1000, np.float32), 1000, kind="FLAC")
        tracemalloc.start()
        try:
            with pytest.raises(InputError, match=r"lasts 601\.0 s"):
                read_sound(long)
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()

    def test_ten_minutes_with_many_channels_stay_small(self, tmp_path):
        path = tmp_path / "long.flac"
        with soundfile.SoundFile(path, "w", 8_000, 8) as file:
            for _ in range(60):
                file.write(np.zeros((80_000, 8), np.int16))
        tracemalloc.start()
        try:
            sound = read_sound(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert sound.seconds == pytest.approx(600)
        decoded = 600 * 8_000 * 8 * 4
        assert peak < 3 * sound.samples.nbytes < decoded

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_damaged_files_never_fail_in_another_way(self, data):
        kind, subtype = data.draw(st.sampled_from(FORMATS))
        content = bytearray(sound_file(tone(0.2), kind=kind, subtype=subtype))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            sound = read_sound(bytes(content))
        except InputError:
            return
        assert np.isfinite(sound.samples).all()


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


class TestImage:
    @pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA"])
    def test_formats(self, kind):
        picture = Image.new("RGB", (40, 24), (200, 30, 60))
        read = read_image(picture_file(picture, kind))
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
        assert read_image(Image.new(mode, (3, 2), colour)).getpixel((1, 1)) == expected

    def test_transparent_colour_and_palette_become_white(self):
        grey = picture_file(Image.new("L", (4, 4), 7), transparency=7)
        assert read_image(grey).getpixel((0, 0)) == (255, 255, 255)
        palette = Image.new("P", (4, 4), 1)
        palette.putpalette([10, 20, 30, 40, 50, 60])
        assert read_image(picture_file(palette)).getpixel((0, 0)) == (40, 50, 60)
        assert read_image(picture_file(palette, transparency=1)).getpixel((0, 0)) == (255, 255, 255)

    def test_sixteen_bit_png_is_scaled_not_clipped(self):
        ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(2, axis=0)
        read = np.asarray(read_image(picture_file(Image.fromarray(ramp))))
        np.testing.assert_array_equal(read[0, :, 0], np.arange(256))

    def test_cmyk_jpeg(self):
        content = picture_file(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), "JPEG")
        np.testing.assert_allclose(np.asarray(read_image(content))[8, 8], (255, 0, 0), atol=6)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_every_exif_orientation_is_turned_upright(self, orientation):
        # Pillow's own function is the oracle, on a picture without any symmetry.
        from PIL import ImageOps

        pixels = np.random.default_rng(0).integers(0, 256, (5, 3, 3)).astype(np.uint8)
        exif = Image.Exif()
        exif[0x0112] = orientation
        content = picture_file(Image.fromarray(pixels), exif=exif)
        expected = ImageOps.exif_transpose(Image.open(io.BytesIO(content)))
        assert read_image(content).size == ((5, 3)[::-1] if orientation < 5 else (5, 3))
        np.testing.assert_array_equal(np.asarray(read_image(content)), np.asarray(expected))

    def test_damaged_exif_does_not_hide_the_picture(self):
        picture = Image.new("RGB", (8, 8), (9, 9, 9))
        assert read_image(picture_file(picture, "JPEG", exif=b"Exif\0\0damaged beyond repair")).size == (8, 8)

    def test_first_frame_of_an_animation(self):
        frames = [Image.new("RGB", (6, 6), colour) for colour in ("red", "blue")]
        for kind in ("GIF", "PNG", "WEBP"):
            options = {"lossless": True} if kind == "WEBP" else {}
            content = picture_file(frames[0], kind, save_all=True, append_images=frames[1:], **options)
            assert read_image(content).getpixel((3, 3)) == (255, 0, 0)

    @pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1)])
    def test_extreme_sizes(self, size):
        assert read_image(picture_file(Image.new("RGB", size))).size == size

    def test_one_hundred_million_pixels_without_a_warning(self, recwarn):
        content = picture_file(Image.new("1", (10_000, 10_000)))
        assert read_image(content).size == (10_000, 10_000)
        assert not recwarn.list

    @pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
    def test_larger_pictures_are_refused_from_the_header(self, size):
        tracemalloc.start()
        try:
            with pytest.raises(InputError, match=r"100,000,000"):
                read_image(png(*size))
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()

    @pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"])
    @pytest.mark.parametrize("share", [0.8, 0.4])
    def test_truncated_pictures_are_refused(self, kind, share):
        pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
        content = picture_file(Image.fromarray(pixels), kind)
        with pytest.raises(InputError, match=r"truncated or damaged|not a picture"):
            read_image(content[: int(share * len(content))])

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
        read = read_image(array)
        assert (read.size, read.getpixel((2, 1))) == ((3, 2), expected)

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            (b"", r"^The picture is empty \(0 bytes\)\.$"),
            (b"GIF89a and then nothing that makes sense", "not a picture|truncated or damaged"),
            (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture that can be read"),
            (np.zeros((2, 3, 5), np.uint8), r"\[height, width, 1, 3 or 4\], got \[2, 3, 5\]"),
            (np.zeros((0, 3), np.uint8), "has no pixels"),
            (np.zeros((2, 2), np.int64), "got int64"),
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
            read_image(source)
        assert "\n" not in str(caught.value)

    def test_paths(self, tmp_path):
        path = tmp_path / "picture.txt"  # the content decides, not the extension
        path.write_bytes(picture_file(Image.new("RGB", (2, 2), "red")))
        assert read_image(path).getpixel((0, 0)) == read_image(str(path)).getpixel((0, 0)) == (255, 0, 0)
        with pytest.raises(InputError, match=r"There is no picture file called gone\.jpg") as caught:
            read_image(tmp_path / "gone.jpg")
        assert str(tmp_path) not in str(caught.value)

    def test_the_callers_picture_is_left_alone(self):
        picture = Image.new("RGBA", (2, 2), (0, 0, 0, 0))
        read_image(picture)
        assert (picture.mode, picture.getpixel((0, 0))) == ("RGBA", (0, 0, 0, 0))

    @settings(max_examples=100, deadline=None)
    @given(st.data())
    def test_damaged_files_never_fail_in_another_way(self, data):
        kind = data.draw(
            st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "TGA"])
        )
        exif = Image.Exif()
        exif[0x0112] = 6
        options = {"exif": exif} if kind in ("JPEG", "PNG", "WEBP", "TIFF") else {}
        content = bytearray(picture_file(Image.new("RGB", (20, 10), "teal"), kind, **options))
        for _ in range(data.draw(st.integers(1, 6))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            picture = read_image(bytes(content))
        except InputError:
            return
        assert picture.mode == "RGB"


class TestText:
    @given(st.text(alphabet=st.characters(), min_size=1, max_size=50))
    def test_any_unicode_is_storable_and_keeps_its_positions(self, text):
        if not text.strip():
            with pytest.raises(InputError, match="empty"):
                read_text(text)
            return
        read = read_text(text)
        assert len(read) == len(text)
        read.encode("utf-8")
        assert "\0" not in read
        assert all(
            a == b for a, b in zip(read, text, strict=True) if b != "\0" and not "\ud800" <= b <= "\udfff"
        )

    def test_surrogates_and_nul_become_replacement_characters(self):
        assert read_text("a\ud800b\0c") == "a\ufffdb\ufffdc"

    @pytest.mark.parametrize(
        ("source", "message"),
        [
            ("", "empty"),
            (" \n\t\u3000", "empty"),
            (
                "a" * (MAX_CHARACTERS + 1),
                f"has {MAX_CHARACTERS + 1:,} characters; at most {MAX_CHARACTERS:,}",
            ),
            (b"bytes", "as str, got bytes"),
            (Path("a.txt"), "as str, got"),
            (None, "got NoneType"),
        ],
    )
    def test_refusals(self, source, message):
        with pytest.raises(InputError, match=message):
            read_text(source)

    def test_longest_text(self):
        assert len(read_text("a" * MAX_CHARACTERS)) == MAX_CHARACTERS
