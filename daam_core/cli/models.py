"""List the trained classifiers and the frozen encoders that come with this installation."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli.output import Output
from daam_core.errors import CheckpointError
from daam_core.locating import BUILT_IN_FOLDER, CONFIG_FILE, built_in_models

if TYPE_CHECKING:
    from daam_core.backbones import BuiltIn
    from daam_core.trained import TrainedClassifier


@dataclass(frozen=True)
class Listed:
    """What is said of a model: its decision, how good it is and by which protocol, and its size."""

    name: str
    modality: str
    classes: tuple[str, ...]
    accuracy: float | None
    accuracy_deviation: float | None
    protocol: str | None
    encoder: str
    heads: int
    layers: int
    features: int
    mode: str
    gate_kind: str
    amplitude: str
    decoder: str
    parameters: int
    bytes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="a folder of checkpoints, besides")


def run(arguments: argparse.Namespace) -> Output:
    given = [] if arguments.folder is None else _checkpoints(Path(arguments.folder))
    from daam_core.backbones import BUILT_IN
    from daam_core.trained import load_model

    models = [_describe(load_model(name), BUILT_IN_FOLDER / name) for name in built_in_models()]
    models += [_describe(load_model(folder), folder) for folder in given]
    encoders = [
        {
            "name": encoder.name,
            "modality": encoder.modality,
            "layers": encoder.n_layers,
            "features": encoder.n_features,
            "licence": encoder.licence,
            "description": encoder.description,
        }
        for encoder in BUILT_IN.values()
    ]
    found = {"models": [asdict(model) for model in models], "encoders": encoders}
    return Output(found, _text(models, list(BUILT_IN.values())))


def _checkpoints(folder: Path) -> list[Path]:
    found = sorted(path.parent for path in folder.glob(f"*/{CONFIG_FILE}"))
    if (folder / CONFIG_FILE).is_file():
        found.append(folder)
    if not found:
        raise CheckpointError(f"{folder.name} holds no checkpoints (folders with {CONFIG_FILE}).")
    return found


def _describe(model: "TrainedClassifier", folder: Path) -> Listed:
    config, report = model.config, model.report
    return Listed(
        name=model.name,
        modality=config.modality,
        classes=config.class_names,
        accuracy=report.get("accuracy"),
        accuracy_deviation=report.get("accuracy_deviation"),
        protocol=report.get("protocol"),
        encoder=config.encoder.name,
        heads=config.n_heads,
        layers=config.n_layers,
        features=config.n_features,
        mode=config.mode,
        gate_kind=config.gate_kind,
        amplitude=config.amplitude,
        decoder=config.decoder,
        parameters=sum(parameter.numel() for parameter in model.classifier.parameters()),
        bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
    )


def _text(models: Sequence[Listed], encoders: "Sequence[BuiltIn]") -> str:
    lines = [line for model in models for line in _model_lines(model)]
    if not models:
        lines.append("No trained classifiers in this installation.")
    lines += ["", "Encoders:"]
    lines += [
        f"  {encoder.name}: {encoder.modality}, {encoder.n_layers} × {encoder.n_features}. "
        f"{encoder.description}"
        for encoder in encoders
    ]
    lines.append("  any other: a folder, or a Hugging Face hub id")
    return "\n".join(lines)


def _model_lines(model: Listed) -> list[str]:
    accuracy = "not measured"
    if model.accuracy is not None:
        spread = f" ± {model.accuracy_deviation:.3f}" if model.accuracy_deviation else ""
        accuracy = f"accuracy {model.accuracy:.3f}{spread} ({model.protocol})"
    names = model.classes if len(model.classes) <= 10 else (*model.classes[:9], "…")
    return [
        f"{model.name}: {model.modality}, {len(model.classes)} classes: {', '.join(names)}",
        f"    {accuracy}",
        f"    encoder {model.encoder} ({model.layers} × {model.features}), {model.heads} heads, "
        f"{model.parameters:,} numbers stored, {model.bytes / 1e6:.1f} MB",
    ]
