"""Baselines decide from standardised features and say what belongs to a gate."""

import pytest
import torch

from daam_core.training.baselines import (
    GroupedQuery,
    LayerProbe,
    LinearProbe,
    MultiHeadAttention,
    Perceptron,
    WeightedLayerSum,
)

LAYERS, FEATURES, CLASSES = 4, 8, 3
BASELINES = (
    LinearProbe,
    LayerProbe,
    WeightedLayerSum,
    MultiHeadAttention,
    GroupedQuery,
    Perceptron,
)


@pytest.mark.parametrize("kind", BASELINES)
def test_a_baseline_standardises_first(kind):
    torch.manual_seed(0)
    model = kind(LAYERS, FEATURES, CLASSES).eval()
    x = torch.randn(6, LAYERS, FEATURES)
    expected = model(x)
    assert expected.shape == (6, CLASSES)
    model.standardisation.mean.fill_(2.0)
    model.standardisation.deviation.fill_(3.0)
    torch.testing.assert_close(model(3 * x + 2), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", BASELINES)
def test_weights_of_a_layer_sum_are_trained_like_a_gate(kind):
    model = kind(LAYERS, FEATURES, CLASSES)
    trained = {WeightedLayerSum: ("weight_logits",)}.get(kind, ())
    expected = {name for name, _ in model.named_parameters() if name.startswith(trained) and trained}
    gate = {id(parameter) for parameter in model.gate_parameters()}
    assert {name for name, parameter in model.named_parameters() if id(parameter) in gate} == expected


def test_layer_weights_and_attention_sum_to_one():
    total = torch.ones(())
    torch.testing.assert_close(WeightedLayerSum(LAYERS, FEATURES, CLASSES).layer_weights.sum(), total)
    x = torch.randn(2, LAYERS, FEATURES)
    for kind, heads in ((MultiHeadAttention, 4), (GroupedQuery, 8)):
        attention = kind(LAYERS, FEATURES, CLASSES).layer_attention(x)
        torch.testing.assert_close(attention.sum(-1), total.expand(2, heads))


def test_batch_norm_stands_between_attention_and_decoder():
    model = MultiHeadAttention(LAYERS, FEATURES, CLASSES, batch_norm=True).train()
    represented = model.represent(5 * torch.randn(64, LAYERS, FEATURES) + 3)
    torch.testing.assert_close(represented.mean(0), torch.zeros(FEATURES), atol=1e-5, rtol=0)
