"""Splits, seeds and methods: the same training for all."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from daam_core.errors import ConfigError, DataError
from daam_core.training.accuracy import (
    Protocol,
    Split,
    baseline_method,
    daam_method,
    fit_method,
    measure,
    methods,
    variants,
)
from daam_core.training.baselines import BASELINES
from daam_core.training.fitting import TrainingConfig, train_head
from tests.support.small import LAYERS, letter_config
from tests.training.test_evaluation import letter_features

QUICK = TrainingConfig(epochs=6, learning_rate=1e-2)
NONE = np.zeros(0, dtype=np.int64)


def letter_protocol(count=60):
    features, labels = letter_features(count)
    order = np.arange(count)
    splits = (Split(order[20:], order[10:20], order[:10]), Split(order[:40], NONE, order[40:]))
    return Protocol("two splits", "fold", features, labels, splits)


def test_measuring_trains_every_split_with_every_seed():
    runs = []
    protocol = letter_protocol()
    found = measure(
        daam_method("head", letter_config()),
        protocol,
        training=QUICK,
        seeds=(3, 4),
        on_run=lambda seed, module, history: runs.append((seed, module.config.seed)),
    )
    assert runs == [(3, 3), (3, 3), (4, 4), (4, 4)]
    table = np.array(found.accuracies)
    assert table.shape == (2, 2)
    assert found.accuracy == pytest.approx(table.mean())
    assert found.split_deviation == pytest.approx(np.std(table.mean(0), ddof=1))
    assert found.seed_deviation == pytest.approx(np.std(table.mean(1), ddof=1))
    right = [
        np.mean(np.array(guess) == protocol.labels[split.test].numpy())
        for guess, split in zip(found.predictions[0], protocol.splits, strict=True)
    ]
    assert right == pytest.approx(table[0])
    assert "predictions" not in json.loads(json.dumps(found.as_dict(), allow_nan=False))


def test_measuring_again_gives_the_same():
    method, protocol = daam_method("head", letter_config()), letter_protocol()
    one, two = (measure(method, protocol, training=QUICK, seeds=(0,)) for _ in range(2))
    assert one.predictions == two.predictions


def test_refitting_trains_on_both_parts_for_the_chosen_number_of_epochs():
    protocol, training = letter_protocol(), replace(QUICK, epochs=12, patience=3)
    split = protocol.splits[0]
    config = letter_config()
    head, history = fit_method(daam_method("head", config), protocol, split, training=training)
    both = np.arange(10, 60)
    expected, _ = train_head(
        config, replace(training, epochs=history.best_epoch), protocol.features[both], protocol.labels[both]
    )
    assert torch.equal(head.decoder.weight, expected.decoder.weight)
    kept, _ = fit_method(daam_method("head", config), protocol, split, training=training, refit=False)
    assert not torch.equal(kept.decoder.weight, expected.decoder.weight)


def test_a_split_without_validation_part_trains_once():
    protocol = letter_protocol()
    _, history = fit_method(daam_method("h", letter_config()), protocol, protocol.splits[1], training=QUICK)
    assert history.best_epoch == QUICK.epochs


@pytest.mark.parametrize("name", list(BASELINES))
def test_baselines_are_measured_like_heads(name):
    found = measure(baseline_method(name, 2), letter_protocol(), training=QUICK, seeds=(0,))
    assert not found.ours
    assert found.parameters > 0
    assert found.accuracy > 0.6


def test_variants_change_what_their_name_says():
    found = variants(letter_config())
    assert found["daam"].settings["amplitude"] == "layer"
    assert found["daam-plain"].settings["amplitude"] == "none"
    assert found["daam-mixture"].settings["gate"] == "mixture"
    assert found["daam-groups"].settings["n_heads"] == LAYERS // 3
    assert found["daam-conv"].settings["decoder"] == "conv"
    assert "daam-groups" not in variants(letter_config(n_layers=4))
    features, labels = letter_features(20)
    for method in found.values():
        module, _ = method.train(replace(QUICK, epochs=1), features, labels)
        assert module(features).logits.shape == (20, 2)


def test_unknown_methods_seeds_and_splits_are_refused():
    with pytest.raises(ConfigError, match=r"no method 'magic'; there are daam, .*linear-probe"):
        methods(["daam", "magic"], letter_config())
    with pytest.raises(ConfigError, match="no baseline 'x'"):
        baseline_method("x", 2)
    method, protocol = baseline_method("last layer", 2), letter_protocol()
    with pytest.raises(ConfigError, match="at least one seed"):
        measure(method, protocol, training=QUICK, seeds=())
    with pytest.raises(DataError, match="at least one split"):
        replace(protocol, splits=())
    with pytest.raises(DataError, match="training samples"):
        replace(protocol, splits=(Split(NONE, NONE, np.arange(3)),))
    untested = replace(protocol, splits=(Split(np.arange(9), NONE, NONE),))
    with pytest.raises(DataError, match="test samples"):
        measure(method, untested, training=QUICK, seeds=(0,))
