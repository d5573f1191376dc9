"""How a classifier is trained, checked before anything is read or computed: nothing here needs torch."""

from dataclasses import dataclass, field
from typing import Literal, get_args

from daam_core.errors import ConfigError
from daam_core.plain import PlainMapping

ClassWeights = Literal["none", "balanced"]
Sampling = Literal["as_given", "balanced"]
Initialisation = Literal["torch", "xavier"]
#: Values of settings by name, such as a learning rate.
SettingValues = PlainMapping


@dataclass(frozen=True)
class DensitySettings:
    """How the density decoder is fitted; None is chosen from the data.

    Attributes:
        layer_scale: weight of a layer's squared distance over that of the layer after it, open head.
        share: size of what the gated heads add, relative to the open head's.
        whitening: variance within classes, relative to a typical direction's, from which on directions are
            evened out.
        width: sharpness of the joint gates, exp(−width · distance² / median distance²).
        ridge: added to the diagonal of the joint gates at the training inputs.
        sharpness: factor of the logits, the inverse temperature of the probabilities.
    """

    layer_scale: float | None = None
    share: float | None = None
    whitening: float | None = None
    width: float | None = None
    ridge: float | None = None
    sharpness: float | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not 0 < value < 1e6:
                raise ConfigError(f"{name} must be a number above 0 and below a million, got {value}.")


@dataclass(frozen=True)
class TrainingConfig:
    """How a classifier is trained.

    Attributes:
        epochs: upper limit.
        batch_size: inputs in a step.
        learning_rate: of the decoder (AdamW).
        gate_learning_rate: of δ, ξ and the amplitude. At the decoder's own rate they stay near their
            start, and the map then shows the data rather than anything learned.
        weight_decay: on the decoder; the gate has none, which would pull ξ to 1.
        label_smoothing: in the cross entropy.
        focal_gamma: γ of the focal loss, ``(1 − p)^γ`` times the cross entropy: inputs that are decided well
            count less; 0 is the plain cross entropy.
        class_weights: ``balanced`` weights each input in the loss by one over its class's frequency; with
            several labels, each that an input has by how many times more inputs do not have it.
        sampling: ``balanced`` draws the inputs of an epoch so that each class comes equally often, with
            several labels the rarest of each.
        initialisation: ``torch`` is each layer's own, ``xavier`` draws weights outside the gate by Xavier's
            uniform rule and starts biases at 0.
        gate_penalty: weight of the mean gate in the loss. A gate that opens for nothing of use then
            closes, so that an open gate says that its cell is used.
        patience: epochs without a better validation loss before training stops.
        seed: of initialisation and of the order of inputs.
        density: how the ``density`` decoder is fitted.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    gate_learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    label_smoothing: float = 0.0
    focal_gamma: float = 0.0
    class_weights: ClassWeights = "none"
    sampling: Sampling = "as_given"
    initialisation: Initialisation = "torch"
    gate_penalty: float = 0.0
    patience: int = 15
    seed: int = 0
    density: DensitySettings = field(default_factory=DensitySettings)

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        choices = {"class_weights": ClassWeights, "sampling": Sampling, "initialisation": Initialisation}
        for name, accepted in choices.items():
            if getattr(self, name) not in get_args(accepted):
                raise ConfigError(
                    f"{name} must be one of {', '.join(get_args(accepted))}, got {getattr(self, name)!r}."
                )
        rates = ("learning_rate", "gate_learning_rate", "weight_decay", "label_smoothing", "gate_penalty")
        for name in (*rates, "focal_gamma"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} must be a finite number of at least 0, got {getattr(self, name)}.")
        if self.label_smoothing >= 1:
            raise ConfigError(f"label_smoothing must be below 1, got {self.label_smoothing}.")
