"""What can be removed from a decision: cells whose value 0 stands for the training mean.

Letters: N inputs, H heads, L layers, F features, R rows (see ``layers``), C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from daam_core.configuration import Labels
from daam_core.errors import DataError
from daam_core.layers import Standardisation
from daam_core.model import DaamClassifier, probabilities
from daam_core.training.fitting import logits_of


@dataclass(frozen=True)
class Cells:
    """Inputs of a decision that can be taken away, and the decision on what is left.

    Attributes:
        values: ``[N, ..]``, one input's cells after the first axis. A cell set to 0 counts as
            removed: it then holds the training mean.
        logits: ``[B, ..] → [B, C]``, differentiable.
        names: what the axes after the first are, such as ``("rows", "features")``.
        removable: which along the first of these axes can be removed; the others stay.
        labels: whether the logits decide for one class or for each of several labels.
    """

    values: Tensor
    logits: Callable[[Tensor], Tensor]
    names: tuple[str, ...]
    labels: Labels = "one"
    removable: slice = field(default_factory=lambda: slice(None))

    def __post_init__(self) -> None:
        if self.values.ndim != 1 + len(self.names) or len(self.values) == 0:
            raise DataError(
                f"Cells need values [N, {', '.join(self.names)}] with N >= 1, got {list(self.values.shape)}."
            )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def per_input(self) -> int:
        """How many cells one input has that can be removed."""
        return self.values[0, self.removable].numel()

    @torch.no_grad()
    def probabilities(self, values: Tensor | None = None) -> Tensor:
        """``[N, C]`` in float64, of the cells as they are or of other values."""
        return probabilities(self.logits(self.values if values is None else values), self.labels)


def gated_cells(classifier: DaamClassifier, pooled: Tensor) -> Cells:
    """Every head's gated values ``[N, R, F]``, the gate held fixed: where the Importance Factor stands.

    The standardised training mean is 0, and a gate times 0 is 0. Rows that are no head's cannot be removed.
    """
    attention = classifier.attention
    with torch.no_grad():
        gated = attention.output(classifier.standardise(pooled.float()))
    names = ("rows", "features")
    return Cells(gated, classifier.decode, names, classifier.config.labels, attention.own_rows)


def input_cells(model: nn.Module, pooled: Tensor, *, labels: Labels = "one") -> Cells:
    """The standardised input ``[N, L, F]``: the classifier runs again, gates included, on what is left.

    The place where methods that know nothing of heads can be compared, and other models too.

    Args:
        model: a :class:`~daam_core.model.DaamClassifier` or one of the baselines.
        pooled: ``[N, L, F]``.
        labels: what a baseline decides for; a classifier's configuration says it.

    Raises:
        DataError: the model does not standardise its input.
    """
    standardisation = getattr(model, "standardisation", None)
    if not isinstance(standardisation, Standardisation):
        raise DataError(f"A {type(model).__name__} has no standardisation: train it with this package.")
    with torch.no_grad():
        values = standardisation(pooled.float())

    def logits(values: Tensor) -> Tensor:
        # Both kinds of model standardise first; the way back keeps one definition of each.
        return logits_of(model, values * standardisation.deviation + standardisation.mean)

    if isinstance(model, DaamClassifier):
        labels = model.config.labels
    return Cells(values, logits, ("layers", "features"), labels)
