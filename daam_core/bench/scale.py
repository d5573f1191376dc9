"""How long a data set's averages take, and how much memory, beside reading the features from the disk."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from daam_core.bench.library import classifier_of_size
from daam_core.bench.measuring import Timings
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import ConfigError
from daam_core.model import DaamClassifier
from daam_core.study.memory import held_mib

SAMPLES, LAYERS, FEATURES = 100_000, 24, 1024  # as many inputs as WavLM large would be given
PIECE = 1_000  # samples that are made, read and averaged at a time
#: Parts of the file that are averaged, to see whether time grows with their size.
SHARES = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class ScaleCase:
    """Averages over the first ``samples`` of a file ``[N, L, F]`` in float16."""

    samples: int
    seconds: float
    read_seconds: float
    ratio: float
    held_mib: float | None


@dataclass(frozen=True)
class ScaleTimes(Timings[ScaleCase]):
    """The line through all cases, ``seconds = start + per_thousand · samples / 1000``.

    Attributes:
        fit_error: largest distance of a case from the line, as a share of its own time.
        growth_mib: memory held with all samples beyond that with the fewest; None where no system says.
    """

    start_seconds: float
    per_thousand_seconds: float
    fit_error: float
    growth_mib: float | None


def bench_scale(samples: int = SAMPLES, *, layers: int = LAYERS, features: int = FEATURES) -> ScaleTimes:
    """Average a synthetic data set that lies in a file and is never whole in memory.

    The file is removed afterwards; it takes 5 GB at the usual size.

    Args:
        samples: N.
        layers: L.
        features: F.

    Raises:
        ConfigError: there is no room for the file.
    """
    classifier = classifier_of_size(layers, features)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features"
        try:
            _write(path, samples, layers, features)
        except OSError as error:
            raise ConfigError(
                f"There is no room for {2e-9 * samples * layers * features:.1f} GB of features: "
                f"{error.strerror}; set TMPDIR to a folder with more."
            ) from error
        stored = torch.from_numpy(np.memmap(path, np.float16, "c", shape=(samples, layers, features)))
        _averaged(classifier, stored[: min(samples, PIECE)])  # warm
        cases = tuple(_case(classifier, path, stored[: max(2, round(share * samples))]) for share in SHARES)
    counts = np.array([case.samples for case in cases]) / 1000
    seconds = np.array([case.seconds for case in cases])
    slope, start = np.polyfit(counts, seconds, 1)
    held = [case.held_mib for case in cases]
    return ScaleTimes(
        runs=1,
        threads=torch.get_num_threads(),
        cases=cases,
        start_seconds=float(start),
        per_thousand_seconds=float(slope),
        fit_error=float(np.abs((start + slope * counts) / seconds - 1).max()),
        growth_mib=None if held[0] is None or held[-1] is None else held[-1] - held[0],
    )


def _write(path: Path, samples: int, layers: int, features: int) -> None:
    piece = np.random.default_rng(0).standard_normal((PIECE, layers, features), np.float32).astype(np.float16)
    with path.open("wb") as file:
        for start in range(0, samples, PIECE):
            piece[: min(PIECE, samples - start)].tofile(file)


def _case(classifier: DaamClassifier, path: Path, stored: torch.Tensor) -> ScaleCase:
    started = time.perf_counter()
    _read(path, stored.nbytes)
    read = time.perf_counter() - started
    started = time.perf_counter()
    held = _averaged(classifier, stored)
    seconds = time.perf_counter() - started
    return ScaleCase(len(stored), seconds, read, seconds / read, held)


def _read(path: Path, size: int) -> None:
    """All of a file's first bytes, a piece at a time."""
    piece = bytearray(min(size, 1 << 24))
    with path.open("rb", buffering=0) as file:
        while size > 0 and (got := file.readinto(piece)):
            size -= got


def _averaged(classifier: DaamClassifier, stored: torch.Tensor) -> float | None:
    """Averages; what was held at their end."""
    found = dataset_mean(classifier, stored)
    held = held_mib()
    del found
    return held
