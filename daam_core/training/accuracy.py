"""How accuracy is measured: splits, seeds, and the same budget for every recipe.

Features of all data together are split by indices; every recipe is trained on each split with each seed.
Letters: N inputs, L layers, F features, C classes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError, DataError
from daam_core.training.answers import answers, right
from daam_core.training.fitting import History, predict
from daam_core.training.scores import balanced_accuracy, figures_of_several, score_logits
from daam_core.training.settings import SettingValues, TrainingConfig


@dataclass(frozen=True)
class Split:
    """Index arrays into :class:`SplitData`; ``validation`` may be empty."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class SplitData:
    """What is trained on and what is measured.

    Attributes:
        protocol: how accuracy is measured, in words.
        unit: what one split is called: ``fold`` or ``test set``.
        features: ``[N, L, F]`` of all parts together.
        labels: ``[N]`` int64, or ``[N, C]`` of 0 and 1 where an input has several labels.
        splits: at least one.
        columns: N values by column, for each of which accuracy is given apart; "" where there is none.
    """

    protocol: str
    unit: str
    features: Tensor
    labels: Tensor
    splits: tuple[Split, ...]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.splits:
            raise DataError("Measuring needs at least one split.")
        if not all(len(split.train) for split in self.splits):
            raise DataError("A split needs training inputs.")

    @property
    def majority(self) -> float:
        """Accuracy of always giving the training part's most frequent answer: mean over splits."""
        shares = []
        for split in self.splits:
            same = self.labels[split.test] == self.always(split)
            shares.append(float((same if same.ndim == 1 else same.all(-1)).double().mean()))
        return float(np.mean(shares))

    def always(self, split: Split) -> Tensor:
        """What a classifier that looks at nothing says of each test input of a split: ``[n]`` or ``[n, C]``.

        It knows the training part, and says that part's most frequent answer: a class, or with several labels
        all that an input has; of equally frequent ones the first in the classes' order.
        """
        kinds, counts = self.labels[split.train].unique(dim=0, return_counts=True)
        answer: Tensor = kinds[counts.argmax()]
        return answer.expand(len(split.test), *answer.shape)


class Trainer(Protocol):
    """Trains a fresh module, with the arguments of :func:`~daam_core.training.fitting.train_classifier`.

    Where ``settings`` are given they hold, and nothing is chosen; else what the validation part chose, if
    there is one, stands in the history.
    """

    def __call__(
        self,
        training: TrainingConfig,
        features: Tensor,
        labels: Tensor,
        *,
        validation: tuple[Tensor, Tensor] | None = None,
        settings: SettingValues | None = None,
    ) -> tuple[nn.Module, History]: ...


@dataclass(frozen=True)
class Recipe:
    """A way to classify.

    Attributes:
        name: for tables.
        ours: density attention and not a plain rival.
        train: trains a fresh one.
        settings: what distinguishes it, for the record.
        by_index: it is given the inputs' numbers ``[N]`` in place of their pooled features.
        tried: settings among which a validation part chooses; none where there is nothing to choose.
    """

    name: str
    ours: bool
    train: Trainer
    settings: Mapping[str, object]
    by_index: bool = False
    tried: tuple[SettingValues, ...] = ()


@dataclass(frozen=True)
class SliceAccuracy:
    """Accuracy on those inputs that have one value in one column.

    Attributes:
        column: its name.
        value: that these inputs have there.
        inputs: how many, of all splits' test parts.
        accuracy: mean over seeds and over the splits that test such inputs.
        deviation: as :attr:`Measured.deviation`, over these splits or seeds; None where there is one.
    """

    column: str
    value: str
    inputs: int
    accuracy: float
    deviation: float | None


@dataclass(frozen=True)
class Measured:
    """Accuracy of one recipe.

    Attributes:
        method: the recipe's name.
        ours: whether it is density attention.
        settings: the recipe's.
        seeds: S seeds.
        accuracies: ``[S][splits]``.
        accuracy: mean over seeds and splits.
        balanced_accuracy: see ``scores.balanced_accuracy``, mean over seeds and splits.
        split_deviation: deviation (over n − 1) of the splits' means over seeds; None for one split.
        seed_deviation: deviation of the seeds' means over splits; None for one seed.
        parameters: trained ones.
        epochs: mean number of epochs that the kept weights were trained.
        seconds: mean time of one training.
        predictions: ``[S][splits]`` of predicted classes of each split's test part; with several labels each
            is a list of 0 and 1, C of them.
        logits: ``[n, C]`` of each split's test part, of the first seed.
        slices: accuracy by each value of the columns that were asked for.
        several_figures: with several labels ``scores.FIGURES_OF_SEVERAL``, means over seeds and splits.
        chosen: ``[S][splits]`` of the settings that each split's validation part chose; empty where it
            chooses none.
        tried: how many settings these were chosen among.
    """

    method: str
    ours: bool
    settings: Mapping[str, object]
    seeds: tuple[int, ...]
    accuracies: tuple[tuple[float, ...], ...]
    accuracy: float
    balanced_accuracy: float
    split_deviation: float | None
    seed_deviation: float | None
    parameters: int
    epochs: float
    seconds: float
    predictions: tuple[tuple[tuple[int | list[int], ...], ...], ...]
    slices: tuple[SliceAccuracy, ...] = ()
    logits: tuple[Tensor, ...] = field(default=(), compare=False)
    several_figures: Mapping[str, float] = field(default_factory=dict)
    chosen: tuple[tuple[SettingValues, ...], ...] = ()
    tried: int = 1

    @property
    def several(self) -> bool:
        """Whether an input may have several labels."""
        return bool(self.several_figures)

    @property
    def deviation(self) -> float | None:
        """Over splits where there are several, else over seeds; None for one training."""
        return self.split_deviation if len(self.accuracies[0]) > 1 else self.seed_deviation

    def as_dict(self) -> dict[str, object]:
        """Plain values, without the predictions."""
        plain = asdict(self) | {"deviation": self.deviation}
        del plain["predictions"], plain["logits"]
        del plain["several_figures"]
        return plain | dict(self.several_figures)


def measure_accuracy(
    recipe: Recipe,
    data: SplitData,
    *,
    training: TrainingConfig,
    seeds: Sequence[int],
    refit: bool = True,
    on_run: Callable[[int, nn.Module, History], None] | None = None,
) -> Measured:
    """Train by ``recipe`` on every split with every seed, and test it.

    Args:
        recipe: what to train.
        data: on what, and where to test.
        training: how; its seed is replaced by each of ``seeds``.
        seeds: at least one.
        refit: see :func:`fit_split`.
        on_run: called after each training with the seed, the module and its history.
    """
    if not seeds:
        raise ConfigError("Measuring needs at least one seed.")
    if not all(len(split.test) for split in data.splits):
        raise DataError("Measuring needs test inputs in every split.")
    if recipe.by_index:
        data = replace(data, features=torch.arange(len(data.labels)))
    accuracies, predictions, balanced, found_right, logits = [], [], [], [], list[Tensor]()
    names = [str(number) for number in range(data.labels.shape[-1])] if data.labels.ndim == 2 else []
    scored = []
    epochs, seconds, parameters = [], [], 0
    settings, chosen = recipe.settings, list[tuple[SettingValues, ...]]()
    for seed in seeds:
        right_shares, predicted, rights, of_seed = [], [], [], list[SettingValues]()
        for split in data.splits:
            module, history = fit_split(
                recipe, data, split, training=replace(training, seed=seed), refit=refit
            )
            given, labels = predict(module, data.features[split.test]), data.labels[split.test]
            guess = answers(given, labels)
            rights.append(right(given, labels).numpy())
            right_shares.append(float(rights[-1].mean()))
            balanced.append(balanced_accuracy(guess, labels))
            scored += [score_logits(labels, given, names, always=data.always(split))] if names else []
            if seed == seeds[0]:
                logits.append(given)
            predicted.append(tuple(guess.tolist()))
            epochs.append(history.best_epoch)
            seconds.append(history.seconds)
            parameters = trained_parameters(module)
            settings = {**recipe.settings, **history.settings}
            if settings_chosen := _chosen(recipe, split, history):
                of_seed.append(settings_chosen)
            if on_run is not None:
                on_run(seed, module, history)
        accuracies.append(tuple(right_shares))
        predictions.append(tuple(predicted))
        found_right.append(rights)
        if of_seed:
            chosen.append(tuple(of_seed))
    table = np.array(accuracies)
    return Measured(
        method=recipe.name,
        ours=recipe.ours,
        settings=settings,
        seeds=tuple(seeds),
        accuracies=tuple(accuracies),
        accuracy=float(table.mean()),
        balanced_accuracy=float(np.mean(balanced)),
        split_deviation=_deviation(table.mean(0)),
        seed_deviation=_deviation(table.mean(1)),
        parameters=parameters,
        epochs=float(np.mean(epochs)),
        seconds=float(np.mean(seconds)),
        predictions=tuple(predictions),
        slices=tuple(
            _slice_accuracy(data, found_right, column, value)
            for column in data.columns
            for value in _values(data, column)
        ),
        logits=tuple(logits),
        several_figures=figures_of_several(scored) if scored else {},
        chosen=tuple(chosen),
        tried=max(len(recipe.tried), 1),
    )


def _chosen(recipe: Recipe, split: Split, history: History) -> SettingValues:
    """What the validation part of a split chose: none without one, and none of settings that are fixed."""
    if not len(split.validation):
        return {}
    if len(recipe.tried) > 1:
        return history.settings
    return {name: value for name, value in history.settings.items() if name == "density"}


def _values(data: SplitData, column: str) -> list[str]:
    """What inputs that are tested have in a column, sorted."""
    cells = data.columns[column]
    return sorted({cells[i] for split in data.splits for i in split.test} - {""})


def _slice_accuracy(
    data: SplitData, found_right: Sequence[Sequence[np.ndarray]], column: str, value: str
) -> SliceAccuracy:
    """From ``[S][splits]`` of whether each input of a test part was answered rightly."""
    chosen = np.array([cell == value for cell in data.columns[column]])
    tested = [(k, chosen[split.test]) for k, split in enumerate(data.splits) if chosen[split.test].any()]
    table = np.array([[rights[k][among].mean() for k, among in tested] for rights in found_right])
    over = table.mean(0) if len(data.splits) > 1 else table.mean(1)
    inputs = sum(int(among.sum()) for _, among in tested)
    return SliceAccuracy(column, value, inputs, float(table.mean()), _deviation(over))


def trained_parameters(module: nn.Module) -> int:
    """How many numbers training could change."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def fit_split(
    recipe: Recipe,
    data: SplitData,
    split: Split,
    *,
    training: TrainingConfig,
    refit: bool = True,
) -> tuple[nn.Module, History]:
    """Train once on one split.

    Args:
        recipe: what to train.
        data: features and labels.
        split: which of them; its test part is not touched.
        training: how.
        refit: where the split has a validation part, use it to choose the number of epochs and what else
            the recipe chooses, and train again so on training and validation part together.

    Returns:
        The module, and the history of the training that chose the epoch.
    """
    x, y = data.features, data.labels
    validation = (x[split.validation], y[split.validation]) if len(split.validation) else None
    module, history = recipe.train(training, x[split.train], y[split.train], validation=validation)
    if refit and validation is not None:
        both = trained_on(split, refit=refit)
        # Without its limit by patience, so that exactly the chosen number of epochs runs.
        again = replace(training, epochs=max(history.best_epoch, 1))
        module, _ = recipe.train(again, x[both], y[both], settings=history.settings)
    return module, history


def trained_on(split: Split, *, refit: bool) -> np.ndarray:
    """Indices of the inputs that the module which :func:`fit_split` gives was trained on."""
    if not refit or not len(split.validation):
        return split.train
    return np.sort(np.concatenate([split.train, split.validation]))


def _deviation(values: np.ndarray) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None
