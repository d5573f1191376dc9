"""The vectors' own functions against numpy's."""

import numpy as np
import pytest

numba = pytest.importorskip("numba", reason="The kernels need numba.")

from daam_core.kernels.lanes import half_to_the, lanes_of, load, smaller, spread, store, total  # noqa: E402


@numba.njit
def halvings(exponents, powers):
    for i in range(0, exponents.size, lanes_of(exponents)):
        store(powers, i, half_to_the(load(exponents, i)))


@pytest.mark.parametrize(("dtype", "error", "least"), [("f4", 1.5e-7, 126), ("f8", 4e-16, 1022)])
def test_powers_are_right_to_rounding_and_end_in_zero(dtype, error, least):
    exponents = np.linspace(0, least, 16_000).astype(dtype)
    powers = np.empty_like(exponents)
    halvings(exponents, powers)
    np.testing.assert_allclose(powers, np.exp2(-exponents.astype(np.float64)), rtol=error)
    far = np.array([least + 1.0, 1e10, np.inf, 0.0] * 16, dtype=dtype)
    powers = np.empty_like(far)
    halvings(far, powers)
    assert powers.reshape(-1, 4).tolist() == [[0.0, 0.0, 0.0, 1.0]] * 16
    between = np.full(64, least + 0.75, dtype=dtype)
    halvings(between, between)
    assert (between >= 0).all()
    assert (between < 2.0**-least).all()


@numba.njit
def sum_of_smaller(values, bound):
    return total(smaller(load(values, 0), spread(values, bound)))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_lanes_are_one_cache_line(dtype):
    values = np.arange(64 // np.dtype(dtype).itemsize, dtype=dtype)
    assert sum_of_smaller(values, 3) == np.minimum(values, 3).sum()
