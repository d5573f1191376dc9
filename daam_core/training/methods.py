"""Every method by one word: what it is, where it comes from, and how it is trained.

Density attention in its variants, each a :class:`~daam_core.configuration.ModelConfig`, and what people
would use instead. A new variant of the configuration is one line of :data:`METHODS`.
Letters: N inputs, L layers, F features, C classes.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from daam_core.configuration import MIN_LAYERS_PER_HEAD, EncoderIdentity, ModelConfig
from daam_core.errors import ConfigError
from daam_core.plain import PlainMapping
from daam_core.training.settings import SettingValues

#: What a method is given: features pooled over tokens, or the inputs with their encoder.
Sees = Literal["pooled", "inputs"]
#: Times that LoRA+ lets the second matrix learn faster than the first (Hayou et al., 2024).
FASTER = 16.0
#: Of a Density Block, where nobody says.
LEVELS = 3
#: What several levels go with.
LEVELLED: SettingValues = {"mode": "layer_groups", "amplitude": "none", "decoder": "linear"}


@dataclass(frozen=True)
class Method:
    """A way to classify.

    Attributes:
        name: its word.
        title: for tables.
        what: what it is, in a sentence.
        source: the paper's section, or where else it comes from.
        configured: density attention: the configuration it stands for, from the one given by options.
        solved: a plain rival that is solved in one step, see :mod:`~daam_core.training.recipes`.
        grid: settings that the validation part may choose from, the first where there is none: fields of
            :class:`~daam_core.training.settings.TrainingConfig` and of the configuration, or of what
            is solved.
        sees: what it is given.
    """

    name: str
    title: str
    what: str
    source: str
    configured: Callable[[ModelConfig], ModelConfig] | None = None
    solved: bool = False
    grid: tuple[SettingValues, ...] = ({},)
    sees: Sees = "pooled"

    @property
    def ours(self) -> bool:
        """Whether it can be saved as a checkpoint and explained."""
        return self.configured is not None


def _grid(**choices: Sequence[object]) -> tuple[SettingValues, ...]:
    return tuple(dict(zip(choices, values, strict=True)) for values in itertools.product(*choices.values()))


#: The same number of settings for each method. AdamW's decay times the rate is what a step takes off.
_STEPS = _grid(learning_rate=(1e-3, 3e-4), weight_decay=(1e-2, 3.0, 1.0))
_OURS: tuple[SettingValues, ...] = (
    {"decoder": "pool", "amplitude_start": 0.0, "weight_decay": 1e-2},
    {"decoder": "linear", "weight_decay": 3.0},
    {"decoder": "pool", "amplitude_start": 3.0, "weight_decay": 3.0},
    {"decoder": "linear", "weight_decay": 1e-2},
    {"decoder": "pool", "amplitude_start": 0.0, "weight_decay": 3.0},
    {"decoder": "pool", "amplitude_start": 3.0, "weight_decay": 1e-2},
)
_JOINT: tuple[SettingValues, ...] = (
    *_grid(gate_penalty=(0.3,), amplitude_start=(0.0, 3.0), weight_decay=(3.0, 1e-2)),
    {"n_heads": 1},  # the open head alone
    {"n_heads": 8, "gate_penalty": 0.3, "weight_decay": 3.0},
)
_LOGISTIC = _grid(strength=(1e-3, 1e-2), layer_scale=(1.0, 0.7)) + _grid(
    strength=(1e-4,), layer_scale=(1.0, 0.7)
)
_KERNEL = _grid(width=(0.5, 0.25, 1.0), layer_scale=(1.0, 0.7), ridge=(0.03,))
_ADAPTED = ({"learning_rate": 1e-3, "epochs": 3, "batch_size": 32},)


def _changed(**changes: object) -> Callable[[ModelConfig], ModelConfig]:
    known: SettingValues = changes
    return lambda config: replace(config, **known)


def _grouped(config: ModelConfig) -> ModelConfig:
    heads = min(8, max(config.n_layers // MIN_LAYERS_PER_HEAD, 1))
    plain = replace(config, mode="layer_groups", n_heads=heads, amplitude="none", decoder="conv")
    return replace(plain, offset_spread=0.0)


def _stacked(config: ModelConfig) -> ModelConfig:
    levels = config.n_levels if config.n_levels > 1 else LEVELS
    level = replace(
        _grouped(replace(config, n_levels=1)), gate_kind="mixture", n_gaussians=4, decoder="linear"
    )
    return replace(level, n_levels=levels, n_heads=levels * level.n_heads)


_PAPER = "arXiv 2401.11143v4"
#: All of them, density attention first.
METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            "daam",
            "DAAM as configured",
            "density attention as the options say: by default four heads on all layers with an amplitude",
            "ours",
            configured=_changed(),
            grid=_OURS,
        ),
        Method(
            "daam_v1",
            "DAAM v1",
            "the paper's 8 heads, each on its own layers (three at least: fewer heads under 24 layers)",
            f"{_PAPER}, 3, v1",
            configured=_grouped,
            grid=_STEPS,
        ),
        Method(
            "daam_v2",
            "DAAM v2",
            "the paper's one head on all layers",
            f"{_PAPER}, 3, v2",
            configured=_changed(
                mode="shared", n_heads=1, amplitude="none", decoder="conv", offset_spread=0.0
            ),
            grid=_STEPS,
        ),
        Method(
            "shared",
            "DAAM, shared heads",
            "every head on all layers, their outputs stacked, without amplitude",
            f"{_PAPER}, 2, as its text has it",
            configured=_changed(mode="shared", amplitude="none", decoder="linear"),
            grid=_STEPS,
        ),
        Method(
            "mixture",
            "DAAM, mixture of 4 Gaussians",
            "a normalised product of four Gaussians for each head",
            f"{_PAPER}, Algorithm 2",
            configured=_changed(gate_kind="mixture", n_gaussians=4, amplitude="none", decoder="linear"),
            grid=_STEPS,
        ),
        Method(
            "gqdaam",
            "GQDAAM",
            "density gate, linear, grouped-query attention with 8 query and 2 key-value heads, linear",
            _PAPER,
            configured=_changed(decoder="gqa", amplitude="none"),
            grid=_STEPS,
        ),
        Method(
            "joint_density",
            "DAAM, joint density",
            "an open head and three gated ones, decided by joint Gaussian gates at every training input",
            "ours",
            configured=_changed(mode="shared", amplitude="layer", decoder="density"),
            grid=_JOINT,
        ),
        Method(
            "density_block",
            "Density Block",
            "levels of mixture attention with residuals (three by default), then a linear classifier",
            f"{_PAPER}, Algorithm 4",
            configured=_stacked,
            grid=_STEPS,
        ),
        Method(
            "linear",
            "linear probe",
            "logistic regression on all layers, trained by steps",
            "usual",
            grid=_STEPS,
        ),
        Method(
            "last_layer",
            "last layer",
            "logistic regression on the last layer, trained by steps",
            "usual",
            grid=_STEPS,
        ),
        Method(
            "weighted_sum",
            "weighted layer sum",
            "layers summed with learned weights, then a linear classifier",
            "Peters et al., 2018; Yang et al., SUPERB, 2021",
            grid=_STEPS,
        ),
        Method(
            "mlp",
            "MLP",
            "a hidden layer of 256 units with layer norm and dropout on all layers",
            "usual",
            grid=_STEPS,
        ),
        Method(
            "mha",
            "multi-head attention",
            "self-attention over layers with 4 heads, residual, mean",
            "Vaswani et al., 2017; the paper's rival",
            grid=_STEPS,
        ),
        Method(
            "mha_bn",
            "MHA with batch norm",
            "the same with batch normalisation of features",
            "the paper's rival",
            grid=_STEPS,
        ),
        Method(
            "gqa",
            "grouped-query attention",
            "self-attention over layers, 8 query and 2 key-value heads, residual, mean",
            "Ainslie et al., 2023; the paper's rival",
            grid=_STEPS,
        ),
        Method(
            "logistic",
            "logistic regression, solved",
            "logistic regression on all layers, solved to the end, penalty and layers' scale chosen",
            "scikit-learn",
            solved=True,
            grid=_LOGISTIC,
        ),
        Method(
            "kernel_ridge",
            "RBF kernel ridge",
            "ridge regression to the classes with a Gaussian kernel around every training input",
            "scikit-learn",
            solved=True,
            grid=_KERNEL,
        ),
        Method(
            "attentive_statistics",
            "attentive statistics pooling",
            "mean and deviation over tokens of the last layer, weighted by a small network",
            "Okabe et al., 2018",
            grid=_STEPS,
            sees="inputs",
        ),
        Method(
            "lora",
            "LoRA",
            "low-rank matrices on the encoder's query and key projections, learned with a linear classifier",
            "Hu et al., 2021; the paper's rival",
            grid=_ADAPTED,
            sees="inputs",
        ),
        Method(
            "lora_plus",
            "LoRA+",
            f"the same; the second matrices learn {FASTER:.0f} times as fast as the first",
            "Hayou et al., 2024; the paper's rival",
            grid=tuple(one | {"gate_learning_rate": FASTER * one["learning_rate"]} for one in _ADAPTED),
            sees="inputs",
        ),
    )
}
#: Compared where nobody says: what takes seconds on cached features.
USUAL = (
    *("daam", "daam_v1", "daam_v2", "shared", "mixture", "gqdaam", "joint_density", "density_block"),
    *("linear", "last_layer", "weighted_sum", "mlp", "mha", "mha_bn", "gqa", "logistic", "kernel_ridge"),
)


def method_named(name: str) -> Method:
    """The method of this name.

    Raises:
        ConfigError: there is none; the message lists all.
    """
    if name not in METHODS:
        raise ConfigError(f"There is no method {name!r}; there are {', '.join(METHODS)}.")
    return METHODS[name]


def configuration_of(name: str) -> Callable[[ModelConfig], ModelConfig]:
    """What a method of density attention makes of the configuration given by options.

    Raises:
        ConfigError: an unknown method, or one that is no configuration.
    """
    method = method_named(name)
    if method.configured is None:
        ours = ", ".join(one.name for one in METHODS.values() if one.ours)
        raise ConfigError(f"The method {name!r} is compared with, not saved; those that can be are {ours}.")
    return method.configured


def configured(name: str, settings: PlainMapping) -> ModelConfig:
    """The classifier that a method of density attention makes of settings.

    Raises:
        ConfigError: an unknown method, one that is no configuration, or unusable settings.
    """
    make = configuration_of(name)
    if name == "density_block" and settings.get("n_levels", 1) != 1:
        # It chooses these itself; whoever names the number of levels alone need not know what they go with.
        settings = {**settings, **LEVELLED, "n_heads": settings["n_levels"]}
    return make(ModelConfig(**settings))


#: Stands for the number of heads that a method chooses by the encoder's layers.
BY_LAYERS = "by the encoder's layers"


def overridden(name: str, given: PlainMapping) -> dict[str, object]:
    """Settings given that a method of density attention sets otherwise, and to what.

    >>> overridden("daam_v2", {"n_heads": 4, "amplitude": "none"})
    {'n_heads': 1}
    """
    nothing = EncoderIdentity("", "", "", "")
    sizes = {"modality": "text", "encoder": nothing, "n_features": 1, "class_names": ("0", "1")}
    # Of few layers and of many: what differs follows from them.
    few, many = (configured(name, {**sizes, "n_layers": layers, **given}) for layers in (1, 24))
    found: dict[str, object] = {}
    for field, value in given.items():
        made = getattr(few, field)
        if getattr(many, field) != made:
            found[field] = BY_LAYERS
        elif made != value:
            found[field] = made
    return found


def refuse_overridden(names: Sequence[str], given: PlainMapping) -> None:
    """Refuse settings given that every one of these methods sets otherwise.

    Raises:
        ConfigError: says what was given and what a method makes of it.
    """
    ours = [name for name in names if method_named(name).ours]
    made = {name: overridden(name, given) for name in ours}
    lost = [field for field in given if ours and all(field in made[name] for name in ours)]
    if not lost:
        return
    said = " and ".join(f"{option_of(field)} {given[field]}" for field in lost)
    instead = "; ".join(
        f"{name} has {', '.join(f'{option_of(field)} {made[name][field]}' for field in lost)}"
        for name in ours
    )
    raise ConfigError(
        f"What was given does not hold: {said}, but {instead}; leave out the option or the method."
    )


def option_of(field: str) -> str:
    """``n_heads`` → ``--heads``, ``gate_learning_rate`` → ``--gate-learning-rate``."""
    return f"--{field.removeprefix('n_').replace('_', '-')}"
