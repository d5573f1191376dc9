"""Oracles: a loop over heads and positions, the gate of ``layers``, padding taken away; torch's own block."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from daam_core.blocks import DensityEncoderLayer, DensityMultiheadAttention
from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import density_gate, mixture_gate
from daam_core.layers import DensityAttention

EXACT = {"rtol": 0, "atol": 1e-12}
KINDS = ("density", "mixture")


def made(*, axis: int = -2, kind="density", heads: int = 3, features: int = 4) -> DensityMultiheadAttention:
    """Double precision, with parameters away from their start."""
    torch.manual_seed(0)
    attention = DensityMultiheadAttention(features, heads, axis=axis, gate_kind=kind, n_gaussians=2).double()
    with torch.no_grad():
        attention.mean_offset += 0.4 * torch.randn_like(attention.mean_offset)
        attention.log_scaled_variance += 0.4 * torch.randn_like(attention.log_scaled_variance)
    return attention


def drawn(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 + 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("shape", "axis"), [((2, 5, 4), -2), ((2, 5, 4), -1), ((2, 6, 3, 4), -3), ((2, 3, 6, 4), -1)]
)
def test_each_heads_gate_is_that_of_the_formulas(kind, shape, axis):
    attention, x = made(axis=axis, kind=kind), drawn(*shape)
    output, gate = attention(x, x, x, average_attn_weights=False)
    function = density_gate if kind == "density" else mixture_gate
    projected = torch.zeros_like(x) + attention.out_proj.bias
    weights = attention.out_proj.weight.unflatten(1, (3, 4))  # [F, H, F]
    for head in range(3):
        offset, spread = attention.mean_offset[head], attention.scaled_variance[head]
        moved = x.movedim(axis, max(axis, -2))
        if kind == "density" and axis == -1:
            offset, spread = offset[0].expand(moved.shape[:-1]), spread[0].expand(moved.shape[:-1])
        expected = function(moved, offset, spread, axis=max(axis, -2)).movedim(max(axis, -2), axis)
        torch.testing.assert_close(gate[:, head], expected, **EXACT)
        projected = projected + (expected * x) @ weights[:, head].T
    torch.testing.assert_close(output, projected, **EXACT)
    torch.testing.assert_close(attention(x)[1], gate.mean(1), **EXACT)
    assert attention(x, need_weights=False)[1] is None


def test_over_layers_its_gate_is_that_of_the_heads_on_pooled_layers():
    attention, x = made(), drawn(2, 5, 4)
    heads = DensityAttention(n_layers=5, n_features=4, n_heads=3).double()
    with torch.no_grad():
        heads.mean_offset.copy_(attention.mean_offset)
        heads.log_scaled_variance.copy_(attention.log_scaled_variance)
    torch.testing.assert_close(attention.gate(x), heads.by_head(heads.gate(x)), **EXACT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [-2, -1])
@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(2, 9), min_size=1, max_size=4),
    more=st.integers(0, 12),
    seed=st.integers(0, 99),
)
def test_what_padding_holds_and_how_much_there_is_never_changes_the_result(kind, axis, lengths, more, seed):
    attention = made(axis=axis, kind=kind)
    inputs = [drawn(length, 4, seed=seed + place) for place, length in enumerate(lengths)]
    width = max(lengths) + more
    padding = torch.arange(width) >= torch.tensor(lengths)[:, None]

    def padded(content: float) -> Tensor:
        x = torch.full((len(lengths), width, 4), content, dtype=torch.float64)
        for row, one in zip(x, inputs, strict=True):
            row[: len(one)] = one
        return x

    zeros, huge, nan = (
        attention(padded(content), key_padding_mask=padding, average_attn_weights=False)
        for content in (0.0, 1e300, float("nan"))
    )
    for other in (huge, nan):
        assert torch.equal(other[0], zeros[0])
        assert torch.equal(other[1], zeros[1])
    assert not zeros[1].movedim(1, -1)[padding].any()
    for place, one in enumerate(inputs):
        output, gate = attention(one[None], average_attn_weights=False)
        # Another length is added up in another order: equal but for the last bits.
        torch.testing.assert_close(zeros[0][place, : len(one)], output[0], **EXACT)
        torch.testing.assert_close(zeros[1][place, :, : len(one)], gate[0], **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_anywhere_equals_the_positions_taken_out(kind):
    attention, x = made(kind=kind), drawn(1, 9, 4)
    kept = torch.tensor([1, 0, 0, 1, 1, 0, 1, 1, 0]).bool()
    output, _ = attention(x, key_padding_mask=~kept[None])
    torch.testing.assert_close(output[:, kept], attention(x[:, kept])[0], **EXACT)
    mean, variance = attention.statistics(x, ~kept[None])
    torch.testing.assert_close(mean[0, 0], x[0, kept].mean(0), **EXACT)
    unbiased = kind == "mixture"
    torch.testing.assert_close(variance[0, 0], x[0, kept].var(0, unbiased=unbiased) + 1e-8, **EXACT)


@pytest.mark.parametrize("kind", KINDS)
def test_an_input_that_is_all_padding_gives_numbers(kind):
    attention, x = made(kind=kind), drawn(2, 5, 4).requires_grad_(True)
    padding = torch.tensor([[False] * 5, [True] * 5])
    output, gate = attention(x, key_padding_mask=padding)
    assert torch.equal(output[1], attention.out_proj.bias.expand(5, 4))
    assert not gate[1].any()
    output.sum().backward()
    assert torch.isfinite(x.grad).all()
    assert all(torch.isfinite(p.grad).all() for p in attention.parameters())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axis", [-2, -1])
@pytest.mark.parametrize("padded", [False, True])
def test_gradients_are_those_of_finite_differences(kind, axis, padded):
    attention = made(axis=axis, kind=kind, heads=2, features=3)
    padding = torch.tensor([[False] * 4, [False, False, False, True]]) if padded else None
    given = [drawn(2, 4, 3).requires_grad_(True), *attention.parameters()]

    def output(x: Tensor, *_: Tensor) -> Tensor:
        return attention(x, key_padding_mask=padding)[0]

    assert torch.autograd.gradcheck(output, tuple(given))


def test_the_gradient_by_what_heads_let_through_is_the_projections():
    attention, x = made(), drawn(2, 5, 4)
    gated = (attention.gate(x) * x.unsqueeze(1)).detach().requires_grad_(True)
    of_output = drawn(2, 5, 4, seed=7)
    attention.out_proj(gated.movedim(1, -2).flatten(-2)).backward(of_output)
    torch.testing.assert_close(attention.of_gated(of_output), gated.grad, **EXACT)


class TestBlock:
    def test_it_is_torchs_block_around_our_attention(self):
        torch.manual_seed(0)
        layer = DensityEncoderLayer(4, 3, dim_feedforward=8).double().eval()
        x = drawn(2, 5, 4)
        attended = layer.norm1(x + layer.self_attn(x)[0])
        expected = layer.norm2(attended + layer.linear2(layer.linear1(attended).relu()))
        torch.testing.assert_close(layer(x), expected, **EXACT)

    def test_it_stands_in_torchs_transformer_with_padding(self):
        torch.manual_seed(0)
        layer = DensityEncoderLayer(4, 2, dim_feedforward=8, norm_first=True, activation="gelu")
        encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).double().eval()
        x, padding = drawn(2, 6, 4), torch.tensor([[False] * 6, [False] * 4 + [True] * 2])
        alone = encoder(x[1:, :4])
        x[1, 4:] = 1e6
        torch.testing.assert_close(encoder(x, src_key_padding_mask=padding)[1, :4], alone[0], **EXACT)

    def test_it_takes_the_place_of_multi_head_attention(self):
        torch.manual_seed(0)
        theirs = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).double().eval()
        ours = copy.deepcopy(theirs)
        ours.self_attn = DensityMultiheadAttention(4, 2).double()
        x = drawn(2, 6, 4)
        with torch.no_grad():  # where torch's block would take its fast path
            assert ours(x).shape == theirs(x).shape
        assert theirs.self_attn(x, x, x)[0].shape == ours.self_attn(x, x, x)[0].shape

    @pytest.mark.parametrize("kind", KINDS)
    def test_it_is_exported_for_any_batch_and_length(self, kind):
        torch.manual_seed(0)
        layer = DensityEncoderLayer(4, 2, dim_feedforward=8, gate_kind=kind).eval()
        batch, length = torch.export.Dim("batch", min=1), torch.export.Dim("length", min=2)
        axes = {0: batch, 1: length}
        x, padding = torch.randn(3, 7, 4), torch.zeros(3, 7, dtype=torch.bool)
        exported = torch.export.export(
            layer,
            (x,),
            {"src_key_padding_mask": padding},
            dynamic_shapes={"src": axes, "src_key_padding_mask": axes},
        ).module()
        x, padding = torch.randn(2, 11, 4), torch.arange(11) >= torch.tensor([[11], [8]])
        expected = layer(x, src_key_padding_mask=padding)
        torch.testing.assert_close(exported(x, src_key_padding_mask=padding), expected)

    def test_stacked_blocks_learn_what_needs_the_length_and_the_order_of_values(self):
        """Trained in a second: whether one value of the sequence is unlike all others."""
        torch.manual_seed(0)
        layers = [DensityEncoderLayer(8, 2, dim_feedforward=16, dropout=0.0) for _ in range(2)]
        network = nn.Sequential(nn.Linear(1, 8), *layers)
        decide = nn.Linear(8, 2)
        x, labels = torch.randn(256, 12, 1), torch.arange(256) % 2
        x[labels == 1, 3] += 6
        both = [*network.parameters(), *decide.parameters()]
        optimiser = torch.optim.AdamW(both, lr=0.01)
        for _ in range(40):
            optimiser.zero_grad()
            nn.functional.cross_entropy(decide(network(x).mean(1)), labels).backward()
            optimiser.step()
        fresh = torch.randn(200, 30, 1)  # another length than it was trained on
        fresh[100:, 20] += 9
        found = decide(network(fresh).mean(1)).argmax(-1)
        assert (found == (torch.arange(200) >= 100)).float().mean() > 0.9


def test_the_same_part_of_a_tensor_said_three_times_is_one_tensor():
    """As one writes it for ``nn.MultiheadAttention``; another part, or equal values elsewhere, is another."""
    attention, x = made(), drawn(3, 5, 4)
    expected = attention(x[:, :4].contiguous())[0]
    torch.testing.assert_close(attention(x[:, :4], x[:, :4], x[:, :4])[0], expected, **EXACT)
    for other in (x[:, 1:], x[:, :4].clone()):
        with pytest.raises(ShapeError, match="gates one tensor by itself"):
            attention(x[:, :4], other, other)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda a: a(torch.zeros(2, 4)), ShapeError, r"Expected \[B, N, 4\] .* got \[2, 4\]"),
        (lambda a: a(torch.zeros(2, 5, 3)), ShapeError, r"got \[2, 5, 3\]"),
        (lambda a: a(torch.zeros(2, 5, 4), torch.zeros(2, 5, 4)), ShapeError, "gates one tensor by itself"),
        (lambda a: a(torch.zeros(2, 5, 4), attn_mask=torch.zeros(5, 5)), ShapeError, "takes no attn_mask"),
        (
            lambda a: a(torch.zeros(2, 5, 4), key_padding_mask=torch.zeros(2, 4).bool()),
            ShapeError,
            r"key_padding_mask must be \[2, 5\], True for padding, got \[2, 4\]",
        ),
        (lambda a: a(torch.full((2, 5, 4), float("nan"))), ShapeError, "NaN"),
        (
            lambda _: DensityMultiheadAttention(0, 2),
            ConfigError,
            "number of features must be at least 1, got 0",
        ),
        (lambda _: DensityMultiheadAttention(4, 2, axis=1), ConfigError, "counted from the end"),
    ],
)
def test_bad_input_gets_one_sentence(call, error, said):
    with pytest.raises(error, match=said):
        call(DensityMultiheadAttention(4, 2))
