"""Retraining on chosen layers."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from daam_core.errors import CancelledError, DataError
from daam_core.faithfulness.retraining.layers import (
    TrainTestFeatures,
    held_out,
    layer_shares,
    mean_density_attention,
    retrain,
    subset_config,
)
from daam_core.progress import Progress
from tests.support.planted import planted_classifier, planted_inputs
from tests.support.separable import BUDGET, separable
from tests.support.small import letter_config


def test_retraining_finds_the_layer_that_carries_the_class():
    classifier = planted_classifier()
    train, test = separable(160, layer=2), separable(120, layer=2, seed=1)
    found = retrain(classifier, TrainTestFeatures(train, test), seeds=(0, 1), budget=BUDGET)
    assert np.argmax(found.share) == 2
    by_name = {choice.name: choice for choice in (*found.single, *found.choices)}
    assert by_name["highest 1"].layers == (2,)
    assert by_name["layer 2"].accuracy.mean > 0.95
    assert by_name["highest 1"].accuracy == by_name["layer 2"].accuracy
    assert by_name["layer 0"].accuracy.mean < 0.7
    assert found.difference[1].low > 0
    assert found.difference[3].low > 0
    assert by_name["highest 3"].kind == "density attention"
    assert by_name["layer 0"].kind == "linear"
    assert found.overlap == tuple(sorted(set(by_name["highest 3"].layers) & set(by_name["lowest 3"].layers)))
    assert found.train_inputs == 160
    assert sum(found.share) == pytest.approx(100)


def test_a_subset_of_grouped_layers_is_shared():
    config = letter_config(mode="layer_groups")
    assert subset_config(config, (0, 1, 2)).mode == "shared"
    assert subset_config(config, range(6)).mode == "layer_groups"
    stacked = replace(config, n_levels=2, n_heads=4, amplitude="none", decoder="linear")
    fewer = subset_config(stacked, (0, 1, 2))
    assert (fewer.n_heads, fewer.n_levels, fewer.mode) == (2, 2, "layer_groups")


def test_shares_and_mean_maps_against_plain_formulas():
    classifier = planted_classifier()
    x, _ = planted_inputs()
    mean = mean_density_attention(classifier, x, batch_size=7)
    direct = classifier.attention.by_head(
        classifier.attention.attend(classifier.attention.gate(classifier.standardise(x)))
    ).mean(0)
    torch.testing.assert_close(mean, direct)
    np.testing.assert_allclose(layer_shares(mean), [0, 0, 100, 0, 0], atol=1e-6)


def test_held_out_inputs_are_not_trained_on():
    kept, held = held_out(20, seed=3)
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(20))
    assert len(held) == 3
    assert len(held_out(2, seed=0)[1]) == 1


def test_features_that_do_not_fit_are_refused():
    x, labels = separable(10, layer=0)
    with pytest.raises(DataError, match=r"features \[N, L, F\] and labels \[N\]"):
        TrainTestFeatures((x, labels[:3]), (x, labels))
    with pytest.raises(DataError, match="same layers and features"):
        TrainTestFeatures((x, labels), (x[:, :3], labels))
    with pytest.raises(DataError, match=r"takes features \[N, 5, 8\], got \[10, 5, 4\]"):
        retrain(planted_classifier(), TrainTestFeatures((x[..., :4], labels), (x[..., :4], labels)))


def test_retraining_stops_when_asked():
    part = separable(20, layer=0)
    with pytest.raises(CancelledError):
        retrain(
            planted_classifier(), TrainTestFeatures(part, part), progress=Progress(cancelled=lambda: True)
        )
