"""Every method by one word: what it is, where it comes from, and how it is trained.

Density attention in its variants, each a :class:`~daam_core.model.ModelConfig`, and what people would use
instead. A new variant of the configuration is one line of :data:`METHODS`.
Letters: N inputs, L layers, F features, C classes.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

from torch import Tensor, nn

from daam_core.errors import ConfigError, ShapeError
from daam_core.layers import MIN_LAYERS_PER_HEAD
from daam_core.model import ModelConfig
from daam_core.training.accuracy import Recipe
from daam_core.training.baselines import (
    Baseline,
    DensityBlock,
    GroupedQuery,
    LayerProbe,
    LinearProbe,
    MultiHeadAttention,
    Perceptron,
    WeightedLayerSum,
)
from daam_core.training.closed_form import kernel_ridge, logistic_regression
from daam_core.training.fitting import (
    History,
    SettingValues,
    Trainable,
    TrainingConfig,
    accuracy,
    fit,
    seeded,
    train_classifier,
)
from daam_core.training.from_inputs import FASTER, Adaptation, AdaptedEncoder, AttentiveStatistics, Sources

#: What a method is given: features pooled over tokens, or the inputs with their encoder.
Sees = Literal["pooled", "inputs"]
#: Built from how a classifier is configured and, for a method that needs them, the inputs.
Build = Callable[[ModelConfig, Sources | None], Trainable]
#: Solves for a module in one step: of features, labels, and as keywords ``n_classes`` and settings.
Solve = Callable[..., tuple[nn.Module, History]]


@dataclass(frozen=True)
class Method:
    """A way to classify.

    Attributes:
        name: its word.
        title: for tables.
        what: what it is, in a sentence.
        source: the paper's section, or where else it comes from.
        configured: density attention: the configuration it stands for, from the one given by options.
        build: a plain rival: the module that is trained.
        solve: a plain rival that is solved: how.
        grid: settings that the validation part may choose from, the first where there is none: fields of
            :class:`~daam_core.training.fitting.TrainingConfig` and of the configuration, or of ``solve``.
        sees: what it is given.
    """

    name: str
    title: str
    what: str
    source: str
    configured: Callable[[ModelConfig], ModelConfig] | None = None
    build: Build | None = None
    solve: Solve | None = None
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


def _plain(module: Callable[..., Baseline], **settings: object) -> Build:
    def build(config: ModelConfig, _: Sources | None) -> Trainable:
        return module(config.n_layers, config.n_features, len(config.class_names), **settings)

    return build


def _tokens(config: ModelConfig, sources: Sources | None) -> Trainable:
    return AttentiveStatistics(_needed(sources), config.n_features, len(config.class_names))


def _adapted(adaptation: Adaptation) -> Build:
    def build(config: ModelConfig, sources: Sources | None) -> Trainable:
        return AdaptedEncoder(_needed(sources), len(config.class_names), adaptation=adaptation)

    return build


def _needed(sources: Sources | None) -> Sources:
    if sources is None:
        raise ConfigError("This method needs the inputs themselves, not only their pooled features.")
    return sources


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
            "three levels of mixture attention with residuals, then a linear classifier",
            f"{_PAPER}, Algorithm 4",
            build=_plain(DensityBlock),
            grid=_STEPS,
        ),
        Method(
            "linear",
            "linear probe",
            "logistic regression on all layers, trained by steps",
            "usual",
            build=_plain(LinearProbe),
            grid=_STEPS,
        ),
        Method(
            "last_layer",
            "last layer",
            "logistic regression on the last layer, trained by steps",
            "usual",
            build=_plain(LayerProbe),
            grid=_STEPS,
        ),
        Method(
            "weighted_sum",
            "weighted layer sum",
            "layers summed with learned weights, then a linear classifier",
            "Peters et al., 2018; Yang et al., SUPERB, 2021",
            build=_plain(WeightedLayerSum),
            grid=_STEPS,
        ),
        Method(
            "mlp",
            "MLP",
            "a hidden layer of 256 units with layer norm and dropout on all layers",
            "usual",
            build=_plain(Perceptron),
            grid=_STEPS,
        ),
        Method(
            "mha",
            "multi-head attention",
            "self-attention over layers with 4 heads, residual, mean",
            "Vaswani et al., 2017; the paper's rival",
            build=_plain(MultiHeadAttention),
            grid=_STEPS,
        ),
        Method(
            "mha_bn",
            "MHA with batch norm",
            "the same with batch normalisation of features",
            "the paper's rival",
            build=_plain(MultiHeadAttention, batch_norm=True),
            grid=_STEPS,
        ),
        Method(
            "gqa",
            "grouped-query attention",
            "self-attention over layers, 8 query and 2 key-value heads, residual, mean",
            "Ainslie et al., 2023; the paper's rival",
            build=_plain(GroupedQuery),
            grid=_STEPS,
        ),
        Method(
            "logistic",
            "logistic regression, solved",
            "logistic regression on all layers, solved to the end, penalty and layers' scale chosen",
            "scikit-learn",
            solve=logistic_regression,
            grid=_LOGISTIC,
        ),
        Method(
            "kernel_ridge",
            "RBF kernel ridge",
            "ridge regression to the classes with a Gaussian kernel around every training input",
            "scikit-learn",
            solve=kernel_ridge,
            grid=_KERNEL,
        ),
        Method(
            "attentive_statistics",
            "attentive statistics pooling",
            "mean and deviation over tokens of the last layer, weighted by a small network",
            "Okabe et al., 2018",
            build=_tokens,
            grid=_STEPS,
            sees="inputs",
        ),
        Method(
            "lora",
            "LoRA",
            "low-rank matrices on the encoder's query and key projections, learned with a linear classifier",
            "Hu et al., 2021; the paper's rival",
            build=_adapted("lora"),
            grid=_ADAPTED,
            sees="inputs",
        ),
        Method(
            "lora_plus",
            "LoRA+",
            f"the same; the second matrices learn {FASTER:.0f} times as fast as the first",
            "Hayou et al., 2024; the paper's rival",
            build=_adapted("lora_plus"),
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
#: They decide between classes, and not for each of several labels.
ONE_LABEL = frozenset({"joint_density"})


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
        raise ConfigError(
            f"The method {name!r} is compared with, not saved or explained; those that can be are {ours}."
        )
    return method.configured


def train_method(
    method: Method,
    config: ModelConfig,
    training: TrainingConfig,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None = None,
    settings: SettingValues | None = None,
    sources: Sources | None = None,
) -> tuple[nn.Module, History]:
    """Train a fresh module once.

    Args:
        method: which.
        config: the classifier by the options; its seed follows the training's.
        training: how.
        features: ``[N, L, F]``, or the inputs' numbers ``[N]`` for a method that sees inputs.
        labels: ``[N]``.
        validation: features and labels that choose the epoch.
        settings: one of the method's grid; what they name is changed.
        sources: the inputs, for a method that sees them.
    """
    settings = dict(settings or {})
    of_training = {field.name for field in fields(TrainingConfig)} & set(settings)
    training = replace(training, **{name: settings.pop(name) for name in of_training})
    if method.solve is not None:
        chosen = {**method.grid[0], **settings}
        return method.solve(features, labels, n_classes=len(config.class_names), **chosen)
    config = replace(config if method.configured is None else method.configured(config), seed=training.seed)
    if method.build is None:
        return train_classifier(
            replace(config, **settings), training, features, labels, validation=validation
        )
    seeded(training.seed)
    model = method.build(config, sources)
    history = fit(model, training, features, labels, validation=validation)
    if not isinstance(model, nn.Module):
        raise ConfigError(f"What {method.name} builds is no module.")
    return model, history


def recipe_of(
    method: Method, config: ModelConfig, *, tune: bool = False, sources: Sources | None = None
) -> Recipe:
    """A method as something to measure.

    Args:
        method: which.
        config: the classifier by the options.
        tune: let the validation part choose among the method's settings; those of methods that are solved,
            and of those that train the encoder, hold in any case.
        sources: the inputs, for a method that sees them.
    """
    grid = method.grid if tune or method.solve or len(method.grid) == 1 else ({},)

    def train(
        training: TrainingConfig,
        features: Tensor,
        labels: Tensor,
        *,
        validation: tuple[Tensor, Tensor] | None = None,
        settings: SettingValues | None = None,
    ) -> tuple[nn.Module, History]:
        def once(chosen: SettingValues) -> tuple[nn.Module, History]:
            # The number of epochs that a validation part chose holds when trained again.
            kept = {name: value for name, value in chosen.items() if settings is None or name != "epochs"}
            module, history = train_method(
                method,
                config,
                training,
                features,
                labels,
                validation=validation,
                settings=kept,
                sources=sources,
            )
            return module, replace(history, settings={**chosen, **history.settings})

        if settings is not None:
            return once(settings)
        if validation is None or len(grid) == 1:
            return once(grid[0])
        return best_of(once, grid, validation)

    names = ("n_heads", "mode", "gate_kind", "n_gaussians", "amplitude", "decoder")
    made = None if method.configured is None else method.configured(config)
    return Recipe(
        method.title,
        ours=method.ours,
        train=train,
        settings={} if made is None else {name: getattr(made, name) for name in names},
        by_index=method.sees == "inputs",
    )


def best_of(
    train: Callable[[SettingValues], tuple[nn.Module, History]],
    grid: Sequence[SettingValues],
    validation: tuple[Tensor, Tensor],
) -> tuple[nn.Module, History]:
    """Train with every setting and keep the one that is right most often on the validation part.

    A setting that this data does not allow, such as a training that diverges, counts as never right. The
    history's seconds are those of all together.

    Raises:
        ConfigError: none can be trained.
    """
    best: tuple[float, nn.Module, History] | None = None
    seconds, refusal = 0.0, ""
    for settings in grid:
        try:
            module, history = train(settings)
        except (ConfigError, ShapeError) as error:
            refusal = str(error)
            continue
        seconds += history.seconds
        right = accuracy(module, *validation)
        if best is None or right > best[0]:
            best = right, module, history
    if best is None:
        raise ConfigError(refusal)
    return best[1], replace(best[2], seconds=seconds)


def recipes(
    names: Sequence[str] | None, config: ModelConfig, *, tune: bool = False, sources: Sources | None = None
) -> list[Recipe]:
    """Methods by name as something to measure; by default those of :data:`USUAL` that know such labels.

    Raises:
        ConfigError: an unknown name; the message lists all.
    """
    usual = (name for name in USUAL if config.labels == "one" or name not in ONE_LABEL)
    return [recipe_of(method_named(name), config, tune=tune, sources=sources) for name in names or usual]
