"""Picture encoders from transformers: patch transformers, and hierarchies of stages."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from daam_core.backbones.grids import Size, common_grid, regrid, widen
from daam_core.backbones.huggingface.crops import Crop, kind_of, shown
from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, EncoderFiles
from daam_core.backbones.huggingface.pretrained import Pretrained, TransformersPart, load_part
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import EncoderError
from daam_core.inputs import Input, Picture, read_picture

NEEDS = SOUND_OR_PICTURE_FILES

_BLANK = (48, 32)  # width and height of the picture that shows whether model and processor fit together
_GREY = (127, 127, 127)


class _Pictures(Pretrained):
    """The part both kinds share: from a picture to pixels and to boxes in the original."""

    modality = "image"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        # Without torchvision, transformers prepares pictures by Pillow; with it, it must too, or the
        # same picture would give other hidden states.
        self._processor = load_part("AutoImageProcessor", files, what="image processor", backend="pil")
        kind_of(self._processor)
        super().__init__(files, model, sha256=sha256, probe=read_picture(Image.new("RGB", _BLANK, _GREY)))

    def _prepared(self, given: Input) -> tuple[Tensor, Crop, dict[str, object]]:
        """Pixels ``[1, 3, height, width]``, where they come from, and facts."""
        picture = self.taken(given, Picture)
        part, crop = shown(picture.rgb, self._processor)
        pixels: Tensor = self._processor(part, return_tensors="pt")["pixel_values"].float()
        if pixels.shape != (1, 3, crop.height, crop.width):
            raise EncoderError(
                f"The image processor of '{self.name}' made pixels of shape {list(pixels.shape)} where its "
                f"settings say [1, 3, {crop.height}, {crop.width}]; it is not supported."
            )
        return pixels, crop, picture.record


class PretrainedPatches(_Pictures):
    """Hidden states ``[L, T, F]`` of a patch transformer such as ViT, BEiT or DINOv2.

    T counts the tokens in front of the patches (class, distillation, registers), which stand for no
    part of the picture, and one for each patch.
    """

    algorithm = "huggingface-patches-1"

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        pixels, crop, facts = self._prepared(given)
        hidden = torch.cat(self._states(pixel_values=pixels))
        patch = self._model.config.patch_size
        tall, wide = (patch, patch) if isinstance(patch, int) else patch
        size = crop.height // tall, crop.width // wide
        n_front = hidden.shape[1] - size[0] * size[1]
        if n_front < 0:
            raise EncoderError(
                f"'{self.name}' gives {hidden.shape[1]} tokens for {size[0]} × {size[1]} patches; its model "
                "type is not supported."
            )
        # The last pixels of a side that is no multiple of the patch are in no patch.
        boxes = crop.boxes(grid_edges(size) * np.array([wide, tall] * 2))
        spans = np.concatenate([np.full((n_front, 4), np.nan), boxes])
        labels = [
            *front_labels(n_front, distilled=self._model.config.model_type == "deit"),
            *cell_labels(size),
        ]
        return _without_padding(hidden, spans, labels, facts)


class PretrainedStages(_Pictures):
    """Hidden states ``[L, T, F]`` of a hierarchy such as Swin, ConvNeXt or ResNet, a layer for each stage.

    Every stage is brought by area onto one grid, the finest stage's that is not too fine, so that the
    mean over tokens is the mean over the stage's own positions. A stage of fewer than F channels has
    them repeated in turn: feature f is channel ``f mod channels``.
    """

    algorithm = "huggingface-stages-1"

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        pixels, crop, facts = self._prepared(given)
        # [rows, columns, channels] each.
        maps = [stage[0].permute(1, 2, 0) for stage in self._maps(pixels)]
        size = common_grid([(stage.shape[0], stage.shape[1]) for stage in maps])
        n_features = max(stage.shape[-1] for stage in maps)
        hidden = torch.stack([widen(regrid(stage, size), n_features).flatten(0, 1) for stage in maps])
        edges = grid_edges(size) * np.array([crop.width / size[1], crop.height / size[0]] * 2)
        return _without_padding(hidden, crop.boxes(edges), cell_labels(size), facts)

    def _maps(self, pixels: Tensor) -> list[Tensor]:
        """Every stage's feature map ``[1, channels, rows, columns]``, the stem's left out where given."""
        with torch.no_grad():
            output = self._model(pixel_values=pixels, output_hidden_states=True)
        states = getattr(output, "reshaped_hidden_states", None) or output.hidden_states
        return list(states[-len(self._model.config.depths) :])


def grid_edges(size: Size) -> np.ndarray:
    """``[rows · columns, 4]``: left, top, right and bottom of each cell in reading order, in cells."""
    row, column = np.divmod(np.arange(size[0] * size[1]), size[1])
    return np.stack([column, row, column + 1, row + 1], axis=1).astype(np.float64)


def cell_labels(size: Size) -> list[str]:
    return [f"row {row + 1}, column {column + 1}" for row in range(size[0]) for column in range(size[1])]


def front_labels(count: int, *, distilled: bool) -> list[str]:
    """Names of the tokens in front of the patches.

    >>> front_labels(3, distilled=False)
    ['[CLS]', '[REG 1]', '[REG 2]']
    """
    second = "[DIST]" if distilled else "[REG 1]"
    return ["[CLS]", second, *(f"[REG {i}]" for i in range(2, count))][:count]


def _without_padding(
    hidden: Tensor, spans: np.ndarray, labels: list[str], facts: dict[str, object]
) -> Encoding:
    """Leaves out the tokens that lie wholly outside the picture, where the processor padded."""
    areas = (spans[:, 2] - spans[:, 0]) * (spans[:, 3] - spans[:, 1])
    kept = np.isnan(areas) | (areas > 0)
    tokens = Tokens(
        "image",
        spans[kept],
        tuple(label for label, keep in zip(labels, kept, strict=True) if keep),
        np.ones(int(kept.sum())),
    )
    return Encoding(hidden[:, torch.from_numpy(kept)], tokens, facts)
