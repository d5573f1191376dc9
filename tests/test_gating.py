"""Oracles: the numerical reference, mpmath-free scalar loops written from the paper, gradcheck."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from daam_core.errors import ShapeError
from daam_core.gating import axis_statistics, density_gate, joint_gate, mixture_gate


def scalar_density_gate(column: list[float], offset: float, spread: float) -> list[float]:
    """Algorithm 1 for one feature, in plain Python."""
    mean = sum(column) / len(column)
    variance = abs(sum(v * v for v in column) / len(column) - mean**2) + 1e-8
    return [
        math.exp(-(((v - mean - offset) / math.sqrt(variance + 1e-5)) ** 2) / (2 * spread)) for v in column
    ]


def scalar_mixture_gate(column: list[float], offsets: list[float], scales: list[float]) -> list[float]:
    """Algorithm 2 for one feature, as a product of normalised Gaussian densities."""
    mean = sum(column) / len(column)
    variance = sum((v - mean) ** 2 for v in column) / (len(column) - 1) + 1e-8
    densities = []
    for v in column:
        product = 1.0
        for m, c in zip(offsets, scales, strict=True):
            z = (v - mean - m) / math.sqrt(variance)
            product *= math.exp(-(z**2) / (2 * c**2)) / math.sqrt(2 * math.pi * c**2)
        densities.append(product)
    return [d / sum(densities) for d in densities]


def test_density_gate_equals_a_scalar_loop():
    torch.manual_seed(0)
    x = torch.randn(5, 3, dtype=torch.float64) * 3 + 1
    offset, spread = torch.tensor([0.3, -1.0, 0.0]).double(), torch.tensor([0.5, 2.0, 7.0]).double()
    gate = density_gate(x, offset, spread)
    for f in range(3):
        expected = scalar_density_gate(x[:, f].tolist(), offset[f].item(), spread[f].item())
        torch.testing.assert_close(gate[:, f].tolist(), expected, rtol=1e-12, atol=1e-12)


def test_mixture_gate_equals_a_product_of_normalised_densities():
    torch.manual_seed(1)
    x = torch.randn(6, 2, dtype=torch.float64)
    offsets, scales = torch.tensor([0.1, -0.4, 0.9]).double(), torch.tensor([0.8, 1.5, -2.0]).double()
    gate = mixture_gate(x, offsets, scales)
    for f in range(2):
        expected = scalar_mixture_gate(x[:, f].tolist(), offsets.tolist(), scales.tolist())
        torch.testing.assert_close(gate[:, f].tolist(), expected, rtol=1e-12, atol=1e-12)


def test_axis_chooses_what_the_statistics_run_over():
    torch.manual_seed(2)
    x = torch.randn(2, 4, 5, dtype=torch.float64)
    offset, spread = torch.randn(4).double(), torch.rand(4).double() + 0.5
    along_features = density_gate(x, offset, spread, axis=-1)
    transposed = density_gate(x.transpose(1, 2), offset, spread).transpose(1, 2)
    torch.testing.assert_close(along_features, transposed)
    mixture = mixture_gate(x, torch.tensor([0.2]).double(), torch.tensor([1.0]).double(), axis=-1)
    torch.testing.assert_close(mixture.sum(-1), torch.ones(2, 4).double())


@pytest.mark.parametrize("gate", [density_gate, mixture_gate])
def test_gradcheck(gate):
    torch.manual_seed(3)
    x = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    width = 3 if gate is density_gate else 2
    offset = torch.randn(width, dtype=torch.float64, requires_grad=True)
    spread = (torch.rand(width, dtype=torch.float64) + 0.5).requires_grad_(True)
    assert torch.autograd.gradcheck(gate, (x, offset, spread))


@given(
    st.integers(1, 3),
    st.integers(2, 7),
    st.integers(1, 5),
    st.floats(-20, 20),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 2**16),
)
def test_gates_stay_in_their_range_for_any_scale(batch, layers, features, magnitude, dtype, seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, layers, features, generator=generator, dtype=dtype) * 10.0**magnitude / 2
    offset = torch.randn(features, generator=generator, dtype=dtype)
    spread = torch.rand(features, generator=generator, dtype=dtype) * 10 + 1e-3
    if not bool(torch.isfinite(x.square().sum())):
        return
    gate = density_gate(x, offset, spread)
    assert bool(((gate >= 0) & (gate <= 1)).all())
    mixture = mixture_gate(x, offset[:2], spread[:2])
    assert bool(((mixture >= 0) & (mixture <= 1)).all())
    torch.testing.assert_close(mixture.sum(-2), torch.ones(batch, features, dtype=dtype))


@given(st.integers(0, 2**16))
def test_samples_do_not_see_each_other(seed):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(4, 5, 3, generator=generator)
    offset, spread = torch.randn(3, generator=generator), torch.rand(3, generator=generator) + 0.1
    gate = density_gate(x, offset, spread)
    order = torch.randperm(4, generator=generator)
    torch.testing.assert_close(density_gate(x[order], offset, spread), gate[order])
    torch.testing.assert_close(density_gate(x[:1], offset, spread), gate[:1])
    mixture = mixture_gate(x, offset, spread)
    torch.testing.assert_close(mixture_gate(x[order], offset, spread), mixture[order])
    torch.testing.assert_close(mixture_gate(x[:1], offset, spread), mixture[:1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(dtype):
    torch.manual_seed(4)
    x = (torch.randn(3, 6, 4) * 100).to(dtype)
    gate = density_gate(x, torch.zeros(4), torch.full((4,), 2.0))
    assert gate.dtype == dtype
    expected = density_gate(x.float(), torch.zeros(4), torch.full((4,), 2.0))
    torch.testing.assert_close(gate.float(), expected, rtol=1e-2, atol=1e-2)
    assert mixture_gate(x, torch.zeros(2), torch.ones(2)).dtype == dtype


@pytest.mark.parametrize("value", [0.0, 5.0, -1e15, 1e-30])
def test_a_constant_input_gives_a_finite_constant_gate(value):
    x = torch.full((2, 6, 3), value)
    gate = density_gate(x, torch.tensor([0.0, 0.001, 1.0]), torch.full((3,), 2.0))
    torch.testing.assert_close(gate[..., 0], torch.ones(2, 6))
    assert bool(torch.isfinite(gate).all())
    torch.testing.assert_close(mixture_gate(x, torch.zeros(2), torch.ones(2)), torch.full((2, 6, 3), 1 / 6))


def test_one_layer_has_a_gate_that_does_not_depend_on_the_input():
    gates = density_gate(torch.tensor([[[1.0]], [[7.0]]]), torch.tensor([0.001]), torch.tensor([2.0]))
    assert gates[0] == gates[1]


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.full((4, 2), 1e30) * torch.randn(4, 2), "overflows torch.float32"),
        (torch.tensor([[1.0], [float("nan")]]), "NaN"),
        (torch.tensor([[1.0], [float("inf")]]), "infinity"),
        (torch.ones(3, 2, dtype=torch.int64), "real tensor"),
        (torch.ones(0, 2), "at least one position"),
        (torch.ones(3), "real tensor"),
    ],
)
def test_unusable_input_is_refused(x: Tensor, message: str):
    with pytest.raises(ShapeError, match=message):
        density_gate(x, torch.zeros(1), torch.ones(1))


@pytest.mark.parametrize("spread", [0.0, -1.0, float("nan")])
def test_a_scaled_variance_must_be_positive(spread):
    with pytest.raises(ShapeError, match="positive"):
        density_gate(torch.randn(4, 2), torch.zeros(2), torch.tensor([1.0, spread]))


def test_unusable_mixtures_are_refused():
    x = torch.randn(4, 2)
    with pytest.raises(ShapeError, match=r"both be \[\.\., K\]"):
        mixture_gate(x, torch.zeros(2), torch.ones(3))
    with pytest.raises(ShapeError, match="zero"):
        mixture_gate(x, torch.zeros(2), torch.tensor([1.0, 0.0]))
    with pytest.raises(ShapeError, match="at least two positions"):
        mixture_gate(x[:1], torch.zeros(2), torch.ones(2))


def test_the_variance_keeps_its_precision_far_from_zero():
    """E[x²] − E[x]² would lose every digit here."""
    x = torch.tensor([[1e4 - 0.5], [1e4], [1e4 + 0.5]], dtype=torch.float32)
    _, variance = axis_statistics(x)
    torch.testing.assert_close(variance, torch.tensor([[1 / 6]]), rtol=1e-3, atol=0)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**16))
def test_a_joint_gate_is_the_product_of_its_directions_gaussians(prototypes, directions, seed):
    draw = torch.Generator().manual_seed(seed)
    x = torch.randn(3, directions, generator=draw, dtype=torch.float64)
    points = torch.randn(prototypes, directions, generator=draw, dtype=torch.float64)
    variance = 0.1 + torch.rand(1, generator=draw, dtype=torch.float64)
    found = joint_gate(x, points, variance)
    for b in range(3):
        for m in range(prototypes):
            factors = [
                math.exp(-((x[b, d] - points[m, d]).item() ** 2) / (2 * variance.item()))
                for d in range(directions)
            ]
            assert found[b, m].item() == pytest.approx(math.prod(factors), rel=1e-9, abs=1e-300)
    own = joint_gate(points, points, variance).diagonal()
    torch.testing.assert_close(own, torch.ones_like(own))


def test_a_joint_gate_refuses_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"x \[\.\., D\] and prototypes \[M, D\], got \[3\] and \[2, 4\]"):
        joint_gate(torch.zeros(3), torch.zeros(2, 4), torch.ones(1))
    with pytest.raises(ShapeError, match="Every scaled variance must be positive"):
        joint_gate(torch.zeros(4), torch.zeros(2, 4), torch.zeros(1))
