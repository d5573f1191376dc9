"""Oracles: the formula in numpy, sums that must hold, and autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import ShapeError
from daam_core.gating import joint_gate
from daam_core.importance import evidence, importance_factor, layer_contribution, token_attribution


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2**16))
def test_shared_scale_equals_numpy(heads, layers, features, seed):
    attention = torch.rand(heads, layers, features, generator=torch.Generator().manual_seed(seed)).double()
    result = importance_factor(attention)
    array = attention.numpy()
    if array.max() > array.min():
        np.testing.assert_allclose(result.importance, (array - array.min()) / (array.max() - array.min()))
        assert not result.degenerate
    else:
        assert result.degenerate
    assert result.minimum.shape == (heads,)
    assert set(result.minimum.tolist()) == {array.min()}


def test_per_head_scale_takes_each_heads_own_range():
    attention = torch.stack([torch.arange(6.0).view(2, 3), torch.arange(6.0).view(2, 3) * 10 + 5])
    result = importance_factor(attention, scale="per_head")
    torch.testing.assert_close(result.importance[0], result.importance[1])
    assert result.minimum.tolist() == [0, 5]
    assert result.maximum.tolist() == [5, 55]


def test_a_batch_is_scaled_sample_by_sample():
    torch.manual_seed(0)
    batch = torch.rand(3, 2, 4, 5)
    whole = importance_factor(batch).importance
    for sample, scaled in zip(batch, whole, strict=True):
        torch.testing.assert_close(importance_factor(sample).importance, scaled)


@pytest.mark.parametrize("value", [0.0, 1.0, 1e-30, 1e30])
@pytest.mark.parametrize("scale", ["all_heads", "per_head"])
def test_a_constant_map_gives_zero_and_says_so(value, scale):
    result = importance_factor(torch.full((2, 3, 4), value), scale=scale)
    assert result.degenerate
    assert not result.importance.any()


def test_one_constant_head_is_degenerate_only_by_itself():
    attention = torch.stack([torch.full((3, 2), 0.5), torch.rand(3, 2) + 1])
    assert not importance_factor(attention).degenerate
    per_head = importance_factor(attention, scale="per_head")
    assert per_head.degenerate
    assert per_head.importance[1].max() == 1


def test_layers_a_head_does_not_see_stay_out_of_the_range():
    attention = torch.tensor([[[2.0], [4.0], [0.0]], [[0.0], [0.0], [3.0]]])
    seen = torch.tensor([[True, True, False], [False, False, True]])
    result = importance_factor(attention, head_layers=seen)
    assert result.importance.flatten().tolist() == [0, 1, 0, 0, 0, 0.5]
    assert result.minimum.tolist() == [2, 2]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_range_as_wide_as_its_type_does_not_overflow(dtype):
    limit = torch.finfo(dtype).max
    result = importance_factor(torch.tensor([[[-limit, 0.0, limit]]], dtype=dtype))
    torch.testing.assert_close(result.importance.flatten(), torch.tensor([0, 0.5, 1], dtype=dtype))


@pytest.mark.parametrize(
    ("attention", "message"),
    [
        (torch.rand(3, 4), r"\[\.\., H, L, F\]"),
        (torch.rand(1, 0, 4), r"\[\.\., H, L, F\]"),
        (torch.tensor([[[float("nan")]]]), "finite"),
        (torch.ones(1, 2, 3, dtype=torch.int64), "floating point"),
    ],
)
def test_unusable_maps_are_refused(attention, message):
    with pytest.raises(ShapeError, match=message):
        importance_factor(attention)


def test_unusable_options_are_refused():
    with pytest.raises(ShapeError, match="'all_heads' or 'per_head'"):
        importance_factor(torch.rand(1, 2, 3), scale="rows")  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="at least one layer per head"):
        importance_factor(torch.rand(1, 2, 3), head_layers=torch.zeros(1, 2, dtype=torch.bool))


@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**16))
def test_layer_contributions_sum_to_a_hundred(heads, layers, features, seed):
    attention = torch.rand(heads, layers, features, generator=torch.Generator().manual_seed(seed)) + 1e-3
    share = layer_contribution(attention)
    assert share.shape == (heads, layers)
    torch.testing.assert_close(share.sum(), torch.tensor(100.0))
    expected = 100 * attention.numpy().sum(-1) / attention.numpy().sum()
    np.testing.assert_allclose(share, expected, rtol=1e-5)


def test_layer_contribution_of_nothing_is_nothing_and_negative_attention_is_refused():
    assert not layer_contribution(torch.zeros(2, 3, 4)).any()
    with pytest.raises(ShapeError, match="non-negative"):
        layer_contribution(torch.full((1, 2, 3), -1.0))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 5), st.integers(1, 6), st.integers(0, 2**16))
def test_token_attribution_sums_to_gradient_times_gated_value(heads, layers, features, tokens, seed):
    draw = torch.Generator().manual_seed(seed)
    gradient, attention = (torch.randn(heads, layers, features, generator=draw).double() for _ in range(2))
    hidden = torch.randn(layers, tokens, features, generator=draw).double()
    shares = torch.rand(tokens, generator=draw).double() + 0.1
    shares /= shares.sum()
    attribution = token_attribution(gradient, attention, hidden, shares)
    pooled = torch.einsum("ltf,t->lf", hidden, shares)
    torch.testing.assert_close(attribution.sum(-1), (gradient * attention * pooled).sum((-2, -1)))
    loop = [
        [(gradient[h] * attention[h] * hidden[:, t]).sum() * shares[t] for t in range(tokens)]
        for h in range(heads)
    ]
    torch.testing.assert_close(attribution, torch.tensor(loop, dtype=torch.float64))


def test_token_attribution_refuses_shapes_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"\[H, L, F\]"):
        token_attribution(torch.rand(1, 2, 3), torch.rand(1, 2, 3), torch.rand(4, 5, 3), torch.ones(5) / 5)


def drawn_evidence(seed, heads, layers, features, directions, prototypes, batch=()):
    draw = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    return {
        "gated": normal(*batch, heads, layers, features),
        "directions": normal(directions, layers, features),
        "prototypes": normal(prototypes, directions),
        "scaled_variance": 1 + 9 * torch.rand(1, generator=draw, dtype=torch.float64),
        "lead": normal(*batch, prototypes),
    }


def test_evidence_equals_its_equation_cell_by_cell():
    parts = drawn_evidence(0, 2, 3, 2, 4, 5)
    x, p, d, xi, lead = (part.numpy() for part in parts.values())
    u = [sum(p[k, cell[1], cell[2]] * x[cell] for cell in np.ndindex(2, 3, 2)) for k in range(4)]
    gates = [np.exp(-sum((u[k] - d[m, k]) ** 2 for k in range(4)) / (2 * xi[0])) for m in range(5)]
    found = evidence(**parts)
    for cell in np.ndindex(2, 3, 2):
        slope = [
            sum(p[k, cell[1], cell[2]] * (d[m, k] - u[k] / 2) for k in range(4)) / xi[0] for m in range(5)
        ]
        expected = x[cell] * sum(lead[m] * gates[m] * slope[m] for m in range(5))
        assert found[cell].item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(*(st.integers(1, 4) for _ in range(5)), st.integers(0, 2**16))
def test_evidence_sums_to_the_change_of_the_log_gates(heads, layers, features, directions, prototypes, seed):
    parts = drawn_evidence(seed, heads, layers, features, directions, prototypes, batch=(3,))
    found = evidence(**parts)
    seen = torch.einsum("bhlf,dlf->bd", parts["gated"], parts["directions"])
    gates, at_mean = (
        joint_gate(u, parts["prototypes"], parts["scaled_variance"]) for u in (seen, torch.zeros_like(seen))
    )
    expected = (parts["lead"] * gates * (gates / at_mean).log()).sum(-1)
    torch.testing.assert_close(found.sum((1, 2, 3)), torch.nan_to_num(expected), rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(evidence(**(parts | {"lead": -parts["lead"]})), -found)
    assert not evidence(**(parts | {"gated": 0 * parts["gated"]})).any()


def test_one_cells_evidence_is_what_its_removal_takes_from_the_log_gate():
    """With one direction on each cell the log gates are sums over cells: no share is split."""
    parts = drawn_evidence(1, 1, 2, 3, 6, 1) | {"directions": torch.eye(6).double().view(6, 2, 3)}
    gate = joint_gate(parts["gated"].flatten(), parts["prototypes"], parts["scaled_variance"])
    without = parts["gated"].clone()
    without[0, 1, 2] = 0
    left = joint_gate(without.flatten(), parts["prototypes"], parts["scaled_variance"])
    torch.testing.assert_close(
        evidence(**parts)[0, 1, 2], (parts["lead"] * gate * (gate.log() - left.log()))[0]
    )


def test_evidence_refuses_what_does_not_fit():
    parts = drawn_evidence(2, 2, 3, 2, 4, 5)
    with pytest.raises(ShapeError, match=r"directions \[D, L, F\].*got \[2, 3, 2\], \[4, 3, 2\], \[5, 3\]"):
        evidence(**(parts | {"prototypes": torch.zeros(5, 3)}))
