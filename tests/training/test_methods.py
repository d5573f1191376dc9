"""Every method by its word: learns a planted rule, has the parameters that it should, refuses wrong names."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from daam_core.errors import ConfigError
from daam_core.layers import DensityAttention
from daam_core.model import DaamClassifier
from daam_core.training.accuracy import Split, SplitData, fit_split, measure_accuracy, trained_parameters
from daam_core.training.fitting import accuracy, predict
from daam_core.training.from_inputs import Sources
from daam_core.training.methods import METHODS, USUAL, configuration_of
from daam_core.training.recipes import recipe_of, recipes, train_method
from daam_core.training.settings import TrainingConfig
from tests.support.small import LAYERS, LetterEncoder, letter_config, letter_data, letter_features

QUICK = TrainingConfig(epochs=30, learning_rate=1e-2, batch_size=16)
POOLED = [name for name, method in METHODS.items() if method.sees == "pooled"]


@pytest.mark.parametrize("name", POOLED)
def test_a_method_learns_which_letters_are_vowels(name):
    features, labels = letter_features(80)
    model, history = train_method(METHODS[name], letter_config(), QUICK, features, labels)
    assert predict(model, features).shape == (80, 2)
    assert accuracy(model, *letter_features(60, seed=9)) > 0.75
    assert history.seconds > 0


def test_methods_of_density_attention_are_configurations():
    found = {name: configuration_of(name)(letter_config()) for name, one in METHODS.items() if one.ours}
    assert found["daam"] == letter_config()
    assert (found["daam_v1"].mode, found["daam_v1"].n_heads) == ("layer_groups", LAYERS // 3)
    assert configuration_of("daam_v1")(letter_config(n_layers=24)).n_heads == 8
    assert (found["daam_v2"].mode, found["daam_v2"].n_heads) == ("shared", 1)
    assert (found["shared"].amplitude, found["shared"].decoder) == ("none", "linear")
    assert (found["mixture"].gate_kind, found["mixture"].n_gaussians) == ("mixture", 4)
    assert found["gqdaam"].decoder == "gqa"
    assert found["daam_v1"].decoder == found["daam_v2"].decoder == "conv"


def test_there_are_as_many_parameters_as_the_paper_prints():
    """24 layers, 1,024 features, 4 classes; a gate has 2 · H · F, a mixture 2 · H · K."""
    sizes = {"n_layers": 24, "n_features": 1024, "class_names": ("a", "b", "c", "d")}

    def counted(name):
        config = configuration_of(name)(letter_config(**sizes, conv_channels=512))
        classifier = DaamClassifier(config)
        of_gate = sum(parameter.numel() for parameter in classifier.gate_parameters())
        return of_gate, trained_parameters(classifier)

    assert counted("daam_v1") == (16_384, 336_412)
    assert counted("daam_v2") == (2_048, 322_076)
    mixture = DensityAttention(
        n_layers=24, n_features=1024, n_heads=8, mode="layer_groups", gate_kind="mixture", n_gaussians=4
    )
    assert sum(parameter.numel() for parameter in mixture.parameters()) == 64


def test_a_density_block_has_three_levels_of_mixtures():
    config = configuration_of("density_block")(letter_config())
    assert (config.n_levels, config.n_heads, config.n_gaussians) == (3, 3 * (LAYERS // 3), 4)
    wide = configuration_of("density_block")(letter_config(n_layers=16))
    assert (wide.n_levels, wide.n_heads) == (3, 15)


def test_grouped_query_attention_in_a_classifier_is_explained_by_its_gate():
    classifier, _ = train_method(METHODS["gqdaam"], letter_config(), QUICK, *letter_features(40))
    assert isinstance(classifier, DaamClassifier)
    decision = classifier(letter_features(3)[0])
    assert decision.gate.shape == (3, 2 * LAYERS, 8)
    weights = classifier.decoder[0].attention.weights(decision.gate)
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 8))
    with pytest.raises(ConfigError, match="features that 8 divides, got 6"):
        DaamClassifier(letter_config(n_features=6, decoder="gqa"))


def splits(count=80):
    features, labels = letter_features(count)
    order = np.arange(count)
    return SplitData(
        "one split", "test set", features, labels, (Split(order[:50], order[50:60], order[60:]),)
    )


def test_tuning_chooses_on_the_validation_part_and_trains_again_with_it():
    data = splits()
    recipe = recipe_of(METHODS["kernel_ridge"], letter_config())  # what is solved is tuned in any case
    model, history = fit_split(recipe, data, data.splits[0], training=QUICK)
    assert history.settings in METHODS["kernel_ridge"].grid
    assert len(model.inputs) == 60
    tried = {}
    for settings in METHODS["kernel_ridge"].grid:
        kept, _ = recipe.train(QUICK, data.features[:50], data.labels[:50], settings=settings)
        tried[tuple(settings.items())] = accuracy(kept, data.features[50:60], data.labels[50:60])
    assert tried[tuple(history.settings.items())] == max(tried.values())
    found = measure_accuracy(
        recipe_of(METHODS["linear"], letter_config(), tune=True), data, training=QUICK, seeds=(0,)
    )
    assert set(found.settings) == {"learning_rate", "weight_decay"}


def test_every_method_may_choose_among_as_many_settings():
    counts = {name: len(METHODS[name].grid) for name in USUAL}
    assert set(counts.values()) == {6}, counts


def test_a_method_that_sees_inputs_learns_from_tokens():
    texts, labels = letter_data(80)
    sources = Sources(texts, LetterEncoder())
    data = replace(splits(), labels=labels)
    pooling = recipe_of(METHODS["attentive_statistics"], letter_config(), sources=sources)
    found = measure_accuracy(pooling, data, training=QUICK, seeds=(0,))
    assert found.accuracy > 0.8
    assert found.parameters == 8 * 128 + 128 + 128 + 1 + 16 * 2 + 2


def test_wrong_names_are_refused_in_a_sentence():
    with pytest.raises(ConfigError, match=r"no method 'magic'; there are daam, .*kernel_ridge"):
        recipes(["daam", "magic"], letter_config())
    with pytest.raises(ConfigError, match=r"'mha' is compared with, not saved; .* are daam, daam_v1"):
        configuration_of("mha")
    with pytest.raises(ConfigError, match="needs the inputs themselves"):
        recipe_of(METHODS["lora"], letter_config()).train(QUICK, torch.arange(1), torch.tensor([0]))
