"""The methods, and the Importance Factor with its parts, where exactly known cells decide."""

import pytest
import torch
from captum.attr import FeatureAblation

from daam_core.dataset_mean import dataset_mean
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.maps.methods import MAP_KINDS, decision_gradients, gated_maps, over_heads
from daam_core.faithfulness.maps.on_input import captum_maps, input_maps
from daam_core.faithfulness.removal.curves import removal_order
from tests.support.planted import (
    deciding_mask,
    planted_cells,
)
from tests.support.random_classifiers import COUNT, random_classifier, random_inputs


def test_every_method_has_a_title_and_a_source():
    titles = [method.title for method in MAP_KINDS.values()]
    assert len(set(titles)) == len(titles)
    assert all(method.source for method in MAP_KINDS.values())


@pytest.mark.parametrize(
    "method",
    [
        "importance",
        "gate",
        "weighted_importance",
        "magnitude",
        "decision_importance",
        "gate_gradient",
        "class_importance",
        "absolute_class_importance",
        "contrast_importance",
    ],
)
def test_maps_put_the_deciding_cells_first(method):
    classifier, cells, x, _ = planted_cells()
    scores = gated_maps(classifier, x)[method]
    if method == "gate":  # open wherever the feature is, in all layers
        assert bool((scores[:, deciding_mask()] > 0.9).all())
        return
    first = removal_order(scores) < COUNT
    assert bool((first.view(cells.values.shape) == deciding_mask()).all())


def test_class_importance_is_nothing_outside_the_deciding_cells():
    classifier, _, x, _ = planted_cells()
    scores = gated_maps(classifier, x)["class_importance"]
    assert float(scores[:, ~deciding_mask()].abs().max()) < 1e-9
    assert float(scores[:, deciding_mask()].min()) > 0.1


@pytest.mark.parametrize("decoder", ["pool", "linear"])
def test_on_gated_cells_three_methods_are_one_for_a_linear_decoder(decoder):
    classifier = random_classifier(decoder=decoder)
    x = random_inputs()
    cells = gated_cells(classifier, x)
    own = gated_maps(classifier, x)["class_importance"]
    target = cells.probabilities().argmax(-1)
    found = captum_maps(cells)
    torch.testing.assert_close(found["gradient_input"], own, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found["integrated_gradients"], own, atol=1e-5, rtol=1e-4)
    ablated = FeatureAblation(cells.logits).attribute(cells.values, target=target)
    torch.testing.assert_close(ablated, own, atol=1e-5, rtol=1e-4)


def test_decision_gradients_against_a_jacobian():
    classifier = random_classifier(decoder="conv")
    cells = gated_cells(classifier, random_inputs(3))
    own, contrast, spread = decision_gradients(cells)
    for index, value in enumerate(cells.values):
        jacobian = torch.autograd.functional.jacobian(lambda v: cells.logits(v[None])[0], value)  # [C, R, F]
        probability = cells.probabilities(value[None])[0].float()
        target = int(probability.argmax())
        others = probability.clone()
        others[target] = 0
        weights = others / others.sum()
        torch.testing.assert_close(own[index], jacobian[target], atol=1e-6, rtol=1e-4)
        expected = jacobian[target] - torch.einsum("c,crf->rf", weights, jacobian)
        torch.testing.assert_close(contrast[index], expected, atol=1e-6, rtol=1e-4)
        torch.testing.assert_close(spread[index], jacobian.std(0, unbiased=False), atol=1e-5, rtol=1e-2)


def test_contrast_is_the_gradient_of_the_log_odds():
    classifier = random_classifier()
    cells = gated_cells(classifier, random_inputs(3))
    values = cells.values.clone().requires_grad_(True)
    logits = cells.logits(values)
    target = logits.argmax(-1)
    own = logits.gather(1, target[:, None])[:, 0]
    rest = logits.masked_fill(torch.nn.functional.one_hot(target, 3).bool(), -torch.inf).logsumexp(-1)
    (expected,) = torch.autograd.grad((own - rest).sum(), values)
    torch.testing.assert_close(decision_gradients(cells)[1], expected, atol=1e-6, rtol=1e-4)


def test_maps_have_their_shapes_and_every_method_is_described():
    classifier = random_classifier(mode="layer_groups")
    x = random_inputs()
    mean = dataset_mean(classifier, x)
    gated, of_input = gated_maps(classifier, x, dataset=mean), input_maps(classifier, x, dataset=mean)
    assert {map_.shape for map_ in gated.values()} == {torch.Size([7, 6, 5])}
    assert {map_.shape for map_ in of_input.values()} == {torch.Size([7, 6, 5])}
    assert set(gated) | set(of_input) <= set(MAP_KINDS)
    torch.testing.assert_close(over_heads(classifier, gated["importance"]), of_input["importance"])


def test_explaining_another_class_changes_class_specific_maps_only():
    classifier = random_classifier()
    x = random_inputs()
    other = (classifier(x).logits.argmax(-1) + 1) % 3
    first, second = gated_maps(classifier, x), gated_maps(classifier, x, target=other)
    for name in first:
        same = torch.allclose(first[name], second[name])
        assert same != MAP_KINDS[name].class_specific, name
