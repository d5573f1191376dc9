"""Reports of evaluations as pages."""

from dataclasses import asdict, replace

import pytest

from daam_core.model import DaamClassifier
from daam_core.trained import TrainedClassifier
from daam_core.training.evaluation import (
    data_facts,
    evaluate_features,
)
from daam_core.training.pages import confusion_table, evaluation_blocks, evaluation_files, evaluation_text
from daam_core.training.scores import score
from daam_core.writing.pages import Paragraph
from tests.support.data import letters
from tests.support.small import CLASSES, letter_config, letter_features, letter_model


def test_many_classes_are_shown_by_their_errors():
    names = [f"c{i}" for i in range(20)]
    labels = [0] * 5 + [1] * 3 + [2]
    found = score(labels, [1] * 4 + [0] + [2] * 3 + [2], names)
    assert confusion_table(found).rows == (("c0", "c1", "4"), ("c1", "c2", "3"))
    few = score([0, 1], [1, 1], ["a", "b"])
    assert confusion_table(few).rows == (("a", "0", "1"), ("b", "0", "1"))


def test_an_evaluations_page_says_when_the_data_is_known():
    data = replace(letters(20), class_names=CLASSES)
    model = TrainedClassifier(letter_model().classifier, report={"data": asdict(data_facts(data))})
    report = evaluate_features(model, data, letter_features(20)[0])
    first = evaluation_blocks(report)[0]
    assert isinstance(first, Paragraph)
    assert first.text.startswith("The classifier was trained on this data")


@pytest.mark.parametrize(
    ("gate_kind", "symbols", "names"),
    [
        ("density", ("δ", "ξ"), ("mean offset δ", "scaled variance ξ")),
        ("mixture", ("m", "c"), ("mean offsets m", "scales c")),
    ],
)
def test_what_a_gate_learned_has_the_names_of_its_kind(gate_kind, symbols, names):
    data = replace(letters(20), class_names=CLASSES)
    classifier = DaamClassifier(letter_config(gate_kind=gate_kind, n_gaussians=2, decoder="linear"))
    model = TrainedClassifier(classifier, name="drawn")
    report = evaluate_features(model, data, letter_features(20)[0])
    assert report.as_dict()["gate_kind"] == gate_kind
    offset, variance = symbols
    assert f"{offset} moved by 0.000 on average, {variance} by 0.000" in evaluation_text(report)
    page = evaluation_files(report, model, "daam evaluate")["report.md"].decode()
    assert all(f"| {name} |" in page for name in names)
    assert f"Learned {' and '.join(names)} of every head." in page
    if gate_kind == "mixture":
        assert not {"δ", "ξ"} & set(page + evaluation_text(report))
