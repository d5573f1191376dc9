"""How data sets are split: folds, parts held out at random and by group."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import DataError
from daam_core.training.data_splits import folds, hold_out, hold_out_groups
from tests.support.data import letters


def test_folds_by_group_take_every_fifth_group():
    groups = tuple(f"{i % 10:02d}" for i in range(40))
    parts = folds(letters(groups=groups), 5)
    assert [sorted({groups[i] for i in test}) for _, test in parts] == [
        ["00", "05"],
        ["01", "06"],
        ["02", "07"],
        ["03", "08"],
        ["04", "09"],
    ]
    for train, test in parts:
        assert not {groups[i] for i in train} & {groups[i] for i in test}
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(40))


@given(count=st.integers(2, 6), seed=st.integers(0, 5))
def test_folds_without_groups_test_each_input_once_and_keep_proportions(count, seed):
    data = letters(60)
    parts = folds(data, count, seed=seed)
    assert sorted(np.concatenate([test for _, test in parts])) == list(range(60))
    share = np.mean(data.labels)
    for train, test in parts:
        assert not set(train) & set(test)
        assert abs(np.mean([data.labels[i] for i in test]) - share) < 0.1


def test_folds_that_cannot_be_made_are_refused():
    with pytest.raises(DataError, match="at least 2 folds, got 1"):
        folds(letters(), 1)
    with pytest.raises(DataError, match="3 folds need as many groups; there are 2: x, y"):
        folds(letters(groups=("x", "y") * 20), 3)
    few = letters(40).part(range(3))
    with pytest.raises(DataError, match="folds need 30 inputs of each class"):
        folds(few, 30)


@given(amount=st.one_of(st.floats(0.1, 0.8), st.integers(4, 30)), seed=st.integers(0, 9))
def test_a_part_held_out_is_drawn_by_class_and_the_same_again(amount, seed):
    data = letters(50)
    rest, held = hold_out(data, amount, seed=seed)
    assert sorted([*rest, *held]) == list(range(50))
    assert len(held) == (amount if amount >= 1 else int(np.ceil(amount * 50)))
    assert {data.labels[i] for i in held} == {0, 1}
    again = hold_out(data, amount, seed=seed)
    assert again[0].tolist() == rest.tolist()
    assert again[1].tolist() == held.tolist()


@pytest.mark.parametrize("amount", [0, -1, 50, 2.5, 100])
def test_a_part_that_cannot_be_held_out_is_refused(amount):
    with pytest.raises(DataError, match="share between 0 and 1 or a number of inputs below 50"):
        hold_out(letters(50), amount)


def test_a_part_too_small_for_every_class_is_refused():
    for amount in (1, 0.99):
        with pytest.raises(DataError, match="that part and the rest need at least 2 inputs each"):
            hold_out(letters(50), amount)


def test_of_a_class_of_one_input_none_can_be_held_out():
    data = replace(letters(50), labels=(2, *letters(50).labels[1:]), class_names=("a", "b", "c", "d"))
    with pytest.raises(DataError) as caught:
        hold_out(data, 0.5)
    assert str(caught.value) == (
        "Only one of 50 inputs is of the class 'c', which is too few to learn from and to hold out: name the "
        "other classes with --classes, or give 0 or a data set with --validation."
    )


def test_groups_are_held_out_by_name():
    data = letters(groups=("p", "q") * 20)
    rest, held = hold_out_groups(data, ["q"])
    assert {data.groups[i] for i in held} == {"q"}
    assert len(rest) == len(held) == 20
    with pytest.raises(DataError, match="There is no group 'z'; the groups are p, q"):
        hold_out_groups(data, ["z"])
    with pytest.raises(DataError, match="none is left for training"):
        hold_out_groups(data, ["p", "q"])
    with pytest.raises(DataError, match="has no groups"):
        hold_out_groups(letters(), ["p"])
