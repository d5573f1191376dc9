"""Mean maps, and what an evaluation reports."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from daam_core.errors import DataError
from daam_core.importance import layer_contribution
from daam_core.trained import TrainedClassifier
from daam_core.training.evaluation import (
    data_facts,
    evaluate,
    evaluate_features,
    movement,
)
from tests.support.data import letters
from tests.support.small import CLASSES, letter_features, letter_model


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
    assert report.classifier_parameters == sum(p.numel() for p in model.classifier.parameters())
    assert report.encoder_parameters is None
    assert report.data.classes == data.counts
    assert report.seed == model.config.seed


def test_the_report_names_the_cells_with_the_highest_importance():
    data = replace(letters(20), class_names=CLASSES)
    report = evaluate_features(letter_model(), data, letter_features(20)[0])
    first = report.top_cells[0]
    assert report.mean.importance[first["head"], first["layer"], first["feature"]] == 1.0
    values = [cell["importance"] for cell in report.top_cells]
    assert values == sorted(values, reverse=True)
    expected = layer_contribution(torch.from_numpy(report.mean.density_attention)).numpy()
    np.testing.assert_allclose(report.layer_contribution, expected)
    assert json.loads(json.dumps(report.as_dict(), allow_nan=False))["scores"]["inputs"] == 20


def test_data_the_classifier_was_trained_on_is_recognised():
    data = replace(letters(20), class_names=CLASSES)
    features = letter_features(20)[0]
    model = letter_model()
    assert not evaluate_features(model, data, features).trained_on
    known = TrainedClassifier(model.classifier, report={"data": asdict(data_facts(data))})
    assert evaluate_features(known, data, features).trained_on
    fewer = data.part(range(19))
    assert not evaluate_features(known, fewer, features[:19]).trained_on


def test_other_classes_are_refused(tmp_path):
    data = replace(letters(4), class_names=("x", "y"))
    with pytest.raises(DataError, match="letters has the classes x, y, but letters knows vowels, consonants"):
        evaluate(letter_model(), data, cache_dir=tmp_path)
