"""Oracles: the formula in numpy, sums that must hold, and autograd."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.errors import ShapeError
from daam_core.importance import importance_factor, layer_contribution, token_attribution


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
