"""What a classifier is made of, checked before anything is computed: nothing here needs torch.

Letters: H heads, L layers, F features, K Gaussians, C classes, D directions, M prototypes.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from daam_core.errors import ConfigError, InputError, is_number, is_whole, shown
from daam_core.inputs import MODALITIES, Modality

Mode = Literal["shared", "layer_groups"]
GateKind = Literal["density", "mixture"]
Amplitude = Literal["none", "layer"]
Decoder = Literal["pool", "linear", "conv", "gqa", "density"]
#: Whether an input has exactly one of the classes, or any number of them.
Labels = Literal["one", "several"]

#: With two values each is one standard deviation from their mean, whatever they are; with one there
#: is no variance. A gate over fewer than three layers cannot depend on its input.
MIN_LAYERS_PER_HEAD = 3
#: Classes that a refusal lists.
MOST_NAMED = 20


@dataclass(frozen=True)
class EncoderIdentity:
    """Which frozen encoder a head was trained on, exactly.

    Attributes:
        name: built-in name, hub id or folder name.
        revision: version of the weights.
        weights_sha256: hash of the weights.
        preprocessing: version tag of the input's preparation.
    """

    name: str
    revision: str
    weights_sha256: str
    preprocessing: str


@dataclass(frozen=True)
class ModelConfig:
    """Everything needed to rebuild a classifier, saved as ``config.json``.

    Attributes:
        modality: ``audio``, ``text`` or ``image``.
        encoder: the frozen encoder.
        n_layers: L.
        n_features: F.
        class_names: C ≥ 2 distinct names.
        n_heads: H, of all levels together.
        mode: ``shared`` or ``layer_groups``.
        gate_kind: ``density`` or ``mixture``.
        n_gaussians: K, mixture only.
        amplitude: ``layer`` or ``none``.
        decoder: ``pool`` (each head's gated layers averaged, then linear), ``linear`` (all gated
            values), ``conv`` (the paper's: two 3×3 convolutions that take rows as channels, then
            linear), ``gqa`` (linear, grouped-query attention over gated layers, their mean, linear), or
            ``density`` (joint Gaussian gates of all cells, one at each training input, solved in closed
            form; the first head stays open).
        offset_spread: spread of the heads' initial δ.
        amplitude_start: initial lead of the last layer's amplitude logit.
        conv_channels: channels of the ``conv`` decoder.
        n_directions: D of the ``density`` decoder, the most in training.
        n_prototypes: M of the ``density`` decoder; training sets it.
        seed: seed of initialisation and training.
        labels: ``one`` (an input is of exactly one class: softmax) or ``several`` (of any number of them:
            a sigmoid for each).
        n_levels: attentions one after the other, each of which adds to its input what its heads let
            through (paper, Algorithm 4); more than one with mode ``layer_groups``, amplitude ``none`` and
            decoder ``linear``, which sees what the last one makes.
    """

    modality: Modality
    encoder: EncoderIdentity
    n_layers: int
    n_features: int
    class_names: tuple[str, ...]
    n_heads: int = 4
    mode: Mode = "shared"
    gate_kind: GateKind = "density"
    n_gaussians: int = 1
    amplitude: Amplitude = "layer"
    decoder: Decoder = "pool"
    offset_spread: float = 2.0
    amplitude_start: float = 0.0
    conv_channels: int = 512
    n_directions: int = 512
    n_prototypes: int = 1
    seed: int = 0
    labels: Labels = "one"
    n_levels: int = 1

    def __post_init__(self) -> None:
        choices = {
            "modality": MODALITIES,
            "mode": get_args(Mode),
            "gate_kind": get_args(GateKind),
            "amplitude": get_args(Amplitude),
            "decoder": get_args(Decoder),
            "labels": get_args(Labels),
        }
        for name, accepted in choices.items():
            if getattr(self, name) not in accepted:
                raise ConfigError(
                    f"{name} must be one of {', '.join(accepted)}, got {shown(getattr(self, name))}."
                )
        sizes = ("n_layers", "n_features", "n_heads", "n_levels", "n_gaussians", "conv_channels")
        for name in (*sizes, "n_directions", "n_prototypes", "seed"):
            value = getattr(self, name)
            if not is_whole(value) or value < (0 if name == "seed" else 1):
                raise ConfigError(f"{name} must be a positive whole number, got {shown(value)}.")
        for name in ("offset_spread", "amplitude_start"):
            value = getattr(self, name)
            if not is_number(value) or not abs(value) < 1e6:
                raise ConfigError(f"{name} must be a finite number, got {shown(value)}.")
        if self.decoder == "density" and self.mode != "shared":
            raise ConfigError("The density decoder has a head that sees all layers: use it with mode shared.")
        stacked = (self.mode, self.amplitude, self.decoder) == ("layer_groups", "none", "linear")
        if self.n_levels > 1 and not (stacked and self.n_heads % self.n_levels == 0):
            raise ConfigError(
                "Several levels go with mode layer_groups, amplitude none, decoder linear and a number of "
                f"heads that divides evenly among them; got mode {self.mode}, amplitude {self.amplitude}, "
                f"decoder {self.decoder} and {self.n_heads} heads for {self.n_levels} levels. As options: "
                "--mode layer_groups --amplitude none --decoder linear --heads N; or train with --method "
                "density_block, which sets them all."
            )
        names = self.class_names
        if (
            len(names) < 2
            or len(set(names)) != len(names)
            or not all(isinstance(n, str) and n for n in names)
        ):
            raise ConfigError(
                f"class_names must be at least two distinct, non-empty names, got {shown(names)}."
            )

    @classmethod
    def from_dict(cls, raw: object) -> "ModelConfig":
        """Build from the content of ``config.json``.

        Raises:
            ConfigError: missing, unknown or unusable entries.
        """
        if not isinstance(raw, dict):
            raise ConfigError(f"A configuration must be a JSON object, got {type(raw).__name__}.")
        known = {f.name for f in fields(cls)}
        needed = {"modality", "encoder", "n_layers", "n_features", "class_names"}
        if unknown := sorted(set(raw) - known):
            raise ConfigError(f"The configuration has unknown entries: {', '.join(unknown)}.")
        if missing := sorted(needed - set(raw)):
            raise ConfigError(f"The configuration lacks: {', '.join(missing)}.")
        identity, names = raw["encoder"], raw["class_names"]
        parts = {f.name for f in fields(EncoderIdentity)}
        if (
            not isinstance(identity, dict)
            or set(identity) != parts
            or not all(isinstance(value, str) for value in identity.values())
        ):
            raise ConfigError(f"The configuration's encoder must have the texts {', '.join(sorted(parts))}.")
        if not isinstance(names, list | tuple):
            raise ConfigError("The configuration's class_names must be a list.")
        return cls(**(raw | {"encoder": EncoderIdentity(**identity), "class_names": tuple(names)}))


def class_index(class_names: tuple[str, ...], target: str | int | np.integer[Any] | None) -> int | None:
    """Index of a class given by name or index, as a number or in digits; None stays None.

    Raises:
        InputError: listing the classes.
    """
    if target is None:
        return None
    if isinstance(target, str):
        if target in class_names:
            return class_names.index(target)
        target = int(target) if target.isdecimal() and len(target) < 10 else target
    if (isinstance(target, np.integer) or is_whole(target)) and 0 <= target < len(class_names):
        return int(target)
    count = len(class_names)
    known = ", ".join(class_names[:MOST_NAMED])
    if count > MOST_NAMED:
        known += f" and {count - MOST_NAMED} more"
    raise InputError(f"There is no class {target!r}; the classes are {known}, or 0 to {count - 1}.")
