"""Oracles: direct loops and a full sort; properties with hypothesis."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from daam_core.errors import ConfigError
from daam_core.reading.quantities import quantity_map, quantity_text, scale_limits, top_cells
from tests.support.builders import make_explanation

numbers = st.floats(-1e6, 1e6, width=32)
maps = arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=7), elements=numbers)


def test_a_map_has_no_cells_in_layers_a_head_does_not_see():
    e = make_explanation(mode="layer_groups", heads=2)
    found = quantity_map(e, "gate")
    assert np.isnan(found[~e.head_layers]).all()
    np.testing.assert_array_equal(found[e.head_layers], e.gate[e.head_layers])
    assert not np.isnan(e.gate).any(), "the explanation itself must stay as it was"


def test_limits_of_all_heads_are_equal_and_per_head_limits_are_each_heads_own():
    e = make_explanation()
    values = quantity_map(e, "density_attention")
    joint, own = scale_limits(values), scale_limits(values, scale="per_head")
    assert (joint == [values.min(), values.max()]).all()
    np.testing.assert_array_equal(own, [[head.min(), head.max()] for head in values])
    signed = scale_limits(quantity_map(e, "class_importance"), signed=True)
    assert (signed[:, 0] == -signed[:, 1]).all()
    assert signed[0, 1] == np.abs(e.class_importance).max()


def test_unknown_options_list_the_known_ones():
    with pytest.raises(ConfigError, match="Unknown quantity 'loudness'; choose one of: importance, dens"):
        quantity_text("loudness")
    with pytest.raises(ConfigError, match="Evidence is defined for the decoder density, which test-head has"):
        quantity_map(make_explanation(), "evidence")
    with pytest.raises(ConfigError, match="Unknown scale 'log'; choose all_heads or per_head"):
        scale_limits(np.zeros((1, 1, 1)), scale="log")  # type: ignore[arg-type]


@given(maps, st.integers(0, 30), st.booleans())
def test_top_cells_are_those_a_full_sort_gives(values, count, absolute):
    found = top_cells(values, count, absolute=absolute)
    key = np.abs(values) if absolute else values
    flat = sorted(np.ndindex(values.shape), key=lambda cell: (-key[cell], cell))
    assert [tuple(cell) for cell in found.tolist()] == flat[:count]


def test_top_cells_never_returns_a_cell_that_does_not_exist():
    values = np.array([[np.nan, -3.0], [1.0, np.nan]])
    assert top_cells(values, 10).tolist() == [[1, 0], [0, 1]]
