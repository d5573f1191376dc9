"""The training loop: what it fits, which learning rate goes where, and when it stops."""

from dataclasses import replace

import pytest
import torch

from daam_core.errors import ConfigError, DataError
from daam_core.model import DaamClassifier
from daam_core.training.fitting import (
    TrainingConfig,
    accuracy,
    fit,
    predict,
    train_baseline,
    train_classifier,
)
from tests.support.small import letter_config, letter_features

QUICK = TrainingConfig(epochs=6, learning_rate=1e-2, batch_size=16)


def test_standardisation_is_that_of_the_training_part():
    x, y = letter_features(40)
    classifier, _ = train_classifier(letter_config(), replace(QUICK, epochs=1), x, y)
    torch.testing.assert_close(classifier.standardise(x).mean(0), torch.zeros_like(x[0]), atol=1e-4, rtol=0)
    torch.testing.assert_close(classifier.standardisation.mean, x.mean(0))


def test_gate_and_decoder_have_learning_rates_of_their_own():
    x, y = letter_features(40)
    only_gate = replace(QUICK, learning_rate=0.0, gate_learning_rate=1e-2)
    only_decoder = replace(QUICK, gate_learning_rate=0.0, weight_decay=0.0)
    for training, moves in ((only_gate, True), (only_decoder, False)):
        torch.manual_seed(0)
        classifier = DaamClassifier(letter_config())
        gate = {id(parameter) for parameter in classifier.gate_parameters()}
        before = {name: parameter.detach().clone() for name, parameter in classifier.named_parameters()}
        fit(classifier, training, x, y)
        for name, parameter in classifier.named_parameters():
            moved = not torch.equal(parameter, before[name])
            assert moved == (moves == (id(parameter) in gate)), name


def test_without_progress_training_stops_and_keeps_the_best_weights():
    x, y = letter_features(60)
    shuffled = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(3))]
    training = replace(QUICK, epochs=60, patience=3)
    classifier, history = train_classifier(
        letter_config(), training, x[:40], y[:40], validation=(x[40:], shuffled[40:])
    )
    losses = [epoch.validation_loss for epoch in history.epochs]
    assert history.best_epoch == 1 + losses.index(min(losses))
    assert len(losses) == min(60, history.best_epoch + 3)
    kept = torch.nn.functional.cross_entropy(predict(classifier, x[40:]), shuffled[40:])
    assert float(kept) == pytest.approx(min(losses), rel=1e-5)


def test_training_repeats_with_its_seed_and_changes_with_another():
    x, y = letter_features(30)
    one, two, other = (
        train_classifier(letter_config(), replace(QUICK, epochs=2, seed=seed), x, y)[0].decoder.weight
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_the_gate_penalty_closes_gates():
    x, y = letter_features(40)
    gates = []
    for penalty in (0.0, 5.0):
        training = replace(QUICK, gate_penalty=penalty)
        classifier, _ = train_classifier(letter_config(), training, x, y)
        gates.append(float(classifier(x).gate.mean().detach()))
    assert gates[1] < gates[0]


def test_predictions_do_not_depend_on_the_batch():
    x, y = letter_features(30)
    model, _ = train_baseline("linear probe", 2, QUICK, x, y)
    torch.testing.assert_close(predict(model, x, batch_size=7), predict(model, x))
    assert accuracy(model, x, y) > 0.8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"weight_decay": -1.0}, "weight_decay must be a finite number of at least 0"),
        ({"label_smoothing": 1.0}, "label_smoothing must be below 1"),
    ],
)
def test_unusable_settings_are_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        replace(QUICK, **change)


def test_what_cannot_be_trained_on_is_refused():
    x, y = letter_features(4)
    with pytest.raises(DataError, match=r"features \[N, L, F\] and labels \[N\]"):
        train_classifier(letter_config(), QUICK, x, y[:3])
    with pytest.raises(DataError, match="not finite"):
        train_classifier(letter_config(), QUICK, x / 0, y)
    with pytest.raises(ConfigError, match="There is no baseline 'x'"):
        train_baseline("x", 2, QUICK, x, y)
