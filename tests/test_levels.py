"""Oracles: the published package's block, and the sum of levels written out."""

import numpy as np
import pytest
import torch
from gaussian_adaptive_attention import GaussianBlock

from daam_core import attach, explain
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import ConfigError
from daam_core.explaining import explain_encoding
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.removal.curves import deletion_curve
from daam_core.kernels.attend import formulas_alone
from daam_core.layers import DensityAttention
from daam_core.levels import DensityStack
from daam_core.model import DaamClassifier
from daam_core.published import to_published
from daam_core.reading.numbers import signed
from daam_core.reading.sentences import what_stands_out
from daam_core.trained import load_model
from tests.support.encode import encode
from tests.support.random_classifiers import random_classifier, random_inputs
from tests.support.small import LetterEncoder, letter_config, letter_model

STACKED = {
    "mode": "layer_groups",
    "amplitude": "none",
    "decoder": "linear",
    "gate_kind": "mixture",
    "n_gaussians": 3,
}
LEVELS, GROUPS = 3, 2


def stacked(seed: int = 0, **changes: object) -> DaamClassifier:
    return random_classifier(seed, **(STACKED | {"n_levels": LEVELS, "n_heads": LEVELS * GROUPS} | changes))


def levels_of(stack: DensityStack) -> list[DensityAttention]:
    """Each level as an attention of its own."""
    found = []
    for level in range(stack.n_levels):
        heads = stack.n_heads // stack.n_levels
        one = DensityAttention(
            n_layers=stack.n_layers,
            n_features=stack.n_features,
            n_heads=heads,
            mode="layer_groups",
            gate_kind=stack.gate_kind,
            n_gaussians=stack.mean_offset.shape[1],
        )
        some = slice(level * heads, (level + 1) * heads)
        one.mean_offset.data = stack.mean_offset[some].clone()
        one.log_scaled_variance.data = stack.log_scaled_variance[some].clone()
        found.append(one)
    return found


@pytest.mark.parametrize("kind", ["density", "mixture"])
def test_each_level_adds_what_its_heads_let_through(kind):
    classifier = stacked(gate_kind=kind)
    stack = classifier.attention
    x = classifier.standardise(random_inputs())
    output, gate = stack(x)
    raised, seen = x, []
    for number, level in enumerate(levels_of(stack)):
        rows = slice(6 * number, 6 * number + 6)
        expected, of_level = level(raised)
        torch.testing.assert_close(output[:, rows], expected)
        torch.testing.assert_close(gate[:, rows], of_level)
        torch.testing.assert_close(stack.seen(x, gate)[:, rows], raised)
        seen.append(level.statistics(raised))
        raised = raised + expected
    assert torch.equal(output[:, 18:], x)
    assert bool((gate[:, 18:] == 1).all())
    torch.testing.assert_close(stack.sum_of_levels(output), raised)
    torch.testing.assert_close(stack.gate(x), gate)
    torch.testing.assert_close(stack.seen(x, gate) * gate, output)
    for found, expected in zip(stack.statistics(x), zip(*seen, strict=True), strict=True):
        torch.testing.assert_close(found, torch.cat(expected, 1))
    by_head = stack.by_head(output).sum(-2) / stack.head_layers.sum(-1)[:, None]
    torch.testing.assert_close(stack.pooled(x), by_head)
    logits = classifier.decoder(raised.flatten(1))
    torch.testing.assert_close(classifier(random_inputs()).logits, logits)
    torch.testing.assert_close(classifier.logits(random_inputs()), logits)


def test_it_equals_the_published_block_with_its_parameters():
    stack = stacked().attention.double()
    theirs = GaussianBlock([1] * LEVELS, [GROUPS] * LEVELS, [3] * LEVELS, LEVELS).double()
    for layer, level in zip(theirs.layers, levels_of(stack), strict=True):
        layer.double().load_state_dict(to_published(level))
    # Layers far apart, where the package's floor is not met, see `from_published`.
    x = 3 * torch.arange(6.0)[:, None] + random_inputs(5).double() / 5
    torch.testing.assert_close(stack.sum_of_levels(stack(x)[0]), theirs(x), rtol=0, atol=1e-7)


def test_the_kernels_compute_what_the_formulas_do():
    torch.manual_seed(0)
    stack = DensityStack(n_levels=2, n_layers=6, n_features=64, n_heads=4, gate_kind="mixture", n_gaussians=2)
    x = torch.randn(200, 6, 64)
    stack.prepare(len(x))
    found = stack(x)
    with formulas_alone():
        expected = stack(x)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_rows_and_heads_go_over_into_each_other():
    stack = stacked().attention
    full = torch.rand(2, 6, 6, 5) * stack.head_layers[:, :, None]
    rows = stack.by_row(full)
    assert rows.shape == (2, 24, 5)
    assert torch.equal(stack.by_head(rows), full)
    assert bool((rows[:, 18:] == 1).all())


def test_shares_of_all_levels_and_of_the_residual_make_up_the_logit():
    model = letter_model(**STACKED, n_levels=3, n_heads=3)
    e = explain(model, "hello")
    decoder = model.classifier.decoder
    weight = decoder.weight[e.explained].detach().unflatten(0, e.values.shape).numpy()
    assert e.residual_share == pytest.approx((weight * e.values).sum(), rel=1e-4)
    whole = e.class_importance.sum() + e.residual_share + decoder.bias[e.explained].item()
    assert whole == pytest.approx(e.logits[e.explained], rel=1e-4)
    assert e.token_attribution.sum() == pytest.approx(e.class_importance.sum(), rel=1e-4)
    np.testing.assert_allclose(e.density_attention, e.gate)
    assert e.n_levels == 3
    said = " ".join(what_stands_out(e))
    assert "Heads stand in 3 levels, 0, then 1, then 2" in said
    assert f"add {signed(e.residual_share)} to the logit of “{e.explained_class}”" in said


def test_attached_it_says_what_it_says_as_a_classifier():
    model = letter_model(**STACKED, n_levels=3, n_heads=3)
    expected = explain(model, "hello")
    pooled = torch.from_numpy(expected.pooled)[None]
    names = {"class_names": model.class_names, "axes": ("layer", "feature")}
    with attach(model.classifier, pooled, prepare=lambda x: x, **names) as attached:
        (found,) = attached.explain(pooled, target=expected.explained).values()
    assert found.n_levels == 3
    assert found.residual_share == pytest.approx(expected.residual_share, rel=1e-5)
    np.testing.assert_allclose(found.class_importance, expected.class_importance, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.statistic_variance, expected.statistic_variance, rtol=1e-4)


def test_a_muted_head_adds_nothing_and_later_levels_keep_what_they_saw():
    model = letter_model(**STACKED, n_levels=3, n_heads=3)
    encoding = encode(LetterEncoder(), "hello")
    e = explain_encoding(model, encoding)
    keep = torch.ones(e.shape)
    keep[1] = 0
    muted = explain_encoding(model, encoding, keep=keep, target=e.explained)
    assert muted.logits[e.explained] == pytest.approx(
        e.logits[e.explained] - e.class_importance[1].sum(), rel=1e-4, abs=1e-5
    )
    np.testing.assert_array_equal(muted.gate, e.gate)


def test_a_checkpoint_keeps_all_of_it(tmp_path):
    model = letter_model(**STACKED, n_levels=3, n_heads=3)
    model.save_pretrained(tmp_path / "block")
    again = load_model(tmp_path / "block", encoder=LetterEncoder())
    assert again.config == model.config
    one, other = explain(model, "hello"), explain(again, "hello")
    np.testing.assert_array_equal(one.importance, other.importance)
    np.testing.assert_allclose(one.dataset.density_attention, other.dataset.density_attention, rtol=1e-6)


def test_averages_over_a_data_set_are_those_of_single_inputs():
    classifier = stacked()
    inputs = random_inputs(9)
    found = dataset_mean(classifier, inputs)
    gate = classifier.attention.by_head(classifier.attention.gate(classifier.standardise(inputs)))
    np.testing.assert_allclose(found.gate, gate.mean(0), rtol=1e-5)
    mean, variance = classifier.attention.statistics(classifier.standardise(inputs))
    np.testing.assert_allclose(found.statistic_mean, mean.mean(0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.statistic_variance, variance.mean(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"mode": "shared"},
        {"amplitude": "layer"},
        {"decoder": "pool"},
        {"n_heads": 4},
    ],
)
def test_a_stack_that_cannot_be_is_refused(changes):
    settings = STACKED | {"n_levels": 3, "n_heads": 3} | changes
    with pytest.raises(ConfigError, match="Several levels go with mode layer_groups, amplitude none"):
        letter_config(**settings)


def test_the_values_that_pass_by_are_never_removed():
    classifier = stacked()
    cells = gated_cells(classifier, random_inputs())
    assert cells.per_input == 18 * 5
    curve = deletion_curve(cells, torch.zeros(24, 5))
    x = classifier.standardise(random_inputs())
    bare = classifier.decoder(x.flatten(1)).softmax(-1)
    followed = classifier(random_inputs()).logits.argmax(-1)
    left = bare[torch.arange(len(x)), followed]
    np.testing.assert_allclose(curve.probability[:, -1], left.numpy(), rtol=1e-5)


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(ConfigError, match="4 heads do not divide evenly among 3 levels"):
        DensityStack(n_levels=3, n_layers=6, n_features=2, n_heads=4)
    with pytest.raises(ConfigError, match="several"):
        to_published(stacked().attention)
