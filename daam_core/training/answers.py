"""What logits answer, and how good that is, for one class an input and for several labels alike.

The labels' form says which: ``[N]`` class indices, or ``[N, C]`` of 0 and 1 where an input has several
labels or none. Letters: N inputs, C classes.
"""

from torch import Tensor, nn


def answers(logits: Tensor, labels: Tensor) -> Tensor:
    """What is answered, in the form of the labels: the most probable class ``[N]``, or with several labels
    ``[N, C]``, 1 for each whose probability is at least a half.
    """
    return logits.argmax(-1) if labels.ndim == 1 else (logits >= 0).to(labels.dtype)


def right(logits: Tensor, labels: Tensor) -> Tensor:
    """``[N]`` bool: whether the class is the label; with several labels, whether all of them are right."""
    found = answers(logits, labels) == labels
    return found if labels.ndim == 1 else found.all(-1)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """``[]`` mean over inputs, with several labels over inputs and classes: a proper score."""
    if labels.ndim == 1:
        return nn.functional.cross_entropy(logits, labels)
    return nn.functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))


def wanted(labels: Tensor, n_classes: int) -> Tensor:
    """``[N, C]`` float64 that a regression aims at: 1 for the class and 0 for others, the highest is meant.

    With several labels 1 for those that an input has and −1 for others: what is above 0 is meant.
    """
    return nn.functional.one_hot(labels, n_classes).double() if labels.ndim == 1 else 2 * labels.double() - 1
