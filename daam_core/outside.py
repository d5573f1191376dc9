"""How unlike the training data an input is: the distance of its pooled, standardised cells from theirs.

The distance is Mahalanobis's under probabilistic principal components (Tipping and Bishop 1999): the training
data's K main directions have each a variance of their own, all other directions share one. It is divided by
the number of cells, so that known inputs lie around 1. Of several distances that were measured this one told
unlike inputs best from known ones at a size that can travel with a checkpoint (docs: results).

Letters: N inputs, L layers, F features, K directions.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np

from daam_core.errors import ShapeError
from daam_core.plain import PlainMapping
from daam_core.result import Outside

#: Percent of the known inputs that the threshold keeps.
KEPT = 95
#: Percentages of the known inputs, at which their distances are stored.
PERCENTILES = np.concatenate([np.arange(99.0), np.linspace(99, 100, 11)])
#: A script that makes up less of the training texts' letters was hardly in them.
RARE_SCRIPT = 0.01


@dataclass(frozen=True)
class Cells:
    """Where training data lie among all cells.

    Attributes:
        mean: ``[L, F]``.
        directions: ``[K, L, F]``, orthonormal: those along which they vary most, the largest first.
        variances: ``[K]`` along these, positive.
        rest: variance along every other direction, positive.
    """

    mean: np.ndarray
    directions: np.ndarray
    variances: np.ndarray
    rest: float

    def __post_init__(self) -> None:
        count = len(self.variances)
        if self.directions.shape != (count, *self.mean.shape) or self.mean.ndim != 2:
            raise ShapeError(
                f"{count} directions over {list(self.mean.shape)} cells must be "
                f"{[count, *self.mean.shape]}, got {list(self.directions.shape)}."
            )

    @cached_property
    def across(self) -> np.ndarray:
        """``[L·F, K]`` float64, the directions: made once, since it takes longer than to use them."""
        return self.directions.reshape(len(self.variances), -1).T.astype(np.float64)


@dataclass(frozen=True)
class Known:
    """What a classifier knows, stored beside its weights.

    Attributes:
        cells: of the training data.
        distances: those of known inputs that were held out, at :data:`PERCENTILES`; rising.
        samples: how many inputs these percentages are of.
        scripts: share of each script among the training texts' letters (``LATIN``, ``CJK``); empty if
            they are no texts.
        facts: what it was made of and how well it tells unlike inputs apart, as plain values.
    """

    cells: Cells
    distances: np.ndarray
    samples: int
    scripts: Mapping[str, float] = field(default_factory=dict)
    facts: PlainMapping = field(default_factory=dict)

    @property
    def threshold(self) -> float:
        """The distance that :data:`KEPT` percent of the known inputs do not exceed."""
        return float(self.distances[PERCENTILES == KEPT][0])


def distance(cells: Cells, values: np.ndarray) -> np.ndarray:
    """Distance of standardised pooled values ``[.., L, F]`` from training data: ``[..]``, not negative.

    With y = values − mean and z its products with the directions, its square is
    (Σ z²/variances + (‖y‖² − ‖z‖²)/rest) / (L · F).
    """
    size = cells.mean.size
    x = np.asarray(values, dtype=np.float64)
    if x.shape[-2:] != cells.mean.shape:
        raise ShapeError(f"Values must be [.., {', '.join(map(str, cells.mean.shape))}], got {x.shape}.")
    y = x - cells.mean
    flat = y.reshape(*y.shape[:-2], size)
    z = flat @ cells.across
    beside = np.maximum((flat**2).sum(-1) - (z**2).sum(-1), 0.0)  # rounding may leave less than nothing
    squared: np.ndarray = ((z**2 / cells.variances).sum(-1) + beside / cells.rest) / size
    roots: np.ndarray = np.sqrt(squared)
    return roots


def at_percentiles(distances: np.ndarray) -> np.ndarray:
    """Held-out distances ``[N]`` as :class:`Known` keeps them."""
    found: np.ndarray = np.percentile(np.asarray(distances, dtype=np.float64), PERCENTILES)
    return found


def judge(known: Known, values: np.ndarray, texts: Sequence[str | None]) -> list[Outside]:
    """How far inputs' values ``[B, L, F]`` lie outside of what is known.

    Args:
        known: of the classifier.
        values: standardised.
        texts: the inputs that are texts, None for others; a script that the training texts hardly have is
            then named.
    """
    return [
        Outside(
            distance=float(far),
            threshold=known.threshold,
            percentile=float(np.interp(far, known.distances, PERCENTILES)),
            samples=known.samples,
            reasons=_foreign_script(text or "", known.scripts),
        )
        for far, text in zip(distance(known.cells, values), texts, strict=True)
    ]


def scripts_of(texts: Iterable[str]) -> dict[str, float]:
    """Share of each script among the letters of texts, the most frequent first.

    >>> scripts_of(["Жук ab", "c"])
    {'CYRILLIC': 0.5, 'LATIN': 0.5}
    """
    counts: Counter[str] = Counter()
    for text in texts:
        for letter, times in Counter(filter(str.isalpha, text)).items():
            counts[_script(letter)] += times
    total = sum(counts.values())
    return {script: count / total for script, count in counts.most_common()}


@lru_cache(4096)
def _script(letter: str) -> str:
    return unicodedata.name(letter, "unknown").split()[0]


def _foreign_script(text: str, known: Mapping[str, float]) -> tuple[str, ...]:
    if not known:
        return ()
    foreign = {name: share for name, share in scripts_of([text]).items() if known.get(name, 0) < RARE_SCRIPT}
    share = sum(foreign.values())
    if share <= 0.5:
        return ()
    usual = next(iter(known))
    return (
        f"{share:.0%} of its letters are of a script that the training texts hardly have "
        f"({_spoken(next(iter(foreign)))}; theirs are {_spoken(usual)})",
    )


def _spoken(script: str) -> str:
    return script if script == "CJK" else script.capitalize()
