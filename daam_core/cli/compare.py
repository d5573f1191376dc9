"""Train density attention and what people would use instead on the same data, and print one table.

Methods, by one word each:
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli import options
from daam_core.cli.named import names_in
from daam_core.cli.output import Output, check_folder, new_folder, progress_bar
from daam_core.errors import ConfigError, DataError
from daam_core.plain import PlainMapping
from daam_core.training.methods import METHODS, USUAL, method_named, option_of, overridden, refuse_overridden
from daam_core.version import __version__
from daam_core.writing.pages import Heading, Listing, to_html, to_markdown

if TYPE_CHECKING:
    from daam_core.training.accuracy import Measured, Recipe, SplitData
    from daam_core.training.experiment import Experiment
    from daam_core.training.layer_shares import LayerShares

__doc__ = f"{__doc__}\n" + "\n".join(f"  {name:<21} {method.what}" for name, method in METHODS.items())
NOTHING_TO_MEASURE_ON = (
    "A comparison needs something to measure on: give --test DATA or --folds N, or data with a part that is "
    "called test."
)
#: What the output folder holds.
FILES = frozenset({"compare.json", "compare.md", "compare.html"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_experiment_arguments(parser)
    parser.add_argument("--methods", metavar="A[,B…]", help=f"which methods (default: {', '.join(USUAL)})")
    parser.add_argument(
        "--tune",
        action="store_true",
        help="let the validation part choose each method's learning rate, weight decay and the like as well",
    )
    parser.add_argument("--out", metavar="DIR", help="write the table there as JSON, Markdown and HTML")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier comparison in DIR")


def run(arguments: argparse.Namespace) -> Output:
    if arguments.out is not None:
        check_folder(arguments.out, overwrite=arguments.overwrite, known=FILES)
    names = USUAL if arguments.methods is None else tuple(dict.fromkeys(names_in(arguments.methods)))
    if not names:
        raise ConfigError("--methods names no method; give some, such as daam,linear, or leave it out.")
    for name in names:
        method_named(name)  # refused before anything is read
    given = options.chosen(arguments, options.CLASSIFIER_OPTIONS)
    refuse_overridden(names, given)
    # A single method of density attention completes the options itself, as in training.
    ours = [name for name in names if method_named(name).ours]
    wanted = options.experiment_options(arguments, method=ours[0] if len(ours) == 1 else "daam")
    if wanted.test is None and wanted.folds is None and not wanted.has_test_part:
        raise DataError(NOTHING_TO_MEASURE_ON)
    if arguments.tune and wanted.amount == 0 and not wanted.validation_groups:
        raise DataError(
            "--tune chooses on the validation part, and with --validation 0 there is none: give a share, or "
            "leave out --tune."
        )
    datasets = wanted.read()
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.training.evaluation import data_facts
    from daam_core.training.experiment import prepare
    from daam_core.training.from_inputs import Sources
    from daam_core.training.pages import (
        aligned,
        chooses,
        chosen_table,
        comparison_blocks,
        comparison_table,
        json_bytes,
        layers_table,
        slice_table,
        sliced_by,
    )
    from daam_core.training.recipes import recipes

    for sentence in _held_by_some(names, given):
        wanted.reading.tell([sentence])
    experiment = prepare(wanted, datasets)
    data = experiment.measured_on
    if data is None:
        raise DataError(NOTHING_TO_MEASURE_ON)
    inputs = [given for part in experiment.parts for given in part.dataset.inputs]
    sources = Sources(inputs, experiment.backbone)
    chosen = recipes(names, experiment.config, tune=arguments.tune, sources=sources)
    measured, shares = _compare(experiment, data, chosen)
    protocol, parts = data.protocol, [data_facts(part.dataset) for part in experiment.parts]
    command = options.printed_command(arguments.words)
    found: dict[str, object] = {
        "tool": f"daam-explorer {__version__}",
        "command": command,
        "encoder": vars(experiment.config.encoder),
        "protocol": protocol,
        "majority": data.majority,
        "training": asdict(experiment.options.training),
        "parts": [asdict(part) for part in parts],
        "methods": [
            method.as_dict() | {"layers": {"quantity": one.quantity, "percent": one.percent}}
            for method, one in zip(measured, shares, strict=True)
        ],
    }
    if arguments.out is not None:
        title = f"{experiment.train.dataset.name}: methods on {experiment.backbone.name}"
        blocks = [
            *comparison_blocks(protocol, measured, parts, data.majority, shares),
            Heading("Made with"),
            Listing(command),
        ]
        with new_folder(arguments.out) as folder:
            (folder / "compare.json").write_bytes(json_bytes(found))
            (folder / "compare.md").write_text(to_markdown(title, blocks), encoding="utf-8")
            (folder / "compare.html").write_text(to_html(title, blocks), encoding="utf-8")
    written = "" if arguments.out is None else f"\nWritten: {Path(arguments.out).name}"
    table = comparison_table(measured, data.majority)
    slices = [slice_table(measured, column) for column in sliced_by(measured)]
    layers = [layers_table(shares)] if any(one.percent for one in shares) else []
    chosen_there = [chosen_table(measured)] if chooses(measured) else []
    printed = [protocol, *(f"{aligned(one)}\n{one.note}" for one in (table, *chosen_there))]
    printed += [*map(aligned, slices), *(f"{aligned(one)}\n{one.note}" for one in layers)]
    return Output(found, "\n\n".join(printed) + written)


def _held_by_some(names: Sequence[str], given: PlainMapping) -> list[str]:
    """Sentences about options that were given and that some of the methods set otherwise."""
    made = {name: overridden(name, given) for name in names if method_named(name).ours}
    return [
        f"{option_of(field)} {value} does not hold for {', '.join(others)}, "
        f"which {'sets it itself' if len(others) == 1 else 'set it themselves'}."
        for field, value in given.items()
        if (others := [name for name, found in made.items() if field in found])
    ]


def _compare(
    experiment: "Experiment", data: "SplitData", compared: "Sequence[Recipe]"
) -> "tuple[list[Measured], list[LayerShares]]":
    """Accuracies, and what each method's trainings with the first seed make of the layers."""
    from daam_core.training.accuracy import measure_accuracy
    from daam_core.training.layer_shares import Look

    measured, shares = [], []
    with progress_bar(len(compared) * len(experiment.seeds) * len(data.splits), "Training") as bar:
        for recipe in compared:
            bar.set_postfix_str(recipe.name)
            look = Look(recipe.name, experiment.train.features, seed=experiment.seeds[0], then=bar.update)
            found = measure_accuracy(
                recipe,
                data,
                training=experiment.options.training,
                seeds=experiment.seeds,
                refit=experiment.options.refit,
                on_run=look,
            )
            measured.append(found)
            shares.append(look.mean())
    return measured, shares
