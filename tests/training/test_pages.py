"""Reports of evaluations as pages."""

from dataclasses import asdict, replace

from daam_core.trained import TrainedClassifier
from daam_core.training.evaluation import (
    data_facts,
    evaluate_features,
)
from daam_core.training.pages import confusion_table, evaluation_blocks
from daam_core.training.scores import score
from daam_core.writing.pages import Paragraph
from tests.support.data import letters
from tests.support.small import CLASSES, letter_features, letter_model


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
