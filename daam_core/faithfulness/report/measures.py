"""All measures of one model together: what is asked, in which order, and what came out.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from daam_core.errors import DataError, is_number
from daam_core.explaining import provenance_of
from daam_core.faithfulness.destroyed.learned import Learned, what_is_learned
from daam_core.faithfulness.destroyed.models import Similarity, sanity_checks, trained_again
from daam_core.faithfulness.destroyed.small_changes import PERTURBATIONS
from daam_core.faithfulness.destroyed.stability import (
    InputStability,
    SeedStability,
    input_stability,
    seed_stability,
)
from daam_core.faithfulness.maps.cells import gated_cells, input_cells
from daam_core.faithfulness.maps.methods import gated_maps
from daam_core.faithfulness.maps.on_input import input_maps
from daam_core.faithfulness.packages import check_packages
from daam_core.faithfulness.quantus import QuantusScore, quantus_metrics
from daam_core.faithfulness.removal.by_method import deletions, differences
from daam_core.faithfulness.removal.curves import Comparison
from daam_core.faithfulness.removal.in_the_input import TokenLevel, token_level
from daam_core.faithfulness.report.contents import FaithfulnessReport
from daam_core.faithfulness.report.findings import find
from daam_core.faithfulness.report.settings import Settings
from daam_core.faithfulness.retraining.layers import BUDGET, Retraining, TrainTestFeatures, retrain
from daam_core.faithfulness.retraining.rivals import Rival, agreement, rivals
from daam_core.faithfulness.retraining.variants import (
    AS_SHIPPED,
    PLAIN,
    Variant,
    measure_variant,
    plain_variant,
)
from daam_core.faithfulness.statistics import bootstrap_mean
from daam_core.inputs import Input, read_input
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier
from daam_core.training.answers import right
from daam_core.training.settings import TrainingConfig


@dataclass(frozen=True)
class Task:
    """What every step works on.

    Attributes:
        model: the trained classifier with its encoder.
        train: features ``[M, L, F]`` and labels to retrain classifiers on.
        pooled: ``[N, L, F]`` features that are measured.
        labels: ``[N]`` classes, or ``[N, C]`` of 0 and 1.
        inputs: the first of them as the encoder takes them, to be changed and encoded again; or none.
        settings: how much.
        budget: of retraining.
    """

    model: TrainedClassifier
    train: tuple[Tensor, Tensor]
    pooled: Tensor
    labels: Tensor
    inputs: tuple[Input, ...]
    settings: Settings
    budget: TrainingConfig

    @property
    def classifier(self) -> DaamClassifier:
        return self.model.classifier

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of classifiers retrained or destroyed."""
        return tuple(range(self.settings.retraining_seeds))

    @property
    def orders(self) -> tuple[int, ...]:
        """Seeds of the random orders."""
        return tuple(range(self.settings.random_orders))


@dataclass
class Found:
    """What the steps have found so far: each fills in its own part, in the order of :data:`STEPS`."""

    gated: dict[str, Comparison] = field(init=False)
    maps: dict[str, Tensor] = field(init=False)
    rivals: list[Rival] = field(init=False)
    input: dict[str, Comparison] = field(init=False)
    agreement: tuple[tuple[str, ...], np.ndarray] = field(init=False)
    classifiers: list[DaamClassifier] = field(init=False)
    seeds: SeedStability = field(init=False)
    variants: list[Variant] = field(init=False)
    retraining: Retraining = field(init=False)
    sanity: list[Similarity] = field(init=False)
    learned: Learned = field(init=False)
    quantus: list[QuantusScore] = field(init=False)
    changed: list[InputStability] = field(default_factory=list)
    tokens: TokenLevel | None = None


@dataclass(frozen=True)
class Step:
    """One part of the measurement.

    Attributes:
        name: what is being done.
        share: of the time that all take, roughly; they need not add up to 1.
        run: does it.
    """

    name: str
    share: float
    run: Callable[[Task, Found, Progress], None]


def measure_faithfulness(
    model: TrainedClassifier,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    inputs: Sequence[object] = (),
    held_out: bool = True,
    settings: Settings | None = None,
    provenance: Mapping[str, object] | None = None,
    progress: Progress | None = None,
) -> FaithfulnessReport:
    """Measure everything.

    Args:
        model: the trained classifier; its encoder runs only for ``inputs``.
        train: features ``[M, L, F]`` and labels to retrain classifiers on.
        test: features ``[N, L, F]`` and labels of the inputs that are measured.
        inputs: the same inputs as ``test``, in its order, as ``read_input`` takes them; or none.
        held_out: whether ``test`` was kept out of the training of ``model``.
        settings: how much.
        provenance: what to record besides.
        progress: told how far it is; stops when cancelled.

    Raises:
        ConfigError: a package that measuring needs is not installed.
        DataError: the features do not fit the model, or the inputs do not fit the features.
        CancelledError: the caller asked to stop.
    """
    check_packages()
    progress = progress or Progress()
    task = prepare(model, train, test, inputs=inputs, settings=settings or Settings())
    model.classifier.attention.prepare(100 * len(task.pooled))  # as many copies with cells changed, at most
    found = Found()
    whole, done = sum(step.share for step in STEPS), 0.0
    for step in STEPS:
        part = progress.part(done / whole, (done + step.share) / whole)
        part.report(0.0, step.name)
        step.run(task, found, part)
        done += step.share
    progress.report(1.0, "Done")
    return _report(task, found, held_out=held_out, more=provenance or {})


def prepare(
    model: TrainedClassifier,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    inputs: Sequence[object],
    settings: Settings,
) -> Task:
    """Draw what is measured and what is retrained on.

    Raises:
        DataError: the features do not fit the model, or the inputs do not fit the features.
    """
    config = model.config
    for features, labels in (train, test):
        if features.ndim != 3 or features.shape[1:] != (config.n_layers, config.n_features):
            raise DataError(
                f"{model.name} takes features [N, {config.n_layers}, {config.n_features}], "
                f"got {list(features.shape)}."
            )
        expected = features.shape[:1] + ((len(config.class_names),) if config.labels == "several" else ())
        if labels.shape != expected or not len(labels):
            raise DataError(
                f"There must be labels {list(expected)} of at least one input, got {list(labels.shape)}."
            )
    if len(inputs) not in (0, len(test[0])):
        raise DataError(f"{len(inputs)} inputs do not fit features of {len(test[0])}.")
    (pooled, labels), chosen = drawn(test, settings.inputs, seed=settings.seed)
    changed = chosen[: settings.changed_inputs] if len(inputs) else ()
    return Task(
        model=model,
        train=drawn(train, settings.training_inputs, seed=settings.seed)[0],
        pooled=pooled.float(),
        labels=labels,
        inputs=tuple(
            read_input(inputs[int(index)], config.modality, rate=model.backbone.sample_rate)
            for index in changed
        ),
        settings=settings,
        budget=replace(
            training_of(model), epochs=settings.epochs, patience=BUDGET.patience, seed=settings.seed
        ),
    )


def drawn(part: tuple[Tensor, Tensor], count: int, *, seed: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """At most ``count`` inputs, drawn without replacement, and their indices."""
    features, labels = part
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:count]
    return (features[order], labels[order]), order


def training_of(model: TrainedClassifier) -> TrainingConfig:
    """How the checkpoint says that it was trained; retrained classifiers are trained the same way."""
    said = model.report.get("training")
    if not isinstance(said, Mapping):
        return BUDGET
    known = {
        name: type(default)(said[name]) for name, default in vars(BUDGET).items() if is_number(said.get(name))
    }
    return replace(BUDGET, **known)


def _gated(task: Task, found: Found, progress: Progress) -> None:
    cells = gated_cells(task.classifier, task.pooled)
    maps = gated_maps(task.classifier, task.pooled, dataset=task.model.dataset)
    if "amplitude" not in maps:
        del maps["gate"]  # without amplitude it is the density attention itself
    found.gated = deletions(cells, maps, task.labels, task.orders, progress)


def _maps(task: Task, found: Found, progress: Progress) -> None:
    found.maps = input_maps(task.classifier, task.pooled, dataset=task.model.dataset, check=progress.check)


def _rivals(task: Task, found: Found, progress: Progress) -> None:
    found.rivals = rivals(
        task.train,
        task.pooled,
        task.labels,
        n_classes=len(task.model.class_names),
        budget=task.budget,
        seed=task.settings.seed,
        random_seeds=task.orders,
        progress=progress,
    )
    found.maps |= {rival.method: rival.maps[rival.method] for rival in found.rivals}


def _input(task: Task, found: Found, progress: Progress) -> None:
    cells = input_cells(task.classifier, task.pooled)
    found.input = deletions(cells, found.maps, task.labels, task.orders, progress)
    names, matrix = agreement(found.maps)
    found.agreement = (tuple(names), matrix)


def _seeds(task: Task, found: Found, progress: Progress) -> None:
    found.classifiers = [
        trained_again(task.classifier, *task.train, seed=seed, budget=task.budget, check=progress.check)
        for seed in range(task.settings.training_seeds)
    ]
    found.seeds = seed_stability(task.classifier, found.classifiers, task.pooled, task.labels)


def _variants(task: Task, found: Found, progress: Progress) -> None:
    untrained, budget = plain_variant(task.classifier, task.budget)
    plain = [
        trained_again(untrained, *task.train, seed=seed, budget=budget, check=progress.check)
        for seed in task.seeds
    ]
    found.variants = [
        measure_variant(
            name, classifiers, task.pooled, task.labels, orders=task.orders[:2], check=progress.check
        )
        for name, classifiers in ((AS_SHIPPED, found.classifiers), (PLAIN, plain))
    ]


def _retraining(task: Task, found: Found, progress: Progress) -> None:
    data = TrainTestFeatures(task.train, (task.pooled, task.labels))
    found.retraining = retrain(task.classifier, data, seeds=task.seeds, budget=task.budget, progress=progress)


def _sanity(task: Task, found: Found, progress: Progress) -> None:
    few = task.settings.sanity_inputs
    found.sanity = sanity_checks(
        task.classifier,
        task.pooled[:few],
        task.labels[:few],
        task.train,
        again=found.classifiers[: task.settings.retraining_seeds],
        seeds=task.seeds,
        budget=task.budget,
        progress=progress,
    )


def _learned(task: Task, found: Found, progress: Progress) -> None:
    found.learned = what_is_learned(task.classifier, task.pooled, seed=task.settings.seed)


def _quantus(task: Task, found: Found, progress: Progress) -> None:
    few = task.pooled[: task.settings.quantus_inputs]
    found.quantus = quantus_metrics(task.classifier, few, seed=task.settings.seed, progress=progress)


def _small_changes(task: Task, found: Found, progress: Progress) -> None:
    if task.inputs:
        found.changed = input_stability(
            task.classifier,
            task.model.backbone,
            task.inputs,
            PERTURBATIONS[task.model.config.modality],
            seed=task.settings.seed,
            progress=progress,
        )


def _tokens(task: Task, found: Found, progress: Progress) -> None:
    if task.inputs:
        found.tokens = token_level(task.model, task.inputs, progress=progress)


#: Packages whose versions a report keeps.
PACKAGES = ("torch", "numpy", "captum", "quantus", "scikit-image", "scipy")
#: What is measured, in this order: later steps use what earlier ones found.
STEPS = (
    Step("Removing gated cells", 0.10, _gated),
    Step("Maps on the input", 0.02, _maps),
    Step("Training baselines with layer weights", 0.08, _rivals),
    Step("Removing cells of the input", 0.20, _input),
    Step("Training classifiers with other seeds", 0.05, _seeds),
    Step("Training classifiers with the plain gate", 0.05, _variants),
    Step("Retraining on chosen layers", 0.15, _retraining),
    Step("Destroying the model", 0.14, _sanity),
    Step("Putting parameters back at their start", 0.01, _learned),
    Step("Metrics of the quantus package", 0.08, _quantus),
    Step("Changing inputs a little", 0.03, _small_changes),
    Step("Removing parts of inputs", 0.09, _tokens),
)


def _report(task: Task, found: Found, *, held_out: bool, more: Mapping[str, object]) -> FaithfulnessReport:
    with torch.no_grad():
        answered = right(task.classifier(task.pooled).logits, task.labels).double()
    pairs = differences(found.gated, found.input, seed=task.settings.seed)
    findings = find(
        gated=found.gated,
        pairs=pairs,
        retraining=found.retraining,
        sanity=found.sanity,
        learned=found.learned,
        seeds=found.seeds,
        inputs=found.changed,
        tokens=found.tokens,
        variants=found.variants,
    )
    return FaithfulnessReport(
        model=task.model.name,
        provenance=provenance_of(task.model, PACKAGES, **more),
        settings=task.settings,
        held_out=held_out,
        accuracy=bootstrap_mean(answered.numpy(), seed=task.settings.seed),
        gated=found.gated,
        input=found.input,
        pairs=pairs,
        rivals=tuple(found.rivals),
        agreement=found.agreement,
        retraining=found.retraining,
        sanity=tuple(found.sanity),
        learned=found.learned,
        seeds=found.seeds,
        inputs=tuple(found.changed),
        tokens=found.tokens,
        quantus=tuple(found.quantus),
        variants=tuple(found.variants),
        findings=tuple(findings),
        labels=task.model.config.labels,
        n_levels=task.model.config.n_levels,
    )
