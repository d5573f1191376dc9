"""How fast a classifier is trained on features that are kept, beside reading every input's anew.

Reference is training as research code does it: a file for each input, read whenever a step needs it.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from daam_core.bench.library import classifier_of_size, classifiers, input_for
from daam_core.bench.measuring import Timings, median_seconds
from daam_core.inputs import read_input
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier
from daam_core.training.fitting import fit, logits_of, loss_function
from daam_core.training.settings import TrainingConfig

INPUTS = 2_048


@dataclass(frozen=True)
class TrainCase:
    """Training with the usual settings on features as a classifier's encoder makes them; inputs per second.

    Attributes:
        per_second, read_per_second: inputs per second from memory, and with a file of each.
        speedup: of the former to the latter.
        encoded_per_second: inputs that the encoder alone encodes in a second: without a cache no training is
            faster.
        over_encoding: inputs per second from memory over those.
    """

    encoder: str
    layers: int
    features: int
    heads: int
    per_second: float
    read_per_second: float
    speedup: float
    encoded_per_second: float
    over_encoding: float


def bench_train(
    *,
    runs: int = 5,
    inputs: int = INPUTS,
    models: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Timings[TrainCase]:
    """An epoch of training from memory, and one that reads a file for each input.

    Args:
        runs: repetitions of each measurement.
        inputs: of an epoch; synthetic.
        models: names of classifiers whose sizes are timed; one for each encoder by default.
        progress: told before each classifier.
    """
    cases = tuple(_case(model, runs, inputs) for model in classifiers(models, progress))
    return Timings(runs, torch.get_num_threads(), cases)


def _case(model: TrainedClassifier, runs: int, inputs: int) -> TrainCase:
    classifier = classifier_of_size(model.config.n_layers, model.config.n_features)
    config, training = classifier.config, TrainingConfig(epochs=1)
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(inputs, config.n_layers, config.n_features, generator=draw)
    labels = torch.randint(len(config.class_names), (inputs,), generator=draw)
    read = read_input(input_for(model.config.modality), model.config.modality)
    with tempfile.TemporaryDirectory() as folder:
        for number, one in enumerate(features):
            torch.save(one.clone(), Path(folder) / f"{number}.pt")
        seconds = median_seconds(
            {
                "memory": lambda: fit(classifier, training, features, labels),
                "files": lambda: _read_each(classifier, training, Path(folder), labels),
                "encoder": lambda: model.backbone.pooled([read]),
            },
            runs=runs,
        )
    return TrainCase(
        encoder=model.backbone.name,
        layers=config.n_layers,
        features=config.n_features,
        heads=config.n_heads,
        per_second=inputs / seconds["memory"],
        read_per_second=inputs / seconds["files"],
        speedup=seconds["files"] / seconds["memory"],
        encoded_per_second=1 / seconds["encoder"],
        over_encoding=inputs * seconds["encoder"] / seconds["memory"],
    )


def _read_each(classifier: DaamClassifier, training: TrainingConfig, folder: Path, labels: Tensor) -> None:
    """An epoch whose steps open a file for each of their inputs."""
    optimiser = torch.optim.AdamW(classifier.parameters())
    loss_of = loss_function(training, labels)
    classifier.train()
    for batch in torch.randperm(len(labels)).split(training.batch_size):
        features = torch.stack([torch.load(folder / f"{n}.pt", weights_only=True) for n in batch.tolist()])
        loss = loss_of(logits_of(classifier, features), labels[batch])
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
