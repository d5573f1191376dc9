"""What-if changes: what they do to the content, what they leave, and what is refused."""

import copy
import io

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import (
    SAMPLE_RATE,
    Edit,
    Input,
    Picture,
    Region,
    Sound,
    SoundChange,
    changed,
    read_input,
    read_picture,
    read_sound,
    read_text,
    without_silence,
)
from daam_core.inputs.changes import SILENCE_FRAME

RATE = SAMPLE_RATE


def ramp(seconds: float = 1.0) -> Sound:
    """Every sample another value, so that a part says where it was cut."""
    return read_sound((np.linspace(0, 1, round(seconds * RATE), dtype=np.float32), RATE))


def noise(seconds: float = 4.0) -> Sound:
    return read_sound((np.random.default_rng(0).normal(0, 0.1, round(seconds * RATE)), RATE))


def grain(width: int = 60, height: int = 40) -> Picture:
    return read_picture(np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8))


CHANGES: list[tuple[Input, SoundChange | Region | Edit]] = [
    (ramp(), SoundChange(0.25, 0.75, 10.0)),
    (grain(), Region(0.1, 0.2, 0.5, 0.9)),
    (read_text("A good film."), Edit("A bad film.")),
]


@pytest.mark.parametrize(("original", "change"), CHANGES)
class TestEvery:
    def test_it_keeps_what_the_original_was_and_says_how_it_was_changed(self, original, change):
        made = changed(original, change)
        assert (made.name, made.facts, made.sha256) == (original.name, original.facts, original.sha256)
        assert made.title == f"{original.name} ({change.describe()})"
        assert made.change == change
        said = made.record["change"]
        assert said["description"] == change.describe()
        assert {key: value for key, value in said.items() if key != "description"} == vars(change)
        assert "change" not in original.record

    def test_the_original_stays_as_it_was(self, original, change):
        def content(given: Input) -> bytes:
            if isinstance(given, Sound):
                return given.samples.tobytes()
            return given.rgb.tobytes() if isinstance(given, Picture) else given.content.encode()

        before = content(original)
        made = changed(original, change)
        assert content(original) == before != content(made)
        assert original.change is None
        assert made != original
        assert made == changed(original, change)

    def test_a_changed_input_is_not_changed_again(self, original, change):
        with pytest.raises(InputError, match="was changed before; change the original instead"):
            changed(changed(original, change), change)

    def test_copies_of_a_visitors_state_share_it(self, original, change):
        made = changed(original, change)
        assert copy.deepcopy({"session": [made]})["session"][0] is made


def test_a_change_of_another_kind_is_refused():
    with pytest.raises(InputError, match="A change of the kind Region does not fit sound"):
        changed(ramp(), Region(0, 0, 1, 1))


# Sound


def test_a_clip_is_cut_to_the_part_asked_for():
    part = changed(ramp(), SoundChange(0.25, 0.75))
    np.testing.assert_array_equal(part.samples, ramp().samples[RATE // 4 : 3 * RATE // 4])
    assert part.seconds == 0.5
    assert part.facts["seconds"] == 1.0


@given(st.floats(0, 1), st.floats(0, 1) | st.none())
def test_any_part_is_exactly_those_samples_or_refused(start, end):
    whole = ramp()
    try:
        part = changed(whole, SoundChange(start, end))
    except InputError:
        assert (1.0 if end is None else end) - start < 0.1 + 1 / RATE
        return
    first = round(start * RATE)
    np.testing.assert_array_equal(part.samples, whole.samples[first : first + len(part.samples)])
    assert abs(len(part.samples) - ((1.0 if end is None else end) - start) * RATE) <= 1


@given(snr=st.floats(-10, 40), seed=st.integers(0, 2**32))
def test_noise_has_the_ratio_asked_for_and_repeats_with_its_seed(snr, seed):
    sound = noise()
    noisy = changed(sound, SoundChange(snr=snr, seed=seed))
    added = noisy.samples.astype(np.float64) - sound.samples
    assert 10 * np.log10(np.mean(sound.samples**2.0) / np.mean(added**2)) == pytest.approx(snr, abs=0.2)
    np.testing.assert_array_equal(noisy.samples, changed(sound, SoundChange(snr=snr, seed=seed)).samples)
    assert not np.array_equal(noisy.samples, changed(sound, SoundChange(snr=snr, seed=seed + 1)).samples)


def test_silence_stays_silence_under_noise():
    silent = read_sound((np.zeros(RATE, np.float32), RATE))
    assert not changed(silent, SoundChange(snr=0)).samples.any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (SoundChange(0.8, 0.2), "must begin before it ends, got 0.80 s to 0.20 s"),
        (SoundChange(2.0, 3.0), "begins at 2.00 s, but the clip lasts only 1.00 s"),
        (SoundChange(-1.0, 0.5), "must begin before it ends"),
        (SoundChange(float("nan"), 0.5), "must begin before it ends"),
        (SoundChange(0.5, 0.55), r"The part lasts 0\.050 s; a sound must last at least 0\.1 s"),
        (SoundChange(snr=90.0), "must be -10 to 40 dB, got 90"),
        (SoundChange(snr=float("nan")), "must be -10 to 40 dB"),
    ],
)
def test_a_part_or_ratio_that_cannot_be_is_refused(change, said):
    with pytest.raises(InputError, match=said):
        changed(ramp(), change)


# Picture


def test_exactly_the_region_is_covered():
    masked = np.asarray(changed(grain(), Region(0.5, 0.25, 1.0, 0.75, "black")).rgb)
    expected = np.asarray(grain().rgb).copy()
    expected[10:30, 30:60] = 0
    np.testing.assert_array_equal(masked, expected)


def test_the_mean_colour_is_the_pictures():
    plain = read_picture(Image.new("RGB", (10, 10), (200, 100, 50)))
    assert changed(plain, Region(0, 0, 0.5, 0.5, "mean")).rgb.getpixel((1, 1)) == (200, 100, 50)


@pytest.mark.parametrize("fill", ["mean", "black", "blur"])
@given(edges=st.tuples(*[st.floats(0, 1)] * 4), size=st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_any_region_is_covered_and_nothing_else_or_refused(fill, edges, size):
    white = read_picture(Image.new("RGB", size, "white"))
    region = Region(*edges, fill=fill)
    left, top, right, bottom = edges
    try:
        masked = changed(white, region).rgb
    except InputError:
        assert right - left < 0.005 or bottom - top < 0.005
        return
    assert masked.size == size
    dark = np.argwhere(np.asarray(masked)[:, :, 0] == 0)
    assert bool(len(dark)) == (fill == "black")  # the others are white again
    if not len(dark):
        return
    for place, low, high, side in zip(dark.T, (top, left), (bottom, right), size[::-1], strict=False):
        # Rounded to whole pixels, and at least one of them.
        assert place.min() >= low * side - 1
        assert place.max() < high * side + 1


@pytest.mark.parametrize(
    "region", [Region(0.5, 0, 0.5, 1), Region(0, 0, 2, 1), Region(float("nan"), 0, 1, 1)]
)
def test_no_region_is_refused(region):
    with pytest.raises(InputError, match="must lie in the picture and cover some of it"):
        changed(grain(), region)


def test_an_unknown_filling_is_refused():
    with pytest.raises(InputError, match="filled with mean, black or blur, got 'pink'"):
        changed(grain(), Region(0, 0, 1, 1, "pink"))


# Text


def test_an_edited_text_is_read_like_any_other():
    text = read_text("A good film.")
    assert changed(text, Edit("A\0bad film.")).content == "A\ufffdbad film."
    with pytest.raises(InputError, match="The text is empty"):
        changed(text, Edit("  "))


# Reading


def test_an_input_is_returned_as_it_is_and_not_taken_for_another_modality():
    sound = ramp()
    assert read_input(sound, "audio") is sound
    with pytest.raises(InputError, match="sound is audio, not text"):
        read_input(sound, "text")


def test_what_was_given_is_known_by_its_bytes(tmp_path):
    content = io.BytesIO()
    soundfile.write(content, noise(0.5).samples, 44_100, format="WAV")
    (tmp_path / "a.wav").write_bytes(content.getvalue())
    (tmp_path / "b.wav").write_bytes(content.getvalue())
    a, b = (read_sound(tmp_path / name) for name in ("a.wav", "b.wav"))
    assert a.sha256 == b.sha256 == read_sound(content.getvalue()).sha256
    assert a != b
    assert a.record == {
        "name": "a.wav",
        "sha256": a.sha256,
        "seconds": 8000 / 44_100,
        "rate": 44_100,
        "channels": 1,
        "format": "WAV",
    }


def test_samples_cannot_be_overwritten_and_the_callers_can():
    own = np.zeros(RATE, np.float32)
    sound = read_sound((own, RATE))
    own[0] = 1
    assert sound.samples[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        sound.samples[0] = 1


def test_another_rate_is_resampled_from_what_was_read():
    sound = noise(1.0)
    assert sound.at(RATE) is sound
    low = sound.at(8_000)
    assert (low.rate, len(low.samples), low.sha256) == (8_000, 8_000, sound.sha256)


# Silence


@pytest.mark.parametrize(("before", "after"), [(0.5, 0.25), (0.0, 0.7), (1.0, 0.0)])
def test_silence_at_both_ends_is_found(before, after):
    clip = np.concatenate([np.zeros(round(before * RATE)), noise(1.0).samples, np.zeros(round(after * RATE))])
    part = without_silence(read_sound((clip, RATE)))
    assert part.change.start == pytest.approx(before, abs=SILENCE_FRAME)
    assert part.change.end == pytest.approx(before + 1.0, abs=SILENCE_FRAME)
    assert part.facts["seconds"] == 1.0 + before + after


def test_a_clip_without_silence_or_without_sound_stays_as_it_is():
    for sound in (noise(1.0), read_sound((np.zeros(RATE), RATE))):
        assert without_silence(sound) is sound


def test_resampling_is_that_of_reading_at_the_other_rate():
    clip = noise(2.0).samples
    ours = read_sound((clip, RATE)).at(11_025).samples
    np.testing.assert_allclose(ours, read_sound((clip, RATE), rate=11_025).samples, atol=1e-6)
