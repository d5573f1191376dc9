"""Baselines decide from standardised features and say what belongs to a gate."""

import pytest
import torch

from daam_core.training.baselines import BASELINES, MultiHeadAttention, WeightedLayerSum

LAYERS, FEATURES, CLASSES = 4, 8, 3


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_baseline_standardises_first(name):
    torch.manual_seed(0)
    model = BASELINES[name](LAYERS, FEATURES, CLASSES)
    x = torch.randn(6, LAYERS, FEATURES)
    expected = model(x)
    assert expected.shape == (6, CLASSES)
    model.standardisation.mean.fill_(2.0)
    model.standardisation.deviation.fill_(3.0)
    torch.testing.assert_close(model(3 * x + 2), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", list(BASELINES))
def test_only_the_weights_of_a_layer_sum_are_trained_like_a_gate(name):
    model = BASELINES[name](LAYERS, FEATURES, CLASSES)
    expected = [model.weight_logits] if isinstance(model, WeightedLayerSum) else []
    assert [id(parameter) for parameter in model.gate_parameters()] == list(map(id, expected))


def test_layer_weights_and_attention_sum_to_one():
    total = torch.ones(())
    torch.testing.assert_close(WeightedLayerSum(LAYERS, FEATURES, CLASSES).layer_weights.sum(), total)
    attention = MultiHeadAttention(LAYERS, FEATURES, CLASSES).layer_attention(
        torch.randn(2, LAYERS, FEATURES)
    )
    torch.testing.assert_close(attention.sum(-1), total.expand(2, 4))
