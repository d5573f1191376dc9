"""Train a classifier with density attention on your data, measure it, and save it with its model card.

DATA's features are extracted once and kept. With --test or --folds the card gives the accuracy measured
that way; the classifier that is saved is trained on all of DATA.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli import options
from daam_core.cli.output import Output, check_folder, new_folder, progress_bar, say
from daam_core.locating import CARD_FILE, CONFIG_FILE, OUTSIDE_FILE, REPORT_FILE, WEIGHTS_FILE
from daam_core.training.about import About, read_about
from daam_core.training.methods import METHODS

if TYPE_CHECKING:
    from daam_core.training.run import TrainingReport

#: What the output folder holds.
FILES = frozenset({CONFIG_FILE, WEIGHTS_FILE, OUTSIDE_FILE, CARD_FILE, REPORT_FILE})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_experiment_arguments(parser)
    parser.add_argument(
        "--method",
        default="daam",
        metavar="NAME",
        help="which density attention: "
        + ", ".join(one.name for one in METHODS.values() if one.ours).replace(
            "daam,", "daam, as the options say (default),", 1
        ),
    )
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
    wanted = options.experiment_options(arguments, method=arguments.method)
    datasets = wanted.read()
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.backbones.huggingface.hub import LOCAL
    from daam_core.trained import TrainedClassifier
    from daam_core.training.cards import model_card
    from daam_core.training.experiment import prepare
    from daam_core.training.run import train, training_report

    experiment = prepare(wanted, datasets)
    with progress_bar(experiment.runs, "Training") as bar:
        outcome = train(experiment, on_run=bar.update)
    report = training_report(experiment, outcome, command=options.printed_command(arguments.words))
    card = model_card(experiment.config, report, name=name, about=about, known=outcome.known)
    model = TrainedClassifier(
        outcome.classifier,
        name=name,
        dataset=outcome.dataset,
        known=outcome.known,
        card=card,
        report=report.as_dict(),
        encoder=arguments.backbone if experiment.config.encoder.revision == LOCAL else None,
    )
    for warning in report.warnings:
        say(warning)
    with new_folder(arguments.out) as folder:
        model.save_pretrained(folder)
    return Output(
        {"name": name, "folder": Path(arguments.out).name} | report.as_dict(),
        _text(name, report, several=model.config.labels == "several"),
    )


def _text(name: str, report: "TrainingReport", *, several: bool) -> str:
    from daam_core.training.pages import frequent_answer, several_in_short, spread

    counts = report.parameters
    trained = f"{counts.trained:,} trained parameters ({counts.classifier:,} numbers stored)"
    first = f"{name}: {trained}, {report.chosen_by}"
    scores, measured = report.scores, report.measured
    right = "all labels right" if several else "accuracy"
    if report.accuracy is None:
        return f"{first}\n{right} on the training part {report.training_accuracy:.4f}; no test was asked for"
    # As the accuracy, a mean over seeds and splits; in the scores all splits' answers stand together.
    balanced = "" if measured is None else f"balanced {measured.balanced_accuracy:.4f}, "
    if scores is not None and scores.several:
        balanced = f"{several_in_short(scores)}, {balanced}"
    majority = (
        "" if report.majority is None else f"always {frequent_answer(several=several)} {report.majority:.4f}"
    )
    around = f" ± {report.accuracy_deviation:.4f}" if report.accuracy_deviation else ""
    slices = () if measured is None else measured.slices
    lines = [
        first,
        f"{right} {report.accuracy:.4f}{around} ({report.protocol})",
        f"{balanced}{majority}",
    ]
    lines += [f"  {s.column} {s.value}: {s.accuracy:.4f}{spread(s.deviation)} ({s.inputs:,})" for s in slices]
    return "\n".join(lines)
