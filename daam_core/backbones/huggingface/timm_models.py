"""Picture encoders of the package timm, where it is installed: as its hub repositories hold them, or as
transformers' TimmWrapper saves them.

A layer is what timm calls an intermediate: a block of a transformer, a stage of a hierarchy.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from daam_core.backbones.grids import common_grid, regrid, widen
from daam_core.backbones.huggingface.crops import MAX_ASPECT, Crop
from daam_core.backbones.huggingface.hub import CONFIG, EncoderFiles, fetch, weight_files, weights_sha256
from daam_core.backbones.huggingface.pretrained import Pretrained, here, reason
from daam_core.backbones.huggingface.vision import cell_labels, grid_edges
from daam_core.backbones.placing import Placing
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import EncoderError
from daam_core.inputs import Input, Picture, read_picture
from daam_core.plain import PlainMapping

#: How TimmWrapper calls its weights.
_PREFIX = "timm_model."
#: Arguments of a configuration that are not the architecture's: timm records the number of classes as one,
#: and the others would have it read further files.
_NOT_THE_ARCHITECTURES = {
    *("num_classes", "features_only", "cache_dir", "checkpoint_path"),
    *("pretrained", "pretrained_cfg", "pretrained_cfg_overlay", "pretrained_model_args"),
}
_FILTERS = {
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}
_PROBE = read_picture(Image.new("RGB", (48, 32), (127, 127, 127)))


class _Intermediates(nn.Module):
    """A timm model that gives its intermediates as maps ``[1, channels, rows, columns]``."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parameters()).dtype

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def forward(self, pixels: Tensor) -> list[Tensor]:
        found: list[Tensor] = self.model.forward_intermediates(  # type: ignore[operator]
            pixels, intermediates_only=True, output_fmt="NCHW"
        )
        return found


class TimmPictures(Pretrained):
    """Hidden states ``[L, T, F]`` of a timm model, a layer for each intermediate, on one grid.

    Pictures are resized by their shorter side, cut to the middle and normalised as the configuration says.
    A layer of fewer than F channels has them repeated in turn: feature f is channel ``f mod channels``.
    """

    modality = "image"
    algorithm = "timm-intermediates-2"

    def __init__(
        self, files: EncoderFiles, model: _Intermediates, settings: PlainMapping, *, sha256: str
    ) -> None:
        try:
            _, self._height, self._width = (int(side) for side in settings["input_size"])
            self._share = float(settings.get("crop_pct", 0.875))
            self._mean, self._deviation = (
                torch.tensor(settings[name], dtype=torch.float32)[:, None, None] for name in ("mean", "std")
            )
            self._filter = _FILTERS[settings.get("interpolation", "bicubic")]
            known = settings.get("crop_mode", "center") == "center" and len(self._mean) == 3
        except (KeyError, TypeError, ValueError) as error:
            raise EncoderError(
                f"The {CONFIG} of '{files.name}' does not say how pictures are prepared: its pretrained_cfg "
                "needs input_size, mean, std, and an interpolation that is bicubic, bilinear or nearest."
            ) from error
        if not known or not 0 < self._share <= 1:
            raise EncoderError(
                f"'{files.name}' prepares pictures in a way this program does not know: crop_mode must be "
                "center, crop_pct in (0, 1], and mean of three colours."
            )
        super().__init__(files, model, sha256=sha256, probe=_PROBE)

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        picture = self.taken(given, Picture)
        pixels, crop = self._prepared(picture.rgb)
        states = self._model(self._there({"pixels": pixels})["pixels"])
        maps = [here(state)[0].permute(1, 2, 0) for state in states]
        size = common_grid([(one.shape[0], one.shape[1]) for one in maps])
        n_features = max(one.shape[-1] for one in maps)
        hidden = torch.stack([widen(regrid(one, size), n_features).flatten(0, 1) for one in maps])
        edges = grid_edges(size) * np.array([self._width / size[1], self._height / size[0]] * 2)
        labels = cell_labels(size)
        tokens = Tokens("image", crop.boxes(edges), tuple(labels), np.ones(len(labels)))
        return Encoding(hidden, tokens, picture.record)

    def _prepared(self, picture: Image.Image) -> tuple[Tensor, Crop]:
        """Pixels ``[1, 3, height, width]`` and where they come from."""
        whole_width, whole_height = picture.size
        keep = MAX_ASPECT * min(picture.size)
        left, top = max(0, (whole_width - keep) // 2), max(0, (whole_height - keep) // 2)
        picture = picture.crop((left, top, whole_width - left, whole_height - top))
        shorter = math.floor(min(self._height, self._width) / self._share)
        shorter = max(shorter, self._height, self._width)  # of an oblong input nothing lies outside
        columns, rows = (int(shorter * side / min(picture.size)) for side in picture.size)
        resized = picture.resize((columns, rows), self._filter)
        # Half a pixel goes to the even side, as torchvision's CenterCrop rounds.
        first_column, first_row = round((columns - self._width) / 2), round((rows - self._height) / 2)
        box = (first_column, first_row, first_column + self._width, first_row + self._height)
        values = torch.from_numpy(np.asarray(resized.crop(box), dtype=np.float32) / 255).permute(2, 0, 1)
        per_column = picture.width / columns / whole_width
        per_row = picture.height / rows / whole_height
        crop = Crop(
            height=self._height,
            width=self._width,
            left=left / whole_width + first_column * per_column,
            top=top / whole_height + first_row * per_row,
            per_column=per_column,
            per_row=per_row,
        )
        return ((values - self._mean) / self._deviation)[None], crop


def load_timm(files: EncoderFiles, config: PlainMapping, placing: Placing) -> TimmPictures:
    """A timm model with its weights from safetensors; no code of a repository is run.

    Raises:
        EncoderError: timm cannot be imported, does not know the architecture, or the weights do not fit.
    """
    try:
        import timm
    except (ImportError, RuntimeError) as error:  # torchvision's own error where torch is another build
        raise EncoderError(
            f"'{files.name}' is a model of the package timm, which cannot be imported here "
            f"({reason(error, files)}); install timm and the torchvision that belongs to the installed "
            "torch, or give a model of transformers."
        ) from error
    files = fetch(files, needs=(CONFIG,))
    paths = weight_files(files)
    sha256 = weights_sha256(paths)
    try:
        architecture, given = config["architecture"], config.get("model_args") or {}
        if ":" in architecture:  # timm takes it for a place, such as another repository
            raise EncoderError(
                f"{architecture!r} in the {CONFIG} of '{files.name}' is no architecture of timm."
            )
        arguments = {name: value for name, value in given.items() if name not in _NOT_THE_ARCHITECTURES}
        model = timm.create_model(architecture, pretrained=False, num_classes=0, **arguments)
        if not hasattr(model, "forward_intermediates"):
            raise EncoderError(
                f"The architecture {architecture!r} of '{files.name}' gives no intermediates in "
                "timm; give another one."
            )
        missing = model.load_state_dict(_weights(paths), strict=False).missing_keys
    except EncoderError:
        raise
    except Exception as error:  # timm, safetensors and torch raise many kinds, and none is our defect
        raise EncoderError(
            f"'{files.name}' cannot be loaded by timm ({reason(error, files)}); copy the model again, or "
            "update timm."
        ) from error
    if missing:
        raise EncoderError(
            f"The weights of '{files.name}' lack {len(missing)} parameters of its architecture, such as "
            f"{missing[0]}; copy the model again."
        )
    placed = _Intermediates(model).to(placing.device, placing.numbers)
    return TimmPictures(files, placed, config.get("pretrained_cfg") or {}, sha256=sha256)


def _weights(paths: Sequence[Path]) -> Mapping[str, Tensor]:
    from safetensors.torch import load_file

    found: dict[str, Tensor] = {}
    for path in paths:
        found |= {name.removeprefix(_PREFIX): tensor for name, tensor in load_file(path).items()}
    return found
