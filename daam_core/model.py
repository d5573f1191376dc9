"""The classifier on top of a frozen encoder: standardise → density attention → decode.

Letters: B batch, H heads, L layers, F features, R rows (see ``layers``), C classes.
"""

from dataclasses import dataclass, fields
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn

from daam_core.density_decoder import DensityDecoder, Joint
from daam_core.errors import ConfigError, is_number, is_whole, shown
from daam_core.grouped_query import GroupedQueryAttention
from daam_core.importance import evidence
from daam_core.inputs import MODALITIES, Modality
from daam_core.layers import Amplitude, DensityAttention, GateKind, Mode, Standardisation

Decoder = Literal["pool", "linear", "conv", "gqa", "density"]
#: Whether an input has exactly one of the classes, or any number of them.
Labels = Literal["one", "several"]


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
        n_heads: H.
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
        sizes = ("n_layers", "n_features", "n_heads", "n_gaussians", "conv_channels")
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
        if self.decoder == "density" and self.labels == "several":
            raise ConfigError(
                "The density decoder decides between classes, not for each of several labels: with those use "
                "another decoder, such as pool or linear."
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


def probabilities(logits: Tensor, labels: Labels) -> Tensor:
    """``[.., C] → [.., C]`` in double precision: a softmax, or with several labels a sigmoid of each."""
    return logits.double().softmax(-1) if labels == "one" else logits.double().sigmoid()


class Decision(NamedTuple):
    """What the classifier computes for a batch.

    Attributes:
        logits: ``[B, C]``.
        gate: ``[B, R, F]`` in [0, 1].
    """

    logits: Tensor
    gate: Tensor


class _Attended(nn.Module):
    """``[B, R, F] → [B, F]``: gated rows, projected, attend to each other; the mean of all that."""

    def __init__(self, projection: nn.Linear, attention: GroupedQueryAttention) -> None:
        super().__init__()
        self.projection, self.attention = projection, attention

    def forward(self, rows: Tensor) -> Tensor:
        x = self.projection(rows)
        mean: Tensor = (x + self.attention(x)).mean(1)
        return mean


def new_decoder(config: ModelConfig) -> nn.Module:
    """What makes logits ``[B, C]`` of gated values: of each head's mean ``[B, H·F]`` (``pool``), of all
    ``[B, R·F]`` (``linear``), of rows ``[B, R, F]`` (``gqa``, ``density``), of rows as channels
    ``[B, R, 1, F]``
    (``conv``)."""
    classes = len(config.class_names)
    if config.decoder == "pool":
        return nn.Linear(config.n_heads * config.n_features, classes)
    rows = config.n_layers * (config.n_heads if config.mode == "shared" else 1)
    if config.decoder == "linear":
        return nn.Linear(rows * config.n_features, classes)
    if config.decoder == "gqa":
        width = config.n_features
        attended = _Attended(nn.Linear(width, width), GroupedQueryAttention(width))
        return nn.Sequential(attended, nn.Linear(width, classes))
    if config.decoder == "density":
        return DensityDecoder(
            n_heads=config.n_heads,
            n_layers=config.n_layers,
            n_features=config.n_features,
            n_directions=config.n_directions,
            n_prototypes=config.n_prototypes,
            n_classes=classes,
        )
    return nn.Sequential(
        nn.Conv2d(rows, config.conv_channels, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(config.conv_channels, rows, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(rows * config.n_features, classes),
    )


class DaamClassifier(nn.Module):
    """Standardisation → density attention → decoder, on pooled hidden states ``[B, L, F]``.

    The stages are separate methods, so that an explanation can stop between them:
    :meth:`standardise`, ``attention``, :meth:`decode`.
    """

    row_mean: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.standardisation = Standardisation(config.n_layers, config.n_features)
        self.attention = DensityAttention(
            n_layers=config.n_layers,
            n_features=config.n_features,
            n_heads=config.n_heads,
            mode=config.mode,
            gate_kind=config.gate_kind,
            n_gaussians=config.n_gaussians,
            amplitude=config.amplitude,
            offset_spread=config.offset_spread,
            amplitude_start=config.amplitude_start,
        )
        if config.decoder == "pool":
            members = nn.functional.one_hot(self.attention.head_of_row, config.n_heads).T.float()  # [H, R]
            self.register_buffer("row_mean", members / members.sum(-1, keepdim=True), persistent=False)
        self.decoder = new_decoder(config)

    def standardise(self, x: Tensor) -> Tensor:
        """``[.., L, F]`` hidden states, minus the training mean, over the training deviation."""
        values: Tensor = self.standardisation(x)
        return values

    def standardise_tokens(self, hidden: Tensor) -> Tensor:
        """``[L, T, F]`` hidden states of single tokens, standardised like the pooled values."""
        values: Tensor = self.standardisation(hidden.transpose(0, 1)).transpose(0, 1)
        return values

    def decode(self, gated: Tensor) -> Tensor:
        """``[B, R, F] → [B, C]`` logits from gated values."""
        return self.decode_jointly(gated)[0]

    def decode_jointly(self, gated: Tensor) -> tuple[Tensor, Joint | None]:
        """:meth:`decode`'s logits, and what a ``density`` decoder saw on its way to them; None of others."""
        if isinstance(self.decoder, DensityDecoder):
            joint = self.decoder.joint(gated)
            return self.decoder.output(joint.gates), joint
        if self.config.decoder == "pool":
            gated = torch.einsum("hr,brf->bhf", self.row_mean.to(gated.dtype), gated)
        taken = {"conv": gated.unsqueeze(2), "gqa": gated}.get(self.config.decoder)
        logits: Tensor = self.decoder(gated.flatten(1) if taken is None else taken)
        return logits, None

    @torch.no_grad()
    def evidence(
        self, gated: Tensor, target: Tensor, decoded: tuple[Tensor, Joint | None] | None = None
    ) -> Tensor | None:
        """What speaks for each input's class and against the strongest other one.

        Args:
            gated: ``[B, R, F]``.
            target: ``[B]`` class indices.
            decoded: what :meth:`decode_jointly` says of ``gated``, where it is known already.

        Returns:
            ``[B, H, L, F]``, see :func:`~daam_core.importance.evidence`; None for other decoders than
            ``density``.
        """
        decoder = self.decoder
        if not isinstance(decoder, DensityDecoder):
            return None
        logits, joint = decoded or self.decode_jointly(gated)
        others = logits.scatter(1, target[:, None], -torch.inf)
        weight = decoder.output.weight
        return evidence(
            decoder.weighed(gated),
            decoder.direction_cells(),
            decoder.wide(weight.dtype).prototypes,
            decoder.scaled_variance,
            weight[target] - weight[others.argmax(1)],
            joint=joint,
        )

    def gate_parameters(self) -> list[nn.Parameter]:
        """δ, ξ (or the mixture's scales) and the amplitude: trained with a learning rate of their own."""
        return list(self.attention.parameters())

    def logits(self, pooled: Tensor) -> Tensor:
        """``[B, L, F] → [B, C]``: :meth:`forward`'s up to rounding; no gate is kept, no row moved."""
        gated = self.attention.output(self.standardise(pooled))
        if self.config.decoder != "pool" or self.config.mode != "shared":
            return self.decode(gated)
        by_head = gated.unflatten(1, (self.config.n_heads, self.config.n_layers))
        logits: Tensor = self.decoder(by_head.mean(2).flatten(1))
        return logits

    def forward(self, pooled: Tensor) -> Decision:
        gated, gate = self.attention(self.standardise(pooled))
        return Decision(self.decode(gated), gate)
