"""Greyscale of more than eight bits: scaled by what it is, whatever a few pixels say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from daam_core.errors import InputError
from daam_core.inputs import read_picture
from tests.support.media import picture_file


def grey(kind: str, value: float, hot: float | None = None) -> bytes:
    values = np.full((64, 64), value, kind)
    if hot is not None:
        values[0, 0] = hot
    return picture_file(Image.fromarray(values), "TIFF")


@pytest.mark.parametrize(
    ("content", "expected", "said"),
    [
        (grey("f4", 120, hot=300), 120, "scaled to 8 bits from 0…255 (1 value outside of it cut off)"),
        (grey("f4", 0.5, hot=1.02), 128, "scaled to 8 bits from 0…1 (1 value outside of it cut off)"),
        (grey("f4", 0.5, hot=-0.02), 128, "scaled to 8 bits from 0…1 (1 value outside of it cut off)"),
        (grey("f4", 0.5), 128, "scaled to 8 bits from 0…1"),
        (grey("f4", 3.0), 255, "scaled to 8 bits from 0…3"),
        (grey("f4", 40_000), 156, "scaled to 8 bits from 0…65535"),
        (grey("i4", 120), 120, "scaled to 8 bits from 0…255"),
        (grey("i4", 120, hot=70_000), 120, "scaled to 8 bits from 0…255 (1 value outside of it cut off)"),
        (grey("i4", 1_000_000), 255, "scaled to 8 bits from 0…1e+06"),
        (grey("i2", 900), 224, "scaled to 8 bits from 0…1023"),
        (grey("u2", 2048, hot=4095), 128, "scaled to 8 bits from 0…4095"),
        (grey("u2", 2048, hot=65_535), 128, "scaled to 8 bits from 0…4095 (1 value outside of it cut off)"),
        (grey("u2", 0x8080), 128, "scaled to 8 bits from 0…65535"),
        (grey(">u2", 0x8080), 128, "scaled to 8 bits from 0…65535"),
        (grey("u2", 0), 0, "scaled to 8 bits from 0…255"),
    ],
)
def test_the_full_scale_is_that_of_nearly_all_values(content, expected, said):
    picture = read_picture(content)
    assert picture.rgb.getpixel((5, 5)) == (expected,) * 3
    assert picture.facts["repaired"] == said


@given(st.sampled_from(["u2", "i4", "f4"]), st.floats(0.01, 1), st.integers(0, 15), st.integers(0, 2**32))
def test_a_few_hot_pixels_change_nothing_else(kind, level, hot, seed):
    draw = np.random.default_rng(seed)
    values = (draw.random((64, 64)) * level * 60_000).astype(kind)
    spoilt = values.copy()
    places = draw.integers(0, 64, (2, hot))
    spoilt[places[0], places[1]] = 65_535
    plain, other = (
        np.asarray(read_picture(picture_file(Image.fromarray(one), "TIFF")).rgb) for one in (values, spoilt)
    )
    untouched = values == spoilt
    if picture_scale(values) == picture_scale(spoilt):
        np.testing.assert_array_equal(plain[untouched], other[untouched])


def picture_scale(values: np.ndarray) -> str:
    said = read_picture(picture_file(Image.fromarray(values), "TIFF")).facts["repaired"]
    return str(said).partition(" (")[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (grey("i4", -5), "values from -5 to -5"),
        (grey("f4", -0.5), r"values from -0\.5 to -0\.5; greyscale pictures need values from 0 up"),
        (grey("f4", 0.5, hot=np.nan), "values from nan to nan; greyscale pictures need finite ones"),
        (grey("f4", 0.5, hot=np.inf), "values from 0.5 to inf"),
    ],
)
def test_values_that_mean_no_brightness_are_refused(content, said):
    with pytest.raises(InputError, match=said):
        read_picture(content)
