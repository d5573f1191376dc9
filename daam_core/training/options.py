"""What a training or a comparison is asked to do, checked before anything is computed: no torch is needed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.configuration import EncoderIdentity, Labels
from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.plain import PlainMapping
from daam_core.training.data import (
    MEASURED,
    ClassChoice,
    Dataset,
    TableColumns,
    TextFormat,
    joined,
    load_dataset,
    parts_of,
)
from daam_core.training.data_splits import at_most
from daam_core.training.methods import configured, refuse_overridden
from daam_core.training.settings import TrainingConfig

if TYPE_CHECKING:
    from daam_core.backbones import Backbone

#: Where a data set lies, or several that are read as one.
DataPaths = str | Path | Sequence[str | Path]


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
        self.tell(found.notes)
        return found

    def tell(self, notes: Iterable[str]) -> None:
        """Say these sentences, where somebody listens."""
        if self.say is not None:
            for note in notes:
                self.say(note)


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
        classifier: settings of :class:`~daam_core.configuration.ModelConfig` besides those that data and
            encoder give.
        training: how to train.
    """

    data: DataPaths
    modality: Modality
    backbone: "str | Backbone"
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
        # Refused before anything is read, on the smallest classifier that has these settings.
        smallest = EncoderIdentity("", "", "", "")
        known = {"encoder": smallest, "n_layers": 1, "n_features": 1, "class_names": ("0", "1")}
        refuse_overridden([self.method], self.classifier)
        configured(
            self.method,
            {"modality": self.modality, "seed": self.training.seed, **known, **self.classifier},
        )
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

    def read(self) -> dict[str, Dataset]:
        """The data sets by name: ``train``, and ``validation`` and ``test`` where they are data of their own.

        All have the classes of the first, and one label an input or several as the classifier decides.

        Raises:
            DataError: data that cannot be read, or do not fit each other.
        """
        dataset = self.reading.load(self.data, modality=self.modality)
        paths: dict[str, DataPaths | None] = {
            "validation": None if isinstance(self.validation, int | float) else self.validation,
            "test": self.test,
        }
        if self.test is None and self.folds is None and self.has_test_part:
            paths["test"] = self.data
        datasets = {"train": dataset} | {
            name: self.reading.load(
                path,
                modality=self.modality,
                class_names=dataset.class_names,
                main=False,
                preferred=(name, *MEASURED),
            )
            for name, path in paths.items()
            if path is not None
        }
        several = any(found.several for found in datasets.values())
        labels: Labels = self.classifier.get("labels", "several" if several else "one")
        return {name: found.with_labels(labels) for name, found in datasets.items()}

    @property
    def has_test_part(self) -> bool:
        """Whether the data lie in parts, one of them for measuring that is not the one asked for."""
        if not isinstance(self.data, str | Path):
            return False
        parts = parts_of(self.data, self.reading.classes) or {}
        return len(parts) > 1 and "test" in parts and self.reading.part != "test"
