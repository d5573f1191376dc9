"""What a report holds, and the same as plain values for JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from daam_core.configuration import Labels
from daam_core.faithfulness.destroyed.learned import Learned
from daam_core.faithfulness.destroyed.models import Similarity
from daam_core.faithfulness.destroyed.stability import InputStability, SeedStability
from daam_core.faithfulness.quantus import QuantusScore
from daam_core.faithfulness.removal.curves import Comparison
from daam_core.faithfulness.removal.in_the_input import TokenLevel
from daam_core.faithfulness.report.findings import Finding
from daam_core.faithfulness.report.settings import Settings
from daam_core.faithfulness.retraining.layers import Retraining
from daam_core.faithfulness.retraining.rivals import Rival
from daam_core.faithfulness.retraining.variants import Variant
from daam_core.faithfulness.statistics import Interval


@dataclass(frozen=True)
class FaithfulnessReport:
    """What was measured of one model.

    Attributes:
        model: name of the checkpoint.
        provenance: checkpoint, encoder, data, command, versions.
        settings: how much was measured, and all seeds.
        held_out: whether the inputs measured were kept out of the training of this very classifier.
        accuracy: of the model on the inputs measured, with its interval.
        gated: method → deletion on the gated cells, gate held fixed.
        input: method → deletion on the standardised input, gates running again.
        pairs: differences of deletion between methods, in pairs of inputs: above 0 where the first
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
        variants: deletion of classifiers trained anew, as the model and with the plain gate.
        findings: the answers in words.
        labels: with ``several`` an input may have several, and removals follow the most probable.
        n_levels: of the classifier's heads; with several the values go past them and are not removed.
    """

    model: str
    provenance: Mapping[str, object]
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
    labels: Labels = "one"
    n_levels: int = 1


def report_summary(report: FaithfulnessReport) -> dict[str, object]:
    """What ``--json`` prints and the project publishes: the answers and their figures, without curves."""
    names = ("model", "provenance", "settings", "held_out", "accuracy", "pairs", "findings")
    figures = ("deletion", "insertion", "at_random", "gain")
    deletion = {
        space: {
            method: {figure: plain(getattr(comparison, figure)) for figure in figures}
            for method, comparison in found.items()
        }
        for space, found in (("gated", report.gated), ("input", report.input))
    }
    return {name: plain(getattr(report, name)) for name in names} | {"deletion": deletion}


def plain(value: object) -> object:
    """A report, or any part of one, as plain values for JSON; single inputs' curves become means."""
    match value:
        case Comparison():
            curves = {"highest": value.highest, "lowest": value.lowest, "random": value.random}
            means = {
                name: {"probability": plain(curve.probability.mean(0)), "accuracy": plain(curve.accuracy)}
                for name, curve in curves.items()
            }
            figures = ("seeds", "deletion", "insertion", "at_random", "gain", "insertion_gain")
            return {"shares": plain(value.highest.shares)} | means | _entries(value, *figures)
        case Rival():
            return _entries(value, "model", "method", "accuracy", "deletion")
        case Similarity():
            return _entries(value) | {"changed": value.answer}
        case np.ndarray():
            return value.tolist()
        case np.generic():
            return value.item()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _ if is_dataclass(value):
            return _entries(value)
        case _:
            return value


def _entries(owner: object, *names: str) -> dict[str, object]:
    """Named fields of a dataclass, or all."""
    chosen = names or tuple(field.name for field in fields(owner))  # type: ignore[arg-type]
    return {name: plain(getattr(owner, name)) for name in chosen}
