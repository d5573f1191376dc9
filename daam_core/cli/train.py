"""Train a density attention head on your data, measure it, and save it as a checkpoint with its card.

DATA's features are extracted once and kept. With --test or --folds the card gives the accuracy measured
that way; the head that is saved is trained on all of DATA.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from daam_core.checkpoint import CARD_FILE, CONFIG_FILE, REPORT_FILE, WEIGHTS_FILE, Model
from daam_core.cli import experiment, options
from daam_core.cli.experiment import Experiment
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.errors import ConfigError
from daam_core.model import DaamClassifier
from daam_core.training.accuracy import Measured, Recipe, daam_recipe, fit_split, measure_accuracy
from daam_core.training.cards import About, model_card, read_about
from daam_core.training.evaluation import Scores, describe_data, evaluate_features, parameter_count, score
from daam_core.training.fitting import Epoch, History
from daam_core.version import __version__

#: What the output folder holds.
FILES = frozenset({CONFIG_FILE, WEIGHTS_FILE, CARD_FILE, REPORT_FILE})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiment.add_arguments(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the checkpoint")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier checkpoint in DIR")
    parser.add_argument("--name", help="the model's name (default: the folder's)")
    parser.add_argument(
        "--about", metavar="FILE", help="JSON with what the card says of data, terms and limits"
    )


def run(arguments: argparse.Namespace) -> Output:
    check_folder(arguments.out, overwrite=arguments.overwrite, known=FILES)
    about = read_about(arguments.about) if arguments.about is not None else About()
    name = arguments.name or Path(arguments.out).absolute().name
    prepared = experiment.prepare(arguments)
    method = daam_recipe("DAAM", prepared.config)
    measured, head, history = _train(prepared, method, refit=arguments.refit)
    report = _report(
        prepared,
        head,
        history,
        measured,
        command=options.printed_command(arguments.words),
        refit=arguments.refit,
    )
    card = model_card(prepared.config, report, name=name, about=about)
    model = Model(head, name=name, card=card, report=report)
    with new_folder(arguments.out) as folder:
        model.save_pretrained(folder)
    return Output({"name": name, "folder": Path(arguments.out).name} | report, _text(name, report))


def _train(
    prepared: Experiment, method: Recipe, *, refit: bool
) -> tuple[Measured | None, DaamClassifier, History]:
    """Measure by the protocol, and train the head that is saved."""
    runs = len(prepared.seeds) * len(prepared.protocol.splits) if prepared.protocol else 0
    is_test = prepared.protocol is not None and prepared.protocol.unit == "test set"
    kept: list[tuple[nn.Module, History]] = []
    measured = None
    with experiment.progress(runs + (0 if is_test else 1), "Training") as bar:

        def after_run(seed: int, module: nn.Module, history: History) -> None:
            # On a test set the first seed's head is the one to save: the figures are its own.
            if is_test and seed == prepared.training.seed:
                kept.append((module, history))
            bar.update()

        if prepared.protocol is not None:
            measured = measure_accuracy(
                method,
                prepared.protocol,
                training=prepared.training,
                seeds=prepared.seeds,
                refit=refit,
                on_run=after_run,
            )
        if not kept:
            kept.append(
                fit_split(
                    method,
                    prepared.shipped,
                    prepared.shipped.splits[0],
                    training=prepared.training,
                    refit=refit,
                )
            )
            bar.update()
    head, history = kept[0]
    if not isinstance(head, DaamClassifier):
        raise ConfigError("Only density attention heads can be saved.")
    return measured, head, history


def _report(
    prepared: Experiment,
    head: DaamClassifier,
    history: History,
    measured: Measured | None,
    *,
    command: str,
    refit: bool,
) -> dict[str, Any]:
    train, split = prepared.train, prepared.shipped.splits[0]
    found = evaluate_features(
        Model(head), train.dataset, train.features, encoder_parameters=parameter_count(prepared.backbone)
    )
    report: dict[str, Any] = {
        "tool": f"daam-explorer {__version__}",
        "command": command,
        "accuracy": None,
        "accuracy_deviation": None,
        "protocol": None,
        "scores": None,
        "data": describe_data(train.dataset),
        "trained_samples": len(split.train) + (len(split.validation) if refit else 0),
        "encoder": asdict(prepared.config.encoder),
        "parameters": {"head": found.head_parameters, "encoder": found.encoder_parameters},
        "training": asdict(prepared.training),
        "chosen_by": prepared.shipped.protocol,
        "best_epoch": history.best_epoch,
        "epochs": [_epoch(epoch) for epoch in history.epochs],
        "training_accuracy": found.scores.accuracy,
        "mean_offset": asdict(found.mean_offset),
        "scaled_variance": asdict(found.scaled_variance),
        "layer_contribution": found.layer_contribution,
        "top_cells": [dict(cell) for cell in found.top_cells],
    }
    for name, part in {"validation": prepared.validation, "test": prepared.test}.items():
        if part is not None:
            report[f"{name}_data"] = describe_data(part.dataset)
    if measured is not None:
        report |= {
            "accuracy": measured.accuracy,
            "accuracy_deviation": measured.deviation,
            "protocol": prepared.protocol.protocol if prepared.protocol else None,
            "measured": measured.as_dict(),
            "scores": asdict(_scores(prepared, measured)),
        }
    return report


def _scores(prepared: Experiment, measured: Measured) -> Scores:
    """Figures of the first seed's predictions, all splits together."""
    protocol = prepared.protocol
    labels = [
        int(label) for split in protocol.splits for label in protocol.labels[split.test].tolist()
    ] if protocol else []  # fmt: skip
    predictions = [label for split in measured.predictions[0] for label in split]
    return score(labels, predictions, prepared.config.class_names)


def _epoch(epoch: Epoch) -> dict[str, float | int | None]:
    """An epoch for JSON, which has no NaN."""
    return {name: None if value != value else value for name, value in vars(epoch).items()}


def _text(name: str, report: dict[str, Any]) -> str:
    lines = [f"{name}: {report['parameters']['head']:,} parameters, {report['chosen_by']}"]
    if report["accuracy"] is None:
        lines.append(
            f"accuracy on the training part {report['training_accuracy']:.4f}; no test was asked for"
        )
    else:
        spread = f" ± {report['accuracy_deviation']:.4f}" if report["accuracy_deviation"] else ""
        lines.append(f"accuracy {report['accuracy']:.4f}{spread} ({report['protocol']})")
    return "\n".join(lines)
