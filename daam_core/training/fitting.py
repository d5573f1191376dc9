"""Train a classifier on cached pooled features: seeds, early stopping, best weights kept.

Letters: N inputs, L layers, F features.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from daam_core.configuration import ModelConfig
from daam_core.errors import ConfigError, DataError, ShapeError
from daam_core.model import DaamClassifier, Decision
from daam_core.training.answers import cross_entropy, right
from daam_core.training.joint_density import fit_decoder
from daam_core.training.settings import SettingValues, TrainingConfig


class Statistics(Protocol):
    """What a module knows of its training part before it learns: means and deviations."""

    def fit(self, features: Tensor, /) -> None: ...


class Trainable(Protocol):
    """What :func:`fit` trains: a module ``[B, L, F] → logits [B, C]``, or to a :class:`Decision`."""

    @property
    def standardisation(self) -> Statistics: ...

    def __call__(self, pooled: Tensor, /) -> Tensor | Decision: ...

    def gate_parameters(self) -> Sequence[nn.Parameter]:
        """Parameters that are trained with the gate's own learning rate."""

    def parameters(self) -> Iterator[nn.Parameter]: ...

    def state_dict(self) -> Mapping[str, Tensor]: ...

    def load_state_dict(self, state_dict: Mapping[str, object], /) -> object: ...

    def train(self, mode: bool = True, /) -> object: ...

    def eval(self) -> object: ...


#: A classifier or a baseline, trained or not.
Classifies = Callable[[Tensor], Tensor | Decision]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training part; validation figures are NaN where there is no validation part."""

    number: int
    loss: float
    validation_loss: float
    validation_accuracy: float


@dataclass(frozen=True)
class History:
    """What happened in training.

    Attributes:
        epochs: every epoch that ran.
        best_epoch: number of the epoch whose weights were kept.
        seconds: wall-clock time.
        settings: what else the validation part chose.
    """

    epochs: tuple[Epoch, ...]
    best_epoch: int
    seconds: float
    settings: SettingValues = field(default_factory=dict)


def train_classifier(
    config: ModelConfig,
    training: TrainingConfig,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[DaamClassifier, History]:
    """Train a classifier with density attention.

    Args:
        config: the classifier.
        training: how to train.
        features: pooled hidden states ``[N, L, F]``.
        labels: class indices ``[N]``, or ``[N, C]`` of 0 and 1 where an input has several labels.
        validation: features and labels that decide when to stop and which weights to keep; without
            them all epochs run and the last weights are kept.
        on_epoch: called after every epoch; an exception from it stops the training.

    Raises:
        DataError: features, labels and configuration do not fit each other.
    """
    seeded(training.seed)
    if (labels.ndim == 2) != (config.labels == "several"):
        raise DataError(
            f"A classifier with labels={config.labels!r} learns from labels "
            f"{'[N, C] of 0 and 1' if config.labels == 'several' else '[N], one class each'}, got "
            f"{list(labels.shape)}."
        )
    if config.decoder == "density":
        return _train_density(config, training, features, labels, validation=validation, on_epoch=on_epoch)
    classifier = DaamClassifier(config)
    history = fit(classifier, training, features, labels, validation=validation, on_epoch=on_epoch)
    return classifier, history


def _train_density(
    config: ModelConfig,
    training: TrainingConfig,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None,
    on_epoch: Callable[[Epoch], None] | None,
) -> tuple[DaamClassifier, History]:
    """All heads but the open one by gradients, with a pooled decoder; then the density decoder at once."""
    _check(features, labels)
    started = time.perf_counter()
    directions = max(1, min(config.n_directions, features[0].numel(), len(features) - 1))
    classifier = DaamClassifier(replace(config, n_prototypes=len(features), n_directions=directions))
    epochs: tuple[Epoch, ...] = ()
    best_epoch = 1
    if config.n_heads > 1:
        pooled = replace(config, decoder="pool", n_heads=config.n_heads - 1)
        gated, history = train_classifier(
            pooled, training, features, labels, validation=validation, on_epoch=on_epoch
        )
        classifier.attention.take_heads(gated.attention, first=1)
        epochs, best_epoch = history.epochs, history.best_epoch
    classifier.standardisation.fit(features)
    chosen = fit_decoder(classifier, training.density, features, labels, validation=validation)
    classifier.eval()
    if not epochs:
        loss, _ = _measure(classifier, features, labels)
        epochs = (Epoch(1, loss, chosen.loss, chosen.accuracy),)
        if on_epoch is not None:
            on_epoch(epochs[0])
    settings = {"density": chosen.settings}
    return classifier, History(epochs, best_epoch, time.perf_counter() - started, settings)


def seeded(seed: int) -> None:
    """Seed torch's global generator, which initialisers of layers draw from."""
    torch.manual_seed(seed)


def fit(
    model: Trainable,
    training: TrainingConfig,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> History:
    """Fit the standardisation, then train ``model`` in place; it ends with its best weights.

    Raises:
        DataError: features and labels do not fit each other.
        ConfigError: the learning rates are so high that the weights grew beyond all bounds.
    """
    _check(features, labels)
    if validation is not None:
        _check(*validation)
    started = time.perf_counter()
    model.standardisation.fit(features)
    if training.initialisation == "xavier":
        _xavier(model)
    loss_of = loss_function(training, labels)
    optimiser = torch.optim.AdamW(_parameter_groups(model, training), fused=True)
    order = torch.Generator().manual_seed(training.seed)
    decide: Classifies = model
    if isinstance(model, DaamClassifier):
        model.attention.prepare(len(features))
        if not training.gate_penalty:
            decide = model.logits

    epochs: list[Epoch] = []
    best_loss, best_epoch, best_weights = float("inf"), 0, copy.deepcopy(model.state_dict())
    for number in range(1, training.epochs + 1):
        model.train()
        total = 0.0
        with _explained(training, number):
            for batch in torch.split(epoch_order(training, labels, order), training.batch_size):
                output = decide(features[batch])
                loss = loss_of(_logits(output), labels[batch])
                if isinstance(output, Decision) and training.gate_penalty:
                    loss = loss + training.gate_penalty * output.gate.mean()
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                total += loss.item() * len(batch)
            if not math.isfinite(total):
                raise ShapeError("The loss is not finite.")
            model.eval()
            validation_loss, accuracy = (
                _measure(decide, *validation) if validation is not None else (float("nan"), float("nan"))
            )
        epochs.append(Epoch(number, total / len(features), validation_loss, accuracy))
        if on_epoch is not None:
            on_epoch(epochs[-1])
        if validation is None:
            best_epoch = number
        elif validation_loss < best_loss:
            best_loss, best_epoch = validation_loss, number
            best_weights = copy.deepcopy(model.state_dict())
        elif number - best_epoch >= training.patience:
            break
    if validation is not None:
        model.load_state_dict(best_weights)
    model.eval()
    return History(tuple(epochs), best_epoch, time.perf_counter() - started)


@contextmanager
def _explained(training: TrainingConfig, epoch: int) -> Iterator[None]:
    """Says what is behind numbers that a step of the training made unusable: features were finite before."""
    try:
        yield
    except ShapeError as error:
        raise ConfigError(
            f"The training diverged in epoch {epoch}: weights grew beyond all bounds at the learning rate "
            f"{training.learning_rate:g} and the gate's {training.gate_learning_rate:g}; give smaller ones, "
            "such as 0.001 and 0.01."
        ) from error


def logits_of(model: Classifies, pooled: Tensor) -> Tensor:
    """``[B, L, F] → [B, C]`` of a classifier or a baseline."""
    return _logits(model(pooled))


@torch.no_grad()
def predict(model: Classifies, features: Tensor, *, batch_size: int = 512) -> Tensor:
    """Logits ``[N, C]`` for ``[N, L, F]``, batch by batch."""
    if isinstance(model, DaamClassifier):
        model.attention.prepare(len(features))
    return torch.cat([logits_of(model, batch) for batch in torch.split(features, batch_size)])


def accuracy(model: Classifies, features: Tensor, labels: Tensor) -> float:
    """Share of inputs that are answered rightly, see :func:`~daam_core.training.answers.right`."""
    return float(right(predict(model, features), labels).double().mean())


def _logits(output: Decision | Tensor) -> Tensor:
    return output.logits if isinstance(output, Decision) else output


def _measure(model: Classifies, features: Tensor, labels: Tensor) -> tuple[float, float]:
    logits = predict(model, features)
    return float(cross_entropy(logits, labels)), float(right(logits, labels).double().mean())


def loss_function(training: TrainingConfig, labels: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Mean loss of logits ``[B, C]`` against class indices ``[B]``, or against ``[B, C]`` of 0 and 1."""
    if labels.ndim == 2:
        return _loss_of_several(training, labels)

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        weight = None
        if training.class_weights == "balanced":
            counts = torch.bincount(labels, minlength=logits.shape[-1]).to(logits.dtype)
            weight = counts.sum() / (counts.clamp_min(1) * (counts > 0).sum())
        if not training.focal_gamma:
            return nn.functional.cross_entropy(
                logits, targets, weight=weight, label_smoothing=training.label_smoothing
            )
        each = nn.functional.cross_entropy(
            logits, targets, weight=weight, label_smoothing=training.label_smoothing, reduction="none"
        )
        missed = 1 - logits.softmax(-1).gather(-1, targets[:, None]).squeeze(-1)
        # The gradient of a power below 1 is infinite at 0.
        focused = missed.clamp_min(1e-8) ** training.focal_gamma * each
        return focused.sum() / (len(each) if weight is None else weight[targets].sum())

    return loss


def _loss_of_several(training: TrainingConfig, labels: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """Binary cross entropy of each label, averaged over inputs and classes."""
    present = labels.sum(0).clamp_min(1)
    weight = (len(labels) - present).clamp_min(1) / present if training.class_weights == "balanced" else None

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        soft = targets * (1 - training.label_smoothing) + training.label_smoothing / 2
        each = nn.functional.binary_cross_entropy_with_logits(
            logits, soft, pos_weight=weight, reduction="none"
        )
        if training.focal_gamma:
            missed = torch.where(targets > 0, -logits, logits).sigmoid()
            each = missed.clamp_min(1e-8) ** training.focal_gamma * each
        return each.mean()

    return loss


def epoch_order(training: TrainingConfig, labels: Tensor, generator: torch.Generator) -> Tensor:
    """Indices of the inputs of one epoch, in the order they are learned from."""
    if training.sampling == "as_given":
        return torch.randperm(len(labels), generator=generator)
    if labels.ndim == 2:
        # One over the frequency of the rarest label; of inputs without any, over that of such inputs.
        none = (labels.sum(-1) == 0).double()
        each = torch.cat([labels.double(), none[:, None]], 1)
        rarity = (each / each.sum(0).clamp_min(1)).amax(-1)
    else:
        rarity = torch.bincount(labels).clamp_min(1).double().reciprocal()[labels]
    return torch.multinomial(rarity, len(labels), replacement=True, generator=generator)


@torch.no_grad()
def _xavier(model: Trainable) -> None:
    """Linear and convolutional layers; the gate and normalisations start as they are."""
    layers = model.modules() if isinstance(model, nn.Module) else ()
    for layer in layers:
        if isinstance(layer, nn.Linear | nn.Conv2d) and layer.weight.requires_grad:
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def _parameter_groups(model: Trainable, training: TrainingConfig) -> list[dict[str, object]]:
    gate = list(model.gate_parameters())
    of_gate = {id(parameter) for parameter in gate}
    others = [parameter for parameter in model.parameters() if id(parameter) not in of_gate]
    return [
        {"params": others, "lr": training.learning_rate, "weight_decay": training.weight_decay},
        {"params": gate, "lr": training.gate_learning_rate, "weight_decay": 0.0},
    ]


def _check(features: Tensor, labels: Tensor) -> None:
    pooled = features.ndim == 3 or not features.is_floating_point()  # or indices of inputs
    if not pooled or labels.ndim not in (1, 2) or len(labels) != len(features) or len(features) == 0:
        raise DataError(
            f"Training needs features [N, L, F] and labels [N], or [N, C] of 0 and 1, with N >= 1, "
            f"got {list(features.shape)} and {list(labels.shape)}."
        )
    if not all(bool(end.isfinite()) for end in torch.aminmax(features)):  # NaN is both ends of what holds it
        raise DataError("The features hold values that are not finite.")
