"""Oracles: direct loops and definitions; properties with hypothesis."""

import itertools
import re
from dataclasses import replace
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays

from daam_core.errors import ConfigError, ShapeError
from daam_core.gating import density_gate, effective_gaussian
from daam_core.reading import colours
from daam_core.reading.quantities import (
    bin_columns,
    cell_gaussians,
    effective_mixture,
    gate_entropy,
    head_order,
    head_similarity,
    join_words,
    parameter_summary,
    quantity_map,
    quantity_text,
    scale_limits,
    token_grid,
    top_cells,
)
from tests.support.builders import make_explanation

ROOT = Path(__file__).parents[2]
numbers = st.floats(-1e6, 1e6, width=32)
maps = arrays(np.float64, array_shapes(min_dims=1, max_dims=3, max_side=7), elements=numbers)


# ---- Maps and their limits ---------------------------------------------------------------------------


def test_a_map_has_no_cells_in_layers_a_head_does_not_see():
    e = make_explanation(mode="layer_groups", heads=2)
    found = quantity_map(e, "gate")
    assert np.isnan(found[~e.head_layers]).all()
    np.testing.assert_array_equal(found[e.head_layers], e.gate[e.head_layers])
    assert not np.isnan(e.gate).any(), "the explanation itself must stay as it was"


def test_shared_limits_are_those_of_all_heads_and_per_head_limits_of_each():
    e = make_explanation()
    values = quantity_map(e, "density_attention")
    shared, own = scale_limits(values), scale_limits(values, scale="per_head")
    assert (shared == [values.min(), values.max()]).all()
    np.testing.assert_array_equal(own, [[head.min(), head.max()] for head in values])
    signed = scale_limits(quantity_map(e, "class_importance"), signed=True)
    assert (signed[:, 0] == -signed[:, 1]).all()
    assert signed[0, 1] == np.abs(e.class_importance).max()


def test_unknown_options_list_the_known_ones():
    with pytest.raises(ConfigError, match="Unknown quantity 'loudness'; choose one of: importance, dens"):
        quantity_text("loudness")
    with pytest.raises(ConfigError, match="Unknown scale 'log'; choose all_heads or per_head"):
        scale_limits(np.zeros((1, 1, 1)), scale="log")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="Unknown palette 'jet'; choose one of: cividis, viridis, grey"):
        colours.sequential("jet")


# ---- Top cells ---------------------------------------------------------------------------------------


@given(maps, st.integers(0, 30), st.booleans())
def test_top_cells_are_those_a_full_sort_gives(values, count, absolute):
    found = top_cells(values, count, absolute=absolute)
    key = np.abs(values) if absolute else values
    flat = sorted(np.ndindex(values.shape), key=lambda cell: (-key[cell], cell))
    assert [tuple(cell) for cell in found.tolist()] == flat[:count]


def test_top_cells_never_returns_a_cell_that_does_not_exist():
    values = np.array([[np.nan, -3.0], [1.0, np.nan]])
    assert top_cells(values, 10).tolist() == [[1, 0], [0, 1]]


# ---- Entropy -----------------------------------------------------------------------------------------


def test_entropy_is_one_for_an_even_gate_and_zero_for_a_single_open_cell():
    gate = np.zeros((3, 2, 4))
    gate[0] = 0.3
    gate[1, 1, 2] = 0.9
    found = gate_entropy(gate, np.ones((3, 2), dtype=bool))
    assert found[0] == pytest.approx(1)
    assert found[1] == 0
    assert np.isnan(found[2]), "a gate that is shut has no distribution"


def test_entropy_of_two_cells_equals_the_binary_entropy():
    gate = np.array([[[0.2, 0.6]]])
    p = 0.25
    expected = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    assert gate_entropy(gate, np.ones((1, 1), dtype=bool))[0] == pytest.approx(expected)


def test_entropy_counts_only_the_layers_a_head_sees():
    e = make_explanation(mode="layer_groups", heads=2)
    alone = gate_entropy(e.gate[:1, :3], np.ones((1, 3), dtype=bool))
    assert gate_entropy(e.gate, e.head_layers)[0] == pytest.approx(alone[0])


# ---- Binning -----------------------------------------------------------------------------------------


@given(
    arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 40)), elements=numbers),
    st.integers(1, 50),
    st.sampled_from(["max", "mean", "extreme"]),
)
def test_binning_equals_a_loop_over_the_bins(values, columns, how):
    binned = bin_columns(values, columns, how=how)
    edges = binned.edges
    assert edges[0] == 0
    assert edges[-1] == values.shape[1]
    assert len(edges) - 1 == min(columns, values.shape[1])
    widths = np.diff(edges)
    assert widths.min() >= 1
    assert widths.max() - widths.min() <= 1
    oracle = {
        "max": lambda part: part.max(),
        "mean": lambda part: part.mean(),
        "extreme": lambda part: min(part) if -min(part) > max(part) else max(part),
    }[how]
    for row in range(len(values)):
        expected = [oracle(values[row, a:b]) for a, b in itertools.pairwise(edges)]
        np.testing.assert_allclose(binned.values[row], expected, rtol=1e-9, atol=1e-9)


@given(st.integers(0, 5119), st.integers(0, 39))
def test_a_single_hot_cell_survives_binning_by_maximum(feature, layer):
    values = np.zeros((40, 5120), dtype=np.float32)
    values[layer, feature] = 1
    binned = bin_columns(values, 700)
    (place,) = np.flatnonzero(binned.values[layer])
    assert binned.edges[place] <= feature < binned.edges[place + 1]
    assert binned.values.sum() == 1


def test_binning_says_what_it_did():
    assert bin_columns(np.zeros((1, 10)), 10).statement == ""
    assert bin_columns(np.zeros((1, 10)), 5).statement == "each column shows the maximum of 2 features"
    assert (
        bin_columns(np.zeros((1, 10)), 3, how="mean").statement
        == "each column shows the mean of 3–4 features"
    )


@pytest.mark.parametrize("how", ["max", "mean", "extreme"])
def test_binning_leaves_missing_cells_out(how):
    values = np.array([[np.nan, 2.0, np.nan, np.nan]])
    np.testing.assert_array_equal(bin_columns(values, 2, how=how).values, [[2.0, np.nan]])


def test_binning_refuses_what_it_cannot_do():
    with pytest.raises(ConfigError, match="at least one column, got 0"):
        bin_columns(np.zeros((1, 3)), 0)
    with pytest.raises(ConfigError, match="Unknown binning 'median'"):
        bin_columns(np.zeros((1, 3)), 2, how="median")  # type: ignore[arg-type]


# ---- Parameters and Gaussians ------------------------------------------------------------------------


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
def test_parameter_rows_hold_range_mean_and_distance_from_the_start(gate_kind):
    e = make_explanation(gate_kind=gate_kind, dtype=np.float64)
    rows = parameter_summary(e)
    assert [(r.parameter, r.head) for r in rows] == [
        (name, head) for name in ("mean_offset", "scaled_variance") for head in (None, 0, 1, 2, 3)
    ]
    for row in rows:
        learned = getattr(e, row.parameter)
        change = abs(learned - getattr(e, f"initial_{row.parameter}"))
        if row.head is not None:
            learned, change = learned[row.head], change[row.head]
        assert (row.lowest, row.highest) == (learned.min(), learned.max())
        assert row.mean == pytest.approx(learned.mean())
        assert row.deviation == pytest.approx(learned.std())
        assert (row.mean_change, row.largest_change) == (pytest.approx(change.mean()), change.max())


@given(
    arrays(np.float64, st.integers(1, 6), elements=st.floats(-3, 3)),
    st.integers(0, 2**31),
)
def test_the_effective_gaussian_is_proportional_to_the_product(offsets, seed):
    scales = np.random.default_rng(seed).uniform(0.2, 3, len(offsets))
    mean, variance = effective_mixture(offsets, scales)
    x = np.linspace(-4, 4, 9)
    log_product = -(((x[:, None] - offsets) / scales) ** 2 / 2).sum(axis=1)
    difference = log_product + (x - mean) ** 2 / (2 * variance)
    np.testing.assert_allclose(difference, difference[0], rtol=1e-8, atol=1e-8)
    torch_mean, torch_variance = effective_gaussian(torch.tensor(offsets), torch.tensor(scales))
    np.testing.assert_allclose([mean, variance], [torch_mean, torch_variance], rtol=1e-12, atol=1e-12)


def test_a_mixture_without_width_is_refused():
    with pytest.raises(ShapeError, match="finite and different from zero"):
        effective_mixture(np.zeros(2), np.array([1.0, 0.0]))


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_each_cell_lies_on_its_heads_gaussian(gate_kind, mode):
    e = make_explanation(gate_kind=gate_kind, mode=mode, heads=2, features=5, dtype=np.float64)
    _, layers, features = e.shape
    for layer in range(layers):
        for feature in range(features):
            cell = cell_gaussians(e, layer, feature)
            curve = cell.peak * np.exp(-((cell.value - cell.centre) ** 2) / (2 * cell.spread**2))
            np.testing.assert_array_equal(cell.seen, e.head_layers[:, layer])
            np.testing.assert_allclose(curve[cell.seen], e.gate[cell.seen, layer, feature], rtol=1e-9)
            assert cell.value == e.values[layer, feature]


def test_the_gaussian_is_the_gate_as_a_function_of_the_value():
    """Oracle: the gate function itself, at values near the cell's with the statistics held fixed."""
    e = make_explanation(layers=5, features=1, heads=1, dtype=np.float64)
    cell = cell_gaussians(e, 2, 0)
    deviation = np.sqrt(cell.deviation[0] ** 2 + 1e-5)
    for x in np.linspace(-2, 2, 7):
        z = (x - cell.mean[0] - e.mean_offset[0, 0]) / deviation
        expected = np.exp(-(z**2) / (2 * e.scaled_variance[0, 0]))
        curve = cell.peak[0] * np.exp(-((x - cell.centre[0]) ** 2) / (2 * cell.spread[0] ** 2))
        assert curve == pytest.approx(expected, rel=1e-9)
    gate = density_gate(
        torch.tensor(e.values), torch.tensor(e.mean_offset[0]), torch.tensor(e.scaled_variance[0])
    )
    assert cell.gate[0] == pytest.approx(float(gate[2, 0]))


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_the_data_sets_gaussians_are_the_gate_of_its_average(gate_kind, mode):
    """An input whose values and statistics are exactly the averages has the gate that the curve gives."""
    e, other = (
        make_explanation(gate_kind=gate_kind, mode=mode, heads=2, features=5, dtype=np.float64, seed=seed)
        for seed in (6, 7)  # the averages of the first are those of the second
    )
    e = replace(e, mean_offset=other.mean_offset, scaled_variance=other.scaled_variance)
    for layer in range(e.shape[1]):
        cell = cell_gaussians(e, layer, 3, dataset=True)
        curve = cell.peak * np.exp(-((cell.value - cell.centre) ** 2) / (2 * cell.spread**2))
        np.testing.assert_allclose(curve[cell.seen], other.gate[cell.seen, layer, 3], rtol=1e-9)
        assert cell.value == other.values[layer, 3]
        np.testing.assert_array_equal(cell.gate, other.gate[:, layer, 3])


def test_without_a_data_set_there_are_no_average_gaussians():
    with pytest.raises(ConfigError, match="test-head holds no averages over a data set"):
        cell_gaussians(make_explanation(dataset=False), 0, 0, dataset=True)


def test_a_cell_that_does_not_exist_is_refused():
    with pytest.raises(ShapeError, match="no cell at layer 6, feature 0; layers go from 0 to 5 and features"):
        cell_gaussians(make_explanation(), 6, 0)


# ---- Words -------------------------------------------------------------------------------------------


def pieces(text: str, cuts: list[int]) -> tuple[list[str], np.ndarray]:
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    spans = list(itertools.pairwise(edges))
    return [text[a:b] for a, b in spans], np.array(spans, dtype=float).reshape(-1, 2)


@given(st.text(max_size=40), st.lists(st.integers(0, 40)), st.integers(0, 2**31))
def test_joining_keeps_every_token_and_the_sum_of_their_values(text, cuts, seed):
    labels, spans = pieces(text, cuts)
    values = np.random.default_rng(seed).normal(size=len(labels))
    words = join_words(text, labels, spans, values)
    assert sorted(token for word in words for token in word.tokens) == list(range(len(labels)))
    assert sum(word.value for word in words) == pytest.approx(values.sum(), abs=1e-9)
    placed = [word for word in words if word.start is not None]
    for word in placed:
        assert word.text == text[word.start : word.end]
        assert word.value == pytest.approx(values[list(word.tokens)].sum(), abs=1e-12)
    for one, next_one in itertools.pairwise(placed):
        assert one.end <= next_one.start
    covered = {place for word in placed for place in range(word.start, word.end)}
    assert {place for place, letter in enumerate(text) if not letter.isspace()} <= covered


def joined(text: str, labels: list[str], spans: list[tuple[float, float]]) -> list[tuple[str, float]]:
    values = np.arange(1.0, len(labels) + 1)
    return [(word.text, word.value) for word in join_words(text, labels, np.array(spans), values)]


NAN = (np.nan, np.nan)


@pytest.mark.parametrize(
    ("text", "labels", "spans", "expected"),
    [
        # BERT: word pieces, punctuation apart, special tokens without a place
        (
            "unaffable, no",
            ["[CLS]", "una", "##ffa", "##ble", ",", "no", "[SEP]"],
            [NAN, (0, 3), (3, 6), (6, 9), (9, 10), (11, 13), NAN],
            [("unaffable", 9.0), (",", 5.0), ("no", 6.0), ("[CLS]", 1.0), ("[SEP]", 7.0)],
        ),
        # GPT-2 and sentencepiece: pieces that begin with the space before them
        ("the cat", ["the", "Ġcat"], [(0, 3), (3, 7)], [("the", 1.0), ("cat", 2.0)]),
        # a piece of its own for the space goes to the word that follows
        ("a bc", ["a", "▁", "bc"], [(0, 1), (1, 2), (2, 4)], [("a", 1.0), ("bc", 5.0)]),
        # apostrophes hold a word together
        ("don't", ["don", "'", "t"], [(0, 3), (3, 4), (4, 5)], [("don't", 6.0)]),
        # one piece over two words joins them
        ("of the", ["of the"], [(0, 6)], [("of the", 1.0)]),
        # Chinese has no spaces: every letter stands alone, unless a piece joins two
        ("我喜欢", ["我", "喜欢"], [(0, 1), (1, 3)], [("我", 1.0), ("喜欢", 2.0)]),
        # combining marks belong to their letters
        ("हिन्दी", ["हि", "न्दी"], [(0, 2), (2, 6)], [("हिन्दी", 3.0)]),
        # overlapping windows: the same piece seen twice
        ("one", ["one", "one"], [(0, 3), (0, 3)], [("one", 3.0)]),
        # a word that the tokenizer dropped keeps its place
        ("a b", ["a"], [(0, 1)], [("a", 1.0), ("b", 0.0)]),
    ],
)
def test_pieces_of_all_tokenizers_become_words(text, labels, spans, expected):
    assert joined(text, labels, spans) == expected


def test_joining_refuses_lists_of_different_length():
    with pytest.raises(ShapeError, match="got 2 labels, spans \\[1, 2\\] and 2 values"):
        join_words("ab", ["a", "b"], np.zeros((1, 2)), np.zeros(2))


# ---- Regions -----------------------------------------------------------------------------------------


def test_the_grid_of_regions_holds_each_regions_value_at_its_place():
    e = make_explanation("image", tokens=12)
    x, y, grid = token_grid(e.token_spans, e.token_attribution)
    np.testing.assert_allclose(x, np.linspace(0, 1, 5))
    np.testing.assert_allclose(y, np.linspace(0, 1, 4))
    np.testing.assert_array_equal(grid.ravel(), e.token_attribution)


def test_regions_that_overlap_add_up_and_gaps_stay_empty():
    spans = np.array([[0, 0, 0.5, 1], [0.25, 0, 0.5, 1], [0.75, 0, 1, 1], [np.nan] * 4])
    x, y, grid = token_grid(spans, np.array([1.0, 2.0, 4.0, 8.0]))
    np.testing.assert_array_equal(x, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(grid, [[1, 3, np.nan, 4]])
    assert len(y) == 2


# ---- Heads -------------------------------------------------------------------------------------------


def test_similarity_equals_numpys_correlation_and_is_missing_where_heads_share_no_layer():
    e = make_explanation(heads=3, dtype=np.float64)
    similarity = head_similarity(e.gate, e.head_layers)
    np.testing.assert_allclose(similarity, np.corrcoef(e.gate.reshape(3, -1)), atol=1e-12)
    groups = make_explanation(heads=2, mode="layer_groups")
    found = head_similarity(groups.gate, groups.head_layers)
    assert np.isnan(found[0, 1])
    assert found[0, 0] == found[1, 1] == 1


def test_similarity_with_a_constant_gate_is_missing():
    gate = np.stack([np.ones((2, 3)), np.arange(6.0).reshape(2, 3)])
    assert np.isnan(head_similarity(gate, np.ones((2, 2), dtype=bool))[0, 1])


def test_heads_are_ordered_by_their_share_and_ties_keep_their_order():
    assert head_order(np.array([[1.0, 1.0], [5.0, 0.0], [2.0, 0.0]])).tolist() == [1, 0, 2]


# ---- Colours -----------------------------------------------------------------------------------------


def test_print_and_page_use_the_same_colours():
    script = (ROOT / "daam_core" / "view" / "web" / "view_colour.js").read_text(encoding="utf-8")
    for name, expected in (("DIVERGING", colours.DIVERGING), ("HEAD_COLOURS", colours.HEAD_COLOURS)):
        written = re.search(rf"D\.{name} = (?:Object\.freeze\()?\[(.*?)\]", script, re.DOTALL)
        assert written, name
        assert tuple(re.findall(r"#[0-9a-fA-F]{6}", written[1])) == expected
