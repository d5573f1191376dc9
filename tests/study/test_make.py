"""A study holds what explaining each input gives, goes on after an interruption, and stays in its memory."""

import json
import shutil

import numpy as np
import pytest

from daam_core import explain
from daam_core.errors import DaamError, DataError
from daam_core.study import folder as study_folder
from daam_core.study import make
from daam_core.study.folder import MAPS, SCHEMA, open_study, write_part
from daam_core.study.make import make_study
from daam_core.training.data import Dataset, StoredInput
from tests.support.small import CLASSES, letter_data, letter_model
from tests.support.studies import drawn_study


def letters(count: int, **changes: object) -> Dataset:
    texts, labels = letter_data(count, seed=3)
    facts = {
        "name": "letters",
        "modality": "text",
        "inputs": tuple(texts),
        "labels": tuple(labels.tolist()),
        "class_names": CLASSES,
        "places": tuple(f"row {number + 1}" for number in range(count)),
    }
    return Dataset(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(study_folder, "PART", 4)
    monkeypatch.setattr(make, "PART", 4)


def test_every_row_and_map_is_that_of_explain(tmp_path, small_parts):
    model, data = letter_model(), letters(10)
    study = make_study(model, data, tmp_path / "study", command="daam study …")
    assert study.complete
    assert study.facts.parts == 3
    assert study.rows.schema == SCHEMA
    assert study.numbers.tolist() == list(range(10))
    for number, (row, text) in enumerate(zip(study.rows.to_pylist(), data.inputs, strict=True)):
        e = explain(model, text)
        assert row["number"] == number
        assert row["text"] == text
        assert row["label"] == CLASSES[data.labels[number]]
        assert row["prediction"] == e.class_names[e.prediction]
        assert row["right"] == (row["label"] == row["prediction"])
        np.testing.assert_allclose(row["probabilities"], e.probabilities, atol=1e-5)
        np.testing.assert_allclose(row["token_attribution"], e.token_attribution, atol=1e-5)
        np.testing.assert_allclose(np.array(row["token_spans"]).reshape(-1, 2), e.token_spans)
        assert row["importance_scale"] == pytest.approx(np.abs(e.class_importance).max(), rel=1e-4)
        for name in MAPS:
            (found,) = study.batches(name, np.array([number]))
            np.testing.assert_allclose(found[0], getattr(e, name), rtol=2e-3, atol=2e-3)
        again = explain(model, study.original(number))
        np.testing.assert_array_equal(again.density_attention, e.density_attention)
    assert study.to_pandas().shape == (10, len(SCHEMA))
    assert study.facts.class_names == CLASSES
    assert study.head_layers.shape == (2, 6)


def test_an_input_that_is_refused_is_counted_with_its_reason(tmp_path):
    data = letters(5)
    data = letters(5, inputs=(*data.inputs[:2], " ", *data.inputs[3:]))
    study = make_study(letter_model(), data, tmp_path / "study")
    assert "empty" in study.rows["reason"].to_pylist()[2]
    assert study.numbers.tolist() == [0, 1, 3, 4]
    assert np.isnan(study.map("density_attention")[2]).all()
    assert study.rows["prediction"].to_pylist()[2] is None


def test_an_interrupted_study_goes_on_with_what_is_missing(tmp_path, small_parts, monkeypatch):
    whole = make_study(letter_model(), letters(10), tmp_path / "whole")

    def stopping(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_study(letter_model(), letters(10), tmp_path / "study", on_progress=stopping)
    begun = open_study(tmp_path / "study")
    assert not begun.complete
    assert begun.numbers.tolist() == [0, 1, 2, 3]
    made = []
    real = make._make_part
    monkeypatch.setattr(make, "_make_part", lambda *given: (made.append(given[4]), real(*given)))
    study = make_study(letter_model(), letters(10), tmp_path / "study")
    assert made == [1, 2]
    assert study.rows.equals(whole.rows)
    for name in MAPS:
        np.testing.assert_array_equal(study.map(name), whole.map(name))


def test_several_processes_share_the_parts(tmp_path, small_parts):
    done: list[int] = []
    first = make_study(letter_model(), letters(10), tmp_path / "study", share=(0, 2), on_progress=done.append)
    assert done == [4, 2]
    assert first.numbers.tolist() == [0, 1, 2, 3, 8, 9]
    second = make_study(letter_model(), letters(10), tmp_path / "study", share=(1, 2))
    assert second.complete
    assert second.numbers.tolist() == list(range(10))


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"labels": (0,) * 6}, "study of other data"), ({"places": ("x",) * 6}, "study of other data")],
)
def test_another_study_is_not_written_over(tmp_path, changes, message):
    make_study(letter_model(), letters(6), tmp_path / "study")
    with pytest.raises(DaamError, match=message):
        make_study(letter_model(), letters(6, **changes), tmp_path / "study")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DaamError, match="is not an empty folder; give a new one"):
        make_study(letter_model(), letters(3), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def damage(folder, name):
    if name == "no facts":
        (folder / "study.json").unlink()
    elif name == "facts":
        (folder / "study.json").write_text("{")
    elif name == "version":
        facts = json.loads((folder / "study.json").read_text())
        (folder / "study.json").write_text(json.dumps(facts | {"version": 0}))
    elif name == "sizes":
        facts = json.loads((folder / "study.json").read_text())
        (folder / "study.json").write_text(json.dumps(facts | {"layers": 10**9}))
    elif name == "rows":
        (folder / "rows" / "00000.parquet").write_bytes(b"PAR1")
    else:
        (folder / "maps" / "values.npy").write_bytes(b"\x93NUMPY")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no facts", "holds no study.json"),
        ("facts", "cannot be read"),
        ("version", "made by another version"),
        ("sizes", "is damaged"),
        ("rows", "is damaged"),
        ("maps", "is damaged"),
    ],
)
def test_a_damaged_study_is_refused_in_one_sentence(tmp_path, name, message):
    make_study(letter_model(), letters(3), tmp_path / "study")
    damage(tmp_path / "study", name)
    with pytest.raises(DataError, match=message) as caught:
        open_study(tmp_path / "study")
    assert "\n" not in str(caught.value)
    shutil.rmtree(tmp_path / "study")
    with pytest.raises(DataError, match=r"holds no study\.json"):
        open_study(tmp_path / "study")


def test_a_studys_inputs_can_be_had_again(tmp_path):
    """Texts from the rows, files and cells of tables from where they lie."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"x")
    cell = StoredInput(tmp_path / "t.parquet", "sound", 3)
    study = drawn_study(tmp_path / "study", inputs=4)
    rows = study.rows.to_pylist()
    rows[0]["text"] = "A text."
    for row, place in zip(rows[1:], (path, cell, tmp_path / "gone.wav"), strict=True):
        row["path"] = str(place)
    write_part(study.folder, study.facts, 0, rows)
    study = open_study(study.folder)
    assert study.original(0) == "A text."
    assert study.original(1) == path
    with pytest.raises(DataError, match=r"t\.parquet#sound:3 is no longer where it was"):
        study.original(2)
    cell.file.write_bytes(b"x")
    assert study.original(2) == cell
    with pytest.raises(DataError, match=r"gone\.wav is no longer where it was when the study was made"):
        study.original(3)
    with pytest.raises(DataError, match="There is no input 4; they go from 0 to 3"):
        study.original(4)


def test_the_data_sets_own_columns_are_the_studys(tmp_path):
    ages = ("31", "", "40", "31")
    data = letters(4, columns={"age": ages, "text": ("p", "q", "r", "s")})
    study = make_study(letter_model(), data, tmp_path / "study")
    assert study.facts.columns == ("age", "text of the data")
    assert study.rows["age"].to_pylist() == ["31", None, "40", "31"]
    assert study.rows["text of the data"].to_pylist() == ["p", "q", "r", "s"]
    assert open_study(tmp_path / "study").rows.schema == study.facts.schema
