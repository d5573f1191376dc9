"""What programs hand over: arrays, tensors, and what 🤗 datasets gives."""

import io
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import SAMPLE_RATE, read_picture, read_sound
from tests.support.media import picture_file, sound_file, tone

CLIP = tone()
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3)).astype(np.uint8)
SAMPLES = {"data": torch.from_numpy(np.stack([CLIP, CLIP])), "sample_rate": SAMPLE_RATE}


@pytest.mark.parametrize(
    "given",
    [
        (torch.from_numpy(CLIP), SAMPLE_RATE),
        (torch.from_numpy(CLIP).requires_grad_(), torch.tensor(SAMPLE_RATE)),
        (torch.from_numpy(np.stack([CLIP, CLIP])), SAMPLE_RATE),
        (np.stack([CLIP, CLIP], axis=1), SAMPLE_RATE),
        (np.stack([CLIP, CLIP]), SAMPLE_RATE),
        (CLIP.tolist(), SAMPLE_RATE),
        {"array": CLIP, "sampling_rate": SAMPLE_RATE, "path": "a.wav"},
        {"array": torch.from_numpy(CLIP)[None], "sampling_rate": SAMPLE_RATE},
        {"bytes": sound_file(CLIP, subtype="FLOAT"), "path": None},
        SimpleNamespace(get_all_samples=lambda: SimpleNamespace(**SAMPLES)),
        io.BytesIO(sound_file(CLIP, subtype="FLOAT")),
        memoryview(sound_file(CLIP, subtype="FLOAT")),
    ],
)
def test_sounds(given):
    np.testing.assert_array_equal(read_sound(given).samples, CLIP)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (PIXELS, None),
        (torch.from_numpy(PIXELS), None),
        (PIXELS.transpose(2, 0, 1), "channels, which came first, put last"),
        (torch.from_numpy(PIXELS).permute(2, 0, 1), "channels, which came first, put last"),
        (torch.from_numpy(PIXELS).permute(2, 0, 1) / 255, "channels, which came first, put last"),
        (torch.from_numpy(PIXELS).permute(2, 0, 1).to(torch.int64), "channels, which came first, put last"),
        (PIXELS.astype(np.int64), None),
        ({"bytes": picture_file(Image.fromarray(PIXELS)), "path": "x/a.png"}, None),
        (io.BytesIO(picture_file(Image.fromarray(PIXELS))), None),
    ],
)
def test_pictures(given, said):
    picture = read_picture(given)
    np.testing.assert_array_equal(np.asarray(picture.rgb), PIXELS)
    assert picture.facts.get("repaired") == said


def test_three_by_three_by_three_is_what_its_library_means():
    cube = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    np.testing.assert_array_equal(np.asarray(read_picture(cube).rgb), cube)
    np.testing.assert_array_equal(
        np.asarray(read_picture(torch.from_numpy(cube)).rgb), cube.transpose(1, 2, 0)
    )


def test_half_precision_tensors():
    half = torch.full((3, 4, 6), 0.5, dtype=torch.bfloat16)
    assert read_picture(half).rgb.getpixel((0, 0)) == (128, 128, 128)


def test_what_is_stored_by_its_path_is_read_from_there(tmp_path):
    (tmp_path / "a.wav").write_bytes(sound_file(CLIP))
    assert read_sound({"bytes": None, "path": str(tmp_path / "a.wav")}).name == "a.wav"
    assert read_sound({"bytes": sound_file(CLIP), "path": "clips/b.wav"}).name == "b.wav"


@pytest.mark.parametrize(
    ("read", "given", "said"),
    [
        (
            read_picture,
            torch.zeros(2, 3, 8, 8),
            r"\[2, 3, 8, 8\] is a batch of pictures; give one .* batch\[0\]",
        ),
        (read_picture, torch.full((3, 8, 8), -2.0), "must lie in .* got -2 to -2; undo its normalisation"),
        (read_picture, np.full((8, 8, 3), 200.0), "got 200 to 200; divide it, or use uint8"),
        (read_picture, np.zeros((5, 8, 8), np.uint8), r"got \[5, 8, 8\]"),
        (read_picture, {"image": 1}, 'needs "bytes" or "path", got the keys image'),
        (
            read_sound,
            {"audio": 1},
            'needs "bytes" or "path" or "array" and "sampling_rate", got the keys audio',
        ),
        (read_sound, {"array": CLIP}, r"must be \(samples, rate\)"),
        (read_sound, (torch.zeros(3, 5, 16_000), 16_000), r"shape \[N\] or \[N, channels\]"),
        (read_sound, CLIP, r"or \(samples, rate\), got ndarray"),
    ],
)
def test_refusals(read, given, said):
    with pytest.raises(InputError, match=said) as caught:
        read(given)
    assert "\n" not in str(caught.value)
