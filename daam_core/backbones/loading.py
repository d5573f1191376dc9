"""Encoders by name, loaded once."""

import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from daam_core.backbones.base import Backbone
from daam_core.backbones.names import BUILT_IN, check_named
from daam_core.errors import EncoderError
from daam_core.inputs import Modality

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
    check_named(name, device=device, dtype=dtype)
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
    from daam_core.backbones.huggingface.families import load_huggingface
    from daam_core.backbones.placing import Placing

    return load_huggingface(name, revision=revision, modality=modality, placing=Placing(device, dtype))
