"""Carry an experiment out: measure, train what is saved, and keep a record of both."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

import torch
from torch import nn

from daam_core.configuration import EncoderIdentity
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import ConfigError
from daam_core.model import DaamClassifier
from daam_core.outside import Known
from daam_core.result import DatasetMean
from daam_core.trained import TrainedClassifier
from daam_core.training.accuracy import (
    Measured,
    SplitData,
    fit_split,
    measure_accuracy,
    trained_on,
    trained_parameters,
)
from daam_core.training.evaluation import DataFacts, Movement, data_facts, evaluate_features
from daam_core.training.experiment import TEST_SET, Experiment
from daam_core.training.fitting import Epoch, History
from daam_core.training.gate_check import gate_faults
from daam_core.training.methods import METHODS
from daam_core.training.outside import LEAST_INPUTS, distances_of, known_from, made_up, with_measures
from daam_core.training.recipes import recipe_of
from daam_core.training.scores import Scores, one_class_only, score_logits
from daam_core.training.settings import TrainingConfig
from daam_core.version import __version__


@dataclass(frozen=True)
class Outcome:
    """A trained classifier and how good it is.

    Attributes:
        classifier: the one to save.
        history: of the training that chose its epoch.
        dataset: its averages over the inputs it was trained on.
        parameters: how many numbers training could change.
        known: where these lie among all cells; None where they are too few to say.
        measured: accuracy by the experiment's protocol; None where none was asked for.
    """

    classifier: DaamClassifier
    history: History
    dataset: DatasetMean
    parameters: int
    known: Known | None
    measured: Measured | None


def train(experiment: Experiment, *, on_run: Callable[[], object] | None = None) -> Outcome:
    """Measure by the protocol, and train the classifier that is saved.

    On a test set the first seed's classifier is the one to save: the figures are its own.

    Args:
        experiment: what to work on.
        on_run: called after each training, of which there are ``experiment.runs``.
    """
    options, data = experiment.options, experiment.measured_on
    recipe = recipe_of(METHODS["daam"], experiment.config)
    kept: list[tuple[nn.Module, History]] = []
    measured = None

    def after_run(seed: int, module: nn.Module, history: History) -> None:
        if data is not None and data.unit == TEST_SET and seed == options.training.seed:
            kept.append((module, history))
        if on_run is not None:
            on_run()

    if data is not None:
        measured = measure_accuracy(
            recipe,
            data,
            training=options.training,
            seeds=experiment.seeds,
            refit=options.refit,
            on_run=after_run,
        )
    whole = experiment.shipped
    if kept and data is not None:
        whole = data
    else:
        found = fit_split(recipe, whole, whole.splits[0], training=options.training, refit=options.refit)
        kept.append(found)
        if on_run is not None:
            on_run()
    classifier, history = kept[0]
    if not isinstance(classifier, DaamClassifier):
        raise ConfigError("Only classifiers with density attention can be saved.")
    inputs = trained_on(whole.splits[0], refit=options.refit)
    mean = dataset_mean(classifier, whole.features[inputs])
    trained = trained_parameters(classifier)
    return Outcome(classifier, history, mean, trained, _known(experiment, classifier), measured)


def _known(experiment: Experiment, classifier: DaamClassifier) -> Known | None:
    """What it knows by the data given, measured on made-up inputs and on the test set, if there is one."""
    part, other, test = experiment.train, experiment.validation, experiment.test
    held_out = (
        None  # the training data from themselves, unless there is a validation part that is large enough
    )
    if other is not None and len(other.features) >= LEAST_INPUTS:
        held_out = other.dataset.name, other.features
    if (known := known_from(classifier, part.features, part.dataset, held_out)) is None:
        return None
    made = made_up(experiment.backbone)
    tested = None if test is None else (test.dataset.name, distances_of(known, classifier, test.features))
    unlike = {name: distances_of(known, classifier, each) for name, each in made.items()}
    return with_measures(known, test=tested, unlike=unlike)


@dataclass(frozen=True)
class Parameters:
    """How many numbers there are, of three kinds.

    Attributes:
        classifier: stored with the classifier: those that were trained, and of joint density also directions
            and prototypes, which are taken from the training inputs and stay.
        encoder: frozen; None where the encoder does not say.
        trained: those that training could change; None in reports of before they were counted apart.
    """

    classifier: int
    encoder: int | None
    trained: int | None = None


@dataclass(frozen=True)
class TrainingReport:
    """What training and measuring found, as ``report.json`` keeps it beside the weights.

    Attributes:
        tool: this program and its version.
        command: that made the classifier.
        accuracy: by ``protocol``; None where nothing was measured.
        accuracy_deviation: over folds, or over seeds.
        protocol: how accuracy was measured, in words.
        scores: of the first seed's predictions, all splits together.
        data: the data given.
        trained_inputs: how many inputs the saved classifier was trained on.
        encoder: the frozen encoder.
        parameters: how many.
        training: how it was trained.
        chosen_by: how the number of epochs was chosen, in words.
        best_epoch: that number.
        epochs: figures of each epoch.
        training_accuracy: on ``data``.
        mean_offset: movement of δ (of the mean offsets m for a mixture).
        scaled_variance: movement of ξ (of the scales c for a mixture).
        layer_contribution: ``[H][L]`` percent of the mean density attention over ``data``.
        top_cells: the cells with the highest Importance Factor of that mean.
        validation_data: a data set of its own that chose the epoch, or None.
        test_data: that was measured on, or None.
        measured: accuracies of every seed and split, or None.
        majority: accuracy of always giving the training part's most frequent answer, by ``protocol``; None
            where nothing was measured.
        warnings: sentences about what went wrong though the training ended.
    """

    tool: str
    command: str
    accuracy: float | None
    accuracy_deviation: float | None
    protocol: str | None
    scores: Scores | None
    data: DataFacts
    trained_inputs: int
    encoder: EncoderIdentity
    parameters: Parameters
    training: TrainingConfig
    chosen_by: str
    best_epoch: int
    epochs: tuple[Epoch, ...]
    training_accuracy: float
    mean_offset: Movement
    scaled_variance: Movement
    layer_contribution: tuple[tuple[float, ...], ...]
    top_cells: tuple[Mapping[str, float | int], ...]
    validation_data: DataFacts | None = None
    test_data: DataFacts | None = None
    measured: Measured | None = None
    majority: float | None = None
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON, which has no NaN; data sets that were not given are left out."""
        plain = asdict(self)
        plain["epochs"] = [
            {name: None if value != value else value for name, value in vars(epoch).items()}
            for epoch in self.epochs
        ]
        plain["measured"] = None if self.measured is None else self.measured.as_dict()
        optional = ("validation_data", "test_data", "measured")
        return {name: value for name, value in plain.items() if value is not None or name not in optional}


def training_report(experiment: Experiment, outcome: Outcome, *, command: str) -> TrainingReport:
    """The record of a training."""
    train, split, measured = experiment.train, experiment.shipped.splits[0], outcome.measured
    data = experiment.measured_on
    scores = None if measured is None or data is None else _scores(experiment, data, measured)
    found = evaluate_features(
        TrainedClassifier(outcome.classifier),
        train.dataset,
        train.features,
        encoder_parameters=experiment.backbone.n_parameters,
    )
    return TrainingReport(
        tool=f"daam-explorer {__version__}",
        command=command,
        accuracy=None if measured is None else measured.accuracy,
        accuracy_deviation=None if measured is None else measured.deviation,
        protocol=None if data is None else data.protocol,
        scores=scores,
        data=found.data,
        trained_inputs=len(split.train) + (len(split.validation) if experiment.options.refit else 0),
        encoder=experiment.config.encoder,
        parameters=Parameters(found.classifier_parameters, found.encoder_parameters, outcome.parameters),
        training=replace(
            experiment.options.training,
            density=outcome.history.settings.get("density", experiment.options.training.density),
        ),
        chosen_by=experiment.shipped.protocol,
        best_epoch=outcome.history.best_epoch,
        epochs=outcome.history.epochs,
        training_accuracy=found.scores.accuracy,
        mean_offset=found.mean_offset,
        scaled_variance=found.scaled_variance,
        layer_contribution=found.layer_contribution,
        top_cells=found.top_cells,
        validation_data=None if experiment.validation is None else data_facts(experiment.validation.dataset),
        test_data=None if experiment.test is None else data_facts(experiment.test.dataset),
        measured=measured,
        majority=None if data is None else data.majority,
        warnings=(
            *filter(None, [one_class_only(scores or found.scores)]),
            *gate_faults(outcome.classifier, train.features),
            *([] if outcome.known is not None else [_not_known(len(train.dataset))]),
        ),
    )


def _not_known(inputs: int) -> str:
    return (
        "Where the training data lie was not kept, so explanations will not say how unlike them an input is: "
        f"that takes at least {LEAST_INPUTS} inputs, here are {inputs}."
    )


def _scores(experiment: Experiment, data: SplitData, measured: Measured) -> Scores:
    """Figures of the first seed's predictions, all splits together."""
    labels = torch.cat([data.labels[split.test] for split in data.splits])
    always = torch.cat([data.always(split) for split in data.splits])
    return score_logits(labels, torch.cat(measured.logits), experiment.config.class_names, always=always)
