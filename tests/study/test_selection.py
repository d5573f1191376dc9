"""Filters, orders, slices and saved selections of a study, against the rows themselves."""

import numpy as np
import pytest

from daam_core.errors import DataError
from daam_core.study.folder import open_study
from daam_core.study.selection import (
    SELECTIONS,
    drop_selection,
    inputs_of,
    matching,
    ordered,
    rename_selection,
    save_selection,
    selections,
    slice_columns,
    slice_counts,
)
from tests.support.studies import drawn_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return drawn_study(tmp_path_factory.mktemp("study"), refused=(4, 50))


def test_slices_are_those_of_the_rows_and_of_the_data_sets_own_columns(study):
    assert slice_columns(study) == ("label", "prediction", "right", "speaker")  # there are no groups
    assert slice_counts(study, "label") == {"angry": 30, "calm": 29, "sad": 29}
    assert slice_counts(study, "right") == {"wrong": 59, "right": 29}
    assert inputs_of(study, "right", "right").tolist() == inputs_of(study, "label", "sad").tolist()
    assert inputs_of(study, "speaker", "02").tolist() == [n for n in range(90) if n % 4 == 2 and n != 50]


def test_a_filter_keeps_what_fits_every_condition(study):
    assert matching(study).tolist() == study.numbers.tolist()
    found = matching(study, where={"label": "sad", "speaker": "00"}, confidence=(0.6, 0.9))
    expected = [n for n in range(90) if n % 12 == 8 and 0.6 <= 0.5 + n / 180 <= 0.9 and n not in (4, 50)]
    assert found.tolist() == expected
    assert matching(study, containing="ROW 8").tolist() == [8, *range(80, 90)]
    assert matching(study, containing="(").tolist() == []


def test_errors_come_first_the_most_confident_of_them_first(study):
    order = ordered(study, study.numbers, "errors")
    wrong = [n for n in study.numbers if n % 3 != 2]
    assert order.tolist()[: len(wrong)] == wrong[::-1]
    some = np.array([7, 3, 80])
    assert ordered(study, some).tolist() == [3, 7, 80]
    assert ordered(study, some, falling=True).tolist() == [80, 7, 3]
    assert ordered(study, some, "label").tolist() == [3, 7, 80]


def test_a_selection_is_kept_in_the_folder(study):
    save_selection(study, " odd ones ", np.array([9, 3, 3]))
    save_selection(study, "σ", np.array([1]))
    save_selection(study, "odd ones", np.array([5]))
    found = selections(open_study(study.folder))
    assert {name: numbers.tolist() for name, numbers in found.items()} == {"odd ones": [5], "σ": [1]}
    with pytest.raises(DataError, match="needs a name"):
        save_selection(study, " ", np.array([1]))
    with pytest.raises(DataError, match="Input 4 is not one that was explained"):
        save_selection(study, "refused", np.array([3, 4]))


def test_a_selection_is_removed(tmp_path):
    study = drawn_study(tmp_path, inputs=9)
    drop_selection(study, "mine")  # there is none
    save_selection(study, "mine", np.array([3]))
    save_selection(study, "others", np.array([1, 2]))
    drop_selection(study, " mine ")
    assert {name: inside.tolist() for name, inside in selections(study).items()} == {"others": [1, 2]}


def test_a_selection_gets_another_name_in_its_place(tmp_path):
    study = drawn_study(tmp_path)
    for name, number in (("one", 1), ("two", 2), ("three", 3)):
        save_selection(study, name, np.array([number]))
    rename_selection(study, "two", " zwei ")
    assert {name: kept.tolist() for name, kept in selections(study).items()} == {
        "one": [1],
        "zwei": [2],
        "three": [3],
    }
    assert list(selections(study)) == ["one", "zwei", "three"]
    rename_selection(study, "one", "one")
    for name, other, said in (
        ("two", "x", "There is no selection 'two'; there is one, zwei, three."),
        ("one", "three", "There is a selection 'three' already; give another name, or remove that one."),
        ("one", " ", "A selection needs a name."),
    ):
        with pytest.raises(DataError) as refused:
            rename_selection(study, name, other)
        assert str(refused.value) == said


@pytest.mark.parametrize("written", ["[1]", "{", '{"a": {}}', '{"a": ["b"]}', '{"a": [1e300]}'])
def test_damaged_selections_are_said_to_be(tmp_path, written):
    study = drawn_study(tmp_path, inputs=3)
    (tmp_path / SELECTIONS).write_text(written, encoding="utf-8")
    with pytest.raises(DataError, match=r"selections\.json of the study .* is damaged; remove it"):
        selections(study)


def test_what_is_not_there_is_named(study):
    with pytest.raises(DataError, match="no slices by 'age'; its columns for slices are label, prediction"):
        slice_counts(study, "age")
    with pytest.raises(DataError, match="has 'glad' as its label; give one of angry, calm, sad"):
        inputs_of(study, "label", "glad")
    with pytest.raises(DataError, match="no column 'age'"):
        ordered(study, study.numbers, "age")
