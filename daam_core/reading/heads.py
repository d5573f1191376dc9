"""How alike the heads are, how choosy each is, and which let most through.

Letters in shapes: H heads, L layers, F features.
"""

import itertools
from collections.abc import Sequence
from typing import Literal

import numpy as np

from daam_core.errors import ShapeError
from daam_core.reading.differences import correlation
from daam_core.result import Explanation


def chosen_heads(explanation: Explanation, heads: int | Sequence[int] | None) -> list[int]:
    """The heads asked for, in their order; None asks for all.

    Raises:
        ShapeError: none at all, or one that the model does not have.
    """
    count = explanation.shape[0]
    if heads is None:
        return list(range(count))
    chosen = [int(heads)] if isinstance(heads, int | np.integer) else [int(head) for head in heads]
    if not chosen or any(not 0 <= head < count for head in chosen):
        raise ShapeError(f"There is no head {heads!r}; this model has heads 0 to {count - 1}.")
    return chosen


def head_similarity(gate: np.ndarray, head_layers: np.ndarray) -> np.ndarray:
    """Correlation of the heads' gates over the cells that both heads see.

    Args:
        gate: ``[H, L, F]``.
        head_layers: ``[H, L]`` bool.

    Returns:
        ``[H, H]`` in [−1, 1], symmetric, 1 on the diagonal; NaN where two heads share no cell or one
        of them is constant over the shared cells.

    >>> gate = np.array([[[0.1, 0.2]], [[0.4, 0.3]]])
    >>> head_similarity(gate, np.ones((2, 1), dtype=bool))
    array([[ 1., -1.],
           [-1.,  1.]])
    """
    heads = len(gate)
    similarity = np.full((heads, heads), np.nan)
    np.fill_diagonal(similarity, 1.0)
    for one, other in itertools.combinations(range(heads), 2):
        both = head_layers[one] & head_layers[other]
        a, b = (np.asarray(gate[head, both], dtype=np.float64).ravel() for head in (one, other))
        if (found := correlation(a, b)) is not None:
            similarity[one, other] = similarity[other, one] = found
    return similarity


ROUNDING = 1e-3  # percent of the density attention: shares that differ by less are equal but for rounding


def head_order(layer_contribution: np.ndarray) -> np.ndarray:
    """``[H]`` heads by their share of the density attention, largest first; by number where shares are equal.

    Args:
        layer_contribution: ``[H, L]`` percent.

    >>> head_order(np.array([[10.0, 20.0], [60.0, 10.0]])), head_order(np.array([[49.99999], [50.00001]]))
    (array([1, 0]), array([0, 1]))
    """
    totals = np.asarray(layer_contribution, dtype=np.float64).sum(axis=1)
    order = np.argsort(-totals, kind="stable")
    equal = np.append(0, np.cumsum(-np.diff(totals[order]) >= ROUNDING))
    return order[np.lexsort((order, equal))]


def same_by_construction(explanation: Explanation) -> bool:
    """Whether all heads carry the same share, whatever the input: mixtures without amplitude or muted cells.

    A mixture's gates of a head sum to 1 over its layers for each feature.
    """
    e = explanation
    if e.gate_kind != "mixture" or len(e.gate) < 2 or not (e.amplitude[e.head_layers] == 1).all():
        return False
    totals = np.asarray(e.layer_contribution, dtype=np.float64).sum(axis=1)
    return bool(np.ptp(totals) < ROUNDING)


NEARLY_ALL = 0.9  # of a head's share, on one layer
CLEARLY = 1.25  # times an even share: more than that stands out


def most_on(shares: np.ndarray) -> tuple[int, ...] | Literal["even", "spread"]:
    """The fewest layers that carry half of what a head carries, where they carry clearly more than others.

    Args:
        shares: ``[L]``, not negative; 0 for layers that the head does not see or that are muted.

    Returns:
        The layers, ascending: one alone where it carries nearly all, none where there is nothing to carry;
        ``even`` where no layer has clearly more than an even share; ``spread`` where some have, but half is
        on no fewer layers than even shares would need.

    >>> most_on(np.array([5, 60, 35])), most_on(np.ones(6)), most_on(np.array([22, 20, 17, 14, 14, 13]))
    ((1,), 'even', 'spread')
    """
    shares = np.asarray(shares, dtype=np.float64)
    total, layers = shares.sum(), int((shares > 0).sum())
    order = np.argsort(-shares, kind="stable")
    if total <= 0:
        return ()
    if shares[order[0]] >= NEARLY_ALL * total:
        return (int(order[0]),)
    if shares[order[0]] < CLEARLY * total / layers:
        return "even"
    covered = np.cumsum(shares[order]) / total
    count = int((covered < 0.5).sum()) + 1
    if covered[count - 1] < CLEARLY * count / layers:
        return "spread"
    return tuple(sorted(int(layer) for layer in order[:count]))


OPEN = 0.9  # a gate above this everywhere is an open head's, which is 1 to one percent for usual values


def is_open(explanation: Explanation, head: int) -> bool:
    """Whether a head lets every cell through that it sees."""
    return bool((explanation.gate[head, explanation.head_layers[head]] > OPEN).all())


CLOSED = 1e-3  # gates below this everywhere let nothing through


def highest_gate(explanation: Explanation) -> float:
    """Of all cells that a head sees."""
    return float(explanation.gate.max(where=explanation.head_layers[:, :, None], initial=0))


def gate_entropy(gate: np.ndarray, head_layers: np.ndarray) -> np.ndarray:
    r"""Entropy of each head's gate, relative to an even gate.

    .. math:: -\sum_i p_i \log p_i / \log n, \quad p = gate / \sum gate

    over the n cells that a head sees.

    Args:
        gate: ``[H, L, F]``, not negative.
        head_layers: ``[H, L]`` bool, the layers a head sees.

    Returns:
        ``[H]`` in [0, 1]: 1 when all cells are let through alike, 0 when a single one is; NaN for a
        head whose gate is zero everywhere.

    >>> gate_entropy(np.array([[[0.5, 0.5]], [[0.9, 0.1]]]), np.ones((2, 1), dtype=bool)).round(2)
    array([1.  , 0.47])
    """
    entropies = np.full(len(gate), np.nan)
    for head, seen in enumerate(head_layers):
        cells = np.asarray(gate[head, seen], dtype=np.float64).ravel()
        total = cells.sum()
        if total > 0:
            shares = cells[cells > 0] / total
            entropies[head] = -(shares * np.log(shares)).sum() / np.log(cells.size) if cells.size > 1 else 0.0
    return entropies.clip(0, 1)
