"""Oracles: the classifier's own forward pass, autograd, and sums that must hold."""

import numpy as np
import pytest
import torch

from daam_core.encoding import pool
from daam_core.errors import InputError, ShapeError
from daam_core.explaining import class_index, explain, explain_encoding
from daam_core.importance import importance_factor
from daam_core.reading.sentences import said_muted, what_stands_out
from tests.support.encode import encode
from tests.support.small import CLASSES, FEATURES, LAYERS, LetterEncoder, letter_model

KINDS = [
    {},
    {"mode": "layer_groups"},
    {"gate_kind": "mixture", "n_gaussians": 3},
    {"decoder": "linear", "amplitude": "none"},
    {"decoder": "conv", "mode": "layer_groups", "gate_kind": "mixture", "n_gaussians": 2},
    {"decoder": "density"},
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())) or "default")
def test_an_explanation_holds_the_numbers_of_the_forward_pass(kind):
    model = letter_model(**kind)
    e = explain(model, "hello")
    head = model.classifier
    pooled = pool(encode(LetterEncoder(), "hello"))
    decision = head(pooled[None])
    np.testing.assert_allclose(e.logits, decision.logits[0].detach(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(e.probabilities, decision.logits[0].detach().softmax(-1), rtol=1e-5)
    assert e.probabilities.sum() == pytest.approx(1, abs=1e-12)
    assert e.predicted_class == CLASSES[int(decision.logits.argmax())]
    assert e.shape == (2, LAYERS, FEATURES)
    np.testing.assert_array_equal(e.gate, head.attention.by_head(decision.gate)[0].detach())
    np.testing.assert_allclose(e.density_attention, e.amplitude[..., None] * e.gate, rtol=1e-6)
    expected = importance_factor(torch.tensor(e.density_attention), head_layers=torch.tensor(e.head_layers))
    np.testing.assert_array_equal(e.importance, expected.importance)
    assert e.layer_contribution.sum() == pytest.approx(100, rel=1e-5)
    np.testing.assert_array_equal(e.mean_offset, head.attention.mean_offset.detach())
    np.testing.assert_array_equal(e.scaled_variance, head.attention.scaled_variance.detach())


@pytest.mark.parametrize("kind", KINDS[:4], ids=lambda kind: "-".join(map(str, kind.values())) or "default")
@pytest.mark.parametrize("target", CLASSES)
def test_attributions_sum_to_the_logit_without_its_bias(kind, target):
    """With the gate held fixed a linear decoder's logit is its bias plus every cell's share."""
    model = letter_model(**kind)
    e = explain(model, "banana", target=target)
    bias = model.classifier.decoder.bias[CLASSES.index(target)].item()
    logit = e.logits[CLASSES.index(target)]
    assert e.class_importance.sum() + bias == pytest.approx(logit, rel=1e-4, abs=1e-4)
    assert e.token_attribution.sum() == pytest.approx(e.class_importance.sum(), rel=1e-3, abs=1e-4)
    np.testing.assert_allclose(e.head_token_attribution.sum(0), e.token_attribution, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        e.head_token_attribution.sum(1), e.class_importance.sum((1, 2)), rtol=1e-3, atol=1e-4
    )


@pytest.mark.parametrize("target", CLASSES)
def test_tokens_cells_and_evidence_add_up_with_joint_gates(target):
    """Shares of tokens are those of cells in the evidence, which is what the log gates say, exactly."""
    model = letter_model(decoder="density")
    classifier, e = model.classifier, explain(model, "banana", target=target)
    np.testing.assert_allclose(e.head_token_attribution.sum(1), e.evidence.sum((1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(e.head_token_attribution.sum(0), e.token_attribution, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        e.class_importance, e.gradient * e.density_attention * e.values, rtol=1e-6, atol=1e-9
    )
    gated = torch.tensor(e.density_attention * e.values)[None].flatten(1, 2)
    gates, at_mean = (classifier.decoder.gates(cells)[0].detach() for cells in (gated, 0 * gated))
    rows = classifier.decoder.output.weight.detach()
    own = CLASSES.index(target)
    expected = ((rows[own] - rows[1 - own]) * gates * (gates / at_mean).log()).sum()
    assert e.evidence.sum() == pytest.approx(float(expected), rel=1e-3, abs=1e-4)
    assert explain(letter_model(), "banana").evidence is None


def test_the_open_head_lets_everything_through():
    e = explain(letter_model(decoder="density"), "hello")
    assert e.gate[0].min() > 0.99
    assert e.gate[1].min() < 0.9


def test_one_token_alone_carries_everything():
    e = explain(letter_model(), "q")
    assert e.token_attribution[0] == pytest.approx(e.class_importance.sum(), rel=1e-4)
    assert e.token_labels == ("q",)
    assert e.text == "q"


def test_the_explained_class_changes_the_gradient_and_nothing_else():
    model = letter_model()
    first, second = (explain(model, "hello", target=name) for name in CLASSES)
    np.testing.assert_array_equal(first.importance, second.importance)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert (first.gradient != second.gradient).any()
    assert (first.explained, second.explained) == (0, 1)


def test_muted_cells_count_as_the_training_mean():
    model = letter_model()
    encoding = encode(LetterEncoder(), "hello")
    keep = np.ones((2, LAYERS, FEATURES), dtype=np.float32)
    unmuted = explain_encoding(model, encoding, keep=keep)
    np.testing.assert_array_equal(unmuted.logits, explain_encoding(model, encoding).logits)
    keep[1] = 0
    muted = explain_encoding(model, encoding, keep=keep)
    assert not muted.density_attention[1].any()
    assert (muted.provenance["muted_cells"], muted.provenance["muted_heads"]) == (LAYERS * FEATURES, [1])
    assert said_muted(muted) == "head 1 is muted"
    assert what_stands_out(muted)[0] == "Head 1 is muted; shares are of what is left."
    everything = explain_encoding(model, encoding, keep=np.zeros_like(keep))
    np.testing.assert_allclose(everything.logits, model.classifier.decoder.bias.detach(), atol=1e-6)
    assert everything.degenerate
    # One cell: the logit changes by exactly its share.
    keep = np.ones_like(keep)
    keep[0, 3, 2] = 0
    one = explain_encoding(model, encoding, keep=keep, target=unmuted.explained)
    change = unmuted.logits[unmuted.explained] - one.logits[unmuted.explained]
    assert change == pytest.approx(unmuted.class_importance[0, 3, 2], abs=1e-5)
    assert said_muted(one) == "1 cell is muted"


@pytest.mark.parametrize(
    "keep", [np.ones((2, 3, 4)), np.full((2, LAYERS, FEATURES), 2.0), np.full((2, LAYERS, FEATURES), np.nan)]
)
def test_an_unusable_mask_is_refused(keep):
    with pytest.raises(ShapeError, match=r"keep must be \[2, 6, 8\]"):
        explain_encoding(letter_model(), encode(LetterEncoder(), "a"), keep=keep)


@pytest.mark.parametrize("target", ["vowel", 2, -1, True, 1.0])
def test_an_unknown_class_is_refused_before_the_encoder_runs(target):
    with pytest.raises(InputError, match="the classes are vowels, consonants"):
        explain(letter_model(), None, target=target)


def test_class_index():
    assert class_index(CLASSES, None) is None
    assert class_index(CLASSES, "consonants") == class_index(CLASSES, 1) == 1


def test_the_same_input_gives_the_same_bytes():
    model = letter_model()
    first, second = explain(model, "same"), explain(model, "same")
    for name in ("gate", "importance", "gradient", "token_attribution", "probabilities"):
        assert getattr(first, name).tobytes() == getattr(second, name).tobytes()
    assert first.provenance == second.provenance


def test_per_head_scale_is_recorded():
    e = explain(letter_model(), "hello", scale="per_head")
    assert e.scale == "per_head"
    np.testing.assert_allclose(e.importance.max((1, 2)), 1)
    np.testing.assert_array_equal(e.importance_range[:, 1], e.density_attention.max((1, 2)))


@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_statistics_of_a_mixture_are_those_of_its_gate(mode):
    e = explain(letter_model(mode=mode, gate_kind="mixture", n_gaussians=3), "hello")
    for head, seen in enumerate(e.head_layers):
        np.testing.assert_allclose(e.statistic_variance[head], e.values[seen].var(0, ddof=1), rtol=1e-4)
        z = e.values[seen] - e.statistic_mean[head] - e.mean_offset[head][:, None, None]
        exponent = z**2 / (2 * e.scaled_variance[head][:, None, None] ** 2 * e.statistic_variance[head])
        gate = np.exp(-exponent.sum(0))
        np.testing.assert_allclose(e.gate[head][seen], gate / gate.sum(0), rtol=1e-3, atol=1e-6)


def test_statistics_are_those_of_the_gate():
    e = explain(letter_model(mode="layer_groups"), "hello")
    for head, seen in enumerate(e.head_layers):
        np.testing.assert_allclose(e.statistic_mean[head], e.values[seen].mean(0), rtol=1e-4, atol=1e-5)
        z = (e.values[seen] - e.statistic_mean[head] - e.mean_offset[head]) / np.sqrt(
            e.statistic_variance[head] + 1e-5
        )
        np.testing.assert_allclose(
            e.gate[head][seen], np.exp(-(z**2) / (2 * e.scaled_variance[head])), rtol=1e-3
        )
