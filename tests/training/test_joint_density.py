"""Oracles: scikit-learn's kernel ridge regression, fits that leave an input out, and a test by chance."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.kernel_ridge import KernelRidge

from daam_core.encoding import Encoding, Tokens
from daam_core.errors import ConfigError, DataError
from daam_core.explaining import explain_encoding
from daam_core.gating import joint_gate
from daam_core.model import DaamClassifier
from daam_core.trained import TrainedClassifier
from daam_core.training.accuracy import Split, SplitData, fit_split
from daam_core.training.baselines import LinearProbe
from daam_core.training.fitting import accuracy, fit, predict, train_classifier
from daam_core.training.joint_density import SHARPNESSES, TRIED, _Ridge, _unexplained, fit_decoder
from daam_core.training.methods import method_named
from daam_core.training.recipes import recipe_of
from daam_core.training.settings import DensitySettings, TrainingConfig
from tests.support.planted import FEATURES, LAYERS
from tests.support.random_classifiers import random_classifier
from tests.support.separable import BUDGET
from tests.support.small import letter_config

GIVEN = DensitySettings(1.0, 0.5, 1.0, 0.5, 0.1, 4.0)
SIZES = {"n_layers": LAYERS, "n_features": FEATURES, "class_names": ("no", "yes"), "decoder": "density"}


def crossed(count: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The class is whether two layers agree in sign: no linear decision knows it."""
    draw = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(count, LAYERS, FEATURES, generator=draw)
    signs = torch.randint(0, 2, (count, 2), generator=draw)
    x[:, 1] += 2.0 * signs[:, :1] - 1
    x[:, 3] += 2.0 * signs[:, 1:] - 1
    return x, (signs[:, 0] == signs[:, 1]).long()


def test_what_no_linear_decoder_learns_is_learned():
    (x, y), (other, labels) = crossed(120), crossed(200, seed=1)
    classifier, history = train_classifier(letter_config(**SIZES), BUDGET, x, y)
    assert accuracy(classifier, other, labels) > 0.9
    linear = LinearProbe(LAYERS, FEATURES, 2)
    fit(linear, BUDGET, x, y)
    assert accuracy(linear, other, labels) < 0.7
    chosen = vars(history.settings["density"])
    assert all(chosen[name] in tried for name, tried in TRIED.items())
    assert chosen["sharpness"] in SHARPNESSES
    config = classifier.config
    assert (config.n_prototypes, config.n_directions) == (120, min(119, LAYERS * FEATURES))


def test_given_settings_make_it_kernel_ridge_regression():
    """Joint gates are a Gaussian kernel; scikit-learn's has no free constant, so labels are balanced."""
    x, y = crossed(60)
    config = letter_config(**SIZES, n_heads=1, amplitude="none")
    classifier, history = train_classifier(config, replace(BUDGET, density=GIVEN), x, y)
    assert history.settings["density"] == replace(GIVEN, share=1.0)
    assert len(history.epochs) == 1
    decoder = classifier.decoder
    seen = decoder.prototypes.float()
    gamma = float(1 / (2 * decoder.scaled_variance))
    wanted = torch.nn.functional.one_hot(y, 2).double().numpy()
    bias = decoder.output.bias.detach().double().numpy() / 4.0
    oracle = KernelRidge(alpha=0.1, kernel="rbf", gamma=gamma).fit(seen.numpy(), wanted - bias)
    np.testing.assert_allclose(
        predict(classifier, x).numpy(), 4.0 * (oracle.predict(seen.numpy()) + bias), atol=2e-2
    )
    np.testing.assert_allclose(
        decoder.output.weight.detach().double().sum(1), 0, atol=1e-3
    )  # what makes it free


OF_SEVERAL = SIZES | {"class_names": ("agree", "first", "third"), "labels": "several"}


def crossed_of_several(count: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """The same, with each layer's sign as a label of its own: an input has none, one, two or all three."""
    x, y = crossed(count, seed=seed)
    return x, torch.stack([y, (x[:, 1].mean(1) > 0).long(), (x[:, 3].mean(1) > 0).long()], 1).float()


def test_several_labels_are_learned_together():
    (x, y), (other, labels) = crossed_of_several(120), crossed_of_several(200, seed=1)
    classifier, history = train_classifier(letter_config(**OF_SEVERAL), BUDGET, x, y)
    assert accuracy(classifier, other, labels) > 0.9
    logits = predict(classifier, other)
    found = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
    shares = y.mean(0)
    flat = torch.nn.functional.binary_cross_entropy(shares.expand_as(labels), labels)
    assert found < flat / 2
    assert history.settings["density"].sharpness in SHARPNESSES


def test_with_several_labels_it_is_kernel_ridge_regression_to_plus_and_minus_one():
    x, y = crossed_of_several(60)
    config = letter_config(**OF_SEVERAL, n_heads=1, amplitude="none")
    classifier, _ = train_classifier(config, replace(BUDGET, density=GIVEN), x, y)
    decoder = classifier.decoder
    seen = decoder.prototypes.numpy().astype("float64")
    bias = decoder.output.bias.detach().double().numpy() / 4.0
    gamma = float(1 / (2 * decoder.scaled_variance))
    oracle = KernelRidge(alpha=0.1, kernel="rbf", gamma=gamma).fit(seen, 2 * y.numpy() - 1 - bias)
    np.testing.assert_allclose(predict(classifier, x).numpy(), 4.0 * (oracle.predict(seen) + bias), atol=2e-2)


def test_what_one_label_does_not_say_is_the_same_as_a_set_of_one():
    inputs, labels = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 3
    as_sets = torch.nn.functional.one_hot(labels, 4).float()  # the fourth never occurs
    torch.testing.assert_close(_unexplained(inputs, as_sets), _unexplained(inputs, labels))


@pytest.mark.parametrize("target", [0, 2])
def test_evidence_of_a_label_is_for_its_own_logit_and_against_its_absence(target):
    """Σ over cells is Σ_m A[c, m] g_m(x) log(g_m(x) / g_m(0)): no other class has a part in it."""
    x, y = crossed_of_several(40)
    classifier, _ = train_classifier(letter_config(**OF_SEVERAL, n_heads=2), BUDGET, x, y)
    tokens = Tokens("text", np.array([[0.0, 1.0]]), ("x",), np.ones(1))
    encoding = Encoding(x[0][:, None], tokens, {})
    e = explain_encoding(TrainedClassifier(classifier), encoding, target=target)
    decoder = classifier.decoder
    weight = decoder.output.weight[target].detach().double()
    seen = torch.from_numpy(e.density_attention * e.values).double()
    u = (decoder.head_weight.double()[:, None, None] * seen).sum(0).flatten() @ decoder.directions.double().T
    points, xi = decoder.prototypes.double(), decoder.scaled_variance.double()
    gates, at_mean = joint_gate(u, points, xi), joint_gate(torch.zeros_like(u), points, xi)
    expected = float((weight * gates * (gates / at_mean).log()).sum())
    assert float(e.evidence.sum()) == pytest.approx(expected, rel=1e-3, abs=1e-3)


def test_left_out_answers_are_those_of_fits_without_the_input():
    draw = torch.Generator().manual_seed(0)
    points, labels = torch.randn(12, 2, generator=draw), torch.arange(12) % 3
    gates = torch.exp(-torch.cdist(points, points).square())
    found = _Ridge(gates.clone(), labels, 3, GIVEN).left_out()
    for number in range(12):
        rest = torch.arange(12) != number
        without = _Ridge(gates[rest][:, rest].clone(), labels[rest], 3, GIVEN)
        torch.testing.assert_close(found[number], without.answer(gates[number][None, rest])[0])


def test_the_same_data_and_seed_give_the_same_decoder():
    x, y = crossed(50)
    torch.manual_seed(5)
    (one, _), (two, _) = (train_classifier(letter_config(**SIZES), BUDGET, x, y) for _ in range(2))
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_what_validation_chose_is_kept_when_all_is_trained_on():
    x, y = crossed(90)
    parts = (np.arange(60), np.arange(60, 90), np.arange(0))
    data = SplitData("by hand", "test set", x, y, (Split(*parts),))
    recipe = recipe_of(method_named("joint_density"), letter_config(**SIZES))
    classifier, history = fit_split(recipe, data, data.splits[0], training=BUDGET)
    assert isinstance(classifier, DaamClassifier)
    assert classifier.config.n_prototypes == 90
    training = replace(BUDGET, epochs=history.best_epoch, density=history.settings["density"])
    expected, again = train_classifier(letter_config(**SIZES), training, x, y)
    assert again.settings["density"] == history.settings["density"]
    assert torch.equal(classifier.decoder.output.weight, expected.decoder.output.weight)


def test_gated_heads_are_learned_and_the_first_is_open():
    x, y = crossed(80)
    classifier, _ = train_classifier(letter_config(**SIZES, n_heads=3), BUDGET, x, y)
    attention = classifier.attention
    moved = (attention.mean_offset - attention.initial_mean_offset).abs().amax(1)
    assert moved[0] == 0
    assert moved[1:].min() > 1e-3
    gate = attention.by_head(classifier(x).gate)
    assert gate[:, 0].min() > 0.99
    weights = classifier.decoder.head_weight
    assert weights[0] == 1
    assert weights[1] == weights[2] > 0


def test_data_too_small_or_alike_still_give_a_decoder():
    for x, y in ((torch.zeros(6, LAYERS, FEATURES), torch.arange(6) % 2), crossed(3)):
        classifier, _ = train_classifier(letter_config(**SIZES), replace(BUDGET, epochs=1), x, y)
        assert torch.isfinite(classifier(x).logits).all()


def test_settings_and_decoders_that_cannot_work_are_refused():
    with pytest.raises(ConfigError, match=r"width must be a number above 0 and below a million, got 0\.0"):
        DensitySettings(width=0.0)
    with pytest.raises(ConfigError, match="Only the decoder density is fitted in closed form, not pool"):
        fit_decoder(random_classifier(), GIVEN, *crossed(4))
    with pytest.raises(ConfigError, match="use it with mode shared"):
        letter_config(decoder="density", mode="layer_groups")
    with pytest.raises(DataError, match="Training needs features"):
        train_classifier(letter_config(**SIZES), TrainingConfig(), torch.zeros(2, 3), torch.zeros(2).long())
