"""Means with a bootstrap interval, and similarities of maps: plain functions of numpy arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from daam_core.errors import ShapeError
from daam_core.faithfulness.packages import measuring_packages
from daam_core.reading.numbers import fixed

RESAMPLES = 2000
#: Bounds the memory that resampling takes, whatever the number of values.
RESAMPLES_AT_ONCE = 200
LEVEL = 0.95
#: Side of the square window that structural similarity compares; smaller for maps with few layers.
SSIM_WINDOW = 7


@dataclass(frozen=True)
class Interval:
    """A mean and how sure it is.

    Attributes:
        mean: the mean of the values.
        low: lower end of the percentile bootstrap interval.
        high: upper end.
        count: how many values the mean is over, one for each input as a rule.
        seed: of the resampling.
        level: share of resampled means inside the interval.
    """

    mean: float
    low: float
    high: float
    count: int
    seed: int
    level: float = LEVEL

    @property
    def excludes_zero(self) -> bool:
        """Never of one value, which says nothing of others."""
        return self.count > 1 and (self.low > 0 or self.high < 0)

    def __str__(self) -> str:
        digits = 5 if 0 < max(abs(self.low), abs(self.high)) < 0.005 else 3
        mean, low, high = (fixed(value, digits) for value in (self.mean, self.low, self.high))
        return f"{mean} [{low}, {high}]" if self.count > 1 else f"{mean} (one value, no interval)"


def bootstrap_mean(
    values: ArrayLike, *, seed: int, resamples: int = RESAMPLES, level: float = LEVEL
) -> Interval:
    """Mean of ``values [N]`` with a percentile bootstrap interval over the values.

    Differences are compared in pairs: pass the difference of each input, not two intervals.

    Raises:
        ShapeError: not a list of finite numbers, or empty.

    >>> bootstrap_mean([1.0, 1.0, 1.0], seed=0)
    Interval(mean=1.0, low=1.0, high=1.0, count=3, seed=0, level=0.95)
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise ShapeError(f"An interval needs a list of finite numbers, got shape {list(numbers.shape)}.")
    mean = float(numbers.mean())
    low = high = mean
    if len(numbers) > 1:  # scipy refuses a single value, whose resamples are all the same
        from scipy.stats import bootstrap  # here, since it takes a second to import

        found = bootstrap(
            (numbers,),
            np.mean,
            n_resamples=resamples,
            batch=RESAMPLES_AT_ONCE,
            confidence_level=level,
            method="percentile",
            rng=seed,
        )
        low, high = (float(end) for end in found.confidence_interval)
    return Interval(mean, low, high, len(numbers), seed, level)


def ranks(values: ArrayLike) -> np.ndarray:
    """Ranks of the values from 1, ties at their mean rank.

    >>> ranks([10, 30, 10]).tolist()
    [1.5, 3.0, 1.5]
    """
    from scipy.stats import rankdata  # here, since it takes a second to import

    found: np.ndarray = rankdata(values)
    return found


def correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Pearson's correlation of two maps, cell by cell; 0 where one of them is constant.

    >>> correlation([1, 2, 3], [3, 2, 1])
    -1.0
    """
    a, b = _pair(first, second)
    a, b = _centred(a), _centred(b)
    norm = np.sqrt((a @ a) * (b @ b))
    return float(np.clip((a @ b) / norm, -1, 1)) if norm > 0 else 0.0


def rank_correlation(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation of two maps, ties at their mean rank; 0 where one is constant.

    >>> rank_correlation([1, 2, 30], [0.1, 0.2, 0.3])
    1.0
    """
    a, b = _pair(first, second)
    return correlation(ranks(a), ranks(b))


def structure_similarity(first: ArrayLike, second: ArrayLike) -> float:
    """Structural similarity (SSIM) of two maps ``[.., L, F]``, each scaled to [0, 1] first.

    Features have no order of their own, so a window compares neighbouring layers of features that
    are neighbours by name only; it still tells whether the two pictures look alike. The mean over
    leading axes; the window is the largest odd one that fits, at most :data:`SSIM_WINDOW`.
    """
    with measuring_packages():
        from skimage.metrics import structural_similarity

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim < 2 or min(a.shape[-2:]) < 3:
        raise ShapeError(
            f"Structural similarity needs two maps [.., L, F] of at least 3 × 3, got {list(a.shape)} "
            f"and {list(b.shape)}."
        )
    window = min(SSIM_WINDOW, *a.shape[-2:])
    window -= 1 - window % 2
    pairs = zip(a.reshape(-1, *a.shape[-2:]), b.reshape(-1, *b.shape[-2:]), strict=True)
    similarity: Callable[..., float] = structural_similarity
    scores = [similarity(_unit(x), _unit(y), win_size=window, data_range=1.0) for x, y in pairs]
    return float(np.mean(scores))


def area(shares: ArrayLike, heights: ArrayLike) -> np.ndarray:
    """Area under curves ``heights [.., S]`` over ``shares [S]`` by the trapezoid rule, over their width.

    >>> area([0, 0.5, 1], [1, 0.5, 0]).item()
    0.5
    """
    x, y = np.asarray(shares, dtype=np.float64), np.asarray(heights, dtype=np.float64)
    found: np.ndarray = np.trapezoid(y, x, axis=-1) / (x[-1] - x[0])
    return found


def _unit(values: np.ndarray) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)


def _centred(values: np.ndarray) -> np.ndarray:
    """Without the mean, over the largest distance from it; zeros where only rounding is left."""
    centred = values - values.mean()
    largest = np.abs(centred).max()
    constant = largest <= 1e-12 * np.abs(values).max()
    return np.zeros_like(centred) if constant else centred / largest


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    a, b = np.asarray(first, dtype=np.float64).ravel(), np.asarray(second, dtype=np.float64).ravel()
    if a.shape != b.shape or len(a) < 2:
        raise ShapeError(f"Two maps of the same size are needed, got {len(a)} and {len(b)} cells.")
    return a, b
