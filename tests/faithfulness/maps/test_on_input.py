"""Maps on the input, against captum."""

import pytest
import torch
from captum.attr import FeatureAblation, IntegratedGradients

from daam_core.faithfulness.maps.cells import input_cells
from daam_core.faithfulness.maps.on_input import ablation, captum_maps, input_maps
from daam_core.faithfulness.removal.curves import removal_order
from tests.support.planted import (
    deciding_mask,
    planted_classifier,
    planted_inputs,
)
from tests.support.random_classifiers import COUNT, random_classifier, random_inputs


@pytest.mark.parametrize("method", ["gradient_input", "integrated_gradients", "ablation", "class_importance"])
def test_input_methods_put_the_deciding_cells_first(method):
    classifier = planted_classifier()
    x, _ = planted_inputs()
    scores = input_maps(classifier, x)[method]
    wanted = deciding_mask().view(2, 5, 8)[0]
    first = removal_order(scores).view(scores.shape) < COUNT
    assert bool((first == wanted).all())


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"decoder": "linear"},
        {"mode": "layer_groups"},
        {"gate_kind": "mixture", "n_gaussians": 2},
        {"amplitude": "none"},
        {"decoder": "conv"},
        {"decoder": "density", "n_prototypes": 7, "n_directions": 6},
        {"decoder": "density", "n_prototypes": 5, "gate_kind": "mixture", "n_gaussians": 2},
    ],
)
def test_ablation_is_captums(changes):
    classifier = random_classifier(**changes)
    cells = input_cells(classifier, random_inputs())
    target = cells.probabilities().argmax(-1)
    expected = FeatureAblation(cells.logits).attribute(cells.values, target=target)
    torch.testing.assert_close(ablation(classifier, cells), expected, atol=1e-5, rtol=1e-4)


def test_integrated_gradients_add_up_to_the_change_of_the_logit():
    classifier = random_classifier()
    cells = input_cells(classifier, random_inputs())
    target = cells.probabilities().argmax(-1)
    with torch.no_grad():
        change = cells.logits(cells.values) - cells.logits(torch.zeros_like(cells.values))
    total = captum_maps(cells, steps=256)["integrated_gradients"].flatten(1).sum(1)
    torch.testing.assert_close(total, change.gather(1, target[:, None])[:, 0], atol=0.02, rtol=0.02)
    direct = IntegratedGradients(cells.logits).attribute(
        cells.values, baselines=torch.zeros_like(cells.values), target=target, n_steps=256
    )
    torch.testing.assert_close(captum_maps(cells, steps=256)["integrated_gradients"], direct.float())
