"""The sound and picture inside a view."""

import base64
import io
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image
from transformers.audio_utils import mel_filter_bank, spectrogram

from daam_core.errors import InputError
from daam_core.view.media import (
    MAX_MEL_FRAMES,
    MEL_BANDS,
    mel_power,
    picture_media,
    sound_media,
)

# ---- sound ---------------------------------------------------------------------------------------


def tone(hertz: float, seconds: float, rate: int = 16_000) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate).astype(np.float32)


def test_the_mel_spectrogram_is_the_usual_one() -> None:
    sound = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    ours, top = mel_power(sound, 16_000)
    padded = np.concatenate([np.zeros(128), sound, np.zeros(1024)])
    theirs = spectrogram(
        padded,
        np.hanning(513)[:-1],
        512,
        256,
        power=2.0,
        center=False,
        mel_filters=mel_filter_bank(257, MEL_BANDS, 0.0, 8000.0, 16_000, norm=None, mel_scale="htk"),
    )
    assert top == 8000
    assert ours.shape == (MEL_BANDS, 63)
    assert np.allclose(ours, theirs[:, :63], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rate", [4_000, 8_000, 11_025, 44_100, 48_000])
def test_every_rate_has_a_spectrogram_without_a_warning(rate: int, recwarn: pytest.WarningsRecorder) -> None:
    power, top = mel_power(tone(440.0, 0.5, rate), rate)
    assert top == min(8000, rate / 2)
    assert power.max() > 0
    assert not recwarn.list


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0])
def test_a_tone_lies_in_its_band(hertz: float) -> None:
    power, _ = mel_power(tone(hertz, 1.0), 16_000)
    filters = mel_filter_bank(8001, MEL_BANDS, 0.0, 8000.0, 16_000, norm=None, mel_scale="htk")
    edges = filters[:, power.mean(1).argmax()].nonzero()[0]  # one hertz a row
    assert edges[0] <= hertz <= edges[-1]


def test_a_long_sound_takes_bounded_room_and_keeps_its_shape() -> None:
    quiet, loud = tone(440, 120.0) * 0.01, tone(440, 120.0)
    audio = sound_media(np.concatenate([quiet, loud, quiet]), 16_000)["audio"]
    assert audio["duration"] == 360.0
    assert "url" not in audio
    assert audio["mel"]["frames"] <= MAX_MEL_FRAMES
    shade = np.frombuffer(base64.b64decode(audio["mel"]["data"]), np.uint8).reshape(MEL_BANDS, -1)
    third = shade.shape[1] // 3
    loudest = shade.max(0).astype(int)
    assert loudest[third + 2 : 2 * third - 2].min() > loudest[: third - 2].max() + 100
    envelope = np.frombuffer(base64.b64decode(audio["envelope"]["data"]), np.int8).reshape(-1, 2)
    assert len(envelope) == audio["envelope"]["count"] <= 30_000
    assert envelope.max() == 127
    assert abs(int(envelope[:100].min())) <= 2


def test_a_short_sound_can_be_played_as_it_was() -> None:
    sound = tone(440, 0.5, 8_000)
    audio = sound_media(sound, 8_000)["audio"]
    raw = base64.b64decode(audio["url"].removeprefix("data:audio/wav;base64,"))
    played, rate = soundfile.read(io.BytesIO(raw), dtype="float32")
    assert rate == 8_000
    assert np.allclose(played, sound, atol=2 / 32767)
    assert sound_media(sound, 8_000, url="/file/a.wav")["audio"]["url"] == "/file/a.wav"
    assert "url" not in sound_media(sound, 8_000, embed=False)["audio"]


def test_silence_and_a_single_sample_are_fine() -> None:
    audio = sound_media(np.zeros(1600, np.float32), 16_000)["audio"]
    assert not any(base64.b64decode(audio["mel"]["data"]))
    assert audio["envelope"]["peak"] == 0
    assert sound_media(np.array([0.5], np.float32), 16_000)["audio"]["envelope"]["count"] == 1


@pytest.mark.parametrize(
    ("samples", "rate"),
    [
        (np.zeros((2, 100), np.float32), 16_000),
        (np.zeros(0, np.float32), 16_000),
        (np.array([np.nan], np.float32), 16_000),
        (np.zeros(10, np.float32), 0),
    ],
)
def test_a_sound_that_cannot_be_shown_is_refused(samples: np.ndarray, rate: int) -> None:
    with pytest.raises(InputError, match="needs mono samples"):
        sound_media(samples, rate)


# ---- picture -------------------------------------------------------------------------------------


def test_a_picture_is_scaled_down_and_keeps_its_shape() -> None:
    wide = Image.new("RGBA", (2000, 500), (200, 30, 30, 255))
    image = picture_media(wide)["image"]
    assert (image["width"], image["height"]) == (2000, 500)
    with Image.open(
        io.BytesIO(base64.b64decode(image["url"].removeprefix("data:image/jpeg;base64,")))
    ) as shown:
        assert shown.size == (768, 192)
        pixel = np.asarray(shown.convert("RGB"))[100, 300]
    assert pixel[0] > 180
    assert pixel[1] < 60


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
def test_an_array_is_a_picture(shape: tuple[int, ...]) -> None:
    image = picture_media(np.full(shape, 128, np.uint8))["image"]
    assert (image["width"], image["height"]) == (30, 20)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4)), "got float64 of shape \\[4, 4\\]"),
        (np.zeros((0, 4), np.uint8), "of shape \\[0, 4\\]"),
        ("cat.jpg", "got str"),
    ],
)
def test_what_is_no_picture_is_refused(picture: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        picture_media(picture)
