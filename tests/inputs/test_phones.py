"""Sounds and pictures as phones and browsers write them."""

import io

import numpy as np
import pytest
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import SUFFIXES, modality_by_suffix, read_picture, read_sound
from tests.support.media import encoded, loudest_hertz, picture_file

SOUNDS = [
    ("ipod", "aac", "M4A"),
    ("ipod", "alac", "M4A"),
    ("mp4", "aac", "MP4"),
    ("3gp", "aac", "MP4"),
    ("mov", "pcm_s16le", "MP4"),
    ("adts", "aac", "AAC"),
    ("webm", "libopus", "WEBM"),
    ("matroska", "libopus", "WEBM"),
]


@pytest.mark.parametrize(("container", "codec", "name"), SOUNDS)
def test_sounds_keep_pitch_length_and_level(container, codec, name):
    sound = read_sound(encoded(container, codec))
    assert sound.facts["format"] == name
    assert (sound.facts["rate"], sound.facts["channels"]) == (48_000, 1)
    assert sound.seconds == pytest.approx(1.0, abs=0.05)
    assert loudest_hertz(sound.samples, sound.rate) == pytest.approx(440, abs=2)
    assert np.abs(sound.samples[2000:12000]).max() == pytest.approx(0.3, abs=0.03)
    assert not {"repaired", "noticed"} & set(sound.facts)


def test_lossless_sounds_keep_every_sample():
    pcm, alac = (read_sound(encoded(*kind), rate=48_000) for kind in (("mov", "pcm_s16le"), ("ipod", "alac")))
    np.testing.assert_array_equal(pcm.samples, alac.samples)
    assert len(pcm.samples) == 48_000


def test_the_content_decides_and_not_the_name(tmp_path):
    (tmp_path / "memo.wav").write_bytes(encoded("ipod", "aac"))
    assert read_sound(tmp_path / "memo.wav").facts["format"] == "M4A"
    (tmp_path / "IMG_0001.jpg").write_bytes(picture_file(Image.new("RGB", (40, 24), (200, 30, 60)), "HEIF"))
    assert read_picture(tmp_path / "IMG_0001.jpg").facts["format"] == "HEIF"


def test_a_film_gives_its_sound_and_one_without_a_sound_is_refused():
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as file:
        track = file.add_stream("mpeg4", rate=10)
        track.width, track.height = 64, 48
        frame = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        file.mux(track.encode(frame))
        file.mux(track.encode(None))
    with pytest.raises(InputError, match="The sound holds no sound track; give a file that has one"):
        read_sound(stream.getvalue())


@pytest.mark.slow
def test_a_long_film_is_refused_by_its_header():
    with pytest.raises(InputError, match=r"lasts 601\.\d s; sounds of up to 600 s"):
        read_sound(encoded("ipod", "aac", seconds=601, rate=8_000))


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_pictures_of_phones_keep_their_colours(kind):
    picture = read_picture(picture_file(Image.new("RGB", (40, 24), (200, 30, 60)), kind))
    assert (picture.rgb.mode, picture.rgb.size, picture.facts["format"]) == ("RGB", (40, 24), kind)
    np.testing.assert_allclose(np.asarray(picture.rgb)[12, 20], (200, 30, 60), atol=4)


@pytest.mark.parametrize(("kind", "size"), [("HEIF", (64, 32)), ("AVIF", (32, 64))])
def test_pictures_of_phones_are_turned_once(kind, size):
    """By HEIC's own rotation, which the decoder applies and EXIF only repeats; by EXIF in AVIF."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :16] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise: white on top
    picture = read_picture(picture_file(Image.fromarray(pixels), kind, exif=exif, quality=95)).rgb
    assert picture.size == size
    np.testing.assert_allclose(picture.getpixel((4, 4)), [255] * 3, atol=6)
    np.testing.assert_allclose(picture.getpixel((28, 28)), [0] * 3, atol=6)


@pytest.mark.parametrize(
    ("name", "modality"),
    [
        ("a.M4A", "audio"),
        ("b/c.webm", "audio"),
        ("IMG.HEIC", "image"),
        ("x.jfif", "image"),
        ("n.txt", "text"),
    ],
)
def test_names_say_what_files_hold(name, modality):
    assert modality_by_suffix(name) == modality
    assert modality_by_suffix(name + ".zip") is None


def test_no_ending_means_two_kinds():
    endings = [suffix for suffixes in SUFFIXES.values() for suffix in suffixes]
    assert len(endings) == len(set(endings))
    assert all(ending == ending.lower() and ending.startswith(".") for ending in endings)
