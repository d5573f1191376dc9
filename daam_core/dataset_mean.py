"""What an ordinary input looks like: a classifier's averages over a data set.

Letters: N inputs, H heads, L layers, F features, R rows (see ``layers``).
"""

import torch
from torch import Tensor

from daam_core.errors import DataError
from daam_core.importance import importance_factor
from daam_core.model import DaamClassifier
from daam_core.result import DatasetMean

#: Numbers of gates that are computed together: few enough to lie in a processor's caches.
TOGETHER = 1 << 20


@torch.no_grad()
def dataset_mean(
    classifier: DaamClassifier, features: Tensor, *, batch_size: int | None = None
) -> DatasetMean:
    """Average gate, density attention, Importance Factor and values over features ``[N, L, F]``.

    The Importance Factor is that of the mean density attention: averaged first, then scaled. Features may lie
    in a file that is mapped, in half precision as well: only a few are held at a time.

    Args:
        classifier: whose averages they are.
        features: pooled hidden states.
        batch_size: inputs computed together, by the formulas. By default many inputs are summed by a kernel,
            which differs from them by rounding (1e-6 of a gate); few as many at a time as are fastest.

    Raises:
        DataError: no features.
    """
    if not len(features):
        raise DataError("A data set's average needs at least one input.")
    attention = classifier.attention

    def of_inputs(batch: Tensor) -> tuple[Tensor, ...]:
        x = classifier.standardise(batch)
        each = (attention.gate(x), x, *attention.statistics(x))
        return tuple(part.sum(0, dtype=torch.float64) for part in each)

    standardised = classifier.standardisation
    sums = None
    if batch_size is None:
        sums = attention.sums(features, standardised.mean, standardised.deviation)
    if sums is None:
        size = batch_size or max(1, TOGETHER // (len(attention.layer_of_row) * attention.n_features))
        first, *others = features.split(size)
        sums = of_inputs(first)
        for batch in others:
            sums = tuple(total + part for total, part in zip(sums, of_inputs(batch), strict=True))
    gate, values, mean, variance = ((total / len(features)).float() for total in sums)
    return from_averages(
        classifier,
        gate=gate,
        values=values,
        statistic_mean=mean,
        statistic_variance=variance,
        samples=len(features),
    )


@torch.no_grad()
def from_averages(
    classifier: DaamClassifier,
    *,
    gate: Tensor,
    values: Tensor,
    statistic_mean: Tensor,
    statistic_variance: Tensor,
    samples: int,
) -> DatasetMean:
    """Complete what was averaged by what follows from it: density attention and Importance Factor.

    Args:
        classifier: whose averages they are.
        gate: ``[R, F]``, by row.
        values: ``[L, F]`` standardised.
        statistic_mean: ``[H, F]``.
        statistic_variance: ``[H, F]``.
        samples: how many inputs were averaged.
    """
    attention = classifier.attention
    density_attention = attention.by_head(attention.attend(gate))
    importance = importance_factor(density_attention, head_layers=attention.head_layers).importance
    return DatasetMean(
        gate=attention.by_head(gate).numpy(),
        density_attention=density_attention.numpy(),
        importance=importance.numpy(),
        values=values.numpy(),
        statistic_mean=statistic_mean.numpy(),
        statistic_variance=statistic_variance.numpy(),
        samples=samples,
    )
