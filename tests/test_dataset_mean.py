"""Averages over a data set against means of what single inputs give."""

import numpy as np
import pytest
import torch

from daam_core.dataset_mean import dataset_mean
from daam_core.errors import DataError
from daam_core.importance import importance_factor
from daam_core.model import DaamClassifier
from tests.support.small import FEATURES, LAYERS, letter_config, letter_features, letter_model


def test_it_is_the_mean_of_single_gates():
    classifier = DaamClassifier(letter_config()).requires_grad_(False)
    x = torch.randn(7, LAYERS, FEATURES) * 3 + 1
    classifier.standardisation.fit(x)
    found = dataset_mean(classifier, x, batch_size=3)
    gates = torch.stack([classifier(each[None]).gate[0] for each in x])
    by_head = classifier.attention.by_head(gates.mean(0))
    np.testing.assert_allclose(found.gate, by_head, rtol=1e-5, atol=1e-6)
    values = classifier.standardise(x)
    np.testing.assert_allclose(found.values, values.mean(0), rtol=1e-5, atol=1e-6)
    # Shared heads: the mean over inputs of each input's own mean and variance over all layers.
    for of_heads, statistic in (
        (found.statistic_mean, values.mean(1).mean(0)),
        (found.statistic_variance, values.var(1, correction=0).mean(0) + 1e-8),
    ):
        np.testing.assert_allclose(of_heads, statistic.expand(2, -1), rtol=1e-5, atol=1e-6)
    assert found.samples == 7


def test_statistics_are_those_of_each_heads_own_layers():
    classifier = DaamClassifier(letter_config(mode="layer_groups"))
    x = torch.randn(5, LAYERS, FEATURES) + 2
    found = dataset_mean(classifier, x)
    for head, seen in enumerate(classifier.attention.head_layers):
        np.testing.assert_allclose(found.statistic_mean[head], x[:, seen].mean(1).mean(0), rtol=1e-5)
        variance = x[:, seen].var(1, correction=0).mean(0) + 1e-8
        np.testing.assert_allclose(found.statistic_variance[head], variance, rtol=1e-4)


def test_the_importance_factor_is_averaged_first_and_scaled_then():
    classifier = letter_model().classifier
    features, _ = letter_features(30)
    mean = dataset_mean(classifier, features)
    attention = classifier.attention
    each = attention.by_head(attention.attend(attention.gate(classifier.standardise(features))))
    expected = each.mean(0)
    assert mean.samples == 30
    np.testing.assert_allclose(mean.density_attention, expected.numpy(), atol=1e-6)
    np.testing.assert_allclose(mean.importance, importance_factor(expected).importance.numpy(), atol=1e-5)


def test_the_classifier_stays_as_it_was():
    classifier = letter_model().classifier
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    dataset_mean(classifier, letter_features(5)[0])
    after = classifier.state_dict()
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


def test_no_inputs_have_no_mean():
    with pytest.raises(DataError, match="at least one input"):
        dataset_mean(letter_model().classifier, torch.zeros(0, LAYERS, FEATURES))
