"""Train a classifier on cached pooled features: seeds, early stopping, best weights kept.

Letters: N inputs, L layers, F features.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError, DataError, ShapeError
from daam_core.layers import Standardisation
from daam_core.model import DaamClassifier, Decision, ModelConfig
from daam_core.training.baselines import BASELINES, Baseline


class Trainable(Protocol):
    """What :func:`fit` trains: a module ``[B, L, F] → logits [B, C]``, or to a :class:`Decision`."""

    standardisation: Standardisation

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
        gate_penalty: weight of the mean gate in the loss. A gate that opens for nothing of use then
            closes, so that an open gate says that its cell is used.
        patience: epochs without a better validation loss before training stops.
        seed: of initialisation and of the order of inputs.
    """

    epochs: int = 100
    batch_size: int = 64
    learning_rate: float = 1e-3
    gate_learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    label_smoothing: float = 0.0
    gate_penalty: float = 0.0
    patience: int = 15
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}.")
        rates = ("learning_rate", "gate_learning_rate", "weight_decay", "label_smoothing", "gate_penalty")
        for name in rates:
            if not 0 <= getattr(self, name) < float("inf"):
                raise ConfigError(f"{name} must be a finite number of at least 0, got {getattr(self, name)}.")
        if self.label_smoothing >= 1:
            raise ConfigError(f"label_smoothing must be below 1, got {self.label_smoothing}.")


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
    """

    epochs: tuple[Epoch, ...]
    best_epoch: int
    seconds: float


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
        labels: class indices ``[N]``.
        validation: features and labels that decide when to stop and which weights to keep; without
            them all epochs run and the last weights are kept.
        on_epoch: called after every epoch; an exception from it stops the training.

    Raises:
        DataError: features, labels and configuration do not fit each other.
    """
    seeded(training.seed)
    classifier = DaamClassifier(config)
    history = fit(classifier, training, features, labels, validation=validation, on_epoch=on_epoch)
    return classifier, history


def train_baseline(
    name: str,
    n_classes: int,
    training: TrainingConfig,
    features: Tensor,
    labels: Tensor,
    *,
    validation: tuple[Tensor, Tensor] | None = None,
) -> tuple[Baseline, History]:
    """Train one of :data:`~daam_core.training.baselines.BASELINES` in the same way."""
    if name not in BASELINES:
        raise ConfigError(f"There is no baseline {name!r}; there are {', '.join(BASELINES)}.")
    seeded(training.seed)
    model = BASELINES[name](features.shape[1], features.shape[2], n_classes)
    return model, fit(model, training, features, labels, validation=validation)


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
    loss_function = nn.CrossEntropyLoss(label_smoothing=training.label_smoothing)
    optimiser = torch.optim.AdamW(_parameter_groups(model, training))
    order = torch.Generator().manual_seed(training.seed)
    if isinstance(model, DaamClassifier):
        model.attention.prepare(len(features))

    epochs: list[Epoch] = []
    best_loss, best_epoch, best_weights = float("inf"), 0, copy.deepcopy(model.state_dict())
    for number in range(1, training.epochs + 1):
        model.train()
        total = 0.0
        with _explained(training, number):
            for batch in torch.split(torch.randperm(len(features), generator=order), training.batch_size):
                output = model(features[batch])
                loss = loss_function(_logits(output), labels[batch])
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
                _measure(model, *validation) if validation is not None else (float("nan"), float("nan"))
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
    """Share of inputs whose most probable class is their label."""
    return float((predict(model, features).argmax(-1) == labels).double().mean())


def _logits(output: Decision | Tensor) -> Tensor:
    return output.logits if isinstance(output, Decision) else output


def _measure(model: Classifies, features: Tensor, labels: Tensor) -> tuple[float, float]:
    logits = predict(model, features)
    right = (logits.argmax(-1) == labels).double().mean()
    return float(nn.functional.cross_entropy(logits, labels)), float(right)


def _parameter_groups(model: Trainable, training: TrainingConfig) -> list[dict[str, object]]:
    gate = list(model.gate_parameters())
    of_gate = {id(parameter) for parameter in gate}
    others = [parameter for parameter in model.parameters() if id(parameter) not in of_gate]
    return [
        {"params": others, "lr": training.learning_rate, "weight_decay": training.weight_decay},
        {"params": gate, "lr": training.gate_learning_rate, "weight_decay": 0.0},
    ]


def _check(features: Tensor, labels: Tensor) -> None:
    if features.ndim != 3 or labels.shape != features.shape[:1] or len(features) == 0:
        raise DataError(
            f"Training needs features [N, L, F] and labels [N] with N >= 1, "
            f"got {list(features.shape)} and {list(labels.shape)}."
        )
    if not bool(torch.isfinite(features).all()):
        raise DataError("The features hold values that are not finite.")
