"""Maps of destroyed models: what they say, and when they fail."""

import pytest
import torch

from daam_core.faithfulness.destroyed import models
from tests.support.encode import encode
from tests.support.separable import BUDGET
from tests.support.small import letter_data, letter_model


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
