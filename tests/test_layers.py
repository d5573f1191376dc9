"""Oracles: the numerical reference in both head modes, a plain loop over heads, the chain rule."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import density_gate, mixture_gate
from daam_core.layers import (
    SCALED_VARIANCE_RANGE,
    DensityAttention,
    Standardisation,
    group_sizes,
    grouped_gate,
)
from tests.support.reference import DENSITY_CASES, MIXTURE_CASES, load_case, needs_reference

EXACT = {"rtol": 0, "atol": 1e-9}


def set_parameters(heads: DensityAttention, offset: torch.Tensor, spread: torch.Tensor) -> None:
    with torch.no_grad():
        heads.mean_offset.copy_(offset)
        heads.log_scaled_variance.copy_(spread.log())


@needs_reference
@pytest.mark.parametrize("name", DENSITY_CASES)
def test_layer_groups_match_the_reference(name):
    case = load_case(name)
    x = case["x"].clone().requires_grad_(True)
    heads = DensityAttention(
        n_layers=x.shape[1], n_features=x.shape[2], n_heads=len(case["mean_offset"]), mode="layer_groups"
    ).double()
    set_parameters(heads, case["mean_offset"], case["scaled_variance"])
    output, gate = heads(x)
    torch.testing.assert_close(gate, case["gate"], **EXACT)
    torch.testing.assert_close(output, case["output"], **EXACT)
    output.backward(case["upstream"])
    torch.testing.assert_close(x.grad, case["grad_x"], **EXACT)
    torch.testing.assert_close(heads.mean_offset.grad, case["grad_mean_offset"], **EXACT)
    # The module learns log ξ: ∂/∂ log ξ = ξ ∂/∂ ξ.
    spread_gradient = heads.log_scaled_variance.grad / case["scaled_variance"]
    torch.testing.assert_close(spread_gradient, case["grad_scaled_variance"], **EXACT)


@needs_reference
def test_shared_mode_with_one_head_matches_the_reference():
    """One head over all layers is the same in both modes."""
    case = load_case("density_h1")
    x = case["x"].clone().requires_grad_(True)
    heads = DensityAttention(n_layers=x.shape[1], n_features=x.shape[2], n_heads=1, mode="shared").double()
    set_parameters(heads, case["mean_offset"], case["scaled_variance"])
    output, gate = heads(x)
    torch.testing.assert_close(gate, case["gate"], **EXACT)
    torch.testing.assert_close(output, case["output"], **EXACT)
    output.backward(case["upstream"])
    torch.testing.assert_close(x.grad, case["grad_x"], **EXACT)


@needs_reference
@pytest.mark.parametrize("name", MIXTURE_CASES)
def test_mixtures_match_the_reference(name):
    case = load_case(name)
    leaves = [case[key].clone().requires_grad_(True) for key in ("x", "mean_offsets", "scales")]
    gate = grouped_gate(mixture_gate, *leaves, axis=int(case["norm_axis"]))
    output = gate * leaves[0]
    torch.testing.assert_close(gate, case["gate"], **EXACT)
    torch.testing.assert_close(output, case["output"], **EXACT)
    output.backward(case["upstream"])
    for leaf, key in zip(leaves, ("grad_x", "grad_mean_offsets", "grad_scales"), strict=True):
        torch.testing.assert_close(leaf.grad, case[key], **EXACT)


@needs_reference
def test_the_mixture_module_matches_the_reference():
    case = load_case("mixture_layers")
    x = case["x"]
    heads = DensityAttention(
        n_layers=x.shape[1],
        n_features=x.shape[2],
        n_heads=len(case["scales"]),
        mode="layer_groups",
        gate_kind="mixture",
        n_gaussians=case["scales"].shape[1],
    ).double()
    set_parameters(heads, case["mean_offsets"], case["scales"])
    output, gate = heads(x)
    torch.testing.assert_close(gate, case["gate"], **EXACT)
    torch.testing.assert_close(output, case["output"], **EXACT)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("gate", [density_gate, mixture_gate])
def test_uneven_groups_equal_a_loop_in_which_the_last_head_takes_the_rest(gate, axis):
    torch.manual_seed(0)
    x = torch.randn(2, 11, 11, dtype=torch.float64)
    width = 3 if gate is mixture_gate else 11
    offsets, spreads = torch.randn(3, width).double(), torch.rand(3, width).double() + 0.5
    parts, start = [], 0
    for head, size in enumerate(group_sizes(11, 3)):
        part = x.narrow(axis, start, size)
        parts.append(gate(part, offsets[head], spreads[head], axis=axis))
        start += size
    expected = torch.cat(parts, axis)
    torch.testing.assert_close(grouped_gate(gate, x, offsets, spreads, axis=axis), expected)


@pytest.mark.parametrize("gate", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_rows_equal_a_loop_over_heads(mode, gate):
    torch.manual_seed(1)
    heads = DensityAttention(
        n_layers=10, n_features=7, n_heads=3, mode=mode, gate_kind=gate, n_gaussians=4, amplitude="layer"
    )
    with torch.no_grad():
        for parameter in heads.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    x = torch.randn(5, 10, 7)
    output, rows = heads(x)
    full = heads.by_head(rows)
    function = density_gate if gate == "density" else mixture_gate
    for head in range(3):
        seen = heads.head_layers[head]
        alone = function(x[:, seen], heads.mean_offset[head], heads.scaled_variance[head])
        torch.testing.assert_close(full[:, head, seen], alone)
        assert not full[:, head, ~seen].any()
    torch.testing.assert_close(heads.by_row(full), rows)
    expected = heads.by_row(heads.amplitude[None, :, :, None] * full * x[:, None])
    torch.testing.assert_close(output, expected)


@given(
    st.sampled_from(["shared", "layer_groups"]), st.integers(3, 12), st.integers(1, 4), st.integers(0, 999)
)
def test_the_amplitude_has_mean_one_over_each_heads_layers(mode, layers, n_heads, seed):
    if mode == "layer_groups" and layers // n_heads < 3:
        return
    heads = DensityAttention(
        n_layers=layers, n_features=2, n_heads=n_heads, mode=mode, amplitude="layer", amplitude_start=3.0
    )
    torch.manual_seed(seed)
    with torch.no_grad():
        heads.amplitude_logits += torch.randn_like(heads.amplitude_logits)
    seen = heads.head_layers
    means = (heads.amplitude * seen).sum(-1) / seen.sum(-1)
    torch.testing.assert_close(means, torch.ones(n_heads))
    assert not heads.amplitude[~seen].any()
    assert bool((heads.amplitude[seen] > 0).all())


def test_the_start_is_as_asked_for():
    heads = DensityAttention(
        n_layers=6, n_features=3, n_heads=5, amplitude="layer", offset_spread=2.0, amplitude_start=4.0
    )
    assert heads.mean_offset[:, 0].tolist() == [-2, -1, 0, 1, 2]
    torch.testing.assert_close(heads.scaled_variance, torch.full((5, 3), 2.0))
    assert heads.amplitude.argmax(-1).tolist() == [5] * 5
    paper = DensityAttention(n_layers=24, n_features=3, n_heads=8, mode="layer_groups", offset_spread=2.0)
    assert not paper.mean_offset.any()
    torch.testing.assert_close(paper.amplitude, paper.head_layers.float())


@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_a_mixtures_gaussians_start_alike_and_get_equal_gradients(mode):
    """So they stay alike, and K of them are a single one that starts 1/√K as wide."""

    def made(gaussians, scale):
        given = {"n_layers": 6, "n_features": 3, "n_heads": 2, "mode": mode, "offset_spread": 2.0}
        heads = DensityAttention(**given, gate_kind="mixture", n_gaussians=gaussians).double()
        with torch.no_grad():
            heads.log_scaled_variance += math.log(scale)
        x = torch.randn(5, 6, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        output, gate = heads(x)
        (output * torch.arange(1, output.numel() + 1).view_as(output).sin()).sum().backward()
        return heads, gate, (heads.mean_offset.grad, heads.log_scaled_variance.grad)

    four, gate, gradients = made(4, 1.0)
    start = [[-2.0], [2.0]] if mode == "shared" else [[0.0], [0.0]]
    assert four.mean_offset.tolist() == [4 * one for one in start]
    assert four.scaled_variance.tolist() == [[1.0] * 4] * 2
    _, single, whole = made(1, 0.5)
    torch.testing.assert_close(gate, single, **EXACT)
    for gradient, one in zip(gradients, whole, strict=True):
        assert (gradient == gradient[:, :1]).all()
        assert gradient.all()
        torch.testing.assert_close(4 * gradient[:, :1], one)


@pytest.mark.parametrize("step", [-1e4, 1e4])
def test_the_scaled_variance_stays_positive_and_bounded_whatever_is_learned(step):
    heads = DensityAttention(n_layers=6, n_features=3, n_heads=2)
    with torch.no_grad():
        heads.log_scaled_variance += step
    low, high = SCALED_VARIANCE_RANGE
    assert bool((heads.scaled_variance >= low * 0.999).all())
    assert bool((heads.scaled_variance <= high * 1.001).all())
    assert bool(torch.isfinite(heads(torch.randn(2, 6, 3))[0]).all())


@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_a_batch_may_be_empty(mode):
    heads = DensityAttention(n_layers=6, n_features=3, n_heads=2, mode=mode)
    output, gate = heads(torch.randn(0, 6, 3))
    assert output.shape == gate.shape == (0, 12 if mode == "shared" else 6, 3)


@pytest.mark.parametrize("amplitude", ["none", "layer"])
def test_heads_computed_a_few_at_a_time_have_the_same_bits(monkeypatch, amplitude):
    heads = DensityAttention(n_layers=6, n_features=3, n_heads=5, amplitude=amplitude, offset_spread=2.0)
    x = torch.randn(4, 6, 3)
    together = heads(x)
    for cells in (1, 2 * x.numel()):
        monkeypatch.setattr("daam_core.layers._CELLS_AT_ONCE", cells)
        assert all(map(torch.equal, heads(x), together))
    assert torch.equal(together[1], heads.gate(x))


def test_a_batch_of_one_equals_the_slice_of_a_batch():
    heads = DensityAttention(n_layers=6, n_features=3, n_heads=4, amplitude="layer", offset_spread=1.0)
    x = torch.randn(5, 6, 3)
    torch.testing.assert_close(heads(x)[0][2:3], heads(x[2:3])[0])


@pytest.mark.parametrize(
    ("layers", "heads", "mode"), [(24, 12, "layer_groups"), (6, 4, "layer_groups"), (2, 1, "shared")]
)
def test_fewer_than_three_layers_in_a_head_are_refused_with_the_reason(layers, heads, mode):
    with pytest.raises(ConfigError, match="always one standard deviation from their mean"):
        DensityAttention(n_layers=layers, n_features=3, n_heads=heads, mode=mode)


def test_wrong_sizes_are_refused():
    with pytest.raises(ConfigError, match="number of heads must be at least 1"):
        DensityAttention(n_layers=6, n_features=3, n_heads=0)
    with pytest.raises(ConfigError, match="cannot be split"):
        group_sizes(3, 4)
    heads = DensityAttention(n_layers=6, n_features=3, n_heads=1)
    with pytest.raises(ShapeError, match=r"Expected pooled hidden states \[B, 6, 3\], got \[2, 5, 3\]"):
        heads(torch.randn(2, 5, 3))


def test_standardised_training_data_has_mean_zero_and_deviation_one():
    torch.manual_seed(5)
    data = torch.randn(200, 4, 3) * torch.tensor([1.0, 10.0, 0.0]) + 5
    layer = Standardisation(4, 3)
    layer.fit(data)
    x = layer(data)
    torch.testing.assert_close(x.mean(0), torch.zeros(4, 3), atol=1e-4, rtol=0)
    torch.testing.assert_close(x[..., :2].std(0, unbiased=False), torch.ones(4, 2))
    assert bool(torch.isfinite(x).all())
