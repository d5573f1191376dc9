"""How long an explanation takes, as a ratio that holds on any machine."""

import cProfile
import pstats
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from daam_core.backbones import BUILT_IN, load_backbone
from daam_core.backbones.base import Backbone
from daam_core.bench.measuring import Timings, each, median_seconds
from daam_core.configuration import EncoderIdentity, ModelConfig
from daam_core.explaining import explain, explain_encoding
from daam_core.inputs import SAMPLE_RATE, Input, Modality, read_input
from daam_core.locating import built_in_models
from daam_core.model import DaamClassifier
from daam_core.progress import Progress
from daam_core.trained import TrainedClassifier, identity_of, load_model

#: Parts of an explanation, which do not overlap, by the function that each is.
PARTS = {
    "means over tokens": ("encoding.py", "pool"),
    "gates": ("layers.py", "gate"),
    "decision": ("model.py", "decode_jointly"),
    "its gradient": ("__init__.py", "grad"),
    "evidence": ("model.py", "evidence"),
    "unlike inputs": ("outside.py", "judge"),
    "tokens standardised": ("model.py", "standardise_tokens"),
    "tokens' shares": ("importance.py", "token_attribution"),
}
REST = "arrays of the result and the rest"

#: Of features that no encoder made.
NO_ENCODER = EncoderIdentity("none", "none", "none", "none")
#: As many as built-in classifiers have.
HEADS = 4


@dataclass(frozen=True)
class ExplainCase:
    """An explanation beside the encoder's forward pass alone, in median seconds; ratios to the encoder's.

    Attributes:
        parts: where the time beyond the encoder goes, in seconds by part, as Python's profiler sees it: it
            adds about a microsecond for each call of a function.
    """

    model: str
    trained: bool
    modality: Modality
    encoder: str
    tokens: int
    heads: int
    encoder_seconds: float
    explanation_seconds: float
    beyond_encoder_seconds: float
    ratio: float
    beyond_encoder_ratio: float
    parts: Mapping[str, float]


def bench_explain(
    *, runs: int = 7, models: Sequence[str] | None = None, progress: Progress | None = None
) -> Timings[ExplainCase]:
    """One explanation against the encoder's forward pass alone, on generated input.

    Args:
        runs: repetitions of each measurement.
        models: names of trained classifiers; by default one for each built-in encoder. Where there is
            none, an untrained one of the same size stands in, and the result says so.
        progress: told before each classifier.
    """
    cases = tuple(_explain_case(model, runs) for model in classifiers(models, progress))
    return Timings(runs, torch.get_num_threads(), cases)


def input_for(modality: Modality) -> object:
    """What a person may give, always the same: 3 s of sound, a 480 × 360 picture, 40 words."""
    draw = np.random.default_rng(0)
    if modality == "audio":
        seconds = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
        tone = 0.3 * np.sin(2 * np.pi * (150 + 60 * seconds) * seconds)
        return (tone + 0.02 * draw.standard_normal(len(seconds))).astype(np.float32), SAMPLE_RATE
    if modality == "image":
        from PIL import Image

        across, down = np.meshgrid(np.linspace(0, 1, 480), np.linspace(0, 1, 360))
        channels = [across, down, 0.5 + 0.5 * np.sin(20 * across * down)]
        return Image.fromarray((255 * np.stack(channels, axis=-1)).astype(np.uint8))
    return ordinary_text()


def ordinary_text() -> str:
    """40 words."""
    words = "the quick survey of local markets found that prices rose while demand stayed level".split()
    return " ".join(words[i % len(words)] for i in range(40))


def _explain_case(model: TrainedClassifier, runs: int) -> ExplainCase:
    modality = model.config.modality
    given = input_for(modality)
    backbone = model.backbone
    read = read_input(given, modality)
    encoding = backbone.encode(read)
    seconds = median_seconds(
        {
            "encoder": lambda: backbone.encode(read),
            "explanation": lambda: explain(model, given),
            "beyond": lambda: explain_encoding(model, encoding),
        },
        runs=runs,
    )
    return ExplainCase(
        model=model.name,
        trained=model.dataset is not None,
        modality=modality,
        encoder=backbone.name,
        tokens=len(encoding.tokens),
        heads=model.config.n_heads,
        encoder_seconds=seconds["encoder"],
        explanation_seconds=seconds["explanation"],
        beyond_encoder_seconds=seconds["beyond"],
        ratio=seconds["explanation"] / seconds["encoder"],
        beyond_encoder_ratio=seconds["beyond"] / seconds["encoder"],
        parts=_parts(model, read, runs),
    )


def _parts(model: TrainedClassifier, read: Input, runs: int) -> dict[str, float]:
    """Median seconds of each part of an explanation, each time right after the encoder."""
    found: dict[str, list[float]] = {}
    for _ in range(runs):
        encoding = model.backbone.encode(read)
        profiler = cProfile.Profile()
        started = time.perf_counter()
        profiler.runcall(explain_encoding, model, encoding)
        rest = time.perf_counter() - started
        spent: dict[tuple[str, str], float] = {}
        for (path, _, function), (*_, cumulative, _) in pstats.Stats(profiler).stats.items():  # type: ignore[attr-defined]
            spent[Path(path).name, function] = spent.get((Path(path).name, function), 0.0) + cumulative
        for part, function in PARTS.items():
            seconds = spent.get(function, 0.0)
            found.setdefault(part, []).append(seconds)
            rest -= seconds
        found.setdefault(REST, []).append(rest)
    return {part: float(np.median(seconds)) for part, seconds in found.items()}


def classifiers(names: Sequence[str] | None, progress: Progress | None) -> Iterator[TrainedClassifier]:
    """The classifiers of these names, or one for each built-in encoder, each told before it is timed."""
    found = [load_model(name) for name in names] if names is not None else one_for_each_encoder()
    return each(found, lambda model: model.name, progress)


def one_for_each_encoder() -> list[TrainedClassifier]:
    """A classifier on each built-in encoder; an untrained one where none is trained."""
    by_encoder: dict[str, TrainedClassifier] = {}
    for name in built_in_models():
        model = load_model(name)
        by_encoder.setdefault(model.config.encoder.name, model)
    return [by_encoder.get(name) or _untrained(load_backbone(name)) for name in BUILT_IN]


def _untrained(backbone: Backbone) -> TrainedClassifier:
    """A classifier at its start, which costs as much time as a trained one; its answers mean nothing."""
    classifier = classifier_of_size(
        backbone.n_layers, backbone.n_features, modality=backbone.modality, encoder=identity_of(backbone)
    )
    return TrainedClassifier(classifier, name=f"untrained classifier on {backbone.name}")


def classifier_of_size(
    n_layers: int,
    n_features: int,
    *,
    modality: Modality = "audio",
    encoder: EncoderIdentity = NO_ENCODER,
    n_heads: int = HEADS,
) -> DaamClassifier:
    """A classifier at its start with the usual settings and two classes."""
    return DaamClassifier(
        ModelConfig(
            modality=modality,
            encoder=encoder,
            n_layers=n_layers,
            n_features=n_features,
            n_heads=n_heads,
            class_names=("first", "second"),
        )
    ).eval()
