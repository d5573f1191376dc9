"""Train density attention heads and plain baselines on the same features, and print one table.

Methods: daam (as configured by the options), daam-plain, daam-pool, daam-mixture, daam-groups, daam-conv,
linear-probe, last-layer, weighted-layer-sum, multi-head-attention.
"""

import argparse
from pathlib import Path
from typing import Any

from daam_core.cli import experiment, options
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.errors import DataError
from daam_core.training.accuracy import measure_accuracy, recipes
from daam_core.training.evaluation import describe_data
from daam_core.training.pages import aligned, comparison_blocks, comparison_table, json_bytes
from daam_core.version import __version__
from daam_core.writing.pages import Heading, Listing, to_html, to_markdown

#: What the output folder holds.
FILES = frozenset({"compare.json", "compare.md", "compare.html"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiment.add_arguments(parser)
    parser.add_argument(
        "--methods", metavar="A[,B…]", help="which methods (default: daam, daam-plain, baselines)"
    )
    parser.add_argument("--out", metavar="DIR", help="write the table there as JSON, Markdown and HTML")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier comparison in DIR")


def run(arguments: argparse.Namespace) -> Output:
    if arguments.out is not None:
        check_folder(arguments.out, overwrite=arguments.overwrite, known=FILES)
    if arguments.test is None and arguments.folds is None:
        raise DataError(experiment.NOTHING_TO_MEASURE_ON)
    prepared = experiment.prepare(arguments)
    to_measure = prepared.measured_by
    names = [name.strip() for name in arguments.methods.split(",")] if arguments.methods else None
    compared = recipes(names, prepared.config)
    runs = len(compared) * len(prepared.seeds) * len(to_measure.splits)
    measured = []
    with experiment.progress(runs, "Training") as bar:
        for recipe in compared:
            bar.set_postfix_str(recipe.name)
            measured.append(
                measure_accuracy(
                    recipe,
                    to_measure,
                    training=prepared.training,
                    seeds=prepared.seeds,
                    refit=arguments.refit,
                    on_run=lambda *_: bar.update(),
                )
            )
    command = options.printed_command(arguments.words)
    found: dict[str, Any] = {
        "tool": f"daam-explorer {__version__}",
        "command": command,
        "encoder": vars(prepared.config.encoder),
        "protocol": to_measure.protocol,
        "training": vars(prepared.training),
        "parts": [describe_data(part.dataset) for part in prepared.parts],
        "methods": [method.as_dict() for method in measured],
    }
    if arguments.out is not None:
        title = f"{prepared.train.dataset.name}: methods on {prepared.backbone.name}"
        blocks = [
            *comparison_blocks(to_measure.protocol, measured, found),
            Heading("Made with"),
            Listing(command),
        ]
        with new_folder(arguments.out) as folder:
            (folder / "compare.json").write_bytes(json_bytes(found))
            (folder / "compare.md").write_text(to_markdown(title, blocks), encoding="utf-8")
            (folder / "compare.html").write_text(to_html(title, blocks), encoding="utf-8")
    written = "" if arguments.out is None else f"\nWritten: {Path(arguments.out).name}"
    return Output(found, f"{to_measure.protocol}\n\n{aligned(comparison_table(measured))}{written}")
