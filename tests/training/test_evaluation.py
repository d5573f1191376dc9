"""Figures of predictions, mean maps, and what an evaluation reports."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from daam_core.checkpoint import Model
from daam_core.errors import DataError
from daam_core.importance import importance_factor, layer_contribution
from daam_core.training.evaluation import (
    describe_data,
    evaluate,
    evaluate_features,
    mean_over,
    movement,
    parameter_count,
    score,
)
from daam_core.training.pages import confusion_table, evaluation_blocks
from daam_core.writing.pages import Paragraph
from tests.support.small import CLASSES, LetterEncoder, letter_data, letter_model
from tests.training.test_data import letters


def letter_features(count, *, seed=0):
    texts, labels = letter_data(count, seed=seed)
    return torch.stack([LetterEncoder().encode(text).hidden.mean(1) for text in texts]), labels


# Scores


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60),
)
def test_scores_agree_with_scikit_learn(pairs):
    labels, predictions = zip(*pairs, strict=True)
    found = score(labels, predictions, ["a", "b", "c", "d"])
    assert found.samples == len(pairs)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predictions))
    mean = f1_score(labels, predictions, labels=range(4), average="macro", zero_division=0)
    assert found.macro_f1 == pytest.approx(mean)
    occurring = [figures.recall for figures in found.classes if figures.samples]
    assert found.balanced_accuracy == pytest.approx(np.mean(occurring))
    assert np.sum(found.confusion) == len(pairs)


def test_balanced_accuracy_is_scikit_learns():
    labels, predictions = [0, 0, 0, 1, 2, 2], [0, 1, 0, 1, 2, 0]
    expected = balanced_accuracy_score(labels, predictions)
    assert score(labels, predictions, "abc").balanced_accuracy == pytest.approx(expected)


def test_scores_by_hand():
    found = score([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 0, 0], ["cat", "dog", "cow", "hen"])
    cat, dog, cow, hen = found.classes
    assert (cat.samples, cat.precision, cat.recall) == (3, 0.5, pytest.approx(2 / 3))
    assert (dog.samples, dog.precision, dog.recall, dog.f1) == (2, 0.5, 0.5, 0.5)
    assert (cow.samples, cow.precision, cow.recall, cow.f1) == (1, 0.0, 0.0, 0.0)
    assert (hen.samples, hen.f1) == (0, 0.0)
    assert found.confusion == ((2, 1, 0, 0), (1, 1, 0, 0), (1, 0, 0, 0), (0, 0, 0, 0))


def test_movement_by_hand():
    found = movement(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, -3.0]]))
    assert (found.initial_minimum, found.initial_maximum) == (0, 0)
    assert (found.minimum, found.maximum, found.mean, found.deviation) == (-3, 1, -1, 2)
    assert (found.mean_change, found.largest_change) == (2, 3)


# Evaluation


def test_evaluation_is_the_models_own_predictions(tmp_path):
    model, data = letter_model(), replace(letters(50), class_names=CLASSES)
    report = evaluate(model, data, cache_dir=tmp_path, progress=False)
    features, labels = letter_features(50)
    with torch.no_grad():
        predicted = model.classifier(features).logits.argmax(-1)
    assert report.scores.accuracy == pytest.approx(float((predicted == labels).double().mean()))
    assert report.scores.accuracy > 0.9
    assert report.head_parameters == sum(p.numel() for p in model.classifier.parameters())
    assert report.encoder_parameters is None
    assert report.data["classes"] == data.counts
    assert report.seed == model.config.seed


def test_the_mean_map_averages_first_and_scales_then():
    model = letter_model()
    features, _ = letter_features(30)
    mean = mean_over(model, features)
    head = model.classifier
    with torch.no_grad():
        each = head.attention.by_head(head.attention.attend(head.attention.gate(head.standardise(features))))
    expected = each.mean(0)
    assert mean.samples == 30
    np.testing.assert_allclose(mean.density_attention, expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(mean.importance, importance_factor(expected).importance.numpy(), atol=1e-5)


def test_the_mean_map_leaves_the_model_as_it_was():
    model = letter_model()
    before = {name: tensor.clone() for name, tensor in model.classifier.state_dict().items()}
    mean_over(model, letter_features(5)[0])
    after = model.classifier.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_the_report_names_the_cells_with_the_highest_importance():
    data = replace(letters(20), class_names=CLASSES)
    report = evaluate_features(letter_model(), data, letter_features(20)[0])
    first = report.top_cells[0]
    assert report.mean.importance[first["head"], first["layer"], first["feature"]] == 1.0
    values = [cell["importance"] for cell in report.top_cells]
    assert values == sorted(values, reverse=True)
    expected = layer_contribution(torch.from_numpy(report.mean.density_attention)).numpy()
    np.testing.assert_allclose(report.layer_contribution, expected)
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["scores"]["samples"] == 20


def test_data_the_head_was_trained_on_is_recognised():
    data = replace(letters(20), class_names=CLASSES)
    features = letter_features(20)[0]
    model = letter_model()
    assert not evaluate_features(model, data, features).trained_on
    known = Model(model.classifier, report={"data": describe_data(data)})
    assert evaluate_features(known, data, features).trained_on
    fewer = data.part(range(19))
    assert not evaluate_features(known, fewer, features[:19]).trained_on


def test_other_classes_are_refused(tmp_path):
    data = replace(letters(4), class_names=("x", "y"))
    with pytest.raises(DataError, match="letters has the classes x, y, but letters knows vowels, consonants"):
        evaluate(letter_model(), data, cache_dir=tmp_path)


def test_parameters_of_an_encoder_are_counted():
    encoder = LetterEncoder()
    assert parameter_count(encoder) is None
    encoder.network = torch.nn.Linear(3, 4)
    assert parameter_count(encoder) == 16
    encoder.folded = [(torch.zeros(2, 3), 1), torch.zeros(5, dtype=torch.int64), {"name": "x"}]
    assert parameter_count(encoder) == 22
    encoder.again = encoder.folded[0][0]
    assert parameter_count(encoder) == 22


# What is written


def test_many_classes_are_shown_by_their_errors():
    names = [f"c{i}" for i in range(20)]
    labels = [0] * 5 + [1] * 3 + [2]
    found = score(labels, [1] * 4 + [0] + [2] * 3 + [2], names)
    assert confusion_table(found).rows == (("c0", "c1", "4"), ("c1", "c2", "3"))
    few = score([0, 1], [1, 1], ["a", "b"])
    assert confusion_table(few).rows == (("a", "0", "1"), ("b", "0", "1"))


def test_an_evaluations_page_says_when_the_data_is_known():
    data = replace(letters(20), class_names=CLASSES)
    model = Model(letter_model().classifier, report={"data": describe_data(data)})
    report = evaluate_features(model, data, letter_features(20)[0])
    first = evaluation_blocks(report)[0]
    assert isinstance(first, Paragraph)
    assert first.text.startswith("The head was trained on this data")
