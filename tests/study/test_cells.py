"""What a cell answers to, against numpy and scikit-learn on the same maps."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from daam_core.errors import ShapeError
from daam_core.study.cells import Place, cells_like, class_preference, extreme_inputs, histogram, scores
from daam_core.study.folder import open_maps
from tests.support.studies import CLASSES, drawn_study

PLANTED = (1, 2, 7)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return drawn_study(tmp_path_factory.mktemp("study"), planted=PLANTED, refused=(4, 50))


@pytest.mark.parametrize(
    ("place", "index", "axes"),
    [
        (Place(1, 2, 7), np.s_[:, 1, 2, 7], ()),
        (Place(head=0), np.s_[:, 0], (1, 2)),
        (Place(layer=1), np.s_[:, :, 1], (1, 2)),
        (Place(feature=3), np.s_[:, :, :, 3], (1, 2)),
        (Place(head=1, feature=3), np.s_[:, 1, :, 3], (1,)),
        (Place(), np.s_[:], (1, 2, 3)),
    ],
)
def test_a_score_is_the_mean_over_the_places_cells(study, place, index, axes):
    maps = np.array(study.map("density_attention"), dtype=np.float64)[study.numbers]
    np.testing.assert_allclose(scores(study, place), maps[index].mean(axes), rtol=1e-5)


def test_class_importance_has_its_size_again(study):
    stored = np.array(study.map("class_importance"), dtype=np.float32)[study.numbers]
    np.testing.assert_allclose(
        scores(study, Place(0, 1, 2), "class_importance"), 2 * stored[:, 0, 1, 2], rtol=1e-6
    )
    np.testing.assert_allclose(study.column("class_importance", (0, 1, 2)), 2 * stored[:, 0, 1, 2], rtol=1e-6)


def test_values_have_no_heads(study):
    stored = np.array(study.map("values"), dtype=np.float32)[study.numbers]
    np.testing.assert_allclose(scores(study, Place(1, 2, 3), "values"), stored[:, 2, 3], rtol=1e-6)


def test_the_planted_cell_prefers_its_class_and_finds_its_inputs(study):
    found = scores(study, Place(*PLANTED))
    areas = class_preference(study, found)
    labels = np.asarray(study.explained["label"])
    assert areas["sad"] == 1.0
    for name in CLASSES:
        assert areas[name] == pytest.approx(roc_auc_score(labels == name, found))
    highest, lowest = extreme_inputs(study, found, 20), extreme_inputs(study, found, 20, lowest=True)
    assert {number % 3 for number in highest} == {2}
    assert {number % 3 for number in lowest} == {0, 1}
    by_number = dict(zip(study.numbers, found, strict=True))
    assert [by_number[n] for n in highest] == sorted(found, reverse=True)[:20]
    assert not {4, 50} & {*highest, *lowest}


def test_cells_alike_are_those_with_the_highest_correlation(study):
    maps = np.array(study.map("density_attention"), dtype=np.float64)[study.numbers].reshape(88, -1)
    own = np.ravel_multi_index(PLANTED, (2, 3, 20))
    expected = np.corrcoef(maps.T)[own]
    found = cells_like(study, PLANTED, 5)
    order = [int(i) for i in np.argsort(-expected) if i != own][:5]
    assert [np.ravel_multi_index(place, (2, 3, 20)) for place, _ in found] == order
    np.testing.assert_allclose([r for _, r in found], expected[order], rtol=1e-6)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        (Place(head=2), "There is no head 2; they go from 0 to 1"),
        (Place(layer=-1), "There is no layer -1"),
        (Place(feature=1.5), "There is no feature 1.5; they go from 0 to 19"),
    ],
)
def test_a_place_that_does_not_exist_is_refused(study, place, message):
    with pytest.raises(ShapeError, match=message):
        scores(study, place)


def test_the_gate_is_density_attention_without_the_amplitude(study):
    stored = np.array(study.map("density_attention"), dtype=np.float32)[study.numbers]
    np.testing.assert_allclose(scores(study, Place(1, 0, 7), "gate"), stored[:, 1, 0, 7] / 2, rtol=1e-6)
    np.testing.assert_allclose(study.column("gate", (1, 2, 7)), stored[:, 1, 2, 7] * 2, rtol=1e-6)
    gates = stored / study.amplitude[:, :, None]
    np.testing.assert_allclose(scores(study, Place(feature=3), "gate"), gates[..., 3].mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("name", ["class_importance", "values", "gate"])
def test_of_every_map_cells_alike_are_found(study, name):
    (maps,) = study.batches(name, study.numbers)
    expected = np.corrcoef(maps.reshape(88, -1).T.astype(np.float64))
    index = (2, 7) if name == "values" else PLANTED
    own = np.ravel_multi_index(index, maps.shape[1:])
    expected[own, own] = -1
    ((place, r),) = cells_like(study, PLANTED, 1, name)
    assert np.ravel_multi_index(place, maps.shape[1:]) == expected[own].argmax()
    assert r == pytest.approx(expected[own].max(), rel=1e-5)


def test_a_cell_that_does_not_vary_is_like_none(study, tmp_path):
    constant = drawn_study(tmp_path)
    open_maps(tmp_path)["density_attention"][:, 0, 1, 3] = 0.3
    assert len(cells_like(constant, PLANTED, 120)) == 118  # all but itself and that one
    assert cells_like(constant, (0, 1, 3)) == []


def test_a_histogram_counts_every_input_once_and_says_where_one_stands(study):
    found = scores(study, Place(*PLANTED))
    drawn = histogram(study, found, 20)
    counts, edges = np.histogram(found, 20)
    np.testing.assert_array_equal(drawn.counts, counts)
    np.testing.assert_array_equal(drawn.edges, edges)
    assert drawn.counts.sum() == 88
    np.testing.assert_array_equal(sum(drawn.by_class.values()), drawn.counts)
    assert drawn.by_class["sad"][10:].sum() == drawn.by_class["sad"].sum() == 29
    places = np.bincount([drawn.bin_of(score) for score in found], minlength=20)
    np.testing.assert_array_equal(places, drawn.counts)
    assert [drawn.bin_of(score) for score in (-9, edges[3], 9)] == [0, 3, 19]


def test_a_histogram_needs_bins_and_inputs(study):
    with pytest.raises(ShapeError, match="one bin at least, got 0"):
        histogram(study, np.zeros(3), 0)
    with pytest.raises(ShapeError, match="one explained input at least"):
        histogram(study, np.zeros(0))
