"""Groups of inputs: means against numpy, differences that hold and none where there is none."""

import numpy as np
import pytest
import scipy.stats

from daam_core.errors import DataError
from daam_core.study.dealing import welch
from daam_core.study.slices import compare_slices, mean_map
from tests.support.studies import drawn_study

PLANTED = (1, 2, 7)


def of_class(study, name):
    return study.numbers[np.asarray(study.explained["label"]) == name]


def test_a_mean_map_is_the_mean(tmp_path):
    study = drawn_study(tmp_path, refused=(3,))
    numbers = of_class(study, "angry")
    assert 3 not in numbers
    expected = np.array(study.map("density_attention"), dtype=np.float64)[numbers].mean(0)
    np.testing.assert_allclose(mean_map(study, numbers), expected, rtol=1e-6)
    assert mean_map(study, numbers, "values").shape == (3, 20)


def test_the_statistic_is_welchs(tmp_path):
    draw = np.random.default_rng(0)
    cells = draw.normal(size=(30, 4)).astype(np.float32)
    second = np.zeros((1, 30), np.float32)
    second[0, 18:] = 1
    expected = scipy.stats.ttest_ind(cells[18:], cells[:18], equal_var=False)
    np.testing.assert_allclose(welch(cells, second)[0], expected.statistic, rtol=1e-4)


def test_a_cells_p_value_is_scipys_permutation_test(tmp_path):
    study = drawn_study(tmp_path, inputs=30)
    first, second = of_class(study, "angry"), of_class(study, "calm")
    found = compare_slices(study, first, second, permutations=4000)
    maps = np.array(study.map("density_attention"), dtype=np.float64)

    def statistic(a, b, axis):
        return np.abs(scipy.stats.ttest_ind(b, a, equal_var=False, axis=axis).statistic)

    for cell in ((0, 0, 0), (1, 2, 3)):
        sample = [maps[(group, *cell)] for group in (first, second)]
        expected = scipy.stats.permutation_test(
            sample, statistic, n_resamples=4000, alternative="greater", rng=1, vectorized=True
        )
        assert found.p[cell] == pytest.approx(expected.pvalue, abs=0.03)


def test_the_planted_cell_is_the_one_that_differs(tmp_path):
    study = drawn_study(tmp_path, planted=PLANTED)
    sad, others = of_class(study, "sad"), np.setdiff1d(study.numbers, of_class(study, "sad"))
    found = compare_slices(study, others, sad, permutations=200)
    assert np.argwhere(found.holds()).tolist() == [list(PLANTED)]
    assert found.difference[PLANTED] == pytest.approx(0.8, abs=0.03)
    assert found.p[PLANTED] == pytest.approx(1 / 201)
    assert found.sizes == (60, 30)


def test_a_hundred_null_differences_seldom_hold_and_never_the_planted_cell(tmp_path):
    study = drawn_study(tmp_path, planted=PLANTED)
    draw = np.random.default_rng(5)
    sad, others = of_class(study, "sad"), np.setdiff1d(study.numbers, of_class(study, "sad"))
    wrong = 0
    for trial in range(100):  # both groups hold equally many of each class: nothing differs
        halves = [np.split(draw.permutation(group), 2) for group in (sad, others)]
        first, second = (np.concatenate([half[i] for half in halves]) for i in (0, 1))
        found = compare_slices(study, first, second, permutations=100, seed=trial)
        assert not found.holds()[PLANTED]
        wrong += bool(found.holds().any())
    assert wrong <= 10  # about 5 in 100 are promised


def test_layers_that_a_head_does_not_see_stay_out(tmp_path):
    study = drawn_study(tmp_path)
    study.head_layers[0, 1] = False
    found = compare_slices(study, of_class(study, "sad"), of_class(study, "calm"), permutations=20)
    assert np.isnan(found.q[0, 1]).all()
    assert np.isnan(found.p[0, 1]).all()
    assert np.isfinite(found.q[1]).all()


@pytest.mark.parametrize("name", ["class_importance", "values"])
def test_other_maps_are_compared_too(tmp_path, name):
    study = drawn_study(tmp_path)
    a, b = of_class(study, "sad"), of_class(study, "calm")
    found = compare_slices(study, a, b, name=name, permutations=20)
    np.testing.assert_allclose(
        found.difference, mean_map(study, b, name) - mean_map(study, a, name), atol=1e-5
    )


def test_blocks_do_not_change_the_result(tmp_path, monkeypatch):
    study = drawn_study(tmp_path, planted=PLANTED)
    a, b = of_class(study, "sad"), of_class(study, "calm")
    whole = compare_slices(study, a, b, permutations=50)
    monkeypatch.setattr("daam_core.study.slices.BLOCK", 1)
    one_by_one = compare_slices(study, a, b, permutations=50)
    np.testing.assert_array_equal(whole.p, one_by_one.p)
    np.testing.assert_allclose(whole.q, one_by_one.q)


def test_groups_that_cannot_be_compared_are_refused(tmp_path):
    study = drawn_study(tmp_path)
    with pytest.raises(DataError, match="needs two explained inputs in each group"):
        compare_slices(study, study.numbers[:1], study.numbers[1:])
    with pytest.raises(DataError, match="The two groups share inputs"):
        compare_slices(study, study.numbers[:5], study.numbers[4:])
    with pytest.raises(DataError, match="the group holds none"):
        mean_map(study, study.numbers[:0])
