"""Standard metrics by the quantus package (Hedström et al., JMLR 2023) on the layer × feature input.

Letters: N inputs, H heads, L layers, F features.
"""

import contextlib
import io
import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from daam_core.errors import ConfigError
from daam_core.faithfulness.destroyed.models import randomise_gate
from daam_core.faithfulness.maps.cells import input_cells
from daam_core.faithfulness.maps.methods import MAP_KINDS, gated_maps, over_heads
from daam_core.faithfulness.maps.on_input import captum_maps
from daam_core.faithfulness.packages import measuring_packages
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.layers import DensityAttention
from daam_core.model import DaamClassifier
from daam_core.plain import PlainMapping
from daam_core.progress import Progress

MEASURED = ("importance", "decision_importance", "class_importance", "integrated_gradients")
FAITHFULNESS_RUNS = 50
REMOVED_SHARE = 0.1  # of the cells, in each run of the faithfulness correlation
SENSITIVITY_RUNS = 10
SENSITIVITY_NOISE = 0.1  # uniform, in training deviations
_QUIET = {"disable_warnings": True, "display_progressbar": False}
#: What a metric of quantus returns: a score for each input, some for each part of the model.
_RawScores = Sequence[float] | dict[str, Sequence[float]]


@dataclass(frozen=True)
class QuantusScore:
    """One metric of one method.

    Attributes:
        metric: quantus' name of it.
        method: key of :data:`~daam_core.faithfulness.maps.methods.MAP_KINDS`.
        score: mean over inputs with its interval.
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
    """A classifier as quantus sees models: standardised input ``[N, 1, L, F]`` → logits ``[N, C]``."""

    def __init__(self, classifier: DaamClassifier) -> None:
        super().__init__()
        self.classifier = classifier
        self.gate = _Gate(classifier)

    def forward(self, x: Tensor) -> Tensor:
        gated = self.classifier.attention.output(x[:, 0].float())
        return self.classifier.decode(gated)


@dataclass(frozen=True)
class _Metric:
    """One of quantus' metrics: its title, its class in quantus and what that is made with."""

    name: str
    kind: str
    options: PlainMapping
    better: str
    settings: str


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
        classifier: the trained classifier.
        pooled: ``[N, L, F]``.
        methods: keys of MAP_KINDS that are defined on the input.
        seed: of quantus' draws.
        progress: told how far it is; stops when cancelled.

    Raises:
        ConfigError: a method that is not defined here, or quantus is not installed.
    """
    with measuring_packages():
        import quantus

    progress = progress or Progress()
    for name in methods:
        if name not in MAP_KINDS or name in ("layer_sum", "attention", "ablation"):
            raise ConfigError(f"Quantus measures maps of the classifier itself, got {name!r}.")
    values = classifier.standardise(pooled.float())[:, None].numpy()
    asked = QuantusClassifier(classifier).eval()
    with torch.no_grad():
        target = asked(torch.as_tensor(values)).argmax(-1).numpy()
    metrics = _metrics(cells=values[0].size, classes=len(classifier.config.class_names), seed=seed)
    found = []
    pairs = list(itertools.product(metrics, methods))
    for index, (metric, method) in enumerate(pairs):
        progress.report(index / len(pairs), f"Quantus: {metric.name} of {MAP_KINDS[method].title}")
        with _quietly(seed):
            # Made anew for each method: a quantus metric keeps the scores of earlier calls.
            measure = getattr(quantus, metric.kind)(**metric.options, **_QUIET)
            scores = measure(
                model=asked,
                x_batch=values,
                y_batch=target,
                a_batch=None,
                explain_func=explain_for_quantus,
                explain_func_kwargs={"method": method},
                channel_first=True,
                softmax=False,
                device="cpu",
            )
        for title, numbers in _by_title(metric.name, scores).items():
            kept = np.nan_to_num(np.asarray(numbers, dtype=np.float64))
            interval = bootstrap_mean(kept, seed=seed)
            found.append(QuantusScore(title, method, interval, metric.better, metric.settings))
    return found


def _metrics(*, cells: int, classes: int, seed: int) -> list[_Metric]:
    removed = max(1, round(REMOVED_SHARE * cells))
    correlation = {"nr_runs": FAITHFULNESS_RUNS, "subset_size": removed, "perturb_baseline": 0.0}
    correlation |= {"return_aggregate": False, "normalise": False}
    noise = {"nr_samples": SENSITIVITY_RUNS, "lower_bound": SENSITIVITY_NOISE, "normalise": False}
    another, destroyed = {"num_classes": classes, "seed": seed}, {"layer_order": "independent", "seed": seed}
    return [
        _Metric(
            "Faithfulness Correlation",
            "FaithfulnessCorrelation",
            correlation,
            "higher",
            f"{FAITHFULNESS_RUNS} runs, {removed} of {cells} cells to the training mean",
        ),
        _Metric(
            "Max-Sensitivity",
            "MaxSensitivity",
            noise,
            "lower",
            f"{SENSITIVITY_RUNS} runs, uniform noise of ±{SENSITIVITY_NOISE} deviations",
        ),
        _Metric("Sparseness", "Sparseness", {}, "higher", "Gini index of |map|"),
        _Metric("Complexity", "Complexity", {}, "lower", "entropy of |map|"),
        _Metric(
            "Random Logit",
            "RandomLogit",
            another,
            "lower",
            "structural similarity with the map of another class",
        ),
        _Metric(
            "MPRT",
            "MPRT",
            destroyed,
            "lower",
            "rank correlation with the map after one part's parameters were randomised",
        ),
    ]


def _by_title(metric: str, scores: _RawScores) -> dict[str, Sequence[float]]:
    """Scores by the metric's name; MPRT gives some for each part of the model."""
    if not isinstance(scores, dict):
        return {metric: scores}
    return {
        f"{metric}: {_part_title(part)}": numbers for part, numbers in scores.items() if part != "original"
    }


def explain_for_quantus(
    model: QuantusClassifier, inputs: np.ndarray, targets: np.ndarray, *, method: str, **_: object
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
