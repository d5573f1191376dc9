"""What the view's modules compute, against the core; and their own tests. None of it needs a browser."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch

from daam_core.importance import importance_factor
from daam_core.reading.gaussians import cell_gaussians
from daam_core.view.modules import view_style
from daam_core.view.payload import view_payload
from tests.support.builders import make_explanation
from tests.view.node import evaluate, run


def test_the_scripts_own_tests_pass() -> None:
    tests = sorted(str(path) for path in Path(__file__).parent.glob("*.test.js"))
    assert "# fail 0" in run("--test", "--test-reporter=tap", *tests)


@pytest.mark.parametrize("scale", ["all_heads", "per_head"])
def test_importance_is_that_of_the_core_to_the_last_bit(scale: str) -> None:
    e = make_explanation(heads=3, mode="layer_groups", layers=9)
    density = torch.from_numpy(e.density_attention)
    seen = torch.from_numpy(e.head_layers)
    together = importance_factor(density, head_layers=seen)
    e = replace(e, importance_range=torch.stack([together.minimum, together.maximum], -1).numpy())
    found = evaluate(
        "{ Result } from result.js",
        "[0, 1, 2].map((head) => Array.from(new Result(data[0], 'a').map('importance', head, data[1])))",
        [view_payload(e)["a"], scale],
    )
    wanted = importance_factor(density, scale=scale, head_layers=seen).importance.numpy()
    assert np.array_equal(np.array(found, np.float32).reshape(wanted.shape), wanted)


def test_rank_colours_give_every_colour_equally_many_cells() -> None:
    e = make_explanation(heads=1, features=200, seed=1)
    indices = evaluate(
        "{ Result } from result.js; { makeScale, palette, rankThresholds } from colour.js",
        """(() => {
            const map = new Result(data, 'a').map('importance', 0, 'all_heads');
            const scale = makeScale([0, 1], palette('cividis'), {thresholds: rankThresholds([map], false)});
            return Array.from(map, scale.index);
        })()""",
        view_payload(e)["a"],
    )
    counts = np.bincount(indices, minlength=256)
    assert counts.sum() == e.importance[0].size
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize(("dark", "theme"), [(False, r"^\.dv \{"), (True, r"^\.dv\[data-theme='dark'\]")])
@pytest.mark.parametrize("colours", ["linear", "log", "rank"])
def test_no_difference_has_the_colour_of_the_page(dark: bool, theme: str, colours: str) -> None:
    """On a dark page as on a light one; the ends stand out from it."""
    e, other = make_explanation(heads=1), make_explanation(heads=1, seed=3)
    found = evaluate(
        "{ Store } from store.js; { field, scaleOf } from fields.js",
        """(() => {
            const [payload, dark, colours] = data;
            const store = new Store();
            store.setPayload(payload);
            store.dark = dark;
            store.set({side: 'difference', colours});
            const scale = scaleOf(store, 0, {quantity: 'gate', side: 'difference'});
            return [0, ...scale.limits].map(scale.colour);
        })()""",
        [view_payload(e, compare=other), dark, colours],
    )
    (rule,) = re.findall(theme + r"[^}]*--dv-surface: #(\w{6})", view_style(), re.MULTILINE | re.DOTALL)
    page = np.frombuffer(bytes.fromhex(rule), np.uint8).astype(int)
    apart = np.abs(np.array(found) - page).max(1)
    assert apart[0] <= 24
    assert apart[1:].min() > 120


@pytest.mark.parametrize("gate_kind", ["density", "mixture"])
@pytest.mark.parametrize(("mode", "levels"), [("shared", 1), ("layer_groups", 1), ("layer_groups", 2)])
@pytest.mark.parametrize("dataset", [False, True])
def test_gaussians_of_a_cell_are_those_of_the_core(
    gate_kind: str, mode: str, levels: int, dataset: bool
) -> None:
    e = make_explanation(heads=2 * levels, gate_kind=gate_kind, mode=mode, layers=8, levels=levels)
    values = [-1e200, -40.0, *np.linspace(-4, 4, 9), 40.0, 1e200]
    found = evaluate(
        "{ Result } from result.js; { cellCurves, gateAt } from gaussians.js",
        """(() => {
            const curves = cellCurves(new Result(data[0], 'a'), {layer: 5, feature: 9}, data[1]);
            return {...curves, at: curves.heads.map((c) => data[2].map((v) => gateAt(c, v)))};
        })()""",
        [view_payload(e)["a"], dataset, values],
    )
    wanted = cell_gaussians(e, 5, 9, dataset=dataset)
    assert (wanted.log_others is None) == (gate_kind == "density")
    assert found["value"] == pytest.approx(wanted.value, rel=1e-6)
    heads = [head for head in range(2 * levels) if wanted.seen[head]]
    assert [curve["head"] for curve in found["heads"]] == heads
    for curve, at in zip(found["heads"], found["at"], strict=True):
        for name in ("mean", "deviation", "centre", "spread", "gate"):
            assert curve[name] == pytest.approx(getattr(wanted, name)[curve["head"]], rel=2e-4), name
        np.testing.assert_allclose(at, wanted.gate_at(np.array(values), curve["head"]), rtol=2e-3, atol=1e-12)
        assert curve["highest"] == pytest.approx(wanted.highest(curve["head"]), rel=2e-4)
        assert max(at) <= curve["highest"] * (1 + 1e-9)
        if not dataset:  # the dot lies on the curve: the drawn Gaussian is the gate that came out
            assert curve["atValue"] == pytest.approx(curve["gate"], rel=1e-3, abs=1e-6)


def test_the_first_two_heads_compared_see_a_layer_in_common() -> None:
    pairs = [
        evaluate(
            "{ Result } from result.js; { firstPair } from store.js",
            "firstPair(new Result(data[0], 'a'))",
            [view_payload(make_explanation(layers=8, **kind))["a"]],
        )
        for kind in (
            {"heads": 3},
            {"heads": 2, "mode": "layer_groups"},
            {"heads": 4, "mode": "layer_groups", "levels": 2, "gate_kind": "mixture"},
        )
    ]
    assert pairs == [[0, 1], [0, 1], [0, 2]]


def common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Oracle: the longest common subsequence by its definition, remembered."""

    @cache
    def longest(i: int, j: int) -> int:
        if i == len(one) or j == len(other):
            return 0
        if one[i] == other[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    return longest(0, 0)


def test_words_of_two_texts_are_aligned() -> None:
    chance = np.random.default_rng(0)
    texts = [
        [[str(word) for word in chance.choice(list("abcd"), size)] for size in sizes]
        for sizes in ((0, 3), (1, 1), (6, 4), (25, 30))
    ]
    found = evaluate(
        "{ alignWords } from sections/pairs.js", "data.map((pair) => alignWords(...pair))", texts
    )
    for pairs, (one, other) in zip(found, texts, strict=True):
        assert all(one[i] == other[j] for i, j in pairs)
        assert pairs == sorted(pairs)
        assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
        assert len(pairs) == common_length(one, other)
