"""Oracles: special cases that must equal simpler models, and configurations that must be refused."""

import dataclasses

import pytest
import torch

from daam_core.configuration import ModelConfig
from daam_core.errors import ConfigError
from daam_core.model import CONVOLVED_AT_ONCE, DaamClassifier
from daam_core.training.baselines import LayerProbe, WeightedLayerSum
from daam_core.training.fitting import accuracy
from tests.support.encode import encode
from tests.support.random_classifiers import random_classifier, random_inputs
from tests.support.small import FEATURES, LAYERS, LetterEncoder, letter_config, letter_data, letter_model

EVERY_KIND = [
    {"mode": mode, "gate_kind": gate, "decoder": decoder, "amplitude": amplitude, "n_gaussians": 3}
    for mode in ("shared", "layer_groups")
    for gate in ("density", "mixture")
    for decoder in ("pool", "linear", "conv")
    for amplitude in ("none", "layer")
] + [
    {"decoder": "density", "gate_kind": gate, "n_gaussians": 3, "n_directions": 5, "n_prototypes": 4}
    for gate in ("density", "mixture")
]


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: "-".join(map(str, kind.values())))
def test_every_kind_decides_sample_by_sample(kind):
    torch.manual_seed(0)
    head = DaamClassifier(letter_config(**kind)).eval()
    x = torch.randn(5, LAYERS, FEATURES)
    logits, gate = head(x)
    assert logits.shape == (5, 2)
    assert gate.shape == (5, len(head.attention.head_of_row), FEATURES)
    order = torch.tensor([3, 1, 4, 0, 2])
    torch.testing.assert_close(head(x[order]).logits, logits[order], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(head(x[:1]).logits, logits[:1], rtol=1e-4, atol=1e-5)
    logits.sum().backward()
    learned = [p for p in head.parameters() if p.requires_grad]
    assert all(p.grad is not None and bool(torch.isfinite(p.grad).all()) for p in learned)


def test_convolutions_in_parts_are_those_of_all_inputs_at_once():
    torch.manual_seed(0)
    head = DaamClassifier(letter_config(decoder="conv"))
    gated = torch.randn(2 * CONVOLVED_AT_ONCE + 3, 2 * LAYERS, FEATURES)
    torch.testing.assert_close(head.decode(gated), head.decoder(gated.unsqueeze(2)), rtol=1e-5, atol=1e-5)


def test_a_wide_gate_with_pooling_is_the_weighted_layer_sum():
    """ξ → ∞ opens the gate; what is left is λ, a softmax over layers: the weighted layer sum."""
    torch.manual_seed(1)
    head = DaamClassifier(letter_config(n_heads=1, offset_spread=0.0))
    rival = WeightedLayerSum(LAYERS, FEATURES, 2)
    with torch.no_grad():
        head.attention.log_scaled_variance.fill_(1e9)
        head.attention.amplitude_logits.copy_(torch.randn(1, LAYERS))
        rival.weight_logits.copy_(head.attention.amplitude_logits[0])
        rival.decoder.load_state_dict(head.decoder.state_dict())
    x = torch.randn(4, LAYERS, FEATURES)
    torch.testing.assert_close(head(x).logits, rival(x), rtol=2e-2, atol=2e-3)


def test_one_dominant_layer_with_a_wide_gate_is_the_last_layer_probe():
    torch.manual_seed(2)
    head = DaamClassifier(letter_config(n_heads=1, amplitude_start=50.0))
    rival = LayerProbe(LAYERS, FEATURES, 2)
    with torch.no_grad():
        head.attention.log_scaled_variance.fill_(1e9)
        rival.decoder.load_state_dict(head.decoder.state_dict())
    x = torch.randn(4, LAYERS, FEATURES)
    torch.testing.assert_close(head(x).logits, rival(x), rtol=2e-2, atol=2e-3)


def test_tokens_are_standardised_like_pooled_values():
    model = letter_model()
    hidden = encode(LetterEncoder(), "hello").hidden
    tokens = model.classifier.standardise_tokens(hidden)
    for t in range(5):
        torch.testing.assert_close(tokens[:, t], model.classifier.standardise(hidden[:, t]))


def test_training_learns_letters():
    texts, labels = letter_data(60, seed=9)
    encoder, model = LetterEncoder(), letter_model()
    features = torch.stack([encode(encoder, text).hidden.mean(1) for text in texts])
    assert accuracy(model.classifier, features, labels) > 0.9
    assert (model.classifier.attention.mean_offset - model.classifier.attention.initial_mean_offset).any()


def test_a_configuration_survives_its_own_dictionary():
    config = letter_config(
        mode="layer_groups", gate_kind="mixture", n_gaussians=5, amplitude_start=1.5, seed=7
    )
    assert ModelConfig.from_dict(dataclasses.asdict(config)) == config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "both"}, "mode must be one of shared, layer_groups, got 'both'"),
        ({"modality": "smell"}, "modality must be one of"),
        ({"n_heads": 0}, "n_heads must be a positive whole number"),
        ({"n_heads": 2.5}, "n_heads must be a positive whole number"),
        ({"n_layers": True}, "n_layers must be a positive whole number"),
        ({"offset_spread": float("nan")}, "offset_spread must be a finite number"),
        ({"class_names": ["only"]}, "at least two distinct"),
        ({"class_names": ["a", "a"]}, "at least two distinct"),
        ({"class_names": "ab"}, "must be a list"),
        ({"encoder": {"name": "x"}}, "encoder must have the texts"),
        ({"surprise": 1}, "unknown entries: surprise"),
    ],
)
def test_unusable_configurations_are_refused(change, message):
    raw = dataclasses.asdict(letter_config()) | change
    with pytest.raises(ConfigError, match=message):
        ModelConfig.from_dict(raw)


def test_incomplete_configurations_are_refused():
    with pytest.raises(ConfigError, match="lacks: class_names, encoder, modality"):
        ModelConfig.from_dict({"n_layers": 6, "n_features": 8})
    with pytest.raises(ConfigError, match="must be a JSON object, got list"):
        ModelConfig.from_dict([])


@pytest.mark.parametrize(
    "kind", [{}, {"mode": "layer_groups"}, {"decoder": "linear"}, {"decoder": "density"}]
)
def test_logits_alone_are_those_of_a_decision(kind):
    classifier, x = random_classifier(**kind), random_inputs()
    torch.testing.assert_close(classifier.logits(x), classifier(x).logits)


def test_a_density_decoder_widens_its_halves_once_and_again_when_they_change():
    classifier, x = random_classifier(decoder="density", n_prototypes=4, n_directions=3), random_inputs()
    decoder = classifier.decoder
    with torch.inference_mode():
        before = decoder.wide(torch.float32)
    assert decoder.wide(torch.float32) is before
    gated = classifier.attention.output(classifier.standardise(x)).requires_grad_(True)
    classifier.decode(gated).sum().backward()  # what was widened in inference mode has gradients, too
    with torch.no_grad():
        decoder.prototypes.neg_()
    torch.testing.assert_close(decoder.wide(torch.float32).prototypes, -before.prototypes)
    assert decoder.wide(torch.float64).directions.dtype == torch.float64
    decoder.prototypes = torch.nn.Parameter(decoder.prototypes * 2, requires_grad=False)
    torch.testing.assert_close(decoder.wide(torch.float32).squares, before.squares * 4)
