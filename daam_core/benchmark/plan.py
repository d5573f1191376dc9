"""What a benchmark is asked for, checked before anything is read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from daam_core.benchmark.sets import set_named
from daam_core.errors import ConfigError, DataError
from daam_core.training.methods import method_named
from daam_core.training.settings import TrainingConfig

Measurement = Literal["accuracy", "few", "harder"]
#: What is measured of a method on a data set: on all of it, with few inputs a class, on harder test inputs.
MEASUREMENTS: tuple[Measurement, ...] = ("accuracy", "few", "harder")


@dataclass(frozen=True)
class Budget:
    """What every method may spend.

    Attributes:
        settings: how many of its settings are tried on the validation part.
        seeds: S.
        epochs: at most.
        patience: epochs without a better validation loss.
    """

    settings: int = 6
    seeds: int = 3
    epochs: int = 40
    patience: int = 4

    def training(self, batch_size: int) -> TrainingConfig:
        return TrainingConfig(epochs=self.epochs, patience=self.patience, batch_size=batch_size)


@dataclass(frozen=True)
class Plan:
    """What a benchmark is asked for.

    Attributes:
        data: folder of the data sets.
        out: folder of the results.
        methods: by name.
        sets: data sets, by name.
        measurements: of :data:`MEASUREMENTS`, in this order.
        budget: of each method.
        cache_dir: where features are kept; the user's cache by default.

    Raises:
        ConfigError, DataError: a name that is unknown, or nothing asked for.
    """

    data: Path
    out: Path
    methods: tuple[str, ...]
    sets: tuple[str, ...]
    measurements: tuple[Measurement, ...] = MEASUREMENTS
    budget: Budget = field(default_factory=Budget)
    cache_dir: Path | None = None

    def __post_init__(self) -> None:
        for name in self.methods:
            method_named(name)
        for name in self.sets:
            set_named(name)
        if unknown := [name for name in self.measurements if name not in MEASUREMENTS]:
            raise ConfigError(
                f"There is no measurement {unknown[0]!r} of the benchmark; there are "
                f"{', '.join(MEASUREMENTS)}."
            )
        if not (self.methods and self.sets and self.measurements):
            raise ConfigError("A benchmark needs at least one method, one data set and one measurement.")
        if not self.data.is_dir():
            raise DataError(
                f"There is no folder {self.data.name!r} of data sets; give the one that holds them."
            )

    def cells(self) -> Iterator[tuple[Measurement, str, str]]:
        """In the order worked on: of each measurement each method on all data sets before the next."""
        return (
            (what, method, name)
            for what in self.measurements
            for method in self.methods
            for name in self.sets
        )

    def file(self, what: Measurement, method: str, name: str) -> Path:
        """Where a cell's result lies."""
        return self.out / what / f"{name}.{method}.json"
