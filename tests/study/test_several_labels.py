"""A study of inputs with several labels: rows are sets, and a class counts every input that has it."""

import itertools

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from daam_core import explain
from daam_core.errors import DataError
from daam_core.study.cells import class_preference, histogram
from daam_core.study.folder import Study, facts_of, open_study
from daam_core.study.make import make_study
from daam_core.study.overview import overview
from daam_core.study.payload import study_payload
from daam_core.study.report import report_blocks, study_scores
from daam_core.study.selection import inputs_of, matching, ordered, slice_counts
from daam_core.study.telling import telling_cells
from tests.study.test_make import letters
from tests.study.test_payload import unpacked
from tests.support.small import letter_model, several_model
from tests.support.studies import CLASSES, drawn_study

#: Every set of the three classes in turn; predictions are those of the input before.
SETS = [[*found] for size in range(4) for found in itertools.combinations(CLASSES, size)]


def said(number: int) -> dict[str, object]:
    label, prediction = SETS[number % 8], SETS[(number // 2) % 8]
    shares = [0.2 + 0.6 * (name in prediction) + 0.001 * number for name in CLASSES]
    return {
        "label": label,
        "prediction": prediction,
        "right": label == prediction,
        "probabilities": shares,
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("studies") / "sets"
    return drawn_study(folder, inputs=64, facts={"labels": "several"}, row=said)


def members(name: str, column: str = "label") -> np.ndarray:
    return np.array([name in said(number)[column] for number in range(64)])


def test_any_of_an_inputs_labels_makes_it_one_of_that_class(study):
    assert slice_counts(study, "label") == dict.fromkeys(CLASSES, 32)
    for name in CLASSES:
        assert inputs_of(study, "label", name).tolist() == np.flatnonzero(members(name)).tolist()
    found = matching(study, where={"label": "sad", "prediction": "calm"})
    assert found.tolist() == np.flatnonzero(members("sad") & members("calm", "prediction")).tolist()
    first = ordered(study, study.numbers, "label")[:8].tolist()
    assert {tuple(said(number)["label"]) for number in first} == {()}  # none comes first
    with pytest.raises(DataError, match="has 'glad' as its label; give one of angry"):
        inputs_of(study, "label", "glad")


def test_figures_are_those_of_scikit_learn(study):
    scores = study_scores(study)
    truth = np.stack([members(name) for name in CLASSES], 1)
    guess = np.stack([members(name, "prediction") for name in CLASSES], 1)
    shares = np.array([said(number)["probabilities"] for number in range(64)])
    assert scores.accuracy == pytest.approx((truth == guess).all(1).mean())
    assert scores.macro_f1 == pytest.approx(f1_score(truth, guess, average="macro"))
    areas = [average_precision_score(truth[:, k], shares[:, k]) for k in range(3)]
    assert scores.mean_average_precision == pytest.approx(np.mean(areas))
    draw = np.random.default_rng(0).normal(size=64)
    expected = {name: roc_auc_score(members(name), draw) for name in CLASSES}
    assert class_preference(study, draw) == pytest.approx(expected)
    assert histogram(study, draw, 4).by_class["sad"].sum() == 32
    assert set(telling_cells(study)) == set(CLASSES)
    text = str(report_blocks(study))
    assert "no class stands in place of another" in text
    assert "angry, sad" in text


def test_the_page_gets_sets_beside_classes(study):
    shown = study_payload(study)
    sets = shown["facts"]["sets"]
    assert shown["facts"]["labels"] == "several"
    assert sets == [[], [0, 1], [0, 1, 2], [0, 2], [1, 2]]
    for column in ("label", "prediction"):
        codes = unpacked(shown["columns"][column])
        names = [[CLASSES[one] for one in ([code] if code < 3 else sets[code - 3])] for code in codes]
        assert names == [said(number)[column] for number in range(64)]


def test_an_overview_is_refused_and_old_facts_have_one_label(study):
    with pytest.raises(DataError, match="no class stands in place of another; the report of the study sets"):
        overview(study)
    plain = {name: list(v) if isinstance(v, tuple) else v for name, v in vars(study.facts).items()}
    assert facts_of(plain | {"labels": "many"}) is None
    del plain["labels"]
    assert facts_of(plain).labels == "one"


def test_every_row_is_what_explain_says(tmp_path):
    model, data = several_model(), letters(8).with_labels("several")
    study = make_study(model, letters(8), tmp_path / "made")
    assert study.facts.labels == "several"
    for row, text, label in zip(study.rows.to_pylist(), data.inputs, data.sets, strict=True):
        e = explain(model, text)
        assert row["label"] == [model.class_names[index] for index in label]
        assert row["prediction"] == [model.class_names[index] for index in sorted(e.predicted)]
        assert row["right"] == (row["label"] == row["prediction"])
    assert open_study(tmp_path / "made").facts == study.facts
    with pytest.raises(DataError, match="have several labels each"):
        make_study(letter_model(), data, tmp_path / "no")
