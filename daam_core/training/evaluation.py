"""How good a trained head is, and what it looks at over a whole data set.

Letters: N samples, H heads, L layers, F features, C classes.
"""

import copy
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.backbones.base import Backbone
from daam_core.checkpoint import Model
from daam_core.errors import DataError
from daam_core.importance import layer_contribution
from daam_core.model import DaamClassifier
from daam_core.result import DatasetMean
from daam_core.training.data import Dataset, content_hash
from daam_core.training.features import extract
from daam_core.training.fitting import predict
from daam_core.version import __version__

#: Cells of the mean map that a report names.
TOP_CELLS = 10


@dataclass(frozen=True)
class ClassFigures:
    """One class: of those predicted, how many were right; of those present, how many were found.

    ``precision`` is 0 for a class that was never predicted, ``recall`` for one that never occurred.
    """

    name: str
    samples: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """Figures of a set of predictions.

    Attributes:
        samples: N.
        accuracy: share of right predictions.
        balanced_accuracy: mean recall over the classes that occur.
        macro_f1: mean F1 over all classes.
        classes: figures of each class, in the model's order.
        confusion: ``[C][C]`` counts; row = true class, column = predicted class.
    """

    samples: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Movement:
    """How far a gate parameter went from its start, over all heads and features.

    Attributes:
        initial_minimum, initial_maximum: where it started.
        minimum, maximum, mean, deviation: where it is.
        mean_change, largest_change: of the absolute differences.
    """

    initial_minimum: float
    initial_maximum: float
    minimum: float
    maximum: float
    mean: float
    deviation: float
    mean_change: float
    largest_change: float


@dataclass(frozen=True)
class Evaluation:
    """What :func:`evaluate` measured.

    Attributes:
        model: name of the checkpoint.
        checkpoint_sha256: of its weights; empty for a model that is not on disk.
        encoder: the frozen encoder's identity.
        data: the data set: name, modality, samples, skipped, samples by class, and a SHA-256 over
            contents and labels.
        trained_on: whether this is the data that the head was trained on; its accuracy then says
            nothing about other data.
        seed: of the head's initialisation and training.
        scores: accuracy and the rest.
        head_parameters: trained ones.
        encoder_parameters: frozen ones; None if the encoder does not say.
        mean_offset: movement of δ.
        scaled_variance: movement of ξ (of the scales c for a mixture).
        mean: average gate, density attention, Importance Factor and values over this data set.
        layer_contribution: ``[H][L]`` percent of the mean density attention.
        top_cells: the cells with the highest Importance Factor of the mean map.
    """

    model: str
    checkpoint_sha256: str
    encoder: Mapping[str, str]
    data: Mapping[str, Any]
    trained_on: bool
    seed: int
    scores: Scores
    head_parameters: int
    encoder_parameters: int | None
    mean_offset: Movement
    scaled_variance: Movement
    mean: DatasetMean
    layer_contribution: tuple[tuple[float, ...], ...]
    top_cells: tuple[Mapping[str, float | int], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, without the big arrays of ``mean``."""
        plain = {name: value for name, value in vars(self).items() if name != "mean"}
        for name in ("scores", "mean_offset", "scaled_variance"):
            plain[name] = asdict(plain[name])
        plain |= {"encoder": dict(self.encoder), "data": dict(self.data)}
        plain["top_cells"] = [dict(cell) for cell in self.top_cells]
        return {"tool": f"daam-explorer {__version__}", **plain}


def evaluate(
    model: Model,
    dataset: Dataset,
    *,
    cache_dir: str | Path | None = None,
    progress: bool = True,
    skip_broken: bool = False,
) -> Evaluation:
    """Run a model over a labelled data set.

    Args:
        model: the trained head.
        dataset: with the model's classes, in its order (``class_names`` of
            :func:`~daam_core.training.data.load_dataset`).
        cache_dir: feature cache; the user's by default.
        progress: show a progress bar on standard error, if that is a terminal.
        skip_broken: leave out samples that cannot be read.

    Raises:
        DataError: the classes are others, or a sample cannot be read.
        EncoderError: the model's encoder is missing or another one.
    """
    if dataset.class_names != model.class_names:
        raise DataError(
            f"{dataset.name} has the classes {', '.join(dataset.class_names)}, but {model.name} knows "
            f"{', '.join(model.class_names)}."
        )
    found = extract(dataset, model.backbone, cache_dir=cache_dir, progress=progress, skip_broken=skip_broken)
    return evaluate_features(
        model,
        found.dataset,
        found.features,
        encoder_parameters=parameter_count(model.backbone),
    )


def evaluate_features(
    model: Model, dataset: Dataset, features: Tensor, *, encoder_parameters: int | None = None
) -> Evaluation:
    """:func:`evaluate` on pooled features ``[N, L, F]`` that are at hand."""
    head = model.classifier
    predicted = predict(head, features).argmax(-1)
    mean = mean_over(model, features)
    attention, data = head.attention, describe_data(dataset)
    return Evaluation(
        model=model.name,
        checkpoint_sha256=model.sha256,
        encoder=asdict(model.config.encoder),
        data=data,
        trained_on=model.report.get("data", {}).get("sha256") == data["sha256"],
        seed=model.config.seed,
        scores=score(dataset.labels, predicted.tolist(), model.class_names),
        head_parameters=sum(parameter.numel() for parameter in head.parameters()),
        encoder_parameters=encoder_parameters,
        mean_offset=movement(attention.initial_mean_offset, attention.mean_offset),
        scaled_variance=movement(attention.initial_scaled_variance, attention.scaled_variance),
        mean=mean,
        layer_contribution=_nested(layer_contribution(torch.from_numpy(mean.density_attention))),
        top_cells=_top_cells(mean),
    )


def score(labels: Sequence[int], predictions: Sequence[int], class_names: Sequence[str]) -> Scores:
    """Figures of predictions ``[N]`` against labels ``[N]``, both class indices.

    >>> score([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"]).confusion
    ((1, 1), (0, 2))
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    indices = range(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predictions, labels=list(indices), zero_division=0.0
    )
    confusion = confusion_matrix(labels, predictions, labels=list(indices))
    return Scores(
        samples=len(labels),
        accuracy=float(np.trace(confusion) / len(labels)),
        balanced_accuracy=float(recall[support > 0].mean()),
        macro_f1=float(f1.mean()),
        classes=tuple(
            ClassFigures(class_names[i], int(support[i]), float(precision[i]), float(recall[i]), float(f1[i]))
            for i in indices
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )


def mean_over(model: Model, features: Tensor) -> DatasetMean:
    """Average gate, density attention, Importance Factor and values over features ``[N, L, F]``."""
    head: DaamClassifier = copy.deepcopy(model.classifier)
    head.fit_dataset_mean(features)
    mean = Model(head).dataset
    if mean is None:
        raise DataError("A data set's average needs at least one sample.")
    return mean


def movement(initial: Tensor, learned: Tensor) -> Movement:
    """How far a parameter went from its start; both of one shape."""
    start, end = initial.detach().double(), learned.detach().double()
    change = (end - start).abs()
    return Movement(
        initial_minimum=float(start.min()),
        initial_maximum=float(start.max()),
        minimum=float(end.min()),
        maximum=float(end.max()),
        mean=float(end.mean()),
        deviation=float(end.std(unbiased=False)),
        mean_change=float(change.mean()),
        largest_change=float(change.max()),
    )


def parameter_count(backbone: Backbone) -> int | None:
    """How many numbers of the frozen encoder's were learned, or None if it holds none.

    Modules count by their parameters; an encoder of our own that keeps plain tensors (batch
    normalisations folded into convolutions) by its floating point tensors.
    """
    return sum({id(tensor): tensor.numel() for tensor in _weights(backbone)}.values()) or None


def _weights(part: object) -> Iterator[Tensor]:
    if isinstance(part, nn.Module):
        yield from part.parameters()
    elif isinstance(part, Tensor):
        if part.is_floating_point():
            yield part
    elif isinstance(part, list | tuple):
        for item in part:
            yield from _weights(item)
    elif type(part).__module__.startswith("daam_core.backbones") or isinstance(part, Backbone):
        for item in vars(part).values():
            yield from _weights(item)


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """What identifies a data set in a report."""
    digest = hashlib.sha256()
    for sample, label in zip(dataset.samples, dataset.labels, strict=True):
        digest.update(f"{content_hash(sample)} {dataset.class_names[label]}\n".encode())
    return {
        "name": dataset.name,
        "modality": dataset.modality,
        "samples": len(dataset),
        "skipped": len(dataset.skipped),
        "classes": dataset.counts,
        "groups": None if dataset.groups is None else len(set(dataset.groups)),
        "sha256": digest.hexdigest(),
    }


def _top_cells(mean: DatasetMean) -> tuple[Mapping[str, float | int], ...]:
    order = np.argsort(-mean.importance, axis=None, kind="stable")[:TOP_CELLS]
    cells = zip(*np.unravel_index(order, mean.importance.shape), strict=True)
    return tuple(
        {
            "head": int(head),
            "layer": int(layer),
            "feature": int(feature),
            "importance": float(mean.importance[head, layer, feature]),
            "density_attention": float(mean.density_attention[head, layer, feature]),
        }
        for head, layer, feature in cells
    )


def _nested(matrix: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in matrix)
