"""The check of one input."""

from dataclasses import replace

import pytest
import torch

from daam_core.errors import CancelledError, DaamError
from daam_core.explaining import explain_encoding
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.maps.methods import decision_gradients, gated_maps
from daam_core.faithfulness.one_input import check_encoding, check_pooled
from daam_core.faithfulness.removal.curves import deletion_curve
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier
from tests.support.encode import encode
from tests.support.planted import planted_classifier, planted_inputs
from tests.support.random_classifiers import random_classifier, random_inputs
from tests.support.small import letter_model, several_model


def test_a_check_of_one_input_on_the_planted_classifier():
    classifier = planted_classifier()
    model = TrainedClassifier(classifier, name="planted")
    x, labels = planted_inputs()
    found = check_pooled(model, x[1], orders=40, seed=0)
    assert found.prediction == int(labels[1])
    assert found.cells == 80
    by_method = {item.method: item for item in found.maps}
    assert by_method["importance"].p_value == pytest.approx(1 / 41)
    alike = by_method["importance"]
    assert alike.start < 0.5
    gate = "ith the gate as before training the map was "
    learned = f"W{gate}another one (rank correlation {alike.start:.2f}): it shows what the gate learned."
    assert alike.verdict == (
        "Removing what Importance Factor marks takes the prediction away sooner than random removal does. "
        + learned
    )
    assert found.sentence.startswith("The check confirms the map “Importance Factor” for this input: ")
    assert found.sentence == found.sentences["importance"]
    assert list(found.sentences) == ["importance", "density_attention", "gate", "class_importance"]
    for quantity, title in (("density_attention", "Density attention"), ("gate", "Gate")):
        assert f" the map “{title}” for this input: " in found.sentences[quantity]
    # One number, one word: 0.8951 is printed as 0.90.
    assert "the same (rank correlation 0.90)" in replace(alike, start=0.8951).before_training
    assert "the same (rank correlation 0.90)" in replace(alike, start=0.9).before_training
    assert "much alike (rank correlation 0.89)" in replace(alike, start=0.894).before_training
    assert learned in found.sentence
    for start, said in (
        (0.92, "the same (rank correlation 0.92): it shows hardly anything that the gate learned."),
        (0.74, "much alike (rank correlation 0.74): it shows what the gate learned only in part."),
    ):
        assert f"But w{gate}{said}" in replace(found, maps=(replace(alike, start=start),)).sentence
    cells = gated_cells(classifier, x[1:2])
    direct = deletion_curve(cells, gated_maps(classifier, x[1:2])["importance"])
    assert by_method["importance"].deletion == pytest.approx(direct.areas[0])
    assert found.at_random > by_method["importance"].deletion
    assert (found.random_low <= found.random).all()
    assert (found.random <= found.random_high).all()


def test_a_map_no_better_than_chance_is_called_that():
    classifier = planted_classifier()
    x, _ = planted_inputs()
    # Gates that are open everywhere: the map is the layer's amplitude, the same for all layers.
    with torch.no_grad():
        classifier.attention.log_scaled_variance.fill_(6.0)
        classifier.attention.mean_offset.zero_()
        classifier.attention.amplitude_logits.zero_()
    found = check_pooled(TrainedClassifier(classifier), x[1], orders=40, methods=("importance",))
    assert found.maps[0].p_value > 0.05
    assert "no better than chance" in found.maps[0].verdict


def test_a_check_takes_an_encoding_and_stops_when_asked():
    model = letter_model()
    encoding = encode(model.backbone, "aeb")
    assert check_encoding(model, encoding, orders=19).orders == 19
    for wrong, said in (
        ({"orders": 10}, "at least 19 random orders, got 10"),
        ({"methods": ("magic",)}, "no map 'magic' to check; there are importance"),
        ({"target": 9}, "There is no class 9; the classes are"),
    ):
        with pytest.raises(DaamError, match=said):
            check_encoding(model, encoding, **wrong)
    with pytest.raises(CancelledError):
        check_encoding(model, encoding, progress=Progress(cancelled=lambda: True))


@pytest.mark.parametrize("target", [None, 1])
def test_of_several_labels_the_one_that_is_explained_is_followed(target):
    model = several_model(n_heads=2, decoder="density")
    encoding = encode(model.backbone, "abebibob")
    found = check_encoding(model, encoding, orders=30, target=target)
    e = explain_encoding(model, encoding, target=target)
    assert found.prediction == e.explained
    assert found.probability == pytest.approx(e.probabilities[e.explained], abs=1e-6)
    by_method = {item.method: item for item in found.maps}
    evidence = by_method["evidence"]
    # Nothing is left at the end: the same for every order.
    assert evidence.highest[-1] == pytest.approx(found.random[-1])
    assert evidence.deletion < evidence.insertion
    assert f" takes the probability of “{e.explained_class}” away " in found.sentence
    # What its probability depends on is its own logit alone.
    cells = gated_cells(model.classifier, torch.from_numpy(e.pooled)[None])
    own, contrast, _ = decision_gradients(cells, target=torch.tensor([e.explained]))
    torch.testing.assert_close(own, contrast)


def test_a_check_tells_nothing_where_a_map_is_hardly_sooner_than_random_orders():
    model = letter_model(
        mode="layer_groups",
        amplitude="none",
        decoder="linear",
        gate_kind="mixture",
        n_gaussians=2,
        n_levels=3,
        n_heads=3,
    )
    found = check_encoding(model, encode(model.backbone, "aeiou"))
    for item in found.maps:
        assert item.gain == pytest.approx(found.at_random - item.deletion)
    told = replace(found.maps[0], gain=0.5, p_value=0.01)
    assert (told.told, told.true, told.against_random) == (True, True, "sooner")
    hardly = replace(told, gain=0.004)
    assert (hardly.told, hardly.true, hardly.against_random) == (False, False, "hardly sooner")
    assert "but by 0.4 points of probability on average" in hardly.verdict
    said = replace(found, maps=(hardly,)).sentence
    assert said.startswith(
        "The check does not tell whether the map “Importance Factor” is true for this input"
    )
    chance = replace(told, gain=0.004, p_value=0.4)
    assert (chance.told, chance.true, chance.against_random) == (True, False, "no sooner")


def test_maps_of_an_amplitude_are_those_of_classifiers_that_have_one():
    assert "amplitude" in gated_maps(random_classifier(), random_inputs())
    assert "amplitude" not in gated_maps(random_classifier(amplitude="none"), random_inputs())
