"""From what a person asks for to what is trained and measured: data, features, splits, configuration.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.configuration import ModelConfig
from daam_core.errors import DataError
from daam_core.trained import identity_of
from daam_core.training.accuracy import Split, SplitData
from daam_core.training.data import DATA_SET, Dataset, shared_inputs
from daam_core.training.data_rows import listed
from daam_core.training.data_splits import folds, hold_out, hold_out_groups
from daam_core.training.features import extract
from daam_core.training.methods import configured
from daam_core.training.options import DataOptions, ExperimentOptions

NONE = np.zeros(0, dtype=np.int64)
TEST_SET = "test set"


@dataclass(frozen=True)
class Part:
    """Inputs and their pooled features ``[N, L, F]``."""

    dataset: Dataset
    features: Tensor


@dataclass(frozen=True)
class Experiment:
    """What a training or comparison works on.

    Attributes:
        options: what was asked for.
        backbone: the frozen encoder.
        train: the data given.
        validation: data that chooses the epoch, if given as a data set of its own.
        test: data that is only measured on, if given.
        config: the classifier.
        shipped: all of the data, the part that chooses the epoch held out.
        measured_on: how accuracy is measured; None where neither test set nor folds are asked for.
    """

    options: ExperimentOptions
    backbone: Backbone
    train: Part
    validation: Part | None
    test: Part | None
    config: ModelConfig
    shipped: SplitData
    measured_on: SplitData | None

    @property
    def seeds(self) -> tuple[int, ...]:
        first = self.options.training.seed
        return tuple(range(first, first + self.options.seeds))

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for part in (self.train, self.validation, self.test) if part is not None)

    @property
    def runs(self) -> int:
        """How many trainings :func:`train` needs."""
        if self.measured_on is None:
            return 1
        measuring = len(self.seeds) * len(self.measured_on.splits)
        return measuring if self.measured_on.unit == TEST_SET else measuring + 1


def extracted(dataset: Dataset, backbone: Backbone, reading: DataOptions) -> Part:
    """A data set's features, from the cache where they are known."""
    found = extract(
        dataset,
        backbone,
        cache_dir=reading.cache_dir,
        skip_broken=reading.skip_broken,
        workers=reading.workers,
    )
    reading.tell(note for note in found.dataset.notes if note not in dataset.notes)
    return Part(found.dataset, found.features)


def prepare(options: ExperimentOptions, datasets: Mapping[str, Dataset] | None = None) -> Experiment:
    """Read the data, extract features, and lay out the splits.

    Args:
        options: what is asked for.
        datasets: what ``options.read()`` gave, where the data were read before.

    Raises:
        DataError: data or options that do not fit each other.
        EncoderError: the encoder cannot be loaded.
    """
    datasets = options.read() if datasets is None else datasets
    dataset = datasets["train"]
    backbone = options.backbone
    if not isinstance(backbone, Backbone):
        backbone = load_backbone(
            backbone,
            revision=options.revision,
            modality=options.modality,
            device=options.device,
            dtype=options.dtype,
        )
    _check_splits(options, datasets)
    labels = {"labels": "several"} if dataset.several else {}
    config = configured(
        options.method,
        {
            "modality": options.modality,
            "encoder": identity_of(backbone),
            "n_layers": backbone.n_layers,
            "n_features": backbone.n_features,
            "class_names": dataset.class_names,
            "seed": options.training.seed,
            **labels,
            **options.classifier,
        },
    )
    parts = {name: extracted(found, backbone, options.reading) for name, found in datasets.items()}
    shipped, measured_on = _splits(options, parts)
    return Experiment(
        options=options,
        backbone=backbone,
        train=parts["train"],
        validation=parts.get("validation"),
        test=parts.get("test"),
        config=config,
        shipped=shipped,
        measured_on=measured_on,
    )


def _check_splits(options: ExperimentOptions, datasets: Mapping[str, Dataset]) -> None:
    """Refuse what cannot be split or given apart, before an input is encoded, which may take hours."""
    train = datasets["train"]
    _sliced(options, datasets.get("test", train))
    trained_on = [np.arange(len(train))]
    if "test" not in datasets and options.folds is not None:
        trained_on += [rest for rest, _ in folds(train, options.folds)]
    if "validation" not in datasets:
        for indices in trained_on:
            _held_out(options, train, indices)


def _splits(options: ExperimentOptions, parts: Mapping[str, Part]) -> tuple[SplitData, SplitData | None]:
    """All data for the classifier that is saved, and how accuracy is measured."""
    features = torch.cat([part.features for part in parts.values()])
    labels = torch.cat([part.dataset.targets for part in parts.values()])
    ends = np.cumsum([0, *(len(part.dataset) for part in parts.values())])
    places = {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(parts)}
    tested_part = parts.get("test", parts["train"]).dataset
    columns = {
        name: tuple(
            cell
            for part in parts.values()
            for cell in _columns(options, part.dataset).get(name, ("",) * len(part.dataset))
        )
        for name in _sliced(options, tested_part)
    }
    train = parts["train"].dataset

    def split(indices: np.ndarray, tested: np.ndarray = NONE) -> Split:
        if "validation" in places:
            return Split(indices, places["validation"], tested)
        return Split(*_held_out(options, train, indices), tested)

    chooses = _chooses(options, parts)
    drawn = f"; {options.seeds} seeds" if options.seeds > 1 else ""
    shipped = SplitData(chooses, "training", features, labels, (split(places["train"]),))
    if "test" in parts:
        protocol = f"{_test_set(parts)}; {chooses}{drawn}"
        splits = (split(places["train"], places["test"]),)
        return shipped, SplitData(protocol, TEST_SET, features, labels, splits, columns)
    if options.folds is not None:
        groups = train.groups
        by = f" by group ({len(set(groups))} groups)" if groups is not None else ", stratified"
        protocol = f"{options.folds} folds{by}; {chooses}{drawn}"
        several = tuple(split(rest, tested) for rest, tested in folds(train, options.folds))
        return shipped, SplitData(protocol, "fold", features, labels, several, columns)
    return shipped, None


def _sliced(options: ExperimentOptions, tested: Dataset) -> tuple[str, ...]:
    """Columns by which accuracy is given apart."""
    known = _columns(options, tested)
    if missing := [name for name in options.accuracy_by if name not in known]:
        raise DataError(
            f"{tested.name} has no column {missing[0]!r} to give accuracy by; there are "
            f"{listed(sorted(known))}."
        )
    joined_sets = [DATA_SET] if DATA_SET in tested.columns else []
    return tuple(dict.fromkeys([*joined_sets, *options.accuracy_by]))


def _columns(options: ExperimentOptions, dataset: Dataset) -> Mapping[str, Sequence[str]]:
    """A data set's columns, and its groups under the name of theirs, or as ``group``."""
    if dataset.groups is None:
        return dataset.columns
    return {options.reading.columns.group or "group": dataset.groups, **dataset.columns}


def _held_out(
    options: ExperimentOptions, train: Dataset, indices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The training and validation part of some of the training inputs."""
    if options.validation_groups:
        return hold_out_groups(train, options.validation_groups)
    if not options.amount:
        return indices, NONE
    part, seed = train.part(indices), options.training.seed
    rest, held = (
        hold_out_groups(part, _drawn_groups(part, options.amount, seed))
        if options.whole_groups
        else hold_out(part, options.amount, seed=seed)
    )
    return indices[rest], indices[held]


def _drawn_groups(dataset: Dataset, share: float, seed: int) -> list[str]:
    """Some of the groups, of each of several data sets its share."""
    names = sorted(set(dataset.groups or ()))
    sets = sorted({name.rpartition("/")[0] for name in names})
    drawn = []
    for one in sets:
        own = [name for name in names if name.rpartition("/")[0] == one]
        order = np.random.default_rng(seed).permutation(len(own))
        drawn += [own[index] for index in order[: max(1, round(share * len(own)))]]
    return drawn


def _test_set(parts: Mapping[str, Part]) -> str:
    """The test set in words; on inputs that it shares with the training data accuracy flatters."""
    test = parts["test"].dataset
    again = sum(shared_inputs(test, part.dataset) for name, part in parts.items() if name != "test")
    known = f", {again} of them in the training data too" if again else ""
    return f"test set {test.name} ({len(test):,} inputs{known})"


def _chooses(options: ExperimentOptions, parts: Mapping[str, Part]) -> str:
    """How the number of epochs is chosen, in words."""
    amount = options.amount
    if options.validation_groups:
        what = f"groups {','.join(options.validation_groups)} choose the epoch"
    elif "validation" in parts:
        dataset = parts["validation"].dataset
        what = f"{dataset.name} ({len(dataset):,} inputs) chooses the epoch"
    elif not amount:
        return f"{options.training.epochs} epochs, nothing held out"
    else:
        part = f"{amount:.0%}" if amount < 1 else f"{amount:.0f} inputs"
        of = "groups in the training part" if options.whole_groups else "training part"
        what = f"{part} of the {of} choose the epoch"
    return what + (", then trained again on all of it" if options.refit else "")
