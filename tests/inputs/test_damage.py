"""Small damage of sound and picture files: repaired and said; a good part missing: refused."""

import re
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import read_picture, read_sound
from daam_core.inputs.limits import MISSING_SHARE
from tests.support.media import RATE, encoded, picture_file, sound_file, tone, with_data_size

WAV = sound_file(tone())
ID3 = b"ID3\x03\0\0\0\0\1\0" + b"\0" * 128


def grain(width: int = 320, height: int = 240) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3)).astype(np.uint8))


class TestWave:
    @pytest.mark.parametrize(
        ("size", "said"),
        [
            (0, "length taken from the file, its header says 0 bytes"),
            (0xFFFFFFFF, "length taken from the file, its header leaves it open"),
            (0x7FFFFFFF, "length taken from the file, its header leaves it open"),
            (32_000 + 36, "its header announces 36 bytes of sound more than there are"),
            (len(WAV), "its header announces 44 bytes of sound more than there are"),
        ],
    )
    def test_a_wrong_length_in_the_header_loses_no_sample(self, size, said):
        sound = read_sound(with_data_size(WAV, size))
        np.testing.assert_array_equal(sound.samples, read_sound(WAV).samples)
        assert sound.facts["repaired"] == said

    def test_a_byte_less_is_a_sample_less(self):
        sound = read_sound(WAV[:-1])
        np.testing.assert_array_equal(sound.samples, read_sound(WAV).samples[:-1])
        assert sound.facts["repaired"] == "its header announces 1 byte of sound more than there are"

    def test_a_tag_before_it_is_skipped(self):
        for kind in ("WAV", "FLAC", "AIFF"):
            content = sound_file(tone(), kind=kind)
            sound = read_sound(ID3 + content)
            np.testing.assert_array_equal(sound.samples, read_sound(content).samples)
            assert sound.facts["repaired"] == "ID3 tag before the sound skipped"

    def test_a_tag_and_a_wrong_length_are_both_put_right(self):
        sound = read_sound(ID3 + with_data_size(WAV, 0))
        np.testing.assert_array_equal(sound.samples, read_sound(WAV).samples)
        assert sound.facts["repaired"].count(", ") == 2

    def test_an_empty_sound_followed_by_another_chunk_is_empty(self):
        note = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf58.29.100\0"
        with pytest.raises(InputError, match=r"lasts 0\.000 s"):
            read_sound(with_data_size(WAV[:44], 0) + note)

    @given(st.floats(0, 0.5))
    def test_up_to_a_twentieth_may_be_missing(self, share):
        content = sound_file(tone(2.0))
        cut = round(share * 64_000)
        if cut / 64_000 > MISSING_SHARE:
            with pytest.raises(InputError, match="truncated: its header announces 64,000 bytes of sound"):
                read_sound(content[: len(content) - cut])
            return
        sound = read_sound(content[: len(content) - cut])
        assert len(sound.samples) == 32_000 - (cut + 1) // 2
        assert ("repaired" in sound.facts) == bool(cut)

    def test_an_intact_file_says_nothing(self):
        assert set(read_sound(WAV).facts) == {"seconds", "rate", "channels", "format"}


class TestCompressed:
    @pytest.mark.parametrize("cut", [1, 2])
    def test_flac_without_its_last_bytes_is_whole(self, cut):
        content = sound_file(tone(), kind="FLAC")
        sound = read_sound(content[:-cut])
        np.testing.assert_array_equal(sound.samples, read_sound(content).samples)
        assert sound.facts["repaired"] == "zeros put in place of its last bytes, which are missing"

    def test_mp3_without_its_last_byte_lacks_a_frame_at_most(self):
        content = sound_file(tone(), kind="MP3")
        sound = read_sound(content[:-1])
        assert sound.seconds == pytest.approx(1.0, abs=0.04)
        assert sound.facts["repaired"] == f"read although its last {1 - sound.seconds:.3f} s are missing"

    @pytest.mark.parametrize(("container", "codec"), [("ipod", "aac"), ("mp4", "aac"), ("mov", "pcm_s16le")])
    def test_mp4_without_its_last_byte_is_whole(self, container, codec):
        content = encoded(container, codec)
        sound = read_sound(content[:-1])
        np.testing.assert_array_equal(sound.samples, read_sound(content).samples)
        assert sound.facts["repaired"] == "zeros put in place of its last bytes, which are missing"

    def test_aac_without_its_last_byte_lacks_a_piece(self):
        sound = read_sound(encoded("adts", "aac")[:-1])
        assert sound.facts["repaired"] == "1 of its 49 pieces, which cannot be decoded, left out"

    @pytest.mark.parametrize(
        "content",
        [
            sound_file(tone(3.0), kind="FLAC"),
            sound_file(tone(3.0), kind="MP3"),
            sound_file(tone(3.0), kind="OGG"),
            encoded("ipod", "aac"),
            encoded("webm", "libopus"),
        ],
    )
    @pytest.mark.parametrize("share", [0.8, 0.4])
    def test_a_good_part_missing_is_refused(self, content, share):
        with pytest.raises(InputError, match="truncated") as caught:
            read_sound(content[: round(share * len(content))])
        assert "\n" not in str(caught.value)

    @settings(max_examples=60, deadline=None)
    @given(st.data())
    def test_damage_of_phone_formats_never_fails_in_another_way(self, data):
        container, codec = data.draw(
            st.sampled_from([("ipod", "aac"), ("webm", "libopus"), ("adts", "aac"), ("mov", "pcm_s16le")])
        )
        content = bytearray(encoded(container, codec, seconds=0.2))
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
        try:
            sound = read_sound(bytes(content))
        except InputError:
            return
        assert np.isfinite(sound.samples).all()


class TestJpeg:
    @pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
    @pytest.mark.parametrize("cut", [1, 2])
    def test_without_its_end_mark_it_is_whole(self, options, cut):
        content = picture_file(grain(), "JPEG", **options)
        picture = read_picture(content[:-cut])
        np.testing.assert_array_equal(np.asarray(picture.rgb), np.asarray(read_picture(content).rgb))
        assert picture.facts["repaired"].startswith("its end mark added")

    def test_a_plain_picture_is_not_taken_for_a_missing_one(self):
        content = picture_file(Image.new("RGB", (400, 300), "white"), "JPEG")
        assert read_picture(content[:-2]).facts["repaired"] == "its end mark added"

    @pytest.mark.parametrize("share", [0.01, 0.03, 0.1, 0.5])
    def test_what_is_missing_is_measured(self, share):
        content = picture_file(grain(640, 480), "JPEG", quality=90)
        cut = content[: len(content) - round(share * len(content))]
        if share > MISSING_SHARE:
            with pytest.raises(InputError, match=f"truncated: {share:.0%} of the picture are missing"):
                read_picture(cut)
            return
        picture = read_picture(cut)
        said = re.fullmatch(r"read although its last (.*)% are missing", picture.facts["repaired"])
        assert float(said[1]) == pytest.approx(100 * share, abs=0.4)
        kept = round(480 * (1 - share)) - 32
        whole = np.asarray(read_picture(content).rgb)
        np.testing.assert_array_equal(np.asarray(picture.rgb)[:kept], whole[:kept])

    def test_what_cameras_put_behind_the_end_is_no_damage(self):
        assert "repaired" not in read_picture(picture_file(grain(), "JPEG") + b"trailer" * 50).facts


def test_a_png_with_a_long_text_is_read():
    from PIL.PngImagePlugin import PngInfo

    texts = PngInfo()
    texts.add_text("parameters", "masterpiece, " * 300_000, zip=True)
    picture = read_picture(picture_file(grain(), pnginfo=texts))
    np.testing.assert_array_equal(np.asarray(picture.rgb), np.asarray(grain()))
    assert picture.facts["repaired"] == "its long texts left out"


def test_channels_that_cancel_each_other_give_the_loudest_of_them():
    left = tone()
    sound = read_sound((np.stack([0.99 * left, -left], axis=1), RATE))
    np.testing.assert_array_equal(sound.samples, -left)
    assert sound.facts["repaired"] == "second channel alone taken, because the channels cancel each other"
    from_file = read_sound(sound_file(np.stack([left, -left], axis=1), subtype="FLOAT"))
    np.testing.assert_array_equal(from_file.samples, left)
    assert from_file.facts["channels"] == 2


@pytest.mark.parametrize(
    "channels",
    [
        (tone(), tone(hertz=880)),
        (tone(), np.zeros(RATE, np.float32)),
        (tone(), np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)),
        (np.zeros(RATE, np.float32),) * 2,
        (0.3 + tone(), 0.3 - 0.5 * tone()),
    ],
)
def test_other_channels_are_averaged(channels):
    sound = read_sound((np.stack(channels, axis=1), RATE))
    np.testing.assert_allclose(sound.samples, np.mean(channels, axis=0), atol=1e-7)
    assert "repaired" not in sound.facts


@pytest.mark.parametrize(
    ("gain", "said"),
    [
        (0.0, "silent: every sample is 0"),
        (1e-3, "nearly silent: -73 dB of full scale"),
        (0.02, None),
        (1.0, None),
    ],
)
def test_near_silence_is_said(gain, said):
    assert read_sound((gain * tone(), RATE)).facts.get("noticed") == said
