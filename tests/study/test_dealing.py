"""Dealing whole units: the statistic against a loop, p against every arrangement, what must not be found."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest

from daam_core.errors import DataError
from daam_core.study.dealing import WholeUnits
from daam_core.study.selection import unit_columns
from daam_core.study.slices import compare_slices
from tests.support.studies import drawn_study

#: Speakers a, b and c are on both sides, d, e and f in the first alone, g and h in the second alone.
FIRST, SECOND = "aabccdef", "abbcgghh"
BOTH, ONLY_FIRST, ONLY_SECOND = "abc", "def", "gh"


def oracle(values, names, first, signs, in_second):
    """t of the units' means: ``signs`` of those in both slices, ``in_second`` those that are in it alone."""
    sides = {name: ([], []) for name in names}
    for number, (value, name) in enumerate(zip(values, names, strict=True)):
        sides[name][number >= first].append(value)
    swaps = [sign * (np.mean(sides[name][1]) - np.mean(sides[name][0])) for name, sign in signs.items()]
    alone = {name: np.mean(sides[name][0] + sides[name][1]) for name in sides if name not in signs}
    one = [mean for name, mean in alone.items() if name not in in_second]
    other = [mean for name, mean in alone.items() if name in in_second]
    variance = np.var(swaps, ddof=1) / len(swaps)
    pooled = sum(((np.array(part) - np.mean(part)) ** 2).sum() for part in (one, other))
    between = pooled / (len(alone) - 2) * (1 / len(one) + 1 / len(other))
    weighted = np.mean(swaps) / variance + (np.mean(other) - np.mean(one)) / between
    return weighted / np.sqrt(1 / variance + 1 / between)


def test_the_statistic_and_p_are_those_of_every_arrangement_one_by_one():
    names = FIRST + SECOND
    cells = np.random.default_rng(0).normal(size=(len(names), 3)).astype(np.float32)
    dealing = WholeUnits("speaker", names, len(FIRST), 4000, 0)
    assert dealing.units.in_both == 3
    assert (dealing.units.only_first, dealing.units.only_second, dealing.units.left_out) == (3, 2, 0)
    arrangements = [
        (dict(zip(BOTH, signs, strict=True)), chosen)
        for signs in product((1, -1), repeat=3)
        for chosen in combinations(ONLY_FIRST + ONLY_SECOND, 2)
    ]
    assert dealing.units.arrangements == len(arrangements) == 80
    true, dealt = (np.abs(dealing.statistic(cells, deal)) for deal in ("true", "dealt"))
    for cell, values in enumerate(cells.T.astype(np.float64)):
        every = [abs(oracle(values, names, len(FIRST), *one)) for one in arrangements]
        mine = abs(oracle(values, names, len(FIRST), dict.fromkeys(BOTH, 1), ONLY_SECOND))
        assert true[0, cell] == pytest.approx(mine, rel=1e-5)
        np.testing.assert_allclose(
            np.unique(dealt[:, cell].round(4)), np.unique(np.round(every, 4)), atol=2e-4
        )
        exact = np.mean(np.array(every) >= mine * (1 - 1e-6))
        assert np.mean(dealt[:, cell] >= true[0, cell] * (1 - 1e-6)) == pytest.approx(exact, abs=0.03)


def grouped_study(folder, *, speakers=20, each=12, own=3.0):
    """Speakers each with a way of their own in every cell; ``group`` names them."""
    study = drawn_study(folder, inputs=speakers * each, row=lambda number: {"group": f"{number // each:02}"})
    maps = np.lib.format.open_memmap(folder / "maps" / "density_attention.npy", mode="r+")
    draw = np.random.default_rng(1)
    shape = maps.shape[1:]
    maps[:] = np.repeat(draw.normal(0, own, (speakers, *shape)), each, axis=0) + draw.normal(size=maps.shape)
    maps.flush()
    return study, np.arange(speakers * each) // each


@pytest.mark.parametrize("both", [False, True])
def test_of_a_hundred_null_differences_between_speakers_few_hold(tmp_path, both):
    """``both``: every speaker is in both slices, but not alike in them."""
    study, speaker = grouped_study(tmp_path)
    of_speaker = np.random.default_rng(2)
    wrong = alone_wrong = 0
    maps = np.lib.format.open_memmap(tmp_path / "maps" / "density_attention.npy", mode="r+")
    for trial in range(100):
        side = of_speaker.permutation(np.arange(20) % 2)[speaker]
        if both:
            side = np.arange(len(speaker)) % 2
            ways = of_speaker.normal(0, 3, (20, 2, *maps.shape[1:]))
            maps[:] = ways[speaker, side] + of_speaker.normal(size=maps.shape)
        slices = study.numbers[side == 0], study.numbers[side == 1]
        found = compare_slices(study, *slices, permutations=100, seed=trial)
        assert found.units is not None
        wrong += bool(found.holds().any())
        if trial < 10:  # dealt one by one, such slices differ nearly always
            alone_wrong += bool(compare_slices(study, *slices, permutations=100, units=None).holds().any())
    assert wrong <= 10  # about 5 in 100 are promised
    assert alone_wrong >= 9


def test_a_cell_that_differs_in_every_speaker_is_found(tmp_path):
    study, _ = grouped_study(tmp_path)
    maps = np.lib.format.open_memmap(tmp_path / "maps" / "density_attention.npy", mode="r+")
    sad = np.asarray(study.explained["label"]) == "sad"
    maps[sad, 1, 2, 7] += 2
    maps.flush()
    found = compare_slices(study, study.numbers[~sad], study.numbers[sad], permutations=200)
    assert found.holds()[1, 2, 7]
    assert found.p[1, 2, 7] == pytest.approx(1 / 201)
    assert found.holds().sum() <= 2  # of 120
    assert found.difference[1, 2, 7] == pytest.approx(2, abs=0.5)
    assert found.units == replace(found.units, column="group", in_both=20, only_first=0, arrangements=2**20)


def test_inputs_without_a_unit_are_their_own_and_too_few_units_are_refused(tmp_path):
    dealing = WholeUnits("speaker", ["a", "a", None, "b", None, None], 3, 10, 0)
    assert (dealing.units.in_both, dealing.units.only_first, dealing.units.only_second) == (0, 2, 3)
    with pytest.raises(DataError, match=r"too few different values of speaker \(2\).*deal single inputs"):
        WholeUnits("speaker", ["a", "a", "b", "b"], 2, 10, 0)
    one_in_both = WholeUnits("speaker", list("aabcade"), 4, 10, 0)
    assert (one_in_both.units.in_both, one_in_both.units.left_out) == (0, 1)

    study = drawn_study(tmp_path)
    assert unit_columns(study) == ("speaker",)
    with pytest.raises(
        DataError, match=r"'label' is no column whose values several inputs share; speaker is\."
    ):
        compare_slices(study, study.numbers[:9], study.numbers[9:], units="label")
