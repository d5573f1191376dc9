"""Maps on the layer × feature input: the classifier's own summed over heads, captum's, and ablation.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from daam_core.density_decoder import DensityDecoder
from daam_core.faithfulness.maps.cells import Cells, input_cells
from daam_core.faithfulness.maps.methods import gated_maps, over_heads
from daam_core.faithfulness.packages import measuring_packages
from daam_core.gating import joint_gate
from daam_core.model import DaamClassifier
from daam_core.result import DatasetMean

INTEGRATION_STEPS = 32
#: Cells of all inputs and steps that integrated gradients hold in memory at a time.
BATCH_CELLS = 4_000_000


def input_maps(
    classifier: DaamClassifier,
    pooled: Tensor,
    *,
    steps: int = INTEGRATION_STEPS,
    dataset: DatasetMean | None = None,
    check: Callable[[], None] | None = None,
) -> dict[str, Tensor]:
    """Maps on the standardised input, gates running again: ours summed over heads, and captum's.

    Args:
        classifier: the trained classifier.
        pooled: ``[N, L, F]``.
        steps: of integrated gradients.
        dataset: the classifier's averages over a data set, for the map ``dataset``.
        check: called between methods; may raise to stop.

    Returns:
        Method name → ``[N, L, F]``.
    """
    gated = gated_maps(classifier, pooled, dataset=dataset)
    own = {name: over_heads(classifier, rows) for name, rows in gated.items()}
    # Absolute values after the sum over heads: opposite heads do cancel in the decision.
    own["absolute_class_importance"] = own["class_importance"].abs()
    cells = input_cells(classifier, pooled)
    return own | captum_maps(cells, steps=steps, check=check) | {"ablation": ablation(classifier, cells)}


def captum_maps(
    cells: Cells,
    *,
    target: Tensor | None = None,
    steps: int = INTEGRATION_STEPS,
    check: Callable[[], None] | None = None,
) -> dict[str, Tensor]:
    """Gradient × input and integrated gradients by captum, from the training mean, of a class's logit.

    Args:
        cells: what is explained.
        target: ``[N]`` classes; the predicted ones by default.
        steps: of integrated gradients.
        dataset: the classifier's averages over a data set, for the map ``dataset``.
        check: called between methods; may raise to stop.

    Returns:
        Method name → ``[N, ..]`` of the cells' shape.
    """
    with measuring_packages():
        from captum.attr import InputXGradient, IntegratedGradients

    if target is None:
        target = cells.probabilities().argmax(-1)
    values = cells.values.detach().requires_grad_(True)
    product = InputXGradient(cells.logits).attribute(values, target=target).detach()
    if check is not None:
        check()
    # Memory stays that of a few inputs' cells, whatever their number.
    batch = max(len(cells), BATCH_CELLS // cells.per_input)
    integrated = IntegratedGradients(cells.logits).attribute(
        values, baselines=0.0, target=target, n_steps=steps, internal_batch_size=batch
    )
    return {
        "gradient_input": product,
        "absolute_gradient_input": product.abs(),
        "integrated_gradients": integrated.detach(),
        "absolute_integrated_gradients": integrated.detach().abs(),
    }


@torch.no_grad()
def ablation(classifier: DaamClassifier, cells: Cells) -> Tensor:
    """Fall of the predicted class's logit when one input cell alone is set to the training mean.

    A density gate looks at one feature at a time, over layers. With a decoder that is linear in the
    gated values, features therefore add up, and L runs of the gate give what captum's
    ``FeatureAblation`` needs L·F runs for (tests compare the two), and with joint gates features add up
    inside the exponent. Any other classifier goes through captum.

    Args:
        classifier: the trained classifier.
        cells: its :func:`~daam_core.faithfulness.maps.cells.input_cells`.

    Returns:
        ``[N, L, F]``.
    """
    target = cells.probabilities().argmax(-1)
    config = classifier.config
    if isinstance(classifier.decoder, DensityDecoder):
        return _ablation_of_gates(classifier, classifier.decoder, cells, target)
    if config.decoder not in ("pool", "linear"):  # not linear in what they are given
        with measuring_packages():
            from captum.attr import FeatureAblation

        ablated: Tensor = FeatureAblation(cells.logits).attribute(
            cells.values, target=target, perturbations_per_eval=16
        )
        return ablated
    before = classifier.attention.output(cells.values)
    # A linear decoder's gradient is its weight row: the same for all inputs of a class.
    gradient = _gradient(classifier.decode, before, target)
    falls = []
    for layer in range(config.n_layers):
        values = cells.values.clone()
        values[:, layer] = 0
        after = classifier.attention.output(values)
        falls.append(((before - after) * gradient).sum(1))
    return torch.stack(falls, 1)


def _ablation_of_gates(
    classifier: DaamClassifier, decoder: DensityDecoder, cells: Cells, target: Tensor
) -> Tensor:
    """With a cell removed the decoder sees u + Δ, where Δ ``[L]`` is at that cell's feature alone, so that
    ‖P(u + Δ) − δ‖² = ‖Pu − δ‖² + 2 Δᵀ Pᵀ(Pu − δ) + ‖PΔ‖² takes no run over all cells.

    M prototypes, D directions.
    """

    def seen(values: Tensor) -> Tensor:
        found: Tensor = decoder.see(classifier.attention.output(values)).view_as(values)
        return found

    values, by_cell = cells.values, decoder.direction_cells()  # [D, L, F]
    before = seen(values)
    changes = torch.stack(
        [seen(values.index_fill(1, torch.tensor(layer), 0.0)) - before for layer in range(values.shape[1])], 1
    )  # [N, L removed, L, F]
    prototypes = decoder.prototypes.to(by_cell.dtype)
    place = before.flatten(1) @ by_cell.flatten(1).T  # [N, D]
    gates = joint_gate(place, prototypes, decoder.scaled_variance) * decoder.output.weight[target]
    falls = []
    for feature in range(values.shape[2]):
        change, directions = changes[..., feature], by_cell[..., feature]  # [N, L removed, L], [D, L]
        own = 2 * (change @ (place @ directions)[..., None]).squeeze(-1)
        own = own + (change @ directions.T).square().sum(-1)
        farther = own[..., None] - 2 * change @ (prototypes @ directions).T  # [N, L removed, M]
        left = (-farther / (2 * decoder.scaled_variance)).exp_()
        falls.append(gates.sum(-1, keepdim=True) - (left @ gates[..., None]).squeeze(-1))
    return torch.stack(falls, -1)


def _gradient(decode: Callable[[Tensor], Tensor], gated: Tensor, target: Tensor) -> Tensor:
    with torch.enable_grad():
        gated = gated.detach().requires_grad_(True)
        chosen = decode(gated).gather(1, target[:, None]).sum()
        (gradient,) = torch.autograd.grad(chosen, gated)
    return gradient
