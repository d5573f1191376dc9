"""Deletion curves where exactly known cells decide, and against a plain loop."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import CancelledError, DataError
from daam_core.faithfulness.maps.cells import Cells, input_cells
from daam_core.faithfulness.maps.methods import gated_maps
from daam_core.faithfulness.removal.curves import compare, deletion_curve, random_curve, removal_order
from daam_core.progress import Progress
from tests.support.planted import (
    CLASSES,
    planted_cells,
)
from tests.support.random_classifiers import COUNT, random_classifier, random_inputs


def test_deletion_falls_to_chance_exactly_when_the_deciding_cells_are_gone():
    classifier, cells, x, labels = planted_cells()
    shares = np.arange(cells.per_input + 1) / cells.per_input
    curve = deletion_curve(
        cells, gated_maps(classifier, x)["importance"], labels=labels, shares=shares.tolist()
    )
    assert curve.correct is not None
    assert curve.accuracy[0] == 1
    assert (curve.probability[:, :COUNT] > 0.5 + 1e-6).all()
    np.testing.assert_allclose(curve.probability[:, COUNT:], 1 / CLASSES, atol=1e-6)
    # Lowest first: nothing happens until only the deciding cells are left.
    last = deletion_curve(
        cells, gated_maps(classifier, x)["importance"], order="lowest", shares=shares.tolist()
    )
    np.testing.assert_allclose(
        last.probability[:, : cells.per_input - COUNT + 1],
        np.repeat(last.probability[:, :1], cells.per_input - COUNT + 1, axis=1),
        atol=1e-6,
    )


def test_a_true_map_beats_random_a_wrong_one_is_at_random_and_an_inverted_one_is_worse():
    classifier, cells, x, labels = planted_cells()
    seeds = tuple(range(20))
    chance = random_curve(cells, labels=labels, seeds=seeds)
    true = gated_maps(classifier, x)["importance"]
    wrong = torch.rand(true.shape, generator=torch.Generator().manual_seed(3))
    gains = [compare(cells, map_, chance, seeds=seeds, labels=labels).gain for map_ in (true, wrong, -true)]
    assert gains[0].low > 0
    assert not gains[1].excludes_zero
    assert gains[2].high < 0


@given(st.integers(1, 40), st.integers(0, 1000))
def test_an_order_is_a_permutation_sorted_by_score(size, seed):
    scores = torch.randn(3, size, generator=torch.Generator().manual_seed(seed)).round()
    for order, sign in (("highest", -1), ("lowest", 1)):
        place = removal_order(scores, order=order, seed=seed)
        assert bool((place.sort(1).values == torch.arange(size)).all())
        in_order = torch.empty_like(scores).scatter_(1, place, scores)
        assert bool((sign * in_order.diff(dim=1) >= 0).all())


def test_equal_scores_are_ordered_by_the_seed():
    flat = torch.zeros(2, 50)
    assert torch.equal(removal_order(flat, seed=1), removal_order(flat, seed=1))
    assert not torch.equal(removal_order(flat, seed=1), removal_order(flat, seed=2))
    assert not torch.equal(removal_order(flat, seed=1)[0], removal_order(flat, seed=1)[1])


def test_a_curve_against_a_plain_loop():
    classifier = random_classifier()
    x = random_inputs(4)
    cells = input_cells(classifier, x)
    scores = torch.randn(cells.values.shape, generator=torch.Generator().manual_seed(1))
    curve = deletion_curve(cells, scores, shares=(0, 0.3, 0.7, 1))
    for index in range(4):
        order = scores[index].flatten().argsort(descending=True)
        whole = cells.probabilities(cells.values[index : index + 1])[0]
        for column, removed in enumerate((0, 9, 21, 30)):
            values = cells.values[index].clone().flatten()
            values[order[:removed]] = 0
            left = cells.probabilities(values.view(1, 6, 5))[0]
            assert curve.probability[index, column] == pytest.approx(float(left[whole.argmax()]), abs=1e-5)


def test_one_map_for_all_inputs_and_few_cells_with_many_shares():
    cells = Cells(torch.ones(3, 2), lambda v: torch.stack([v.sum(1), -v.sum(1)], 1), ("cells",))
    curve = deletion_curve(cells, torch.tensor([1.0, 0.0]))
    expected = 1 / (1 + np.exp(-2 * np.array([2.0, 1.0, 0.0])))
    np.testing.assert_allclose(curve.probability[:, [0, 10, 20]], np.tile(expected, (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("shares", [(0, 1, 1), (0.1, 1), (0, 0.9), (0,), (0, 0.6, 0.5, 1)])
def test_shares_that_do_not_rise_from_0_to_1_are_refused(shares):
    _, cells, _, _ = planted_cells()
    with pytest.raises(DataError, match="rise from 0 to 1"):
        deletion_curve(cells, cells.values, shares=shares)


def test_maps_that_do_not_fit_are_refused():
    _, cells, _, _ = planted_cells()
    with pytest.raises(DataError, match=r"must have the cells' shape \[40, 10, 8\], got \[40, 3\]"):
        deletion_curve(cells, torch.zeros(40, 3))
    with pytest.raises(DataError, match="must be finite"):
        deletion_curve(cells, torch.full(cells.values.shape, torch.nan))
    with pytest.raises(DataError, match="N >= 1"):
        Cells(torch.zeros(0, 2), lambda v: v, ("cells",))
    with pytest.raises(DataError, match="Linear has no standardisation"):
        input_cells(torch.nn.Linear(2, 2), torch.zeros(1, 3, 2))


def test_a_curve_stops_when_asked():
    _, cells, _, _ = planted_cells()
    progress = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError, match="Stopped, as asked"):
        deletion_curve(cells, cells.values, check=progress.check)
