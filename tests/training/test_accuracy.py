"""Splits, seeds and recipes: the same training for all."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from daam_core.errors import ConfigError, DataError
from daam_core.training.accuracy import (
    Split,
    SplitData,
    balanced_accuracy,
    fit_split,
    measure_accuracy,
)
from daam_core.training.fitting import train_classifier
from daam_core.training.methods import METHODS
from daam_core.training.recipes import recipe_of
from daam_core.training.settings import TrainingConfig
from tests.support.small import letter_config, letter_features

QUICK = TrainingConfig(epochs=6, learning_rate=1e-2)
NONE = np.zeros(0, dtype=np.int64)


def letter_splits(count=60):
    features, labels = letter_features(count)
    order = np.arange(count)
    splits = (Split(order[20:], order[10:20], order[:10]), Split(order[:40], NONE, order[40:]))
    return SplitData("two splits", "fold", features, labels, splits)


def test_measuring_trains_every_split_with_every_seed():
    runs = []
    data = letter_splits()
    found = measure_accuracy(
        recipe_of(METHODS["daam"], letter_config()),
        data,
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
        np.mean(np.array(guess) == data.labels[split.test].numpy())
        for guess, split in zip(found.predictions[0], data.splits, strict=True)
    ]
    assert right == pytest.approx(table[0])
    assert "predictions" not in json.loads(json.dumps(found.as_dict(), allow_nan=False))


def test_accuracy_is_given_apart_for_the_values_of_a_column():
    data = letter_splits()
    where = tuple("" if i < 3 else "sea" if i < 30 else "land" for i in range(60))
    data = replace(data, columns={"where": where})
    found = measure_accuracy(recipe_of(METHODS["daam"], letter_config()), data, training=QUICK, seeds=(3, 4))
    land, sea = found.slices
    assert (land.column, land.value, land.inputs) == ("where", "land", 20)
    assert (sea.value, sea.inputs) == ("sea", 7)  # of the first split only, three of whose cells are empty
    right = [
        [
            np.array(guess) == data.labels[split.test].numpy()
            for guess, split in zip(g, data.splits, strict=True)
        ]
        for g in found.predictions
    ]
    assert land.accuracy == pytest.approx(np.mean([one[1].mean() for one in right]))
    assert sea.accuracy == pytest.approx(np.mean([one[0][3:].mean() for one in right]))
    assert sea.deviation is None  # one split has such inputs
    assert found.as_dict()["slices"][0]["value"] == "land"


def test_measuring_again_gives_the_same():
    recipe, data = recipe_of(METHODS["daam"], letter_config()), letter_splits()
    one, two = (measure_accuracy(recipe, data, training=QUICK, seeds=(0,)) for _ in range(2))
    assert one.predictions == two.predictions


def test_refitting_trains_on_both_parts_for_the_chosen_number_of_epochs():
    data, training = letter_splits(), replace(QUICK, epochs=12, patience=3)
    split = data.splits[0]
    config = letter_config()
    head, history = fit_split(recipe_of(METHODS["daam"], config), data, split, training=training)
    both = np.arange(10, 60)
    expected, _ = train_classifier(
        config, replace(training, epochs=history.best_epoch), data.features[both], data.labels[both]
    )
    assert torch.equal(head.decoder.weight, expected.decoder.weight)
    kept, _ = fit_split(recipe_of(METHODS["daam"], config), data, split, training=training, refit=False)
    assert not torch.equal(kept.decoder.weight, expected.decoder.weight)


def test_a_split_without_validation_part_trains_once():
    data = letter_splits()
    _, history = fit_split(recipe_of(METHODS["daam"], letter_config()), data, data.splits[1], training=QUICK)
    assert history.best_epoch == QUICK.epochs


def test_rivals_are_measured_like_classifiers_and_beside_the_most_frequent_class():
    data = letter_splits()
    found = measure_accuracy(recipe_of(METHODS["linear"], letter_config()), data, training=QUICK, seeds=(0,))
    assert not found.ours
    assert found.parameters == 6 * 8 * 2 + 2
    assert found.accuracy > 0.6
    balanced = [
        balanced_accuracy(torch.tensor(guess), data.labels[split.test])
        for guess, split in zip(found.predictions[0], data.splits, strict=True)
    ]
    assert found.balanced_accuracy == pytest.approx(np.mean(balanced))
    most = [data.labels[split.train].bincount().argmax() for split in data.splits]
    shares = [
        float((data.labels[split.test] == one).double().mean())
        for split, one in zip(data.splits, most, strict=True)
    ]
    assert data.majority == pytest.approx(np.mean(shares))


def test_unknown_seeds_and_splits_are_refused():
    recipe, data = recipe_of(METHODS["last_layer"], letter_config()), letter_splits()
    with pytest.raises(ConfigError, match="at least one seed"):
        measure_accuracy(recipe, data, training=QUICK, seeds=())
    with pytest.raises(DataError, match="at least one split"):
        replace(data, splits=())
    with pytest.raises(DataError, match="training inputs"):
        replace(data, splits=(Split(NONE, NONE, np.arange(3)),))
    untested = replace(data, splits=(Split(np.arange(9), NONE, NONE),))
    with pytest.raises(DataError, match="test inputs"):
        measure_accuracy(recipe, untested, training=QUICK, seeds=(0,))
