"""Where an encoder's weights lie and in which numbers it computes; what it returns is float32 on the CPU."""

from dataclasses import dataclass

import torch

from daam_core.backbones.names import DTYPES, check_device
from daam_core.errors import EncoderError


@dataclass(frozen=True)
class Placing:
    """A device of torch and the numbers computed in there.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: of :data:`~daam_core.backbones.names.DTYPES`. Other numbers give other hidden states, so that a
            classifier is used with those it was trained with.
    """

    device: str = "cpu"
    dtype: str = "float32"

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise EncoderError(
                f"There is no dtype {self.dtype!r} for encoders; there are {', '.join(DTYPES)}."
            )
        check_device(self.device)
        kind = self.device.partition(":")[0]
        there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
        if not there.get(kind, False):
            usable = ", ".join(name for name, is_there in there.items() if is_there)
            raise EncoderError(
                f"This computer's torch has no device {self.device!r}; it has {usable}. Leave out --device, "
                "or install the torch that is made for it."
            )

    @property
    def numbers(self) -> torch.dtype:
        numbers: torch.dtype = getattr(torch, self.dtype)
        return numbers

    @property
    def tag(self) -> str:
        """What is added to an encoder's preprocessing, which identifies its hidden states."""
        return "" if self.dtype == "float32" else f":{self.dtype}"


def dtype_of(preprocessing: str) -> str:
    """The numbers that an encoder of this preprocessing computes in.

    >>> dtype_of("huggingface-text-1:0123456789ab:bfloat16")
    'bfloat16'
    """
    last = preprocessing.rpartition(":")[2]
    return last if last in DTYPES else "float32"
