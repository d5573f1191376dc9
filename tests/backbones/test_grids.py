"""Area resampling keeps the mean, whatever the two sizes; a wider map repeats real channels."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from daam_core.backbones.grids import area_matrix, common_grid, regrid, widen

SIDES = st.integers(1, 40)


@given(SIDES, SIDES)
def test_area_matrix_shares(n_from: int, n_to: int) -> None:
    shares = area_matrix(n_from, n_to).double()
    assert shares.shape == (n_to, n_from)
    assert (shares >= 0).all()
    torch.testing.assert_close(shares.sum(1), torch.ones(n_to).double(), rtol=0, atol=1e-5)
    torch.testing.assert_close(
        shares.sum(0), torch.full((n_from,), n_to / n_from).double(), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize(("n_from", "n_to"), [(4, 2), (2, 4), (3, 2), (2, 3), (5, 7)])
def test_area_matrix_against_fine_subdivision(n_from: int, n_to: int) -> None:
    # Both grids cut into n_from · n_to slices of equal width: repeat, then average.
    values = torch.randn(n_from, generator=torch.Generator().manual_seed(n_from)).double()
    expected = values.repeat_interleave(n_to).view(n_to, n_from).mean(1)
    torch.testing.assert_close(area_matrix(n_from, n_to).double() @ values, expected, rtol=0, atol=1e-6)


@given(SIDES, SIDES, SIDES, SIDES)
def test_regrid_keeps_the_mean(rows: int, columns: int, new_rows: int, new_columns: int) -> None:
    features = torch.randn(rows, columns, 3, generator=torch.Generator().manual_seed(rows))
    out = regrid(features, (new_rows, new_columns))
    assert out.shape == (new_rows, new_columns, 3)
    torch.testing.assert_close(out.mean((0, 1)), features.mean((0, 1)), rtol=1e-4, atol=1e-5)


def test_regrid_agrees_with_average_pooling_and_repetition() -> None:
    features = torch.randn(8, 6, 5, generator=torch.Generator().manual_seed(0))
    pooled = torch.nn.functional.avg_pool2d(features.permute(2, 0, 1), 2).permute(1, 2, 0)
    torch.testing.assert_close(regrid(features, (4, 3)), pooled)
    torch.testing.assert_close(
        regrid(features, (16, 12)), features.repeat_interleave(2, 0).repeat_interleave(2, 1)
    )
    assert regrid(features, (8, 6)) is features


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(56, 56), (28, 28), (14, 14), (7, 7)], (14, 14)),
        ([(96, 96), (48, 48), (24, 24), (12, 12)], (24, 24)),
        ([(8, 8), (4, 4)], (8, 8)),
        ([(64, 64), (32, 32)], (32, 32)),
        ([(1, 600), (2, 600)], (1, 600)),
    ],
)
def test_common_grid_is_the_finest_that_is_not_too_fine(
    sizes: list[tuple[int, int]], expected: tuple[int, int]
) -> None:
    assert common_grid(sizes) == expected


def test_widen_repeats_channels_in_a_cycle() -> None:
    features = torch.arange(6.0).view(2, 3)
    assert widen(features, 3) is features
    assert widen(features, 7).tolist() == [[0, 1, 2, 0, 1, 2, 0], [3, 4, 5, 3, 4, 5, 3]]
