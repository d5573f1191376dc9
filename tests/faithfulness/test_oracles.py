"""Faithfulness on a classifier in which exactly known cells decide, and against captum."""

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation, IntegratedGradients
from hypothesis import given
from hypothesis import strategies as st

from daam_core.dataset_mean import dataset_mean
from daam_core.errors import CancelledError, DataError
from daam_core.faithfulness.maps.cells import Cells, gated_cells, input_cells
from daam_core.faithfulness.maps.methods import METHODS, decision_gradients, gated_maps, over_heads
from daam_core.faithfulness.maps.on_input import ablation, captum_maps, input_maps
from daam_core.faithfulness.removal.curves import compare, deletion_curve, random_curve, removal_order
from daam_core.model import DaamClassifier, ModelConfig
from daam_core.progress import Progress
from tests.support.planted import (
    CLASSES,
    DECIDING,
    IDENTITY,
    deciding_mask,
    planted_cells,
    planted_classifier,
    planted_inputs,
)

COUNT = len(DECIDING)


def random_classifier(seed: int = 0, **changes: object) -> DaamClassifier:
    """A classifier with parameters away from their start, so that no term of a formula vanishes."""
    settings: dict[str, object] = {
        "modality": "text", "encoder": IDENTITY, "n_layers": 6, "n_features": 5,
        "class_names": ("a", "b", "c"), "n_heads": 2, "conv_channels": 3,
    }  # fmt: skip
    torch.manual_seed(seed)
    classifier = DaamClassifier(ModelConfig(**(settings | changes)))  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in classifier.attention.parameters():
            parameter.add_(0.5 * torch.randn_like(parameter))
        classifier.standardisation.fit(2 + 3 * torch.randn(30, 6, 5))
    return classifier.eval().requires_grad_(False)


def random_inputs(count: int = 7) -> torch.Tensor:
    return 2 + 3 * torch.randn(count, 6, 5, generator=torch.Generator().manual_seed(9))


# The planted classifier


@pytest.mark.parametrize(
    "method",
    ["importance", "gate", "weighted_importance", "magnitude", "decision_importance", "gate_gradient",
     "class_importance", "absolute_class_importance", "contrast_importance"],
)  # fmt: skip
def test_maps_put_the_deciding_cells_first(method):
    classifier, cells, x, _ = planted_cells()
    scores = gated_maps(classifier, x)[method]
    if method == "gate":  # open wherever the feature is, in all layers
        assert bool((scores[:, deciding_mask()] > 0.9).all())
        return
    first = removal_order(scores) < COUNT
    assert bool((first.view(cells.values.shape) == deciding_mask()).all())


@pytest.mark.parametrize("method", ["gradient_input", "integrated_gradients", "ablation", "class_importance"])
def test_input_methods_put_the_deciding_cells_first(method):
    classifier = planted_classifier()
    x, _ = planted_inputs()
    scores = input_maps(classifier, x)[method]
    wanted = deciding_mask().view(2, 5, 8)[0]
    first = removal_order(scores).view(scores.shape) < COUNT
    assert bool((first == wanted).all())


def test_deletion_falls_to_chance_exactly_when_the_deciding_cells_are_gone():
    classifier, cells, x, labels = planted_cells()
    shares = np.arange(cells.per_input + 1) / cells.per_input
    curve = deletion_curve(
        cells, gated_maps(classifier, x)["importance"], labels=labels, shares=shares.tolist()
    )
    assert curve.correct is not None
    assert curve.accuracy[0] == 1
    assert (curve.probability[:, :COUNT] > 0.5 + 1e-6).all()
    np.testing.assert_allclose(curve.probability[:, COUNT:], 1 / CLASSES, atol=1e-6)
    # Lowest first: nothing happens until only the deciding cells are left.
    last = deletion_curve(
        cells, gated_maps(classifier, x)["importance"], order="lowest", shares=shares.tolist()
    )
    np.testing.assert_allclose(
        last.probability[:, : cells.per_input - COUNT + 1],
        np.repeat(last.probability[:, :1], cells.per_input - COUNT + 1, axis=1),
        atol=1e-6,
    )


def test_a_true_map_beats_random_a_wrong_one_is_at_random_and_an_inverted_one_is_worse():
    classifier, cells, x, labels = planted_cells()
    seeds = tuple(range(20))
    chance = random_curve(cells, labels=labels, seeds=seeds)
    true = gated_maps(classifier, x)["importance"]
    wrong = torch.rand(true.shape, generator=torch.Generator().manual_seed(3))
    gains = [compare(cells, map_, chance, seeds=seeds, labels=labels).gain for map_ in (true, wrong, -true)]
    assert gains[0].low > 0
    assert not gains[1].excludes_zero
    assert gains[2].high < 0


def test_class_importance_is_nothing_outside_the_deciding_cells():
    classifier, _, x, _ = planted_cells()
    scores = gated_maps(classifier, x)["class_importance"]
    assert float(scores[:, ~deciding_mask()].abs().max()) < 1e-9
    assert float(scores[:, deciding_mask()].min()) > 0.1


# Against captum and plain formulas


@pytest.mark.parametrize(
    "changes",
    [{}, {"decoder": "linear"}, {"mode": "layer_groups"}, {"gate_kind": "mixture", "n_gaussians": 2},
     {"amplitude": "none"}, {"decoder": "conv"}],
)  # fmt: skip
def test_ablation_is_captums(changes):
    classifier = random_classifier(**changes)
    cells = input_cells(classifier, random_inputs())
    target = cells.probabilities().argmax(-1)
    expected = FeatureAblation(cells.logits).attribute(cells.values, target=target)
    torch.testing.assert_close(ablation(classifier, cells), expected, atol=1e-5, rtol=1e-4)


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


def test_input_cells_decide_as_the_model_does():
    classifier = random_classifier()
    x = random_inputs()
    cells = input_cells(classifier, x)
    torch.testing.assert_close(cells.logits(cells.values), classifier(x).logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        gated_cells(classifier, x).logits(gated_cells(classifier, x).values), classifier(x).logits
    )


def test_maps_have_their_shapes_and_every_method_is_described():
    classifier = random_classifier(mode="layer_groups")
    x = random_inputs()
    mean = dataset_mean(classifier, x)
    gated, of_input = gated_maps(classifier, x, dataset=mean), input_maps(classifier, x, dataset=mean)
    assert {map_.shape for map_ in gated.values()} == {torch.Size([7, 6, 5])}
    assert {map_.shape for map_ in of_input.values()} == {torch.Size([7, 6, 5])}
    assert set(gated) | set(of_input) <= set(METHODS)
    torch.testing.assert_close(over_heads(classifier, gated["importance"]), of_input["importance"])


def test_explaining_another_class_changes_class_specific_maps_only():
    classifier = random_classifier()
    x = random_inputs()
    other = (classifier(x).logits.argmax(-1) + 1) % 3
    first, second = gated_maps(classifier, x), gated_maps(classifier, x, target=other)
    for name in first:
        same = torch.allclose(first[name], second[name])
        assert same != METHODS[name].class_specific, name


# Orders and curves


@given(st.integers(1, 40), st.integers(0, 1000))
def test_an_order_is_a_permutation_sorted_by_score(size, seed):
    scores = torch.randn(3, size, generator=torch.Generator().manual_seed(seed)).round()
    for order, sign in (("highest", -1), ("lowest", 1)):
        place = removal_order(scores, order=order, seed=seed)
        assert bool((place.sort(1).values == torch.arange(size)).all())
        in_order = torch.empty_like(scores).scatter_(1, place, scores)
        assert bool((sign * in_order.diff(dim=1) >= 0).all())


def test_equal_scores_are_ordered_by_the_seed():
    flat = torch.zeros(2, 50)
    assert torch.equal(removal_order(flat, seed=1), removal_order(flat, seed=1))
    assert not torch.equal(removal_order(flat, seed=1), removal_order(flat, seed=2))
    assert not torch.equal(removal_order(flat, seed=1)[0], removal_order(flat, seed=1)[1])


def test_a_curve_against_a_plain_loop():
    classifier = random_classifier()
    x = random_inputs(4)
    cells = input_cells(classifier, x)
    scores = torch.randn(cells.values.shape, generator=torch.Generator().manual_seed(1))
    curve = deletion_curve(cells, scores, shares=(0, 0.3, 0.7, 1))
    for index in range(4):
        order = scores[index].flatten().argsort(descending=True)
        whole = cells.probabilities(cells.values[index : index + 1])[0]
        for column, removed in enumerate((0, 9, 21, 30)):
            values = cells.values[index].clone().flatten()
            values[order[:removed]] = 0
            left = cells.probabilities(values.view(1, 6, 5))[0]
            assert curve.probability[index, column] == pytest.approx(float(left[whole.argmax()]), abs=1e-5)


def test_one_map_for_all_samples_and_few_cells_with_many_shares():
    cells = Cells(torch.ones(3, 2), lambda v: torch.stack([v.sum(1), -v.sum(1)], 1), ("cells",))
    curve = deletion_curve(cells, torch.tensor([1.0, 0.0]))
    expected = 1 / (1 + np.exp(-2 * np.array([2.0, 1.0, 0.0])))
    np.testing.assert_allclose(curve.probability[:, [0, 10, 20]], np.tile(expected, (3, 1)), rtol=1e-6)


@pytest.mark.parametrize("shares", [(0, 1, 1), (0.1, 1), (0, 0.9), (0,), (0, 0.6, 0.5, 1)])
def test_shares_that_do_not_rise_from_0_to_1_are_refused(shares):
    _, cells, _, _ = planted_cells()
    with pytest.raises(DataError, match="rise from 0 to 1"):
        deletion_curve(cells, cells.values, shares=shares)


def test_maps_that_do_not_fit_are_refused():
    _, cells, _, _ = planted_cells()
    with pytest.raises(DataError, match=r"must have the cells' shape \[40, 10, 8\], got \[40, 3\]"):
        deletion_curve(cells, torch.zeros(40, 3))
    with pytest.raises(DataError, match="must be finite"):
        deletion_curve(cells, torch.full(cells.values.shape, torch.nan))
    with pytest.raises(DataError, match="N >= 1"):
        Cells(torch.zeros(0, 2), lambda v: v, ("cells",))
    with pytest.raises(DataError, match="Linear has no standardisation"):
        input_cells(torch.nn.Linear(2, 2), torch.zeros(1, 3, 2))


def test_a_curve_stops_when_asked():
    _, cells, _, _ = planted_cells()
    progress = Progress(cancelled=lambda: True)
    with pytest.raises(CancelledError, match="Stopped, as asked"):
        deletion_curve(cells, cells.values, check=progress.check)


def test_parts_of_progress_follow_each_other():
    seen: list[float] = []
    progress = Progress(lambda share, _: seen.append(share))
    progress.part(0.5, 0.7).part(0.5, 1).report(0.5, "half of the second half")
    assert seen == [pytest.approx(0.65)]
