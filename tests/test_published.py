"""The published package itself is the oracle, with parameters of a model that was trained."""

import copy

import pytest
import torch
from gaussian_adaptive_attention import (
    GaussianAdaptiveAttention,
    GaussianBlock,
    MultiHeadGaussianAdaptiveAttention,
)

from daam_core.errors import ConfigError
from daam_core.layers import DensityAttention, group_sizes
from daam_core.published import from_published, published_heads, to_published
from tests.support.own_models import FEATURES, trained

EXACT = {"rtol": 0, "atol": 1e-7}


def ours(**settings: object) -> DensityAttention:
    known = {"n_layers": 9, "n_features": 5, "n_heads": 3, "mode": "layer_groups", "gate_kind": "mixture"}
    return DensityAttention(**(known | {"n_gaussians": 2} | settings))


def densities(theirs: MultiHeadGaussianAdaptiveAttention, x: torch.Tensor) -> torch.Tensor:
    """What the package divides by, ``[B, N, F]``: each head's sum of products, along axis 1."""
    sums = []
    sizes = group_sizes(x.shape[1], len(theirs.attention_heads))
    for head, part in zip(theirs.attention_heads, x.split(sizes, dim=1), strict=True):
        z = (part - part.mean(1, keepdim=True))[..., None] - head.mean_offsets
        normal = torch.distributions.Normal(torch.zeros_like(head.c), head.c.abs())
        product = normal.log_prob(z / (part.var(1, keepdim=True) + 1e-8).sqrt()[..., None]).sum(-1).exp()
        sums.append(product.sum(1, keepdim=True).expand_as(part))
    return torch.cat(sums, 1)


@pytest.mark.parametrize("length", [8, 11])
def test_ours_equals_the_published_one_with_its_parameters(length):
    theirs = copy.deepcopy(trained("several heads").attention).double()
    x = torch.randn(4, length, FEATURES, generator=torch.Generator().manual_seed(0)).double()
    expected, mixture = theirs(x, return_attention_details=True)
    output, gate = from_published(theirs, n_layers=length, n_features=FEATURES)(x)
    fading = (densities(theirs, x) / 1e-8).clamp(max=1)  # below its floor, see `from_published`
    assert (fading == 1).float().mean() > 0.8
    torch.testing.assert_close(gate * fading, mixture, **EXACT)
    torch.testing.assert_close(output * fading, expected, **EXACT)


def test_one_head_and_another_axis():
    torch.manual_seed(0)
    theirs = GaussianAdaptiveAttention(-1, 1, 2, None).double()
    x = torch.randn(4, 3, 7).double()
    output, _ = from_published(theirs, n_layers=7, n_features=3)(x.transpose(1, 2))
    torch.testing.assert_close(output.transpose(1, 2), theirs(x), **EXACT)


def test_the_published_one_equals_ours_with_its_parameters_and_back():
    torch.manual_seed(0)
    attention = ours().double()
    with torch.no_grad():
        attention.mean_offset += 0.1 * torch.randn(3, 2)
        attention.log_scaled_variance += 0.3 * torch.randn(3, 2)
    theirs = MultiHeadGaussianAdaptiveAttention(1, 3, 2).double()
    theirs.load_state_dict(to_published(attention))
    x = torch.randn(4, 9, 5).double()
    torch.testing.assert_close(theirs(x), attention(x)[0], **EXACT)
    again = from_published(theirs, n_layers=9, n_features=5)
    torch.testing.assert_close(again.scaled_variance, attention.scaled_variance)
    assert torch.equal(again.mean_offset, attention.mean_offset)


def test_it_is_told_by_its_parts():
    several = MultiHeadGaussianAdaptiveAttention(1, 3, 2)
    assert published_heads(several) == list(several.attention_heads)
    assert published_heads(several.attention_heads[0]) == [several.attention_heads[0]]
    others = (
        torch.nn.Linear(2, 2),
        torch.nn.MultiheadAttention(4, 2),
        ours(),
        GaussianBlock([1], [1], [1], 1),
    )
    assert [published_heads(other) for other in others] == [[], [], [], []]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: from_published(torch.nn.Linear(2, 2), n_layers=3, n_features=2),
            "got Linear; a GaussianBlock",
        ),
        (
            lambda: from_published(GaussianAdaptiveAttention(1, 1, 1, 0.0), n_layers=3, n_features=2),
            "padding_value counts padding as zeros",
        ),
        (lambda: to_published(ours(mode="shared")), "has mixture gates, mode 'shared'"),
        (lambda: to_published(ours(gate_kind="density")), "has density gates"),
        (lambda: to_published(ours(amplitude="layer")), "and an amplitude"),
    ],
)
def test_what_the_other_side_does_not_have_is_refused(call, said):
    with pytest.raises(ConfigError, match=said):
        call()


def test_a_scale_that_ours_cannot_hold_is_refused():
    theirs = GaussianAdaptiveAttention(1, 1, 1, None)
    with torch.no_grad():
        theirs.c.fill_(1e-5)
    with pytest.raises(ConfigError, match=r"outside of 0.001 to 1000"):
        from_published(theirs, n_layers=3, n_features=2)
