"""What each method makes of an encoder's layers, under the name that the quantity has there.

Letters: N inputs, L layers, F features.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from daam_core.dataset_mean import dataset_mean
from daam_core.model import DaamClassifier
from daam_core.training.baselines import Baseline

#: Inputs that are looked at, evenly spread over those given.
MOST_INPUTS = 500


@dataclass(frozen=True)
class LayerShares:
    """How a method's own measure is spread over the layers; none where a method has no such measure.

    Attributes:
        method: its title.
        quantity: what is measured: density attention, attention weight, |decoder weight|; "" for none.
        percent: of each of L layers, sums to 100; empty for none.
    """

    method: str
    quantity: str
    percent: tuple[float, ...]


@torch.no_grad()
def layer_shares(method: str, module: nn.Module, features: Tensor) -> LayerShares:
    """Mean over inputs of what a trained module makes of each layer.

    Args:
        method: its title.
        module: what was trained.
        features: ``[N, L, F]`` pooled features, not standardised.
    """
    some = features[:: -(-len(features) // MOST_INPUTS)].float()
    if isinstance(module, DaamClassifier):
        quantity = "density attention"
        amounts = torch.from_numpy(dataset_mean(module, some).density_attention.sum((0, 2)))
    elif isinstance(module, Baseline):
        quantity, amounts = module.layer_quantity, module.eval().layer_amounts(some).mean(0)
    else:
        return LayerShares(method, "", ())
    return LayerShares(method, quantity, tuple((100 * amounts / amounts.sum().clamp_min(1e-12)).tolist()))


class Look:
    """Looks at a method's trainings with one seed, as :func:`~daam_core.training.accuracy.measure_accuracy`
    calls it after each.

    Args:
        method: its title.
        features: ``[N, L, F]``.
        seed: that is looked at.
        then: called after each training.
    """

    def __init__(self, method: str, features: Tensor, *, seed: int, then: Callable[[], object]) -> None:
        self._method, self._features, self._seed, self._then = method, features, seed, then
        self._found: list[LayerShares] = []

    def __call__(self, seed: int, module: nn.Module, _: object) -> None:
        if seed == self._seed:
            self._found.append(layer_shares(self._method, module, self._features))
        self._then()

    def mean(self) -> LayerShares:
        """Over the trainings that were looked at, one at least."""
        each = zip(*(one.percent for one in self._found), strict=True)
        percent = tuple(sum(layer) / len(self._found) for layer in each)
        return replace(self._found[0], percent=percent)
