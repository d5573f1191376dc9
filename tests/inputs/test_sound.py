"""Sounds as people bring them: what is read, and what is refused with which words."""

import importlib.util
import io
import os
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from daam_core.errors import InputError
from daam_core.inputs.limits import MAX_SECONDS
from daam_core.inputs.sound import SAMPLE_RATE, read_sound
from tests.support.media import loudest_hertz, sound_file, tone

FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "FLOAT"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", None),
]


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
    @pytest.mark.parametrize("share", [0.8, 0.5, 0.1])
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
            (b"this is a text, not a sound " * 50, "is a text, not a sound"),
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
            ((np.zeros((33, 16_000)), 16_000), "channels come second, so transpose"),
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
            "notes.wav": "is a text, not a sound",
            "none.wav": "lasts 0.000 s",
            "broken.wav": "NaN",
            "missing.wav": "There is no sound file called missing.wav",
            "folder.wav": "folder.wav is a folder; give one sound file of it",
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
