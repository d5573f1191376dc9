"""Maps of importance: all methods by name, and the Importance Factor with its parts and variants.

Letters: N inputs, H heads, L layers, F features, R rows (see ``layers``), C classes.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from daam_core.faithfulness.maps.cells import Cells, gated_cells
from daam_core.model import DaamClassifier
from daam_core.result import DatasetMean


@dataclass(frozen=True)
class MapKind:
    """A way to say which cells matter.

    Attributes:
        name: short key.
        title: what figures and tables call it.
        class_specific: whether it is about the predicted class, or about the input alone.
        source: where it comes from.
    """

    name: str
    title: str
    class_specific: bool
    source: str


MAP_KINDS: dict[str, MapKind] = {
    method.name: method
    for method in (
        MapKind(
            "importance",
            "Importance Factor",
            False,
            "paper, 1.5: density attention = amplitude · gate",
        ),
        MapKind(
            "gate",
            "Gate without amplitude",
            False,
            "the Importance Factor of the paper's own variants",
        ),
        MapKind(
            "amplitude",
            "Layer amplitude alone",
            False,
            "λ[h, l], the same for all features and inputs",
        ),
        MapKind("dataset", "Importance Factor of the data set", False, "one map for all inputs"),
        MapKind(
            "weighted_importance",
            "Weighted Importance Factor",
            False,
            "ours: density attention · spread over classes of the decision's gradient",
        ),
        MapKind("magnitude", "Gated magnitude", False, "ours: density attention · |value|"),
        MapKind(
            "decision_importance",
            "Decision importance",
            False,
            "ours: density attention · |value| · spread over classes of the decision's gradient",
        ),
        MapKind("gate_gradient", "Gate × |gradient|", True, "ours: density attention · |gradient|"),
        MapKind(
            "class_importance",
            "Class importance",
            True,
            "ours: density attention · value · gradient of the class's logit, signed",
        ),
        MapKind("absolute_class_importance", "|Class importance|", True, "ours: its absolute value"),
        MapKind(
            "contrast_importance",
            "Contrast importance",
            True,
            "ours: density attention · value · gradient of the class's log-odds, signed",
        ),
        MapKind(
            "evidence",
            "Evidence",
            True,
            "ours: change of the joint log gates for the class and against the next one, or its absence; "
            "density decoder only",
        ),
        MapKind("gradient_input", "Gradient × input", True, "captum, signed"),
        MapKind("absolute_gradient_input", "|Gradient × input|", True, "captum, absolute"),
        MapKind("integrated_gradients", "Integrated gradients", True, "Sundararajan et al. 2017; captum"),
        MapKind(
            "absolute_integrated_gradients",
            "|Integrated gradients|",
            True,
            "Sundararajan et al. 2017; captum, absolute",
        ),
        MapKind("ablation", "Ablation", True, "fall of the class's logit when a single cell is removed"),
        MapKind(
            "layer_sum",
            "Weighted-layer-sum weights",
            False,
            "the baseline's softmax weights of layers",
        ),
        MapKind("attention", "Multi-head attention weights", False, "the baseline's attention to layers"),
    )
}


def gated_maps(
    classifier: DaamClassifier,
    pooled: Tensor,
    *,
    target: Tensor | None = None,
    dataset: DatasetMean | None = None,
) -> dict[str, Tensor]:
    """Maps on every head's gated values, class-specific ones for the predicted class.

    With a decoder that is linear in the gated values (``pool``, ``linear``) gradient × input,
    integrated gradients and ablation on these cells all equal ``class_importance``.

    Args:
        classifier: the trained classifier.
        pooled: ``[N, L, F]``.
        target: ``[N]`` other classes to explain.
        dataset: the classifier's averages over a data set, for the map ``dataset``.

    Returns:
        Method name → ``[N, R, F]``; ``amplitude`` of classifiers that have one.
    """
    cells = gated_cells(classifier, pooled)
    attention = classifier.attention
    with torch.no_grad():
        standardised = classifier.standardise(pooled.float())
        gate = attention.gate(standardised)
        values = attention.seen(standardised, gate)
        density = attention.attend(gate)
    gradient, contrast, spread = decision_gradients(cells, target=target)
    maps = {"importance": density, "gate": gate}
    if attention.amplitude_logits is not None:
        maps["amplitude"] = attention.attend(torch.ones_like(gate)).detach()
    if dataset is not None:
        mean = torch.from_numpy(dataset.density_attention)
        maps["dataset"] = attention.by_row(mean).expand_as(gate)
    if (found := classifier.evidence(cells.values, _targets(cells, target))) is not None:
        maps["evidence"] = attention.by_row(found.cells)
    return maps | {
        "weighted_importance": density * spread,
        "magnitude": density * values.abs(),
        "decision_importance": density * values.abs() * spread,
        "gate_gradient": density * gradient.abs(),
        "class_importance": density * values * gradient,
        "absolute_class_importance": (density * values * gradient).abs(),
        "contrast_importance": density * values * contrast,
    }


def _targets(cells: Cells, target: Tensor | None) -> Tensor:
    return cells.probabilities().argmax(-1) if target is None else target


def over_heads(classifier: DaamClassifier, rows: Tensor) -> Tensor:
    """Sum of a map ``[.., R, F]`` over heads, ``[.., L, F]``."""
    return classifier.attention.by_head(rows).sum(-3)


def decision_gradients(cells: Cells, *, target: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
    """How each cell moves the decision, to first order, for ``target [N]`` or the predicted classes.

    Returns:
        Three tensors of the cells' shape ``[N, ..]``: the gradient of the class's logit;
        of its log-odds against all other classes, with several labels its logit alone (what its
        probability depends on); and the
        deviation of the gradient over classes, which is about no class in particular.
    """
    with torch.no_grad():
        logits = cells.logits(cells.values)
    if target is None:
        target = logits.argmax(-1)
    classes = logits.shape[1]
    others = logits.double().masked_fill(torch.nn.functional.one_hot(target, classes).bool(), -torch.inf)
    weights = others.softmax(-1).to(logits.dtype) if cells.labels == "one" else torch.zeros_like(logits)

    values = cells.values.detach().requires_grad_(True)
    with torch.enable_grad():
        answer = cells.logits(values)
    mean, square = torch.zeros_like(values), torch.zeros_like(values)
    own, rest = torch.zeros_like(values), torch.zeros_like(values)
    spread = (-1, *(1,) * (values.ndim - 1))
    for index in range(classes):
        (gradient,) = torch.autograd.grad(answer[:, index].sum(), values, retain_graph=index < classes - 1)
        mean += gradient / classes
        square += gradient.square() / classes
        own += gradient * (target == index).view(spread)
        rest += gradient * weights[:, index].view(spread)
    deviation = (square - mean.square()).clamp_min(0).sqrt()
    return own.detach(), (own - rest).detach(), deviation.detach()
