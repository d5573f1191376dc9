"""The layer's benchmark: it compares the same thing, its figures are consistent. Never a time."""

import pytest
import torch

from daam_core.bench.layer import LayerSize, PublishedHead, PublishedLoop, bench_layer
from daam_core.layers import DensityAttention

SIZES = (LayerSize(2, 6, 16, 2, "layer_groups"), LayerSize(3, 5, 16, 4, "shared", "mixture", 3))


@pytest.mark.parametrize("gate", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["layer_groups", "shared"])
def test_the_published_loop_computes_what_the_layer_computes_gradients_included(mode, gate):
    attention = DensityAttention(
        n_layers=7, n_features=5, n_heads=2, mode=mode, gate_kind=gate, n_gaussians=3, offset_spread=1.0
    ).double()
    loop = PublishedLoop(attention)
    x = torch.randn(4, 7, 5, dtype=torch.float64, requires_grad=True)
    ours, theirs = attention.output(x), loop(x)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-7)  # their variances have other floors
    incoming = torch.randn_like(ours)
    own = torch.autograd.grad(ours, [x, attention.mean_offset, attention.log_scaled_variance], incoming)
    heads = list(loop.heads)
    of_x, *others = torch.autograd.grad(
        theirs, [x, *(head.offset for head in heads), *(head.scale for head in heads)], incoming
    )
    scales = attention.scaled_variance.detach()  # the layer learns their logarithms
    expected = of_x, torch.stack(others[:2]), torch.stack(others[2:]) * scales
    for one, other in zip(own, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_a_published_mixture_head_is_the_packages_formula():
    """The factors of gaussian-adaptive-attention 0.1.5, written out for one value."""
    x = torch.tensor([[[-1.0], [0.5], [2.0]]], dtype=torch.float64)
    offsets, scales = torch.tensor([0.1, -0.2]).double(), torch.tensor([1.0, 2.0]).double()
    mean, variance = x.mean(), x.var() + 1e-8
    product = torch.ones(3, dtype=torch.float64)
    for offset, scale in zip(offsets, scales, strict=True):
        z = (x[0, :, 0] - mean - offset) / variance.sqrt()
        product *= torch.exp(-(z**2) / (2 * scale**2)) / (2 * torch.pi * scale**2).sqrt()
    expected = x[0, :, 0] * product / product.sum()
    found = PublishedHead(offsets, scales, "mixture")(x)[0, :, 0]
    torch.testing.assert_close(found.detach(), expected)


def test_the_layers_figures_are_consistent():
    found = bench_layer(SIZES, runs=2)
    assert [case.mode for case in found.cases] == ["layer_groups", "shared"]
    for case in found.cases:
        assert case.speedup == pytest.approx(case.loop_seconds / case.layer_seconds)
        assert case.formulas_speedup == pytest.approx(case.loop_seconds / case.formulas_seconds)
        assert case.forward_over_write == pytest.approx(case.forward_seconds / case.write_seconds)
        rows = case.layers * (case.heads if case.mode == "shared" else 1)
        assert case.output_bytes == 4 * case.batch * rows * case.features
        assert case.peak_over_output == pytest.approx(case.layer_peak_bytes / case.output_bytes)
        assert case.layer_peak_bytes >= case.output_bytes
        assert case.largest_difference < 1e-5
        assert case.gradient_difference < 1e-4
