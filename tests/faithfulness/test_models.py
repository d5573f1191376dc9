"""Sanity, learning, stability, retraining and rivals on small classifiers whose answers are known."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from daam_core.errors import CancelledError, DataError
from daam_core.faithfulness.destroyed import models
from daam_core.faithfulness.destroyed.learned import at_start, parameter_ranges, what_is_learned
from daam_core.faithfulness.destroyed.stability import compare_inputs, input_stability, seed_stability
from daam_core.faithfulness.maps.methods import METHODS
from daam_core.faithfulness.retraining.layers import (
    TrainTestFeatures,
    held_out,
    layer_shares,
    mean_density_attention,
    retrain,
    subset_config,
)
from daam_core.faithfulness.retraining.rivals import agreement, rivals
from daam_core.faithfulness.retraining.variants import measure_variant, plain_variant
from daam_core.inputs import read_text
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.training.fitting import TrainingConfig
from tests.support.encode import encode
from tests.support.planted import FEATURES, LAYERS, planted_classifier, planted_inputs
from tests.support.small import LetterEncoder, letter_config, letter_data, letter_model

BUDGET = TrainingConfig(epochs=8, learning_rate=1e-2, gate_learning_rate=3e-2, batch_size=16)


def separable(count: int, *, layer: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Noise in which the features of one layer alone say the class."""
    draw = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 2
    x = torch.randn(count, LAYERS, FEATURES, generator=draw)
    x[:, layer] += 2.0 * (2.0 * labels - 1)[:, None]
    return x, labels


# Sanity


def test_the_importance_factor_fails_where_only_the_decoder_is_destroyed_and_says_so():
    classifier = letter_model().classifier
    x = torch.randn(6, 6, 8, generator=torch.Generator().manual_seed(1))
    copies = [models.randomise_decoder(classifier, seed=seed) for seed in range(2)]
    by_method = {
        item.method: item for item in models.similarity(classifier, copies, x, destroyed="the decoder burns")
    }
    factor = by_method["importance"]
    assert factor.ranks.mean == pytest.approx(1)
    assert factor.structure.mean == pytest.approx(1)
    assert factor.answer == "no"
    assert factor.verdict == (
        "Fails: Importance Factor does not change when the decoder burns (rank correlation 1.00); "
        "it says nothing about that part of the model."
    )
    assert by_method["class_importance"].ranks.mean < 0.95


def test_a_randomised_gate_changes_the_map():
    classifier = letter_model().classifier
    x = torch.randn(6, 6, 8, generator=torch.Generator().manual_seed(1))
    copies = [models.randomise_gate(classifier, seed=seed) for seed in range(4)]
    found = models.similarity(classifier, copies, x, destroyed="the gate burns", labels=torch.zeros(6).long())
    assert found[0].ranks.mean < models.CHANGED
    assert found[0].answer == "yes"
    assert found[0].verdict.startswith("Passes: Importance Factor becomes another map when the gate burns")
    assert found[0].accuracy is not None


def test_destroying_a_copy_leaves_the_model_alone_and_repeats_with_its_seed():
    classifier = letter_model().classifier
    before = {name: tensor.clone() for name, tensor in classifier.state_dict().items()}
    first, second = models.randomise_all(classifier, seed=1), models.randomise_all(classifier, seed=1)
    for name, tensor in classifier.state_dict().items():
        assert torch.equal(tensor, before[name])
        assert torch.equal(first.state_dict()[name], second.state_dict()[name])
    assert not torch.equal(first.attention.mean_offset, classifier.attention.mean_offset)
    assert not torch.equal(first.decoder.weight, classifier.decoder.weight)
    assert torch.equal(first.standardisation.mean, classifier.standardisation.mean)


@pytest.mark.parametrize(("ranks", "word"), [(0.95, "Fails"), (0.7, "Partly"), (0.2, "Passes")])
def test_verdicts(ranks, word):
    assert models.verdict("A map", "it burns", ranks).startswith(word)
    assert models.verdict("A map", models.YARDSTICK, ranks).startswith("Yardstick")


@pytest.mark.parametrize(
    ("ranks", "yardstick", "expected"),
    [(0.4, 0.42, "yes"), (0.7, 0.73, "no"), (0.7, 0.9, "open"), (0.7, None, "open"), (0.95, None, "no")],
)
def test_shuffled_labels_are_judged_by_honest_training(ranks, yardstick, expected):
    assert models.judge(ranks, yardstick) == expected
    said = models.verdict("A map", models.SHUFFLED, ranks, yardstick=yardstick)
    assert said.startswith({"yes": "Passes", "no": "Fails", "open": "Partly"}[expected])
    if yardstick == 0.73:
        assert "0.73 with classifiers trained again on the true labels" in said


def test_all_sanity_checks_with_retraining():
    texts, labels = letter_data(40)
    model = letter_model()
    x = torch.stack([encode(model.backbone, text).hidden.mean(1) for text in texts])
    again = [models.trained_again(model.classifier, x, labels, seed=seed, budget=BUDGET) for seed in (0, 1)]
    found = models.sanity_checks(
        model.classifier, x[:8], labels[:8], (x, labels), again=again, seeds=(0,), budget=BUDGET
    )
    assert len(found) == 5 * len(models.CHECKED)
    assert [item.answer for item in found[-3:]] == [None] * 3
    assert {item.method for item in found} == set(models.CHECKED)


# Learned and given


def test_an_untrained_classifier_has_learned_nothing():
    classifier = DaamClassifier(letter_config(amplitude_start=1.0))
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    found = what_is_learned(classifier, x)
    assert [item.reset for item in found.starts] == [
        "mean offset and scaled variance", "amplitude", "all parameters of the gate",
    ]  # fmt: skip
    for start in found.starts:
        assert start.explained == pytest.approx(1)
        assert start.by_input.mean == pytest.approx(1)
    assert all(item.moved == pytest.approx(0, abs=1e-6) for item in found.ranges)
    assert 0 < found.between_inputs < 1


def test_a_map_that_is_only_learned_and_one_that_is_the_same_for_all_inputs():
    classifier = DaamClassifier(letter_config())
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        classifier.attention.log_scaled_variance.fill_(6.0)  # gates that are open whatever comes
        classifier.attention.amplitude_logits.copy_(
            torch.randn(2, 6, generator=torch.Generator().manual_seed(2))
        )
    found = what_is_learned(classifier, x)
    assert found.between_inputs < 0.05
    assert found.starts[-1].explained < 0.1


def test_at_start_undoes_training():
    trained = letter_model(amplitude_start=2.0).classifier
    fresh = DaamClassifier(trained.config)
    assert not torch.allclose(trained.attention.amplitude, fresh.attention.amplitude)
    back = at_start(trained)
    torch.testing.assert_close(back.attention.mean_offset, fresh.attention.mean_offset)
    torch.testing.assert_close(back.attention.scaled_variance, fresh.attention.scaled_variance)
    torch.testing.assert_close(back.attention.amplitude, fresh.attention.amplitude)
    only = at_start(trained, amplitude=False)
    torch.testing.assert_close(only.attention.amplitude, trained.attention.amplitude)


def test_ranges_are_those_of_the_parameters():
    classifier = letter_model().classifier
    offset, variance, amplitude = parameter_ranges(classifier)
    assert offset.low == pytest.approx(float(classifier.attention.mean_offset.min()))
    assert offset.paper == (-0.06, 0.1)
    assert variance.high == pytest.approx(float(classifier.attention.scaled_variance.max()))
    moved = (classifier.attention.scaled_variance - classifier.attention.initial_scaled_variance).abs().mean()
    assert variance.moved == pytest.approx(float(moved), rel=1e-5)
    assert amplitude.mean == pytest.approx(1, abs=1e-5)
    mixture = parameter_ranges(letter_model(gate_kind="mixture", n_gaussians=2).classifier)
    assert mixture[1].name == "scale"
    assert mixture[1].paper is None


# Retraining


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


def test_shares_and_mean_maps_against_plain_formulas():
    classifier = planted_classifier()
    x, _ = planted_inputs()
    mean = mean_density_attention(classifier, x, batch_size=7)
    direct = classifier.attention.by_head(
        classifier.attention.attend(classifier.attention.gate(classifier.standardise(x)))
    ).mean(0)
    torch.testing.assert_close(mean, direct)
    np.testing.assert_allclose(layer_shares(mean), [0, 0, 100, 0, 0], atol=1e-6)


def test_held_out_samples_are_not_trained_on():
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


# Rivals and agreement


def test_rivals_explain_their_own_decisions():
    train, (x, labels) = separable(160, layer=3), separable(60, layer=3, seed=1)
    budget = replace(BUDGET, epochs=20)
    found = rivals(train, x, labels, n_classes=2, budget=budget, random_seeds=(0, 1))
    assert [rival.method for rival in found] == ["layer_sum", "attention"]
    layer_sum = found[0]
    assert layer_sum.accuracy > 0.9
    assert int(layer_sum.maps["layer_sum"][0].mean(1).argmax()) == 3
    torch.testing.assert_close(layer_sum.maps["layer_sum"][0, :, 0].sum(), torch.tensor(1.0))
    assert layer_sum.deletion["layer_sum"].gain.low > 0
    attention = found[1].maps["attention"]
    torch.testing.assert_close(attention[..., 0].sum(1), torch.ones(60))


def test_agreement_of_a_map_with_itself_its_opposite_and_a_constant():
    map_ = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    names, matrix = agreement({"importance": map_, "gate": -map_, "amplitude": torch.ones(3, 4, 5)})
    assert names == ["importance", "gate", "amplitude"]
    np.testing.assert_allclose(matrix, [[1, -1, 0], [-1, 1, 0], [0, 0, 0]], atol=1e-12)


# Stability


def test_classifiers_of_the_same_parameters_are_perfectly_stable():
    classifier = letter_model().classifier
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    labels = classifier(x).logits.argmax(-1)
    found = seed_stability(classifier, [classifier, classifier], x, labels)
    assert found.correlation == pytest.approx(1)
    assert found.lowest_correlation == pytest.approx(1)
    assert found.layers == pytest.approx(1)
    assert found.accuracy == (1, 1)
    assert float(found.deviation.max()) == 0
    np.testing.assert_allclose(found.mean, mean_density_attention(classifier, x).sum(0).numpy(), rtol=1e-5)
    assert found.untrained < 1


def test_the_same_input_has_the_same_map_and_a_new_one_another():
    classifier = letter_model().classifier
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    same = compare_inputs(classifier, x, x, change="nothing")
    assert same.importance.mean == pytest.approx(1)
    assert same.same_prediction.mean == 1
    assert same.relative_change.mean == 0
    other = compare_inputs(classifier, x, x.flip(0), change="everything")
    assert other.importance.mean < 0.9
    assert other.relative_change.mean > 0.5


def test_inputs_are_changed_and_encoded_again():
    from daam_core.faithfulness.destroyed.small_changes import PERTURBATIONS

    texts, _ = letter_data(5)
    texts = [read_text(f"{text} {text}") for text in texts]
    seen: list[float] = []
    found = input_stability(
        letter_model().classifier, LetterEncoder(), texts, PERTURBATIONS["text"],
        progress=Progress(lambda share, _: seen.append(share)),
    )  # fmt: skip
    assert [item.change for item in found] == ["one typo", "one word left out"]
    assert all(-1 <= item.importance.mean <= 1 and item.importance.count == 5 for item in found)
    assert seen == sorted(seen)
    assert len(seen) == 15


def test_every_method_has_a_title_and_a_source():
    titles = [method.title for method in METHODS.values()]
    assert len(set(titles)) == len(titles)
    assert all(method.source for method in METHODS.values())


# Variants


def test_the_planted_head_gains_and_the_plain_variant_has_no_amplitude():
    classifier = planted_classifier()
    x, labels = planted_inputs()
    found = measure_variant("planted", [classifier, classifier], x, labels, orders=(0, 1))
    assert found.gain.low > 0
    assert found.accuracy.mean == 1
    assert found.by_seed[0] == pytest.approx(found.by_seed[1])
    assert found.gain.mean == pytest.approx(found.at_random.mean - found.deletion.mean)
    plain, budget = plain_variant(classifier, replace(BUDGET, gate_penalty=1.0))
    assert plain.attention.amplitude_logits is None
    assert float(plain.attention.mean_offset.abs().max()) == 0
    assert budget == replace(BUDGET, gate_penalty=0.0, gate_learning_rate=BUDGET.learning_rate)
