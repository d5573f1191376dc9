"""From what a person asks for to what is trained and measured: data, features, splits, configuration.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from daam_core.backbones import load_backbone
from daam_core.backbones.base import Backbone
from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.model import Labels, ModelConfig
from daam_core.plain import PlainMapping
from daam_core.trained import identity_of
from daam_core.training.accuracy import Split, SplitData
from daam_core.training.data import (
    DATA_SET,
    MEASURED,
    ClassChoice,
    Dataset,
    TableColumns,
    TextFormat,
    at_most,
    folds,
    hold_out,
    hold_out_groups,
    joined,
    load_dataset,
    parts_of,
    shared_inputs,
)
from daam_core.training.data_rows import listed
from daam_core.training.features import extract
from daam_core.training.fitting import TrainingConfig
from daam_core.training.methods import configuration_of

#: Where a data set lies, or several that are read as one.
DataPaths = str | Path | Sequence[str | Path]
NONE = np.zeros(0, dtype=np.int64)
TEST_SET = "test set"


@dataclass(frozen=True)
class DataOptions:
    """How data sets are read and their features kept.

    Attributes:
        columns: of tables.
        group_pattern: where a file's name or path says its group.
        skip_broken: leave out what cannot be read.
        cache_dir: where features are kept; the user's cache by default.
        workers: inputs encoded at a time; as many as processors by default.
        written: encoding, separator and heading of tables and texts.
        classes: which classes are meant.
        part: which part of a data set in parts; of the main one.
        per_class: at most so many inputs of each class of the main one, drawn.
        say: is given every sentence about how a data set was read, before anything is computed.
    """

    columns: TableColumns = field(default_factory=TableColumns)
    group_pattern: str | None = None
    skip_broken: bool = False
    cache_dir: str | Path | None = None
    workers: int | None = None
    written: TextFormat = field(default_factory=TextFormat)
    classes: ClassChoice = field(default_factory=ClassChoice)
    part: str | None = None
    per_class: int | None = None
    say: Callable[[str], object] | None = None

    def load(
        self,
        path: DataPaths,
        *,
        modality: Modality,
        class_names: Sequence[str] | None = None,
        main: bool = True,
        preferred: Sequence[str] = ("train",),
    ) -> Dataset:
        """Read a data set, or several as one.

        Args:
            path: a folder or a table, or several.
            modality: what its inputs are.
            class_names: of a model, or of the main data set.
            main: the data set that is split, by its groups if it has any. Columns that are named may be
                meant for it alone where another one is a folder.
            preferred: parts that are taken where nobody says, the first that is there.
        """
        if not isinstance(path, str | Path):
            read = partial(
                self.load, modality=modality, class_names=class_names, main=main, preferred=preferred
            )
            return joined([read(one) for one in path])
        columns = self.columns if main else replace(self.columns, group=None)
        table = not Path(path).is_dir() or parts_of(path, self.classes) is not None
        found = load_dataset(
            path,
            modality=modality,
            columns=columns if main or table else None,
            group_pattern=self.group_pattern if main else None,
            class_names=class_names,
            skip_broken=self.skip_broken,
            written=self.written,
            classes=self.classes if main or not table else replace(self.classes, pattern=None),
            part=self.part if main else None,
            preferred=preferred,
        )
        if main and self.per_class is not None:
            found = at_most(found, self.per_class)
        self._say(found.notes)
        return found

    def _say(self, notes: Iterable[str]) -> None:
        if self.say is not None:
            for note in notes:
                self.say(note)

    def extract(self, dataset: Dataset, backbone: Backbone) -> "Part":
        """Its features, from the cache where they are known."""
        found = extract(
            dataset,
            backbone,
            cache_dir=self.cache_dir,
            skip_broken=self.skip_broken,
            workers=self.workers,
        )
        self._say(note for note in found.dataset.notes if note not in dataset.notes)
        return Part(found.dataset, found.features)


@dataclass(frozen=True)
class ExperimentOptions:
    """What a training or a comparison is asked to do.

    Attributes:
        data: the data set to train on; several are read as one.
        modality: what its inputs are.
        backbone: name of the frozen encoder, or one of your own.
        revision: of the encoder.
        device, dtype: where the encoder computes, and in which numbers.
        test: a data set to measure on, or None.
        folds: of a cross-validation to measure by, or None.
        seeds: how many.
        validation: what chooses the epoch: a share, a number of inputs, or a data set's path.
        validation_groups: groups that choose the epoch.
        whole_groups: the share that chooses the epoch is one of the groups, such as speakers: none of them is
            on both sides.
        accuracy_by: columns for each of whose values accuracy is given apart; the data set where several
            are read as one.
        refit: train again on everything after the epoch was chosen.
        reading: how the data sets are read.
        method: which density attention, of :data:`~daam_core.training.methods.METHODS`.
        classifier: settings of :class:`~daam_core.model.ModelConfig` besides those that data and encoder
            give.
        training: how to train.
    """

    data: DataPaths
    modality: Modality
    backbone: str | Backbone
    revision: str | None = None
    device: str = "cpu"
    dtype: str = "float32"
    test: str | Path | None = None
    folds: int | None = None
    seeds: int = 1
    validation: float | str | Path = 0.1
    validation_groups: tuple[str, ...] = ()
    whole_groups: bool = False
    accuracy_by: tuple[str, ...] = ()
    refit: bool = True
    reading: DataOptions = field(default_factory=DataOptions)
    method: str = "daam"
    classifier: PlainMapping = field(default_factory=dict)
    training: TrainingConfig = field(default_factory=TrainingConfig)

    def __post_init__(self) -> None:
        configuration_of(self.method)  # refused before anything is read
        if self.whole_groups and not 0 < (self.amount or 0) < 1:
            raise DataError("With --whole-groups the validation part is a share of the groups, such as 0.2.")
        if self.folds is None:
            return
        if self.test is not None:
            raise DataError(
                "Accuracy is measured on a test set or by folds: give --test or --folds, not both."
            )
        if self.amount is None:
            raise DataError("With --folds the validation part comes out of each fold: give a share or 0.")
        if self.validation_groups:
            raise DataError("With --folds the validation part is drawn: leave out --validation-groups.")

    @property
    def amount(self) -> float | None:
        """How much of the data chooses the epoch; None where a data set of its own does."""
        return float(self.validation) if isinstance(self.validation, int | float) else None


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


def prepare(options: ExperimentOptions) -> Experiment:
    """Read the data, extract features, and lay out the splits.

    Raises:
        DataError: data or options that do not fit each other.
        EncoderError: the encoder cannot be loaded.
    """
    dataset = options.reading.load(options.data, modality=options.modality)
    paths: dict[str, DataPaths | None] = {
        "validation": None if isinstance(options.validation, int | float) else options.validation,
        "test": options.test,
    }
    if options.test is None and options.folds is None and _has_test_part(options):
        paths["test"] = options.data
    datasets = {"train": dataset} | {
        name: options.reading.load(
            path,
            modality=options.modality,
            class_names=dataset.class_names,
            main=False,
            preferred=(name, *MEASURED),
        )
        for name, path in paths.items()
        if path is not None
    }
    settings = dict(options.classifier)
    if any(found.several for found in datasets.values()):
        settings.setdefault("labels", "several")
    labels: Labels = settings.get("labels", "one")
    datasets = {name: found.with_labels(labels) for name, found in datasets.items()}
    backbone = options.backbone
    if not isinstance(backbone, Backbone):
        backbone = load_backbone(
            backbone,
            revision=options.revision,
            modality=options.modality,
            device=options.device,
            dtype=options.dtype,
        )
    config = ModelConfig(
        modality=options.modality,
        encoder=identity_of(backbone),
        n_layers=backbone.n_layers,
        n_features=backbone.n_features,
        class_names=dataset.class_names,
        seed=options.training.seed,
        **settings,
    )
    config = configuration_of(options.method)(config)
    parts = {name: options.reading.extract(found, backbone) for name, found in datasets.items()}
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


def _has_test_part(options: ExperimentOptions) -> bool:
    if not isinstance(options.data, str | Path):
        return False
    parts = parts_of(options.data, options.reading.classes) or {}
    return len(parts) > 1 and "test" in parts and options.reading.part != "test"


def _splits(options: ExperimentOptions, parts: Mapping[str, Part]) -> tuple[SplitData, SplitData | None]:
    """All data for the classifier that is saved, and how accuracy is measured."""
    features = torch.cat([part.features for part in parts.values()])
    labels = torch.cat([part.dataset.targets for part in parts.values()])
    ends = np.cumsum([0, *(len(part.dataset) for part in parts.values())])
    places = {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(parts)}
    tested_part = parts.get("test", parts["train"]).dataset
    columns = {
        name: tuple(cell for part in parts.values() for cell in _column(part.dataset, name))
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
    if missing := [name for name in options.accuracy_by if name not in tested.columns]:
        raise DataError(
            f"{tested.name} has no column {missing[0]!r} to give accuracy by; there are "
            f"{listed(sorted(tested.columns))}."
        )
    joined_sets = [DATA_SET] if DATA_SET in tested.columns else []
    return tuple(dict.fromkeys([*joined_sets, *options.accuracy_by]))


def _column(dataset: Dataset, name: str) -> Sequence[str]:
    return dataset.columns.get(name, ("",) * len(dataset))


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
