"""Which part of a picture an image processor shows to the encoder, and where each pixel comes from."""

from dataclasses import dataclass

import numpy as np
from PIL.Image import Image

from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, EncoderFiles, read_json
from daam_core.backbones.huggingface.pretrained import TransformersPart
from daam_core.errors import EncoderError, InputError

#: A picture longer than this many times its width is cut to the middle before it is resized by its
#: shorter side, which would otherwise make it millions of pixels long; a centre crop follows anyway.
MAX_ASPECT = 8

#: transformers' processors that resize, then crop the centre, then scale values, and nothing else.
PLAIN = frozenset({"ViT", "Beit", "Bit", "DeiT", "CLIP", "Siglip", "Pvt", "EfficientNet", "MobileViT"})
#: Its processor that resizes by the shorter side divided by ``crop_pct``, then crops, below 384 pixels.
CROP_SHARE = "ConvNext"
#: Its processor that resizes to whole patches, as many as fit a number, in about the picture's own shape.
FREE_SHAPE = "Siglip2"
WARPED_FROM = 384  # pixels; that processor stretches to a square of this size and above


@dataclass(frozen=True)
class Crop:
    """The encoder's input as a window onto the picture.

    Attributes:
        height, width: of the encoder's input, in its pixels.
        left, top: where its corner lies, as fractions of the picture's width and height; negative
            where the processor had to pad.
        per_column, per_row: the fraction of the picture's width and height that one pixel takes.
    """

    height: int
    width: int
    left: float
    top: float
    per_column: float
    per_row: float

    def boxes(self, edges: np.ndarray) -> np.ndarray:
        """Boxes ``[T, 4]`` in input pixels (left, top, right, bottom) as fractions of the picture.

        They are cut at the picture's border; a box that lies in padding alone has no area left.
        """
        scale = np.array([self.per_column, self.per_row] * 2)
        corner = np.array([self.left, self.top] * 2)
        places: np.ndarray = (corner + edges * scale).clip(0.0, 1.0)
        return places


def named_kind(files: EncoderFiles) -> str:
    """The family name of the processor that a model's files ask for, "" where they name none."""
    for name in SOUND_OR_PICTURE_FILES:
        if (files.folder / name).is_file():
            settings = read_json(files, name)
            own = settings.get("image_processor")
            kind = (own if isinstance(own, dict) else settings).get("image_processor_type", "")
            return str(kind).removesuffix("Fast").removesuffix("Pil").removesuffix("ImageProcessor")
    return ""


def kind_of(processor: TransformersPart, kinds: frozenset[str] = PLAIN | {CROP_SHARE}) -> str:
    """The processor's family name, such as ``ViT``.

    Raises:
        EncoderError: a processor, or a way to give its size, that this program does not know.
    """
    kind = type(processor).__name__.removesuffix("Pil").removesuffix("ImageProcessor")
    if kind not in kinds:
        raise EncoderError(
            f"The image processor {type(processor).__name__} is not supported; supported are "
            f"{', '.join(sorted(kinds))}."
        )
    if kind == FREE_SHAPE:
        if not processor.do_resize:
            raise EncoderError("The preprocessor_config.json must have do_resize true.")
        return kind
    size = processor.size
    by_shorter_side = bool(size.shortest_edge and not size.longest_edge)
    if kind == CROP_SHARE:
        known = by_shorter_side and not processor.do_center_crop
    else:
        known = by_shorter_side or bool(size.height and size.width)
    if not (processor.do_resize and known):
        raise EncoderError(
            "The preprocessor_config.json does not resize pictures in a way this program knows: do_resize "
            "must be true and size a height and width, or a shortest edge alone."
        )
    return kind


def shown(picture: Image, processor: TransformersPart) -> tuple[Image, Crop]:
    """The picture to hand to the processor, and what the encoder will see of the original.

    Raises:
        InputError: the picture is so narrow that resizing its shorter side would make it huge.
        EncoderError: the processor is not supported.
    """
    kind = kind_of(processor)
    crop = _crop(processor, kind)
    width, height = picture.size
    left = top = 0
    by_shorter_side = not processor.size.height and not _warps(processor, kind)
    if by_shorter_side and max(width, height) > MAX_ASPECT * min(width, height):
        if crop is None:
            raise InputError(
                f"The picture is {width}×{height} pixels; this encoder takes pictures up to {MAX_ASPECT} "
                "times as long as wide, so crop it."
            )
        keep = MAX_ASPECT * min(width, height)
        left, top = max(0, (width - keep) // 2), max(0, (height - keep) // 2)
        picture = picture.crop((left, top, width - left, height - top))
    rows, columns = _resized(processor, kind, height=picture.height, width=picture.width)
    n_rows, n_columns = crop or (rows, columns)
    # transformers' centre crop; negative where it pads, because the crop is larger than the picture.
    first_row, first_column = (rows - n_rows) // 2, (columns - n_columns) // 2
    per_column = picture.width / columns / width
    per_row = picture.height / rows / height
    seen = Crop(
        height=n_rows,
        width=n_columns,
        left=left / width + first_column * per_column,
        top=top / height + first_row * per_row,
        per_column=per_column,
        per_row=per_row,
    )
    return picture, seen


def _resized(processor: TransformersPart, kind: str, *, height: int, width: int) -> tuple[int, int]:
    """Rows and columns after the processor's resizing."""
    size = processor.size
    if size.height:
        return size.height, size.width
    shorter = size.shortest_edge
    if _warps(processor, kind):
        return shorter, shorter
    if kind == CROP_SHARE:
        shorter = int(shorter / processor.crop_pct)
    longer = int(shorter * max(height, width) / min(height, width))
    return (longer, shorter) if width <= height else (shorter, longer)


def _crop(processor: TransformersPart, kind: str) -> tuple[int, int] | None:
    """Rows and columns of the centre crop, None where there is none."""
    if kind == CROP_SHARE:
        shorter = processor.size.shortest_edge
        return None if _warps(processor, kind) else (shorter, shorter)
    return (processor.crop_size.height, processor.crop_size.width) if processor.do_center_crop else None


def _warps(processor: TransformersPart, kind: str) -> bool:
    return kind == CROP_SHARE and processor.size.shortest_edge >= WARPED_FROM
