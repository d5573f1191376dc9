"""Methods by name as something to train and to measure.

Letters: N inputs, L layers, F features, C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace

from torch import Tensor, nn

from daam_core.configuration import ModelConfig
from daam_core.errors import ConfigError, ShapeError
from daam_core.training.accuracy import Recipe
from daam_core.training.adapted_encoder import Adaptation, AdaptedEncoder
from daam_core.training.baselines import (
    Baseline,
    GroupedQuery,
    LayerProbe,
    LinearProbe,
    MultiHeadAttention,
    Perceptron,
    WeightedLayerSum,
)
from daam_core.training.closed_form import kernel_ridge, logistic_regression
from daam_core.training.fitting import History, Trainable, accuracy, fit, seeded, train_classifier
from daam_core.training.from_inputs import AttentiveStatistics, Sources
from daam_core.training.methods import USUAL, Method, method_named
from daam_core.training.settings import SettingValues, TrainingConfig

#: Built from how a classifier is configured and, for a method that needs them, the inputs.
Build = Callable[[ModelConfig, Sources | None], Trainable]
#: Solves for a module in one step: of features, labels, and as keywords ``n_classes`` and settings.
Solve = Callable[..., tuple[nn.Module, History]]


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


#: How the plain rivals are built that are trained by steps.
BUILD: Mapping[str, Build] = {
    "linear": _plain(LinearProbe),
    "last_layer": _plain(LayerProbe),
    "weighted_sum": _plain(WeightedLayerSum),
    "mlp": _plain(Perceptron),
    "mha": _plain(MultiHeadAttention),
    "mha_bn": _plain(MultiHeadAttention, batch_norm=True),
    "gqa": _plain(GroupedQuery),
    "attentive_statistics": _tokens,
    "lora": _adapted("lora"),
    "lora_plus": _adapted("lora_plus"),
}
#: How those are solved that have a solution.
SOLVE: Mapping[str, Solve] = {
    "logistic": logistic_regression,
    "kernel_ridge": kernel_ridge,
}


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
    if method.solved:
        chosen = {**method.grid[0], **settings}
        return SOLVE[method.name](features, labels, n_classes=len(config.class_names), **chosen)
    config = replace(config if method.configured is None else method.configured(config), seed=training.seed)
    if method.ours:
        return train_classifier(
            replace(config, **settings), training, features, labels, validation=validation
        )
    seeded(training.seed)
    model = BUILD[method.name](config, sources)
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
    grid = method.grid if tune or method.solved or len(method.grid) == 1 else ({},)

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

    names = ("n_heads", "n_levels", "mode", "gate_kind", "n_gaussians", "amplitude", "decoder")
    made = None if method.configured is None else method.configured(config)
    return Recipe(
        method.title,
        ours=method.ours,
        train=train,
        settings={} if made is None else {name: getattr(made, name) for name in names},
        by_index=method.sees == "inputs",
        tried=grid if len(grid) > 1 else (),
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
    """Methods by name as something to measure; by default those of :data:`USUAL`.

    Raises:
        ConfigError: an unknown name; the message lists all.
    """
    return [recipe_of(method_named(name), config, tune=tune, sources=sources) for name in names or USUAL]
