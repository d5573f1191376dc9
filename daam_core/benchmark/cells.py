"""One cell of the benchmark: a method on a data set, tuned on validation parts alone.

For each split the settings are chosen once, with the first seed; then each seed trains on training and
validation part together, for as many epochs as were chosen, and is tested.
Letters: N inputs, L layers, F features, C classes, S seeds.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.benchmark.plan import Budget
from daam_core.configuration import ModelConfig
from daam_core.errors import DataError
from daam_core.plain import PlainMapping, PlainObject
from daam_core.progress import Progress
from daam_core.training.accuracy import Split, SplitData, trained_on, trained_parameters
from daam_core.training.fitting import History, predict
from daam_core.training.from_inputs import Sources
from daam_core.training.methods import Method
from daam_core.training.recipes import best_of, train_method
from daam_core.training.scores import balanced_accuracy
from daam_core.training.settings import DensitySettings, SettingValues, TrainingConfig

#: Inputs a class of the curves in low data.
FEW = (5, 10, 20, 50)


@dataclass(frozen=True)
class Work:
    """What the cells of one data set work on.

    Attributes:
        data: features, labels and splits.
        config: a classifier by our defaults.
        sources: the inputs, for methods that see them.
        training: how, by the budget and the data set's batch size.
        budget: what every method may spend.
    """

    data: SplitData
    config: ModelConfig
    sources: Sources
    training: TrainingConfig
    budget: Budget


@dataclass(frozen=True)
class Chosen:
    """What a validation part chose for a split."""

    settings: SettingValues
    epochs: int

    @classmethod
    def read(cls, stored: PlainMapping) -> "Chosen":
        """From what :func:`measure` gave and a file kept."""
        settings = dict(stored["settings"])
        if "density" in settings:
            settings["density"] = DensitySettings(**settings["density"])
        return cls(settings, stored["epochs"])


def measure(
    method: Method,
    work: Work,
    *,
    before: PlainMapping | None = None,
    progress: Progress | None = None,
) -> PlainObject:
    """Accuracy of every seed on every split.

    Args:
        method: which.
        work: on what.
        before: what this gave with fewer seeds: what was chosen and these seeds' answers are kept.
        progress: told before each training.

    Returns:
        Plain values: ``chosen`` for each split, ``predictions [S][splits][inputs]``,
        ``accuracies [S][splits]``, ``balanced``, ``parameters``, and ``seconds`` of one training with
        chosen settings, median.
    """
    chosen, predictions, accuracies, balanced, seconds = [], [], [], [], []
    parameters = 0
    progress, splits, seeds = progress or Progress(), len(work.data.splits), seeds_of(method, work.budget)
    for number, split in enumerate(work.data.splits):
        part = progress.part(number / splits, (number + 1) / splits)
        here = f"{method.name}, split {number + 1} of {splits}"
        part.report(0, f"{here}: settings are chosen")
        found = choose(method, work, split) if before is None else Chosen.read(before["chosen"][number])
        chosen.append(found)
        of_split: list[list[int]] = [] if before is None else [one[number] for one in before["predictions"]]
        for seed in range(len(of_split), seeds):
            part.report((1 + seed) / (1 + seeds), f"{here}: seed {seed + 1} of {seeds}")
            module, history = again(method, work, trained_on(split, refit=True), found, seed)
            guess = predict(module, _given(method, work)[split.test]).argmax(-1)
            of_split.append(guess.tolist())
            seconds.append(history.seconds)
            parameters = trained_parameters(module)
        predictions.append(of_split)
        tested = work.data.labels[split.test]
        balanced += [balanced_accuracy(torch.tensor(guess), tested) for guess in of_split]
        accuracies.append([_right(work, split, guess) for guess in of_split])
    return {
        "chosen": [asdict(one) for one in chosen],
        "predictions": [list(of_seed) for of_seed in zip(*predictions, strict=True)],
        "accuracies": [list(of_seed) for of_seed in zip(*accuracies, strict=True)],
        "balanced": float(np.mean(balanced)),
        "parameters": parameters,
        "seconds": float(np.median(seconds)),
    }


def seeds_of(method: Method, budget: Budget) -> int:
    """How many seeds a method is trained with: what is solved has none."""
    return 1 if method.solved else budget.seeds


def few(method: Method, work: Work, chosen: Sequence[Chosen]) -> PlainObject:
    """Accuracy with few inputs a class, on the first split, with what was chosen with all of them.

    The number of epochs is chosen anew on the validation part. ``{inputs a class: [S accuracies]}``; numbers
    that the training part does not have of every class are left out.
    """
    split = work.data.splits[0]
    labels = work.data.labels.numpy()[split.train]
    found: PlainObject = {}
    for count in FEW:
        if np.bincount(labels).min() < count:
            continue
        accuracies = []
        for seed in range(work.budget.seeds):
            draw = np.random.default_rng(seed)
            drawn = [draw.permutation(np.flatnonzero(labels == k))[:count] for k in np.unique(labels)]
            part = split.train[np.sort(np.concatenate(drawn))]
            x, y = _given(method, work), work.data.labels
            module, _ = train_method(
                method,
                work.config,
                replace(work.training, seed=seed),
                x[part],
                y[part],
                validation=(x[split.validation], y[split.validation]) if len(split.validation) else None,
                settings=chosen[0].settings,
                sources=work.sources,
            )
            guess = predict(module, x[split.test]).argmax(-1)
            accuracies.append(_right(work, split, guess.tolist()))
        found[str(count)] = accuracies
    return found


def robust(method: Method, work: Work, chosen: Sequence[Chosen], changed: Tensor) -> PlainObject:
    """Accuracy on test inputs as they are and as they were changed, of the first seed.

    Args:
        method: which.
        work: on what.
        chosen: what was chosen for each split.
        changed: ``[N, L, F]`` features of all inputs, those of test parts changed.

    Raises:
        DataError: the method sees inputs, of which there are no changed ones.
    """
    if method.sees == "inputs":
        raise DataError(f"{method.name} sees inputs, and only features were changed.")
    found: dict[str, list[float]] = {"as_given": [], "changed": []}
    for split, one in zip(work.data.splits, chosen, strict=True):
        module, _ = again(method, work, trained_on(split, refit=True), one, 0)
        for name, features in (("as_given", work.data.features), ("changed", changed)):
            guess = predict(module, features[split.test]).argmax(-1)
            found[name].append(_right(work, split, guess.tolist()))
    return {name: float(np.mean(values)) for name, values in found.items()}


def choose(method: Method, work: Work, split: Split) -> Chosen:
    """Settings and epochs by the split's validation part."""
    x, y = _given(method, work), work.data.labels
    validation = (x[split.validation], y[split.validation])

    def once(settings: SettingValues) -> tuple[nn.Module, History]:
        module, history = train_method(
            method,
            work.config,
            work.training,
            x[split.train],
            y[split.train],
            validation=validation,
            settings=settings,
            sources=work.sources,
        )
        return module, replace(history, settings={**settings, **history.settings})

    _, history = best_of(once, method.grid[: work.budget.settings], validation)
    return Chosen(history.settings, max(history.best_epoch, 1))


def again(
    method: Method, work: Work, indices: np.ndarray, chosen: Chosen, seed: int
) -> tuple[nn.Module, History]:
    """Train with what was chosen, for exactly that many epochs."""
    settings = {name: value for name, value in chosen.settings.items() if name != "epochs"}
    return train_method(
        method,
        work.config,
        replace(work.training, seed=seed, epochs=chosen.epochs),
        _given(method, work)[indices],
        work.data.labels[indices],
        settings=settings,
        sources=work.sources,
    )


def _given(method: Method, work: Work) -> Tensor:
    return torch.arange(len(work.data.labels)) if method.sees == "inputs" else work.data.features


def _right(work: Work, split: Split, guess: Sequence[int]) -> float:
    return float(np.mean(np.array(guess) == work.data.labels.numpy()[split.test]))
