"""Rivals that are solved and not trained by steps: logistic regression, kernel ridge regression.

Both see the standardised pooled features of all layers ``[N, L, F]``, each layer scaled. Their settings are
the regularisation's strength, the layers' scale and, for the kernel, its width.
Letters: N inputs, L layers, F features, C classes.
"""

import time
import warnings
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.layers import Standardisation
from daam_core.training.baselines import LinearProbe
from daam_core.training.fitting import History

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

#: Steps of the solver; it stops before where nothing changes any more.
MOST_STEPS = 300
#: Pairs of inputs whose median distance says how wide a kernel is.
PAIRS = 2000


class ScaledStandardisation(Standardisation):
    """Standardisation with a factor for each layer: ``scale^(L−1−l)``, so that later layers weigh more."""

    factor: Tensor

    def __init__(self, n_layers: int, n_features: int, *, scale: float = 1.0) -> None:
        super().__init__(n_layers, n_features)
        factor = scale ** torch.arange(n_layers - 1.0, -1.0, -1.0)
        self.register_buffer("factor", factor[:, None])

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = super().forward(x) * self.factor
        return found


def logistic_regression(
    features: Tensor, labels: Tensor, *, n_classes: int, strength: float, layer_scale: float
) -> tuple[LinearProbe, History]:
    """Multinomial logistic regression on all layers, solved by scikit-learn.

    Args:
        features: ``[N, L, F]``.
        labels: ``[N]``, or ``[N, C]`` of 0 and 1.
        n_classes: C.
        strength: C of scikit-learn, the inverse of the penalty.
        layer_scale: see :class:`ScaledStandardisation`.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    started = time.perf_counter()
    model = LinearProbe(features.shape[1], features.shape[2], n_classes)
    model.standardisation = ScaledStandardisation(*features.shape[1:], scale=layer_scale)
    model.standardisation.fit(features)
    solver = LogisticRegression(C=strength, max_iter=MOST_STEPS)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        seen = model.standardise(features).flatten(1).numpy()
        if labels.ndim == 2:
            _solve_each(solver, seen, labels.numpy(), model.decoder)
            return model.eval(), History((), 1, time.perf_counter() - started)
        solver.fit(seen, labels.numpy())
        weights, bias = torch.from_numpy(solver.coef_), torch.from_numpy(solver.intercept_)
        if len(solver.classes_) == 2:  # one row says how much more the second class is meant
            weights, bias = torch.cat([-weights, weights]) / 2, torch.cat([-bias, bias]) / 2
        # A class without an input is never answered.
        model.decoder.weight.zero_()
        model.decoder.bias.fill_(-1e4)
        model.decoder.weight[solver.classes_] = weights.float()
        model.decoder.bias[solver.classes_] = bias.float()
    return model.eval(), History((), 1, time.perf_counter() - started)


def _solve_each(
    solver: "LogisticRegression", seen: np.ndarray, labels: np.ndarray, decoder: nn.Linear
) -> None:
    """With several labels a regression for each class; what all or no inputs have is always answered so."""
    for number, column in enumerate(labels.T):
        if 0 < column.sum() < len(column):
            solver.fit(seen, column)
            decoder.weight[number] = torch.from_numpy(solver.coef_[0]).float()
            decoder.bias[number] = float(solver.intercept_[0])
        else:
            decoder.weight[number] = 0
            decoder.bias[number] = 1e4 if column.all() else -1e4


class KernelRidge(nn.Module):
    """Ridge regression to the classes with a Gaussian kernel around every training input.

    ``[B, L, F] → [B, C]``; the logits are regression values, highest for the class meant, no log odds.
    """

    inputs: Tensor

    def __init__(
        self, standardisation: Standardisation, inputs: Tensor, dual: Tensor, *, gamma: float
    ) -> None:
        super().__init__()
        self.standardisation, self.gamma = standardisation, gamma
        self.dual = nn.Parameter(dual)  # [N, C]
        self.register_buffer("inputs", inputs)  # [N, L · F]

    def forward(self, pooled: Tensor) -> Tensor:
        squared = torch.cdist(self.standardisation(pooled).flatten(1), self.inputs).square()
        logits: Tensor = torch.exp(-self.gamma * squared) @ self.dual
        return logits


def kernel_ridge(
    features: Tensor, labels: Tensor, *, n_classes: int, width: float, ridge: float, layer_scale: float
) -> tuple[KernelRidge, History]:
    """Kernel ridge regression on all layers, solved by scikit-learn.

    Args:
        features: ``[N, L, F]``.
        labels: ``[N]``, or ``[N, C]`` of 0 and 1.
        n_classes: C.
        width: g: the kernel is ``exp(−(g · distance / median distance)²)``.
        ridge: the penalty.
        layer_scale: see :class:`ScaledStandardisation`.
    """
    from sklearn.kernel_ridge import KernelRidge as Solver

    started = time.perf_counter()
    standardisation = ScaledStandardisation(*features.shape[1:], scale=layer_scale)
    standardisation.fit(features)
    inputs = standardisation(features).flatten(1)
    draw = torch.Generator().manual_seed(0)
    one, other = (torch.randint(len(inputs), (PAIRS,), generator=draw) for _ in range(2))
    median = (inputs[one] - inputs[other])[one != other].norm(dim=1).median().clamp_min(1e-6)
    gamma = float((width / median) ** 2)
    if labels.ndim == 2:
        targets = 2 * labels.double() - 1  # above 0 where a label is there
    else:
        targets = nn.functional.one_hot(labels, n_classes).double() - 1 / n_classes
    solver = Solver(alpha=ridge, kernel="rbf", gamma=gamma)
    solver.fit(inputs.numpy(), targets.numpy())
    dual = torch.from_numpy(solver.dual_coef_).float()
    model = KernelRidge(standardisation, inputs, dual, gamma=gamma)
    return model.eval(), History((), 1, time.perf_counter() - started)
