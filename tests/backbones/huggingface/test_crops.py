"""Boxes refer to the real picture: measured by sending ramps through transformers' own processors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from daam_core.backbones.huggingface.crops import MAX_ASPECT, Crop, kind_of, shown
from daam_core.errors import EncoderError, InputError

transformers = pytest.importorskip("transformers")

CROP = {"height": 32, "width": 32}
PROCESSORS: dict[str, tuple[str, dict[str, Any]]] = {
    "stretched": ("ViT", {"size": CROP}),
    "stretched, then cropped": ("DeiT", {"size": {"height": 36, "width": 40}, "crop_size": CROP}),
    "shorter side, then cropped": ("Bit", {"size": {"shortest_edge": 40}, "crop_size": CROP}),
    "cropped to less than the shorter side": ("CLIP", {"size": {"shortest_edge": 50}, "crop_size": CROP}),
    "padded": ("CLIP", {"size": {"shortest_edge": 25}, "crop_size": {"height": 40, "width": 40}}),
    "padded by an odd number": (
        "CLIP",
        {"size": {"height": 20, "width": 33}, "crop_size": {"height": 41, "width": 28}},
    ),
    "by crop_pct": ("ConvNext", {"size": {"shortest_edge": 32}, "crop_pct": 0.85}),
    "warped": ("ConvNext", {"size": {"shortest_edge": 384}}),
    "shorter side alone": ("Bit", {"size": {"shortest_edge": 32}, "do_center_crop": False}),
    "rectangle": ("Beit", {"size": {"height": 24, "width": 48}}),
    "SigLIP": ("Siglip", {"size": CROP}),
    "PVT": ("Pvt", {"size": CROP}),
}


def processor_of(name: str) -> Any:
    kind, given_settings = PROCESSORS[name]
    loader = getattr(transformers, f"{kind}ImageProcessorPil")
    return loader(**{"do_center_crop": "crop_size" in given_settings, **given_settings})


def ramps(width: int, height: int) -> Image.Image:
    """Red grows from left to right, green from top to bottom, blue is full."""
    red = np.linspace(0, 255, width)[None, :].repeat(height, 0)
    green = np.linspace(0, 255, height)[:, None].repeat(width, 1)
    return Image.fromarray(np.stack([red, green, np.full_like(red, 255)], axis=2).astype(np.uint8))


@pytest.mark.parametrize("name", PROCESSORS)
@given(width=st.integers(20, 260), height=st.integers(20, 260))
@settings(max_examples=15, deadline=None)
def test_boxes_are_where_the_pixels_come_from(name: str, width: int, height: int) -> None:
    processor = processor_of(name)
    if max(width, height) > MAX_ASPECT * min(width, height):
        return
    part, crop = shown(ramps(width, height), processor)
    raw = processor(part, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
    assert raw.shape == (3, crop.height, crop.width)

    rows, columns = np.meshgrid(np.arange(crop.height), np.arange(crop.width), indexing="ij")
    x = crop.left + (columns + 0.5) * crop.per_column
    y = crop.top + (rows + 0.5) * crop.per_row
    # Pixels of the border mix with what lies beyond it.
    margin_x, margin_y = 2 * max(crop.per_column, 1 / width), 2 * max(crop.per_row, 1 / height)
    inside = (x > margin_x) & (x < 1 - margin_x) & (y > margin_y) & (y < 1 - margin_y)
    assert inside.any()
    found_x = (raw[0] / 255 * (width - 1) + 0.5) / width
    found_y = (raw[1] / 255 * (height - 1) + 0.5) / height
    assert np.abs(found_x - x)[inside].max() < 0.6 * max(crop.per_column, 1 / width) + 0.005
    assert np.abs(found_y - y)[inside].max() < 0.6 * max(crop.per_row, 1 / height) + 0.005
    # What lies outside the picture is padding: black, also in the blue that is full everywhere else.
    outside = (x < 0) | (x > 1) | (y < 0) | (y > 1)
    assert (raw[2][outside] == 0).all()
    assert (raw[2][inside] > 250).all()


def test_boxes_are_cut_at_the_border() -> None:
    crop = Crop(height=4, width=4, left=-0.25, top=0.0, per_column=0.25, per_row=0.25)
    edges = np.array([[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 1.0], [2.0, 3.0, 4.0, 4.0]])
    boxes = crop.boxes(edges)
    assert boxes.tolist() == [[0, 0, 0, 0.25], [0, 0, 0.25, 0.25], [0.25, 0.75, 0.75, 1]]


@pytest.mark.parametrize(("width", "height"), [(3000, 3), (3, 3000), (1, 5000)])
def test_long_pictures_are_cut_to_the_middle_before_resizing(width: int, height: int) -> None:
    processor = processor_of("shorter side, then cropped")
    part, crop = shown(Image.new("RGB", (width, height)), processor)
    assert max(part.size) <= MAX_ASPECT * min(part.size) + 1
    assert processor(part, return_tensors="np")["pixel_values"].shape[-2:] == (crop.height, crop.width)
    left, top, right, bottom = crop.boxes(np.array([[0, 0, crop.width, crop.height]], dtype=float))[0]
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.5 / width + 0.02)
    assert (top + bottom) / 2 == pytest.approx(0.5, abs=0.5 / height + 0.02)
    # The crop is as wide as it is high, in pixels of the original.
    assert (right - left) * width == pytest.approx((bottom - top) * height, rel=0.1)


def test_long_pictures_are_refused_where_no_crop_follows() -> None:
    with pytest.raises(InputError, match=r"^The picture is 900×3 pixels; .* up to 8 times .* so crop it\.$"):
        shown(Image.new("RGB", (900, 3)), processor_of("shorter side alone"))
    part, _ = shown(Image.new("RGB", (900, 3)), processor_of("stretched"))
    assert part.size == (900, 3)


@pytest.mark.parametrize("size", [(1, 1), (1, 3), (3, 1), (2, 2)])
@pytest.mark.parametrize("name", ["stretched", "shorter side, then cropped", "by crop_pct"])
def test_the_smallest_pictures(name: str, size: tuple[int, int]) -> None:
    processor = processor_of(name)
    part, crop = shown(Image.new("RGB", size, (9, 99, 200)), processor)
    raw = processor(part, do_rescale=False, do_normalize=False, return_tensors="np")["pixel_values"][0]
    assert raw.shape == (3, crop.height, crop.width)
    assert [np.unique(channel).tolist() for channel in raw] == [[9], [99], [200]]


@pytest.mark.parametrize(
    ("kind", "given_settings", "message"),
    [
        ("ViT", {"do_resize": False}, "do_resize must be true"),
        ("ViT", {"size": {"shortest_edge": 32, "longest_edge": 64}}, "a shortest edge alone"),
        (
            "ConvNext",
            {"size": {"shortest_edge": 32}, "do_center_crop": True, "crop_size": CROP},
            "this program knows",
        ),
        ("ConvNext", {"size": CROP}, "a shortest edge alone"),
        (
            "Detr",
            {},
            r"^The image processor DetrImageProcessorPil is not supported; supported are Beit, Bit, ",
        ),
    ],
)
def test_unknown_ways_to_resize_are_refused(kind: str, given_settings: dict[str, Any], message: str) -> None:
    processor = getattr(transformers, f"{kind}ImageProcessorPil")(**given_settings)
    with pytest.raises(EncoderError, match=message):
        kind_of(processor)
