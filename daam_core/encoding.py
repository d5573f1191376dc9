"""What an encoder returns: hidden states, and where in the input each token stands.

Letters in shapes: L layers, T tokens (frames, words or patches), F features.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daam_core.errors import EncoderError, ShapeError
from daam_core.inputs import Modality

#: What the numbers of a token's span mean, by modality.
SPAN_UNITS: dict[Modality, str] = {
    "audio": "seconds",  # (start, end)
    "text": "characters",  # (start, end), Python string indices, end exclusive
    "image": "fraction",  # (left, top, right, bottom) of the picture's width and height
}


@dataclass(frozen=True)
class Tokens:
    """Where each of T tokens stands in the input.

    Attributes:
        modality: ``audio``, ``text`` or ``image``; decides the unit of ``spans`` (:data:`SPAN_UNITS`).
        spans: ``[T, 2]`` for sound and text, ``[T, 4]`` for images; NaN for a token that stands for
            no part of the input, such as ``[CLS]``.
        labels: T short names: a word piece, ``1.24 s`` or ``row 2, column 5``.
        weights: ``[T]``, positive: how many encoder positions a token stands for. Long sounds are
            kept as averages of neighbouring frames, so that memory stays bounded.
    """

    modality: Modality
    spans: np.ndarray
    labels: tuple[str, ...]
    weights: np.ndarray

    def __post_init__(self) -> None:
        count, width = len(self.labels), 4 if self.modality == "image" else 2
        if not count:
            raise ShapeError(
                "The input has no tokens, so there is nothing to explain; give one that has some."
            )
        if self.spans.shape != (count, width) or self.weights.shape != (count,):
            raise ShapeError(
                f"{count} labels need spans of shape [{count}, {width}] and weights of shape [{count}], "
                f"got {list(self.spans.shape)} and {list(self.weights.shape)}."
            )
        if not (self.weights > 0).all():
            raise ShapeError("Token weights must be positive.")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def units(self) -> str:
        return SPAN_UNITS[self.modality]

    @property
    def shares(self) -> np.ndarray:
        """``[T]``, sums to 1: each token's share in the mean over tokens."""
        shares: np.ndarray = self.weights / self.weights.sum()
        return shares


@dataclass(frozen=True)
class Encoding:
    """A frozen encoder's view of one input.

    Attributes:
        hidden: ``[L, T, F]`` hidden states, embedding layer left out (as in the paper), no padding.
        tokens: where each of the T tokens stands.
        facts: plain values about the input and how it was prepared, for the record: the input's own
            (its name, hash, duration or size, and its change), and windows and the like.
        text: the text as it was read, which the tokens' spans index into; None for sound and images.
    """

    hidden: Tensor
    tokens: Tokens
    facts: Mapping[str, object]
    text: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.hidden, Tensor):
            raise EncoderError(f"Hidden states must be a torch tensor, got {type(self.hidden).__name__}.")
        if self.hidden.ndim != 3 or self.hidden.shape[1] != len(self.tokens):
            raise EncoderError(
                f"Hidden states must be [L, T, F] with T = {len(self.tokens)} tokens, "
                f"got {list(self.hidden.shape)}."
            )
        if not bool(torch.isfinite(self.hidden).all()):
            raise ShapeError(
                "The encoder returned values that are not finite for this input; nothing can be explained."
            )


def pool(encoding: Encoding) -> Tensor:
    """Mean over tokens, ``[L, T, F] → [L, F]``: the only pooling in this package.

    The mean is weighted by ``tokens.weights``, so it equals the mean over all encoder positions.

    Raises:
        EncoderError: an encoder of one's own returned something else.
    """
    returned: object = encoding
    if not isinstance(returned, Encoding):
        got = type(returned).__name__
        raise EncoderError(f"An encoder's encode must return an Encoding of daam_core.encoding, got {got}.")
    shares = torch.as_tensor(encoding.tokens.shares, dtype=encoding.hidden.dtype).to(encoding.hidden.device)
    return torch.einsum("ltf,t->lf", encoding.hidden, shares)
