"""The whole measurement: its steps, its answers, and what it refuses."""

from dataclasses import replace

import pytest

from daam_core.errors import CancelledError, DataError
from daam_core.faithfulness.one_input import check_encoding
from daam_core.faithfulness.removal.by_method import PAIRS
from daam_core.faithfulness.report.contents import plain
from daam_core.faithfulness.report.measures import measure_faithfulness, training_of
from daam_core.faithfulness.report.settings import Settings
from daam_core.faithfulness.retraining.layers import BUDGET
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier
from daam_core.training.settings import TrainingConfig
from tests.support.encode import encode
from tests.support.reports import SMALL, features, small_report
from tests.support.small import letter_model


def test_a_report_answers_every_question():
    report, seen = small_report()
    assert list(seen) == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 1
    assert set(report.pairs) == {pair.name for pair in PAIRS}
    assert report.accuracy.count == 24
    questions = [item.question for item in report.findings]
    assert len(set(questions)) == len(questions)
    for word in ("random order", "highest Importance Factor", "decoder", "learned", "seeds", "typo", "words"):
        assert any(word in question for question in questions), word
    assert len(report.inputs) == 2
    assert report.tokens is not None
    assert report.tokens.at_random.count == 3
    assert report.provenance["encoder"] == "letters"
    assert [len(variant.seeds) for variant in report.variants] == [2, 1]
    assert report.provenance["versions"]["quantus"]


def test_a_report_repeats_itself():
    texts, test = features(30, 1)
    few = replace(SMALL, changed_inputs=0)
    again = measure_faithfulness(letter_model(), features(80, 0)[1], test, inputs=texts, settings=few)
    first, second = plain(small_report()[0]), plain(again)
    for part in (
        "gated",
        "input",
        "pairs",
        "retraining",
        "sanity",
        "learned",
        "seeds",
        "quantus",
        "accuracy",
    ):
        assert first[part] == second[part], part
    assert again.tokens is None
    assert again.inputs == ()


def test_a_report_stops_when_asked():
    asked = iter([False] * 12)
    _, part = features(20, 0)
    with pytest.raises(CancelledError, match="no report was made"):
        measure_faithfulness(
            letter_model(),
            part,
            part,
            settings=SMALL,
            progress=Progress(cancelled=lambda: next(asked, True)),
        )


def test_what_does_not_fit_is_refused():
    texts, (x, labels) = features(12, 0)
    model = letter_model()
    with pytest.raises(DataError, match=r"letters takes features \[N, 6, 8\], got \[12, 5, 8\]"):
        measure_faithfulness(model, (x, labels), (x[:, :5], labels))
    with pytest.raises(DataError, match="There must be labels \\[12\\] of at least one input"):
        measure_faithfulness(model, (x, labels), (x, labels[:3]))
    with pytest.raises(DataError, match="3 inputs do not fit features of 12"):
        measure_faithfulness(model, (x, labels), (x, labels), inputs=texts[:3])
    with pytest.raises(DataError, match="inputs must be at least 2, got 1"):
        Settings(inputs=1)
    with pytest.raises(DataError, match="training_seeds must be at least 2, got 1"):
        Settings(training_seeds=1)


def test_retrained_classifiers_are_trained_as_the_checkpoint_says():
    classifier = letter_model().classifier
    assert training_of(TrainedClassifier(classifier)) == BUDGET
    said = {"training": {"gate_penalty": 1, "batch_size": 32, "unknown": 3, "seed": True}}
    found = training_of(TrainedClassifier(classifier, report=said))
    assert found == replace(BUDGET, gate_penalty=1.0, batch_size=32)
    assert isinstance(found, TrainingConfig)
    assert training_of(TrainedClassifier(classifier, report={"training": "long"})) == BUDGET


def test_a_check_takes_an_encoding_and_stops_when_asked():
    model = letter_model()
    encoding = encode(model.backbone, "aeb")
    assert check_encoding(model, encoding, orders=19).orders == 19
    with pytest.raises(CancelledError):
        check_encoding(model, encoding, progress=Progress(cancelled=lambda: True))
