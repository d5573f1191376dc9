"""Standard metrics by the quantus package (Hedström et al., JMLR 2023) on the layer × feature input.

Letters: N samples, H heads, L layers, F features.
"""

import contextlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import quantus
import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError
from daam_core.faithfulness.destroyed.models import randomise_gate
from daam_core.faithfulness.maps.cells import input_cells
from daam_core.faithfulness.maps.methods import METHODS, gated_maps, over_heads
from daam_core.faithfulness.maps.on_input import captum_maps
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.layers import DensityAttention
from daam_core.model import DaamClassifier
from daam_core.progress import Progress

MEASURED = ("importance", "decision_importance", "class_importance", "integrated_gradients")
FAITHFULNESS_RUNS = 50
REMOVED_SHARE = 0.1  # of the cells, in each run of the faithfulness correlation
SENSITIVITY_RUNS = 10
SENSITIVITY_NOISE = 0.1  # uniform, in training deviations


@dataclass(frozen=True)
class QuantusScore:
    """One metric of one method.

    Attributes:
        metric: quantus' name of it.
        method: key of :data:`~daam_core.faithfulness.maps.methods.METHODS`.
        score: mean over samples with its interval.
        better: ``higher`` or ``lower``.
        settings: what it was called with.
    """

    metric: str
    method: str
    score: Interval
    better: str
    settings: str


class _Gate(nn.Module):
    """Gives the gate the ``reset_parameters`` by which quantus randomises a layer."""

    def __init__(self, owner: DaamClassifier) -> None:
        super().__init__()
        self.attention: DensityAttention = owner.attention
        self._owner = [owner]  # in a list: no second place in the tree of modules

    def reset_parameters(self) -> None:
        drawn = randomise_gate(self._owner[0], seed=int(torch.randint(2**31, ())))
        self.attention.load_state_dict(drawn.attention.state_dict())


class QuantusClassifier(nn.Module):
    """A head as quantus sees models: standardised input ``[N, 1, L, F]`` → logits ``[N, C]``."""

    def __init__(self, classifier: DaamClassifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.gate = _Gate(classifier)

    def forward(self, x: Tensor) -> Tensor:
        gated, _ = self.classifier.attention(x[:, 0].float())
        return self.classifier.decode(gated)


def quantus_metrics(
    classifier: DaamClassifier,
    pooled: Tensor,
    *,
    methods: Sequence[str] = MEASURED,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[QuantusScore]:
    """Faithfulness correlation, max-sensitivity, sparseness, complexity, random logit and model
    parameter randomisation (MPRT), each through quantus.

    Class-independent maps cannot change with the class asked about: random logit says so (1).

    Args:
        classifier: the trained head.
        pooled: ``[N, L, F]``.
        methods: keys of METHODS that are defined on the input.
        seed: of quantus' draws.
        progress: told how far it is; stops when cancelled.

    Raises:
        ConfigError: a method that is not defined here.
    """
    progress = progress or Progress()
    for name in methods:
        if name not in METHODS or name in ("layer_sum", "attention", "ablation"):
            raise ConfigError(f"Quantus measures maps of the head itself, got {name!r}.")
    values = classifier.standardise(pooled.float())[:, None].numpy()
    head = QuantusClassifier(classifier).eval()
    with torch.no_grad():
        target = head(torch.as_tensor(values)).argmax(-1).numpy()
    cells = values[0].size
    subset = max(1, round(REMOVED_SHARE * cells))
    quiet: dict[str, Any] = {"disable_warnings": True, "display_progressbar": False}
    # Built anew for each method: a quantus metric keeps the scores of earlier calls.
    metrics: dict[str, tuple[Callable[[], Any], str, str]] = {
        "Faithfulness Correlation": (
            lambda: quantus.FaithfulnessCorrelation(
                nr_runs=FAITHFULNESS_RUNS, subset_size=subset, perturb_baseline=0.0,  # type: ignore[arg-type]
                return_aggregate=False, normalise=False, **quiet,
            ),
            "higher",
            f"{FAITHFULNESS_RUNS} runs, {subset} of {cells} cells to the training mean",
        ),
        "Max-Sensitivity": (
            lambda: quantus.MaxSensitivity(
                nr_samples=SENSITIVITY_RUNS, lower_bound=SENSITIVITY_NOISE, normalise=False, **quiet
            ),
            "lower",
            f"{SENSITIVITY_RUNS} runs, uniform noise of ±{SENSITIVITY_NOISE} deviations",
        ),
        "Sparseness": (lambda: quantus.Sparseness(**quiet), "higher", "Gini index of |map|"),
        "Complexity": (lambda: quantus.Complexity(**quiet), "lower", "entropy of |map|"),
        "Random Logit": (
            lambda: quantus.RandomLogit(num_classes=len(classifier.config.class_names), seed=seed, **quiet),
            "lower",
            "structural similarity with the map of another class",
        ),
        "MPRT": (
            lambda: quantus.MPRT(layer_order="independent", seed=seed, **quiet),
            "lower",
            "rank correlation with the map after one part's parameters were randomised",
        ),
    }  # fmt: skip
    found = []
    total = len(metrics) * len(methods)
    for index, (metric, (build, better, settings)) in enumerate(metrics.items()):
        for place, method in enumerate(methods):
            progress.report(
                (index * len(methods) + place) / total, f"Quantus: {metric} of {METHODS[method].title}"
            )
            with _quietly(seed):
                scores = build()(
                    model=head,
                    x_batch=values,
                    y_batch=target,
                    a_batch=None,
                    explain_func=explain_for_quantus,
                    explain_func_kwargs={"method": method},
                    channel_first=True,
                    softmax=False,
                    device="cpu",
                )
            parts = scores if isinstance(scores, dict) else {"": scores}
            for part, numbers in parts.items():
                if part == "original":
                    continue
                name = f"{metric}: {_part_title(part)}" if part else metric
                kept = np.nan_to_num(np.asarray(numbers, dtype=np.float64))
                found.append(QuantusScore(name, method, bootstrap_mean(kept, seed=seed), better, settings))
    return found


def explain_for_quantus(
    model: QuantusClassifier, inputs: Any, targets: Any, *, method: str, **_: Any
) -> np.ndarray:
    """A map ``[N, 1, L, F]`` of standardised inputs, in the form in which quantus asks for it."""
    classifier = model.classifier
    values = torch.as_tensor(np.asarray(inputs, dtype=np.float32))[:, 0]
    standardisation = classifier.standardisation
    pooled = values * standardisation.deviation + standardisation.mean
    target = torch.as_tensor(np.asarray(targets, dtype=np.int64))
    if method in ("gradient_input", "integrated_gradients"):
        found = captum_maps(input_cells(classifier, pooled), target=target)[method]
    else:
        found = over_heads(classifier, gated_maps(classifier, pooled, target=target)[method])
    return found.detach().numpy()[:, None]


def _part_title(part: str) -> str:
    return {"gate": "gate randomised", "classifier.decoder": "decoder randomised"}.get(
        part, f"{part.removeprefix('classifier.')} randomised"
    )


@contextlib.contextmanager
def _quietly(seed: int) -> Iterator[None]:
    """quantus draws from numpy's global state and prints: seed it, put it back, and swallow the text."""
    state, torch_state = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        torch.set_rng_state(torch_state)
