"""List the trained heads and the frozen encoders that come with this installation."""

import argparse
from pathlib import Path
from typing import Any

from daam_core.backbones import BUILT_IN
from daam_core.checkpoint import BUILT_IN_FOLDER, CONFIG_FILE, built_in_models
from daam_core.cli.output import Output
from daam_core.errors import CheckpointError
from daam_core.trained import TrainedClassifier, load_model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="a folder of checkpoints, besides")


def run(arguments: argparse.Namespace) -> Output:
    models = [_describe(load_model(name), BUILT_IN_FOLDER / name) for name in built_in_models()]
    if arguments.folder is not None:
        models += [_describe(load_model(folder), folder) for folder in _checkpoints(Path(arguments.folder))]
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
    return Output({"models": models, "encoders": encoders}, _text(models, encoders))


def _checkpoints(folder: Path) -> list[Path]:
    found = sorted(path.parent for path in folder.glob(f"*/{CONFIG_FILE}"))
    if (folder / CONFIG_FILE).is_file():
        found.append(folder)
    if not found:
        raise CheckpointError(f"{folder.name} holds no checkpoints (folders with {CONFIG_FILE}).")
    return found


def _describe(model: TrainedClassifier, folder: Path) -> dict[str, Any]:
    config, report = model.config, model.report
    return {
        "name": model.name,
        "modality": config.modality,
        "classes": list(config.class_names),
        "accuracy": report.get("accuracy"),
        "accuracy_deviation": report.get("accuracy_deviation"),
        "protocol": report.get("protocol"),
        "encoder": config.encoder.name,
        "heads": config.n_heads,
        "layers": config.n_layers,
        "features": config.n_features,
        "mode": config.mode,
        "gate": config.gate,
        "amplitude": config.amplitude,
        "decoder": config.decoder,
        "parameters": sum(parameter.numel() for parameter in model.classifier.parameters()),
        "bytes": sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
    }


def _text(models: list[dict[str, Any]], encoders: list[dict[str, Any]]) -> str:
    lines = []
    for model in models:
        accuracy = "not measured"
        if model["accuracy"] is not None:
            accuracy = f"accuracy {model['accuracy']:.3f}"
            if model["accuracy_deviation"]:
                accuracy += f" ± {model['accuracy_deviation']:.3f}"
            accuracy += f" ({model['protocol']})"
        classes = model["classes"]
        names = ", ".join(classes) if len(classes) <= 10 else ", ".join([*classes[:9], "…"])
        lines += [
            f"{model['name']}: {model['modality']}, {len(classes)} classes: {names}",
            f"    {accuracy}",
            f"    encoder {model['encoder']} ({model['layers']} × {model['features']}), "
            f"{model['heads']} heads, {model['parameters']:,} parameters, {model['bytes'] / 1e6:.1f} MB",
        ]
    if not models:
        lines.append("No trained heads in this installation.")
    lines += ["", "Encoders:"]
    lines += [
        f"  {encoder['name']}: {encoder['modality']}, {encoder['layers']} × {encoder['features']}. "
        f"{encoder['description']}"
        for encoder in encoders
    ]
    lines.append("  any other: a folder, or a Hugging Face hub id")
    return "\n".join(lines)
