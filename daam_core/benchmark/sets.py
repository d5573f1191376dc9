"""The data sets of the benchmark and their protocols, as the folder that holds them says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.plain import PlainMapping
from daam_core.training.data import TableColumns
from daam_core.training.options import DataOptions, ExperimentOptions

#: The built-in encoder of each modality.
ENCODERS: Mapping[Modality, str] = {
    "audio": "whisper-tiny-en",
    "text": "minilm-l6",
    "image": "efficientnet-lite0",
}


@dataclass(frozen=True)
class BenchmarkSet:
    """A data set and how accuracy is measured on it.

    Attributes:
        title: for tables.
        modality: of its inputs.
        train: folder or table, or several, below the benchmark's data.
        protocol: fields of :class:`~daam_core.training.options.ExperimentOptions`.
        test, validation: folder or table below the benchmark's data, or None.
        columns: of a table.
        batch_size: inputs in a step, alike for every method.
        per_class: at most so many inputs of each class to train on.
    """

    title: str
    modality: Modality
    train: tuple[str, ...]
    protocol: PlainMapping = field(default_factory=dict)
    test: str | None = None
    validation: str | None = None
    columns: TableColumns = field(default_factory=TableColumns)
    batch_size: int = 128
    per_class: int | None = None

    def options(self, data: Path, cache_dir: Path | None) -> ExperimentOptions:
        """What to read, where the benchmark's data lie in ``data``.

        Raises:
            DataError: something of it is not there.
        """
        named = [*self.train, *filter(None, (self.test, self.validation))]
        if missing := [name for name in named if not (data / name).exists()]:
            raise DataError(
                f"{data.name} has no {missing[0]!r}, which {self.title} needs; leave it out with --data."
            )
        paths = [data / name for name in self.train]
        given = dict(self.protocol)
        if self.validation is not None:
            given["validation"] = data / self.validation
        return ExperimentOptions(
            data=paths if len(paths) > 1 else paths[0],
            modality=self.modality,
            backbone=ENCODERS[self.modality],
            test=None if self.test is None else data / self.test,
            reading=DataOptions(
                columns=self.columns,
                group_pattern="^(..)" if self.modality == "audio" and self.test is None else None,
                cache_dir=cache_dir,
                per_class=self.per_class,
            ),
            **given,
        )


_NEWS = TableColumns(("title", "description"), "label")
_GROCERY = TableColumns(("path",), "coarse_label")
_FOLDS: PlainMapping = {"folds": 5, "validation": 0.1}
SETS: dict[str, BenchmarkSet] = {
    "emodb": BenchmarkSet("EmoDB, 5 folds by speaker", "audio", ("speech-emodb",), _FOLDS, batch_size=32),
    "ravdess": BenchmarkSet("RAVDESS, 5 folds by actor", "audio", ("speech-ravdess",), _FOLDS, batch_size=32),
    "speech": BenchmarkSet(
        "EmoDB and RAVDESS, 5 folds by speaker",
        "audio",
        ("speech-emodb", "speech-ravdess"),
        {**_FOLDS, "accuracy_by": ("data set",)},
        batch_size=32,
    ),
    "emodb-ravdess": BenchmarkSet(
        "trained on EmoDB, tested on RAVDESS",
        "audio",
        ("speech-emodb",),
        test="speech-ravdess",
        batch_size=32,
    ),
    "ravdess-emodb": BenchmarkSet(
        "trained on RAVDESS, tested on EmoDB",
        "audio",
        ("speech-ravdess",),
        test="speech-emodb",
        batch_size=32,
    ),
    "news": BenchmarkSet(
        "AG News",
        "text",
        ("text-agnews/train.csv",),
        {"validation": 500},
        test="text-agnews/test.csv",
        columns=_NEWS,
    ),
    # As few that training the encoder and the paper's convolutions take minutes on a CPU.
    "news-50": BenchmarkSet(
        "AG News, 50 a class",
        "text",
        ("text-agnews/train.csv",),
        {"validation": 60},
        test="text-agnews/test.csv",
        columns=_NEWS,
        batch_size=32,
        per_class=50,
    ),
    "grocery": BenchmarkSet(
        "groceries, 43 classes",
        "image",
        ("image-grocery/train.csv",),
        test="image-grocery/test.csv",
        validation="image-grocery/val.csv",
        columns=_GROCERY,
    ),
    "grocery-fine": BenchmarkSet(
        "groceries, 81 classes",
        "image",
        ("image-grocery/train.csv",),
        test="image-grocery/test.csv",
        validation="image-grocery/val.csv",
        columns=TableColumns(("path",), "fine_label"),
    ),
    "caltech": BenchmarkSet(
        "Caltech-101",
        "image",
        ("image-caltech101/train",),
        {"validation": 303},
        test="image-caltech101/test",
    ),
    "cifar": BenchmarkSet(
        "CIFAR-10, 400 a class",
        "image",
        ("image-cifar10/train",),
        {"validation": 1000},
        test="image-cifar10/test",
        per_class=400,
    ),
}


def set_named(name: str) -> BenchmarkSet:
    """The data set of this name.

    Raises:
        DataError: there is none; the message lists all.
    """
    if name not in SETS:
        raise DataError(f"There is no data set {name!r} in the benchmark; there are {', '.join(SETS)}.")
    return SETS[name]
