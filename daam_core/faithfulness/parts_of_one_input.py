"""Is the attribution of one input true? Parts of the input go, and any model decides on the rest.

Letters: P parts, C classes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from daam_core.configuration import Labels
from daam_core.errors import InputError, ShapeError
from daam_core.faithfulness.maps.cells import Cells
from daam_core.faithfulness.removal.curves import deletion_curve
from daam_core.faithfulness.removal.in_the_input import SHARES
from daam_core.faithfulness.removal.parts import BASELINES, UNITS, Parts
from daam_core.inputs import Input
from daam_core.progress import Progress

ORDERS = 19  # random ones: the fewest with which a p-value can reach …
SIGNIFICANCE = 0.05


@dataclass(frozen=True)
class PartsCheck:
    """What leaving out parts of an input does to the decision.

    Attributes:
        unit: what the parts are.
        baseline: what takes their place.
        parts: how many there are.
        deletion: area under the probability of the predicted class, those that speak most for it first.
        at_random: mean area of the random orders.
        orders: how many of these.
        p_value: share of random orders whose area is at least as low, counting this one.
        runs: how often the model ran, once for each choice of parts.
        refused: how often it refused what was left.
    """

    unit: str
    baseline: str
    parts: int
    deletion: float
    at_random: float
    orders: int
    p_value: float
    runs: int
    refused: int

    @property
    def sentence(self) -> str:
        """Whether the attribution is true of this input."""
        true = self.p_value <= SIGNIFICANCE
        verb, when = ("confirms", "sooner") if true else ("does not confirm", "no sooner")
        return (
            f"The check {verb} the attribution for this input: taking out the {self.unit} that speak most "
            f"for the prediction takes it away {when} (area {self.deletion:.2f}) than taking out {self.unit} "
            f"at random ({self.at_random:.2f}, {self.orders} orders)."
        )


def check_parts(
    parts: Parts,
    attribution: np.ndarray,
    logits: Callable[[Input], np.ndarray],
    *,
    labels: Labels = "one",
    seed: int = 0,
    progress: Progress | None = None,
) -> PartsCheck:
    """Take out an input's parts in the order of an attribution, and in random orders.

    Args:
        parts: of the input.
        attribution: ``[P]`` of the class that is predicted for the whole input.
        logits: ``[C]`` that the model gives an input; called once for each choice of parts. It may refuse
            an input of which too little is left, which then counts as one that decides nothing.
        labels: whether the logits decide for one class or for each of several labels.
        seed: of the random orders.
        progress: told how far it is; stops when cancelled.
    """
    progress = progress or Progress()
    known: dict[bytes, Tensor] = {}
    refused: set[bytes] = set()

    def answer(keep: np.ndarray) -> Tensor:
        if keep.tobytes() not in known:
            progress.check()
            try:
                given = torch.from_numpy(np.asarray(logits(parts.keeping(keep)), dtype=np.float64))
            except (InputError, ShapeError):
                if not known:  # the whole input
                    raise
                given = torch.zeros_like(next(iter(known.values())))
                refused.add(keep.tobytes())
            known[keep.tobytes()] = given
        return known[keep.tobytes()]

    def answers(keep: Tensor) -> Tensor:
        return torch.stack([answer(row.numpy() > 0.5) for row in keep])

    cells = Cells(torch.ones(1, len(parts)), answers, ("parts",), labels)
    scores = torch.from_numpy(np.asarray(attribution, dtype=np.float64))[None]
    deletion = float(deletion_curve(cells, scores, shares=SHARES, seed=seed).areas[0])
    chance = np.empty(ORDERS)
    for order in range(ORDERS):
        progress.report((1 + order) / (1 + ORDERS), f"Taking out {UNITS[parts.modality]} at random")
        curve = deletion_curve(cells, torch.zeros_like(scores), shares=SHARES, seed=seed + 1 + order)
        chance[order] = curve.areas[0]
    return PartsCheck(
        unit=UNITS[parts.modality],
        baseline=BASELINES[parts.modality],
        parts=len(parts),
        deletion=deletion,
        at_random=float(chance.mean()),
        orders=ORDERS,
        p_value=float((1 + np.sum(chance <= deletion)) / (ORDERS + 1)),
        runs=len(known),
        refused=len(refused),
    )
