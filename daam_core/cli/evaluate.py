"""Measure a trained classifier on labelled data: accuracy, figures of each class, confusion matrix, parameter
counts, how far the gate moved in training, and the data set's mean Importance Factor.
"""

import argparse
from pathlib import Path

from daam_core.cli import options
from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.training.data import MEASURED

#: What the output folder holds.
FILES = frozenset(
    {"report.json", "report.md", "report.html", "importance.npz"}
    | {f"{name}.svg" for name in ("importance", "layers", "parameters")}
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_data_arguments(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    parser.add_argument("--out", metavar="DIR", help="write the report and the mean map there")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report in DIR")
    add_encoder_arguments(parser)


def run(arguments: argparse.Namespace) -> Output:
    if arguments.out is not None:
        check_folder(arguments.out, overwrite=arguments.overwrite, known=FILES)
    config = config_of(arguments.model, arguments)
    reading = options.data_options(arguments)
    dataset = reading.load(
        options.data_paths(arguments),
        modality=config.modality,
        class_names=config.class_names,
        preferred=MEASURED,
    )
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.training.evaluation import evaluate
    from daam_core.training.pages import evaluation_files, evaluation_text

    model = model_of(arguments.model, arguments)
    report = evaluate(model, dataset, cache_dir=reading.cache_dir, skip_broken=reading.skip_broken)
    command = options.printed_command(arguments.words)
    if arguments.out is not None:
        with new_folder(arguments.out) as folder:
            for name, content in evaluation_files(report, model, command).items():
                (folder / name).write_bytes(content)
    written = "" if arguments.out is None else f"\nWritten: {Path(arguments.out).name}"
    return Output(report.as_dict() | {"command": command}, evaluation_text(report) + written)
