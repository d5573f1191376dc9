"""The training loop: what it fits, which learning rate goes where, and when it stops."""

from dataclasses import replace

import pytest
import torch

from daam_core.errors import ConfigError, DataError
from daam_core.model import DaamClassifier
from daam_core.training.fitting import accuracy, epoch_order, fit, loss_function, predict, train_classifier
from daam_core.training.methods import METHODS
from daam_core.training.recipes import train_method
from daam_core.training.settings import TrainingConfig
from tests.support.small import letter_config, letter_features, letter_model

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
    model, _ = train_method(METHODS["linear"], letter_config(), QUICK, x, y)
    torch.testing.assert_close(predict(model, x, batch_size=7), predict(model, x))
    assert accuracy(model, x, y) > 0.8


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"weight_decay": -1.0}, "weight_decay must be a finite number of at least 0"),
        ({"label_smoothing": 1.0}, "label_smoothing must be below 1"),
        ({"focal_gamma": -1.0}, "focal_gamma must be a finite number of at least 0"),
        ({"class_weights": "rare"}, "class_weights must be one of none, balanced, got 'rare'"),
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


def test_the_focal_loss_and_class_weights_are_their_formulas():
    logits, labels = torch.randn(6, 3), torch.tensor([0, 0, 0, 0, 1, 2])
    p = logits.softmax(-1)[torch.arange(6), labels]
    focal = loss_function(replace(QUICK, focal_gamma=2.5), labels)(logits, labels)
    torch.testing.assert_close(focal, (-((1 - p) ** 2.5) * p.log()).mean())
    weights = torch.tensor([6 / 12, 6 / 3, 6 / 3])[labels]  # N / (C · n of the class)
    weighted = loss_function(replace(QUICK, class_weights="balanced"), labels)(logits, labels)
    torch.testing.assert_close(weighted, -(weights * p.log()).sum() / weights.sum())
    both = loss_function(replace(QUICK, class_weights="balanced", focal_gamma=1.0), labels)(logits, labels)
    torch.testing.assert_close(both, -(weights * (1 - p) * p.log()).sum() / weights.sum())
    plain = loss_function(QUICK, labels)(logits, labels)
    assert torch.equal(plain, torch.nn.functional.cross_entropy(logits, labels))


def test_balanced_sampling_draws_every_class_equally_often():
    labels = torch.tensor([0] * 90 + [1] * 10)
    drawn = epoch_order(replace(QUICK, sampling="balanced"), labels, torch.Generator().manual_seed(0))
    assert len(drawn) == 100
    assert 35 <= int(labels[drawn].sum()) <= 65
    given = epoch_order(QUICK, labels, torch.Generator().manual_seed(0))
    assert sorted(given.tolist()) == list(range(100))


def test_rare_classes_are_found_with_weights_or_balanced_sampling():
    x, y = letter_features(200)
    rare = torch.cat([torch.nonzero(y == 0)[:90, 0], torch.nonzero(y == 1)[:6, 0]])
    found = {}
    for name, change in {
        "none": {},
        "weights": {"class_weights": "balanced"},
        "sampling": {"sampling": "balanced"},
    }.items():
        training = replace(QUICK, epochs=3, learning_rate=3e-3, **change)
        model, _ = train_classifier(letter_config(), training, x[rare], y[rare])
        answers = predict(model, x[y == 1]).argmax(-1)
        found[name] = float(answers.double().mean())
    assert found["weights"] > found["none"]
    assert found["sampling"] > found["none"]


def test_xavier_draws_weights_and_leaves_the_gate():
    x, y = letter_features(20)
    still = replace(QUICK, epochs=1, learning_rate=0.0, gate_learning_rate=0.0, weight_decay=0.0)
    drawn, _ = train_classifier(letter_config(), replace(still, initialisation="xavier"), x, y)
    usual, _ = train_classifier(letter_config(), still, x, y)
    out, into = drawn.decoder.weight.shape
    bound = (6 / (out + into)) ** 0.5
    assert float(drawn.decoder.weight.abs().max()) == pytest.approx(bound, rel=0.1)
    assert not drawn.decoder.bias.any()
    assert torch.equal(drawn.attention.mean_offset, usual.attention.mean_offset)
    assert not torch.equal(drawn.decoder.weight, usual.decoder.weight)


def test_a_mixtures_gaussians_stay_alike():
    attention = letter_model(gate_kind="mixture", n_gaussians=3, decoder="linear").classifier.attention
    for learned in (attention.mean_offset, attention.log_scaled_variance):
        torch.testing.assert_close(learned, learned[:, :1].expand(-1, 3))
    assert (attention.mean_offset - attention.initial_mean_offset).abs().min() > 1e-3
