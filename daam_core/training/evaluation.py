"""How good a trained classifier is, and what it looks at over a whole data set.

Letters: N inputs, H heads, L layers, F features, C classes, R rows (see ``layers``).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from daam_core.configuration import GateKind
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import DataError
from daam_core.importance import layer_contribution
from daam_core.reading.quantities import top_cells
from daam_core.result import DatasetMean
from daam_core.trained import TrainedClassifier
from daam_core.training.data import Dataset, Skipped, content_hash
from daam_core.training.features import extract
from daam_core.training.fitting import predict
from daam_core.training.scores import Scores, score_logits
from daam_core.version import __version__

#: Cells of the mean map that a report names.
TOP_CELLS = 10
#: Inputs left out that a report names.
MAX_LEFT_OUT = 100


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
class DataFacts:
    """What identifies a data set in a report.

    Attributes:
        name: the folder's or table's name.
        modality: ``audio``, ``text`` or ``image``.
        inputs: how many.
        skipped: how many were left out because they cannot be used.
        left_out: the first hundred of these, with the reasons.
        notes: how the data set was read and what looks strange about it.
        classes: how many inputs each class has.
        groups: how many groups, such as speakers; None without groups.
        sha256: over contents and labels.
    """

    name: str
    modality: str
    inputs: int
    skipped: int
    classes: Mapping[str, int]
    groups: int | None
    sha256: str
    left_out: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluation:
    """What :func:`evaluate` measured.

    Attributes:
        model: name of the checkpoint.
        checkpoint_sha256: of its weights; empty for a model that is not on disk.
        encoder: the frozen encoder's identity.
        data: the data set.
        trained_on: whether this is the data that the classifier was trained on; its accuracy then says
            nothing about other data.
        seed: of the classifier's initialisation and training.
        scores: accuracy and the rest.
        classifier_parameters: numbers stored with the classifier.
        encoder_parameters: frozen ones; None if the encoder does not say.
        gate_kind: whether the gates are ``density`` or ``mixture`` gates.
        mean_offset: movement of δ (of the mean offsets m for a mixture).
        scaled_variance: movement of ξ (of the scales c for a mixture).
        mean: average gate, density attention, Importance Factor and values over this data set.
        layer_contribution: ``[H][L]`` percent of the mean density attention.
        top_cells: the cells with the highest Importance Factor of the mean map.
    """

    model: str
    checkpoint_sha256: str
    encoder: Mapping[str, str]
    data: DataFacts
    trained_on: bool
    seed: int
    scores: Scores
    classifier_parameters: int
    encoder_parameters: int | None
    gate_kind: GateKind
    mean_offset: Movement
    scaled_variance: Movement
    mean: DatasetMean
    layer_contribution: tuple[tuple[float, ...], ...]
    top_cells: tuple[Mapping[str, float | int], ...]

    def as_dict(self) -> dict[str, object]:
        """Plain values, without the big arrays of ``mean``."""
        plain = asdict(self)
        del plain["mean"]
        return {"tool": f"daam-explorer {__version__}", **plain}


def evaluate(
    model: TrainedClassifier,
    dataset: Dataset,
    *,
    cache_dir: str | Path | None = None,
    progress: bool = True,
    skip_broken: bool = False,
) -> Evaluation:
    """Run a model over a labelled data set.

    Args:
        model: the trained classifier.
        dataset: with the model's classes, in its order (``class_names`` of
            :func:`~daam_core.training.data.load_dataset`).
        cache_dir: feature cache; the user's by default.
        progress: show a progress bar on standard error, if that is a terminal.
        skip_broken: leave out inputs that cannot be read.

    Raises:
        DataError: the classes are others, or an input cannot be read.
        EncoderError: the model's encoder is missing or another one.
    """
    if dataset.class_names != model.class_names:
        raise DataError(
            f"{dataset.name} has the classes {', '.join(dataset.class_names)}, but {model.name} knows "
            f"{', '.join(model.class_names)}."
        )
    dataset = dataset.with_labels(model.config.labels)
    found = extract(dataset, model.backbone, cache_dir=cache_dir, progress=progress, skip_broken=skip_broken)
    return evaluate_features(
        model, found.dataset, found.features, encoder_parameters=model.backbone.n_parameters
    )


def evaluate_features(
    model: TrainedClassifier, dataset: Dataset, features: Tensor, *, encoder_parameters: int | None = None
) -> Evaluation:
    """:func:`evaluate` on pooled features ``[N, L, F]`` that are at hand."""
    classifier = model.classifier
    dataset = dataset.with_labels(model.config.labels)
    mean = dataset_mean(classifier, features)
    attention, data = classifier.attention, data_facts(dataset)
    known = model.report.get("data")
    contribution = layer_contribution(torch.from_numpy(mean.density_attention))
    return Evaluation(
        model=model.name,
        checkpoint_sha256=model.sha256,
        encoder=asdict(model.config.encoder),
        data=data,
        trained_on=isinstance(known, dict) and known.get("sha256") == data.sha256,
        seed=model.config.seed,
        scores=score_logits(dataset.targets, predict(classifier, features), model.class_names),
        classifier_parameters=sum(parameter.numel() for parameter in classifier.parameters()),
        encoder_parameters=encoder_parameters,
        gate_kind=model.config.gate_kind,
        mean_offset=movement(attention.initial_mean_offset, attention.mean_offset),
        scaled_variance=movement(attention.initial_scaled_variance, attention.scaled_variance),
        mean=mean,
        layer_contribution=tuple(tuple(row) for row in contribution.tolist()),
        top_cells=_named_cells(mean),
    )


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


def data_facts(dataset: Dataset) -> DataFacts:
    """What identifies a data set in a report."""
    digest = hashlib.sha256()
    for given, labels in zip(dataset.inputs, dataset.sets, strict=True):
        names = "|".join(dataset.class_names[label] for label in labels)
        digest.update(f"{content_hash(given)} {names}\n".encode())
    return DataFacts(
        name=dataset.name,
        modality=dataset.modality,
        inputs=len(dataset),
        skipped=len(dataset.skipped),
        classes=dataset.counts,
        groups=None if dataset.groups is None else len(set(dataset.groups)),
        sha256=digest.hexdigest(),
        left_out=dataset.skipped[:MAX_LEFT_OUT],
        notes=dataset.notes,
    )


def _named_cells(mean: DatasetMean) -> tuple[Mapping[str, float | int], ...]:
    cells = [tuple(cell) for cell in top_cells(mean.importance, TOP_CELLS).tolist()]
    return tuple(
        {
            "head": cell[0],
            "layer": cell[1],
            "feature": cell[2],
            "importance": float(mean.importance[cell]),
            "density_attention": float(mean.density_attention[cell]),
        }
        for cell in cells
    )
