"""How good predictions are: figures of class indices against labels, and nothing else.

Letters: N inputs, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ClassFigures:
    """One class: of those predicted, how many were right; of those present, how many were found.

    ``precision`` is 0 for a class that was never predicted, ``recall`` for one that never occurred.
    """

    name: str
    inputs: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """Figures of a set of predictions.

    Attributes:
        inputs: N.
        accuracy: share of right predictions.
        balanced_accuracy: mean recall over the classes that occur.
        macro_f1: mean F1 over all classes.
        classes: figures of each class, in the model's order.
        confusion: ``[C][C]`` counts; row = true class, column = predicted class.
    """

    inputs: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]

    @property
    def majority(self) -> float:
        """Share of the most frequent class among these inputs."""
        return max(figures.inputs for figures in self.classes) / self.inputs


def one_class_only(scores: Scores) -> str:
    """One sentence where every prediction is the same class though labels differ; else empty.

    >>> one_class_only(score([0, 0, 1], [0, 0, 0], ["cat", "dog"]))
    "All 3 inputs are taken for 'cat', which 2 of them are: the classes are not told apart ..."
    """
    predicted = [k for k in range(len(scores.classes)) if any(row[k] for row in scores.confusion)]
    present = sum(figures.inputs > 0 for figures in scores.classes)
    if len(predicted) != 1 or present < 2:
        return ""
    (only,) = (scores.classes[k] for k in predicted)
    return (
        f"All {scores.inputs:,} inputs are taken for {only.name!r}, which {only.inputs:,} of them are: "
        "the classes are not told apart here. In training, give more inputs of the other classes, train "
        "longer, or change the learning rate."
    )


def score(labels: Sequence[int], predictions: Sequence[int], class_names: Sequence[str]) -> Scores:
    """Figures of predictions ``[N]`` against labels ``[N]``, both class indices.

    >>> score([0, 0, 1, 1], [0, 1, 1, 1], ["cat", "dog"]).confusion
    ((1, 1), (0, 2))
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    indices = range(len(class_names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predictions, labels=list(indices), zero_division=0.0
    )
    confusion = confusion_matrix(labels, predictions, labels=list(indices))
    return Scores(
        inputs=len(labels),
        accuracy=float(np.trace(confusion) / len(labels)),
        balanced_accuracy=float(recall[support > 0].mean()),
        macro_f1=float(f1.mean()),
        classes=tuple(
            ClassFigures(class_names[i], int(support[i]), float(precision[i]), float(recall[i]), float(f1[i]))
            for i in indices
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
    )
