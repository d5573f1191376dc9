"""All measures of one model together: what is asked, in which order, and what came out.

Letters: N samples, L layers, F features.
"""

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from importlib import metadata
from typing import Any

import numpy as np
import torch
from torch import Tensor

from daam_core.backbones.base import Sample
from daam_core.checkpoint import Model
from daam_core.errors import DataError
from daam_core.faithfulness.destroyed.learned import Learned, what_is_learned
from daam_core.faithfulness.destroyed.models import Similarity, sanity_checks, trained_again
from daam_core.faithfulness.destroyed.small_changes import PERTURBATIONS
from daam_core.faithfulness.destroyed.stability import (
    InputStability,
    SeedStability,
    input_stability,
    seed_stability,
)
from daam_core.faithfulness.maps.cells import Cells, gated_cells, input_cells
from daam_core.faithfulness.maps.methods import METHODS, gated_maps
from daam_core.faithfulness.maps.on_input import input_maps
from daam_core.faithfulness.quantus import QuantusScore, quantus_metrics
from daam_core.faithfulness.removal.curves import Comparison, compare, random_curve
from daam_core.faithfulness.removal.in_the_input import TokenLevel, token_level
from daam_core.faithfulness.report.findings import Finding, find
from daam_core.faithfulness.retraining.layers import BUDGET, Retraining, TrainTestFeatures, retrain
from daam_core.faithfulness.retraining.rivals import Rival, agreement, rivals
from daam_core.faithfulness.retraining.variants import (
    AS_SHIPPED,
    PLAIN,
    Variant,
    measure_variant,
    plain_variant,
)
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.progress import Progress
from daam_core.training.fitting import TrainingConfig
from daam_core.version import __version__


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        samples: inputs that cells are removed from.
        training_samples: inputs that heads are retrained on.
        sanity_samples: inputs whose maps are compared with those of a destroyed model.
        quantus_samples: inputs that quantus' metrics are computed on.
        input_samples: inputs that are changed, or taken apart, and encoded again.
        random_orders: random orders of cells for each input.
        training_seeds: heads trained for the stability across seeds.
        retraining_seeds: heads trained for each choice of layers, and destroyed for each check.
        epochs: upper limit for every retrained head.
        seed: which samples are drawn, and all other draws.
    """

    samples: int = 200
    training_samples: int = 1200
    sanity_samples: int = 50
    quantus_samples: int = 20
    input_samples: int = 20
    random_orders: int = 5
    training_seeds: int = 5
    retraining_seeds: int = 3
    epochs: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = {"seed": 0, "input_samples": 0, "samples": 2, "training_samples": 10}.get(field.name, 1)
            if value < least:
                raise DataError(f"{field.name} must be at least {least}, got {value}.")
        if self.training_seeds < 2:
            raise DataError("Stability across seeds needs at least 2 of them.")


@dataclass(frozen=True)
class FaithfulnessReport:
    """What was measured of one model.

    Attributes:
        model: name of the checkpoint.
        provenance: checkpoint, encoder, data, command, versions.
        settings: how much was measured, and all seeds.
        held_out: whether the inputs measured were kept out of the training of this very head.
        accuracy: of the model on the inputs measured, with its interval.
        gated: method → deletion on the gated cells, gate held fixed.
        input: method → deletion on the standardised input, gates running again.
        pairs: differences of deletion between methods, in pairs of samples: above 0 where the first
            is better.
        rivals: baselines with layer weights, on their own decisions.
        agreement: names and mean rank correlations of methods' maps on the input.
        retraining: on chosen layers.
        sanity: maps of destroyed models.
        learned: what is learned and what is given.
        seeds: stability across seeds.
        inputs: stability across small changes of the input; empty without inputs.
        tokens: deletion in the input itself, or None without inputs.
        quantus: metrics of that package.
        variants: deletion of heads trained anew, as the model and with the plain gate.
        findings: the answers in words.
    """

    model: str
    provenance: Mapping[str, Any]
    settings: Settings
    held_out: bool
    accuracy: Interval
    gated: Mapping[str, Comparison]
    input: Mapping[str, Comparison]
    pairs: Mapping[str, Interval]
    rivals: tuple[Rival, ...]
    agreement: tuple[tuple[str, ...], np.ndarray]
    retraining: Retraining
    sanity: tuple[Similarity, ...]
    learned: Learned
    seeds: SeedStability
    inputs: tuple[InputStability, ...]
    tokens: TokenLevel | None
    quantus: tuple[QuantusScore, ...]
    variants: tuple[Variant, ...]
    findings: tuple[Finding, ...]


def measure_faithfulness(
    model: Model,
    train: tuple[Tensor, Tensor],
    test: tuple[Tensor, Tensor],
    *,
    inputs: Sequence[Sample] = (),
    held_out: bool = True,
    settings: Settings | None = None,
    provenance: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> FaithfulnessReport:
    """Measure everything.

    Args:
        model: the trained head; its encoder runs only for ``inputs``.
        train: features ``[M, L, F]`` and labels to retrain heads on.
        test: features ``[N, L, F]`` and labels of the inputs that are measured.
        inputs: the same inputs as ``test``, in its order, as the encoder takes them; or none.
        held_out: whether ``test`` was kept out of the training of ``model``.
        settings: how much.
        provenance: what to record besides.
        progress: told how far it is; stops when cancelled.

    Raises:
        DataError: the features do not fit the model, or the inputs do not fit the features.
        CancelledError: the caller asked to stop.
    """
    settings, progress = settings or Settings(), progress or Progress()
    config, classifier = model.config, model.classifier
    for features, labels in (train, test):
        if features.ndim != 3 or features.shape[1:] != (config.n_layers, config.n_features):
            raise DataError(
                f"{model.name} takes features [N, {config.n_layers}, {config.n_features}], "
                f"got {list(features.shape)}."
            )
        if labels.shape != features.shape[:1] or not len(labels):
            raise DataError(
                f"There must be a label for each sample and at least one, got {list(labels.shape)} labels."
            )
    if len(inputs) not in (0, len(test[0])):
        raise DataError(f"{len(inputs)} inputs do not fit {len(test[0])} samples.")
    budget = replace(training_of(model), epochs=settings.epochs, patience=BUDGET.patience, seed=settings.seed)
    train = drawn(train, settings.training_samples, seed=settings.seed)[0]
    (pooled, labels), chosen = drawn(test, settings.samples, seed=settings.seed)
    pooled = pooled.float()
    few = slice(0, settings.sanity_samples)
    seeds = tuple(range(settings.retraining_seeds))
    orders = tuple(range(settings.random_orders))

    progress.report(0.0, "Removing gated cells")
    gated = deletions(
        gated_cells(classifier, pooled), gated_maps(classifier, pooled), labels, orders, progress.part(0, 0.1)
    )
    progress.report(0.1, "Maps on the input")
    maps = input_maps(classifier, pooled, check=progress.check)
    own_cells = input_cells(classifier, pooled)
    others = rivals(
        train, pooled, labels, n_classes=len(config.class_names), budget=budget, seed=settings.seed,
        random_seeds=orders, progress=progress.part(0.12, 0.2),
    )  # fmt: skip
    maps |= {rival.method: rival.maps[rival.method] for rival in others}
    of_input = deletions(own_cells, maps, labels, orders, progress.part(0.2, 0.4))
    names, matrix = agreement(maps)

    progress.report(0.4, "Training heads with other seeds")
    heads = [
        trained_again(classifier, *train, seed=seed, budget=budget, check=progress.check)
        for seed in range(settings.training_seeds)
    ]
    stable = seed_stability(classifier, heads, pooled, labels)
    progress.report(0.45, "Training heads with the plain gate")
    fresh, plain_budget = plain_variant(classifier, budget)
    plain_heads = [
        trained_again(fresh, *train, seed=seed, budget=plain_budget, check=progress.check) for seed in seeds
    ]
    variants = [
        measure_variant(name, some, pooled, labels, orders=orders[:2], check=progress.check)
        for name, some in ((AS_SHIPPED, heads), (PLAIN, plain_heads))
    ]
    retrained = retrain(
        classifier,
        TrainTestFeatures(train, (pooled, labels)),
        seeds=seeds,
        budget=budget,
        progress=progress.part(0.5, 0.65),
    )
    sanity = sanity_checks(
        classifier, pooled[few], labels[few], train, again=heads[: settings.retraining_seeds],
        seeds=seeds, budget=budget, progress=progress.part(0.65, 0.8),
    )  # fmt: skip
    learned = what_is_learned(classifier, pooled, seed=settings.seed)
    standard = quantus_metrics(
        classifier, pooled[: settings.quantus_samples], seed=settings.seed, progress=progress.part(0.8, 0.88)
    )
    changed: list[InputStability] = []
    tokens = None
    if len(inputs) and settings.input_samples:
        raw = [inputs[int(index)] for index in chosen[: settings.input_samples]]
        changed = input_stability(
            classifier, model.backbone, raw, PERTURBATIONS[config.modality],
            seed=settings.seed, progress=progress.part(0.88, 0.91),
        )  # fmt: skip
        tokens = token_level(model, raw, progress=progress.part(0.91, 1))
    with torch.no_grad():
        right = (classifier(pooled).logits.argmax(-1) == labels).double()
    pairs = paired(gated, of_input, seed=settings.seed)
    findings = find(
        gated=gated, pairs=pairs, retraining=retrained, sanity=sanity, learned=learned, seeds=stable,
        inputs=changed, tokens=tokens, variants=variants,
    )  # fmt: skip
    progress.report(1.0, "Done")
    return FaithfulnessReport(
        model=model.name,
        provenance=record(model, provenance or {}),
        settings=settings,
        held_out=held_out,
        accuracy=bootstrap_mean(right.numpy(), seed=settings.seed),
        gated=gated,
        input=of_input,
        pairs=pairs,
        rivals=tuple(others),
        agreement=(tuple(names), matrix),
        retraining=retrained,
        sanity=tuple(sanity),
        learned=learned,
        seeds=stable,
        inputs=tuple(changed),
        tokens=tokens,
        quantus=tuple(standard),
        variants=tuple(variants),
        findings=tuple(findings),
    )


def drawn(part: tuple[Tensor, Tensor], count: int, *, seed: int) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """At most ``count`` samples, drawn without replacement, and their indices."""
    features, labels = part
    order = torch.randperm(len(features), generator=torch.Generator().manual_seed(seed))[:count]
    return (features[order], labels[order]), order


def deletions(
    cells: Cells,
    maps: Mapping[str, Tensor],
    labels: Tensor,
    orders: Sequence[int],
    progress: Progress,
) -> dict[str, Comparison]:
    """Every map's deletion on the same cells, beside the same random orders."""
    progress.report(0, "Removing cells at random")
    at_random = random_curve(cells, labels=labels, seeds=orders, check=progress.check)
    found = {}
    for index, (name, scores) in enumerate(maps.items()):
        progress.report((index + 1) / (len(maps) + 1), f"Removing cells by {METHODS[name].title}")
        found[name] = compare(cells, scores, at_random, seeds=orders, labels=labels, check=progress.check)
    return found


#: Differences that the findings rest on: name → space, better if above 0, the other.
PAIRS = {
    "importance over gate": ("gated", "importance", "gate"),
    "importance over amplitude": ("gated", "importance", "amplitude"),
    "importance over layer_sum": ("input", "importance", "layer_sum"),
    "importance over attention": ("input", "importance", "attention"),
    "decision_importance over importance": ("gated", "decision_importance", "importance"),
    "class_importance over integrated_gradients": ("input", "class_importance", "integrated_gradients"),
    "contrast_importance over integrated_gradients": ("input", "contrast_importance", "integrated_gradients"),
    "absolute_class_importance over absolute_integrated_gradients": (
        "input", "absolute_class_importance", "absolute_integrated_gradients",
    ),
}  # fmt: skip


def paired(
    gated: Mapping[str, Comparison], of_input: Mapping[str, Comparison], *, seed: int
) -> dict[str, Interval]:
    """How much lower the first method's deletion is than the second's, sample by sample."""
    spaces = {"gated": gated, "input": of_input}
    return {
        name: bootstrap_mean(spaces[space][b].highest.areas - spaces[space][a].highest.areas, seed=seed)
        for name, (space, a, b) in PAIRS.items()
        if a in spaces[space] and b in spaces[space]
    }


def training_of(model: Model) -> TrainingConfig:
    """How the checkpoint says that it was trained; retrained heads are trained the same way."""
    said = model.report.get("training")
    if not isinstance(said, Mapping):
        return BUDGET
    chosen: dict[str, Any] = {
        field.name: (int if isinstance(field.default, int) else float)(said[field.name])
        for field in fields(TrainingConfig)
        if isinstance(said.get(field.name), int | float) and not isinstance(said[field.name], bool)
    }
    return replace(BUDGET, **chosen)


def record(model: Model, more: Mapping[str, Any]) -> dict[str, Any]:
    """What identifies the measurement."""
    encoder = model.config.encoder
    packages = ("torch", "numpy", "captum", "quantus", "scikit-image", "scipy")
    return {
        "tool": f"daam-explorer {__version__}",
        "model": model.name,
        "checkpoint_sha256": model.sha256,
        "encoder": encoder.name,
        "encoder_revision": encoder.revision,
        "encoder_sha256": encoder.weights_sha256,
        "preprocessing": encoder.preprocessing,
        "versions": {
            "python": platform.python_version(),
            **{package: metadata.version(package) for package in packages},
        },
        **more,
    }


def plain(value: Any) -> Any:
    """A report, or any part of one, as plain values for JSON; single samples' curves become means."""
    match value:
        case Comparison():
            return {
                "shares": plain(value.highest.shares),
                **{
                    name: {
                        "probability": plain(curve.probability.mean(0)),
                        "accuracy": plain(curve.accuracy),
                    }
                    for name, curve in (
                        ("highest", value.highest), ("lowest", value.lowest), ("random", value.random)
                    )
                },
                **{
                    name: plain(getattr(value, name))
                    for name in ("seeds", "deletion", "insertion", "at_random", "gain", "insertion_gain")
                },
            }  # fmt: skip
        case Rival():
            return {
                "model": value.model, "method": value.method, "accuracy": value.accuracy,
                "deletion": plain(value.deletion),
            }  # fmt: skip
        case Similarity():
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)} | {
                "changed": value.answer
            }
        case np.ndarray():
            return value.tolist()
        case np.generic():
            return value.item()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
