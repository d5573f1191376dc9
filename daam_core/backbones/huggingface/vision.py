"""Picture encoders from transformers: patch transformers, and hierarchies of stages."""

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from daam_core.backbones.grids import Size, common_grid, regrid, widen
from daam_core.backbones.huggingface.crops import (
    CROP_SHARE,
    FREE_SHAPE,
    PLAIN,
    Crop,
    kind_of,
    named_kind,
    shown,
)
from daam_core.backbones.huggingface.hub import SOUND_OR_PICTURE_FILES, EncoderFiles
from daam_core.backbones.huggingface.pretrained import Pretrained, TransformersPart, here, load_part
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import EncoderError
from daam_core.inputs import Input, Picture, read_picture

NEEDS = SOUND_OR_PICTURE_FILES

_BLANK = (48, 32)  # width and height of the picture that shows whether model and processor fit together
_GREY = (127, 127, 127)
#: Model types without ``depths`` whose first hidden state is a stage's and not the stem's.
_WITHOUT_STEM = {"mobilevit", "mobilevitv2", "mobilenet_v1", "mobilenet_v2"}
#: Model types that give their maps as rows × columns × channels.
_CHANNELS_LAST = {"hiera"}
#: An image processor that exists for torchvision alone, and the one of Pillow with the same steps.
_BY_PILLOW = {"DINOv3ViT": "ViTImageProcessorPil"}


class _Pictures(Pretrained):
    """The part both kinds share: from a picture to pixels and to boxes in the original."""

    modality = "image"

    def __init__(
        self,
        files: EncoderFiles,
        model: TransformersPart,
        *,
        sha256: str,
        kinds: frozenset[str] = PLAIN | {CROP_SHARE},
    ) -> None:
        # Without torchvision, transformers prepares pictures by Pillow; with it, it must too, or the
        # same picture would give other hidden states.
        own = _BY_PILLOW.get(named_kind(files))
        self._processor = (
            load_part(own, files, what="image processor")
            if own
            else load_part("AutoImageProcessor", files, what="image processor", backend="pil")
        )
        kind_of(self._processor, kinds)
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

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        config = model.config
        patch = getattr(config, "patch_size", None)
        self._patch: Size = (patch, patch) if isinstance(patch, int) else tuple(patch or (0, 0))
        if len(self._patch) != 2 or min(self._patch) < 1:
            raise EncoderError(
                f"'{files.name}' is of type '{config.model_type}', whose configuration gives no patch_size "
                "in pixels; it is not supported."
            )
        if config.model_type == "vit_mae":
            config.mask_ratio = 0.0
        super().__init__(files, model, sha256=sha256)

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        pixels, crop, facts = self._prepared(given)
        tall, wide = self._patch
        size = crop.height // tall, crop.width // wide
        more = {}
        if self._model.config.model_type == "vit_mae":
            # Its encoder shuffles the patches by this noise and drops those with the most: none here.
            more["noise"] = torch.arange(size[0] * size[1], dtype=torch.float32)[None]
        hidden = torch.cat(self._states(pixel_values=pixels, **more))
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


class PretrainedFreePatches(_Pictures):
    """Hidden states ``[L, T, F]`` of SigLIP 2 as it takes pictures of any shape: one token a patch.

    The picture keeps its shape but for rounding to whole patches, of which there are so many as the image
    processor says at most; filling behind the last patch is not given to the model.
    """

    algorithm = "huggingface-free-patches-1"

    def __init__(self, files: EncoderFiles, model: TransformersPart, *, sha256: str) -> None:
        super().__init__(files, model, sha256=sha256, kinds=frozenset({FREE_SHAPE}))

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        picture = self.taken(given, Picture)
        made = self._processor(picture.rgb, return_tensors="pt")
        rows, columns = (int(side) for side in made["spatial_shapes"][0])
        patches = made["pixel_values"][:, : rows * columns].float()
        hidden = torch.cat(
            self._states(
                pixel_values=patches,
                pixel_attention_mask=torch.ones(patches.shape[:2], dtype=torch.int64),
                spatial_shapes=torch.tensor([[rows, columns]]),
            )
        )
        spans = grid_edges((rows, columns)) / np.array([columns, rows] * 2)
        return _without_padding(hidden, spans, cell_labels((rows, columns)), picture.record)


class PretrainedStages(_Pictures):
    """Hidden states ``[L, T, F]`` of a hierarchy such as Swin, ConvNeXt or ResNet, a layer for each stage.

    EfficientNet's layers are its blocks.

    Every stage is brought by area onto one grid, the finest stage's that is not too fine, so that the
    mean over tokens is the mean over the stage's own positions. A stage of fewer than F channels has
    them repeated in turn: feature f is channel ``f mod channels``.
    """

    algorithm = "huggingface-stages-1"

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        pixels, crop, facts = self._prepared(given)
        maps = [stage[0] for stage in self._maps(pixels)]
        size = common_grid([(stage.shape[0], stage.shape[1]) for stage in maps])
        n_features = max(stage.shape[-1] for stage in maps)
        hidden = torch.stack([widen(regrid(stage, size), n_features).flatten(0, 1) for stage in maps])
        edges = grid_edges(size) * np.array([crop.width / size[1], crop.height / size[0]] * 2)
        return _without_padding(hidden, crop.boxes(edges), cell_labels(size), facts)

    def _maps(self, pixels: Tensor) -> list[Tensor]:
        """Every stage's feature map ``[1, rows, columns, channels]``, the stem's left out where given."""
        output = self._run(pixel_values=pixels)
        states = getattr(output, "reshaped_hidden_states", None) or output.hidden_states
        config = self._model.config
        if any(state.ndim != 4 for state in states):
            raise EncoderError(
                f"'{self.name}' is of type '{config.model_type}', whose hidden states are no maps of rows "
                "and columns; it is not supported."
            )
        depths = getattr(config, "depths", None)
        if depths is not None:
            states = states[-len(depths) :]
        elif config.model_type not in _WITHOUT_STEM:
            states = states[1:]
        last = config.model_type in _CHANNELS_LAST
        return [here(state if last else state.permute(0, 2, 3, 1)) for state in states]


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
