"""How good predictions are: figures of predictions against labels, and nothing else.

Letters: N inputs, C classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from daam_core.training.answers import answers

#: Whose most frequent answer a classifier that looks at nothing always gives: the training part's, which is
#: all that it could know, or where that is not at hand that of the inputs which are measured.
MajorityOf = Literal["the training part", "these inputs"]


@dataclass(frozen=True)
class ClassFigures:
    """One class: of those predicted, how many were right; of those present, how many were found.

    ``precision`` is 0 for a class that was never predicted, ``recall`` for one that never occurred.
    ``average_precision`` is there with several labels: the area under precision over recall, which at random
    is the class's share of the inputs; 0 for a class that never occurred.
    """

    name: str
    inputs: int
    precision: float
    recall: float
    f1: float
    average_precision: float | None = None


@dataclass(frozen=True)
class Scores:
    """Figures of a set of predictions.

    Attributes:
        inputs: N.
        accuracy: share of right predictions; with several labels, of inputs all of whose labels are right.
        balanced_accuracy: mean recall over the classes that occur; with several labels, each class's mean of
            that and of the recall of its absence.
        macro_f1: mean F1 over the classes that occur.
        classes: figures of each class, in the model's order.
        confusion: ``[C][C]`` counts; row = true class, column = predicted class. Empty with several labels,
            where no class stands in place of another.
        majority: accuracy of always giving the most frequent answer of ``majority_of``: a class, or a set of
            labels.
        answers: how many different answers were given.
        micro_f1: with several labels, F1 of all labels of all inputs together.
        mean_average_precision: with several labels, over the classes that occur.
        majority_micro_f1: with several labels, of the same constant answer.
        majority_macro_f1: of the same.
        random_average_precision: what any order that looks at nothing has: the classes' mean share.
        majority_of: whose most frequent answer that is.
    """

    inputs: int
    accuracy: float
    balanced_accuracy: float
    macro_f1: float
    classes: tuple[ClassFigures, ...]
    confusion: tuple[tuple[int, ...], ...]
    majority: float
    answers: int
    micro_f1: float | None = None
    mean_average_precision: float | None = None
    majority_micro_f1: float | None = None
    majority_macro_f1: float | None = None
    random_average_precision: float | None = None
    majority_of: MajorityOf = "these inputs"

    @property
    def several(self) -> bool:
        """Whether an input may have several labels."""
        return self.micro_f1 is not None


def one_class_only(scores: Scores) -> str:
    """One sentence where every prediction is the same class though labels differ; else empty.

    >>> one_class_only(score([0, 0, 1], [0, 0, 0], ["cat", "dog"]))
    "All 3 inputs are taken for 'cat', which 2 of them are: the classes are not told apart ..."
    """
    present = sum(figures.inputs > 0 for figures in scores.classes)
    if scores.answers != 1 or present < 2 or scores.accuracy == 1:
        return ""
    if scores.several:
        return (
            f"All {scores.inputs:,} inputs get the same labels, which {scores.accuracy:.1%} have: "
            "the classes are not told apart here. In training, give more inputs of rare classes, "
            "--class-weights balanced, train longer, or change the learning rate."
        )
    only = next(
        scores.classes[k] for k in range(len(scores.classes)) if any(row[k] for row in scores.confusion)
    )
    return (
        f"All {scores.inputs:,} inputs are taken for {only.name!r}, which {only.inputs:,} of them are: "
        "the classes are not told apart here. In training, give more inputs of the other classes, train "
        "longer, or change the learning rate."
    )


def score(
    labels: Sequence[int],
    predictions: Sequence[int],
    class_names: Sequence[str],
    *,
    always: Sequence[int] | None = None,
) -> Scores:
    """Figures of predictions ``[N]`` against labels ``[N]``, both class indices.

    Args:
        labels: what the inputs are.
        predictions: what they are taken for.
        class_names: C names.
        always: ``[N]`` what a classifier that looks at nothing says, of each input the most frequent class of
            its split's training part; by default the most frequent class of ``labels``.

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
        macro_f1=float(f1[support > 0].mean()),
        classes=tuple(
            ClassFigures(class_names[i], int(support[i]), float(precision[i]), float(recall[i]), float(f1[i]))
            for i in indices
        ),
        confusion=tuple(tuple(int(count) for count in row) for row in confusion),
        majority=(
            float(support.max() / len(labels))
            if always is None
            else float(np.mean(np.array(always) == np.array(labels)))
        ),
        answers=len(set(predictions)),
        majority_of=_of(always),
    )


def _of(always: object) -> MajorityOf:
    return "these inputs" if always is None else "the training part"


def score_logits(
    labels: Tensor, logits: Tensor, class_names: Sequence[str], *, always: Tensor | None = None
) -> Scores:
    """Figures of logits ``[N, C]`` against class indices ``[N]``, or against ``[N, C]`` of 0 and 1.

    ``always`` is that of :func:`score`, of the labels' shape.

    >>> labels, logits = torch.tensor([[1.0, 1.0], [1.0, 0.0]]), torch.tensor([[2.0, 1.0], [1.0, 3.0]])
    >>> round(score_logits(labels, logits, "ab").micro_f1, 3)
    0.857
    """
    if labels.ndim == 1:
        of_each = None if always is None else always.tolist()
        return score(labels.tolist(), logits.argmax(-1).tolist(), class_names, always=of_each)
    from sklearn.metrics import average_precision_score, f1_score, precision_recall_fscore_support

    truth, given = labels.numpy().astype(int), answers(logits, labels).numpy().astype(int)
    precision, recall, f1, support = precision_recall_fscore_support(truth, given, zero_division=0.0)

    occurs = np.flatnonzero(support)

    def micro_f1(said: np.ndarray) -> float:
        return float(f1_score(truth, said, average="micro", zero_division=0.0))

    def macro_f1(said: np.ndarray) -> float:
        if not len(occurs):
            return 0.0
        return float(f1_score(truth, said, labels=occurs, average="macro", zero_division=0.0))

    areas = [
        float(average_precision_score(column, found)) if column.any() else 0.0
        for column, found in zip(truth.T, logits.double().numpy().T, strict=True)
    ]
    constant: np.ndarray
    if always is None:
        sets, counts = np.unique(truth, axis=0, return_counts=True)
        constant = np.broadcast_to(sets[counts.argmax()], truth.shape)
    else:
        constant = always.numpy().astype(int)
    return Scores(
        inputs=len(truth),
        accuracy=float((truth == given).all(1).mean()),
        balanced_accuracy=balanced_accuracy(torch.from_numpy(given), torch.from_numpy(truth)),
        macro_f1=macro_f1(given),
        classes=tuple(
            ClassFigures(name, int(support[k]), float(precision[k]), float(recall[k]), float(f1[k]), areas[k])
            for k, name in enumerate(class_names)
        ),
        confusion=(),
        majority=float((truth == constant).all(1).mean()),
        answers=len(np.unique(given, axis=0)),
        micro_f1=micro_f1(given),
        mean_average_precision=float(np.mean(np.array(areas)[occurs])) if len(occurs) else 0.0,
        majority_micro_f1=micro_f1(constant),
        majority_macro_f1=macro_f1(constant),
        random_average_precision=float(np.mean(support[occurs] / len(truth))) if len(occurs) else 0.0,
        majority_of=_of(always),
    )


#: Of :class:`Scores`, what only several labels have, and macro F1, which stands beside them there.
FIGURES_OF_SEVERAL = (
    *("mean_average_precision", "micro_f1", "macro_f1"),
    *("random_average_precision", "majority_micro_f1", "majority_macro_f1"),
)


def figures_of_several(scores: Sequence[Scores]) -> Mapping[str, float]:
    """Means of :data:`FIGURES_OF_SEVERAL`, by name; none where inputs have one label."""
    if not all(found.several for found in scores):
        return {}
    return {name: float(np.mean([getattr(found, name) for found in scores])) for name in FIGURES_OF_SEVERAL}


def balanced_accuracy(guess: Tensor, labels: Tensor) -> float:
    """Mean share of right answers over the classes that occur.

    With several labels ``[N, C]``: of each class the mean of two shares, that of the inputs with it that are
    said to have it, and that of those without it that are said not to.

    >>> balanced_accuracy(torch.tensor([0, 0, 0, 0]), torch.tensor([0, 0, 0, 1]))
    0.5
    """
    if labels.ndim == 2:
        each = [(column, truth) for column, truth in zip(guess.T, labels.T, strict=True) if truth.any()]
        return float(np.mean([balanced_accuracy(column, truth) for column, truth in each])) if each else 0.0
    right = (guess == labels).double()
    return float(np.mean([float(right[labels == one].mean()) for one in labels.unique()]))
