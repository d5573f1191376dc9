"""Measure whether a model's explanations are true, on labelled data; writes one page and one JSON.

DATA is what is measured: inputs that the classifier was not trained on, if possible. Others are retrained
on --train, or, without it, on a part of DATA that is then not measured.
"""

import argparse
import sys
from dataclasses import fields
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from daam_core.cli import options
from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.faithfulness.report.settings import DATA, PAGE, Settings
from daam_core.progress import Progress
from daam_core.training.data import Dataset
from daam_core.training.data_splits import hold_out, hold_out_groups

if TYPE_CHECKING:
    from daam_core.faithfulness.report.contents import FaithfulnessReport

#: Share of DATA, or of its groups, that is measured where there is no other data to retrain on.
MEASURED_SHARE = 0.4
SETTINGS = tuple(field.name for field in fields(Settings))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_data_arguments(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    add_encoder_arguments(parser)
    parser.add_argument(
        "--train", metavar="DATA", help="other data to retrain classifiers on, the training part"
    )
    parser.add_argument(
        "--trained-on-data",
        action="store_true",
        help="DATA was part of this classifier's training: the report says so",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the report")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report there")
    options.add_fields(parser, "how much is measured", Settings, SETTINGS)


def run(arguments: argparse.Namespace) -> Output:
    check_folder(arguments.out, overwrite=arguments.overwrite, known=frozenset({PAGE, DATA}))
    settings = Settings(**options.chosen(arguments, SETTINGS))
    config = config_of(arguments.model, arguments)
    modality, names = config.modality, config.class_names
    reading = options.data_options(arguments)
    dataset = reading.load(options.data_paths(arguments), modality=modality, class_names=names)
    if arguments.train is not None:
        train = reading.load(arguments.train, modality=modality, class_names=names, main=False)
        test = dataset
    else:
        train, test = split_for_retraining(dataset, seed=settings.seed)
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.faithfulness.report.contents import report_summary
    from daam_core.faithfulness.report.measures import measure_faithfulness
    from daam_core.faithfulness.report.page import save_report
    from daam_core.training.experiment import extracted

    model = model_of(arguments.model, arguments)
    retrained_on, measured = (extracted(part, model.backbone, reading) for part in (train, test))
    command = options.printed_command(arguments.words)
    with tqdm(total=100, unit="%", leave=False, disable=None, file=sys.stderr) as bar:

        def on_progress(share: float, message: str) -> None:
            bar.set_description(message)
            bar.update(round(100 * share) - bar.n)

        report = measure_faithfulness(
            model,
            (retrained_on.features, retrained_on.dataset.targets),
            (measured.features, measured.dataset.targets),
            inputs=measured.dataset.inputs,
            held_out=not arguments.trained_on_data,
            settings=settings,
            provenance={
                "command": command,
                "data": dataset.name,
                "measured": len(measured.dataset),
                "retrained_on": train.name if arguments.train is not None else f"a part of {dataset.name}",
                "skipped": len(measured.dataset.skipped),
            },
            progress=Progress(on_progress),
        )
    with new_folder(arguments.out) as folder:
        save_report(report, folder)
    return Output(report_summary(report), _text(report))


def split_for_retraining(dataset: Dataset, *, seed: int) -> tuple[Dataset, Dataset]:
    """A part to retrain on and a part to measure; groups, such as speakers, are not split.

    Raises:
        DataError: the data set is too small for that.
    """
    if dataset.groups is None:
        kept, held = hold_out(dataset, MEASURED_SHARE, seed=seed)
    else:
        names = sorted(set(dataset.groups))
        order = np.random.default_rng(seed).permutation(len(names))
        count = max(1, round(MEASURED_SHARE * len(names)))
        kept, held = hold_out_groups(dataset, [names[index] for index in order[:count]])
    return dataset.part(kept), dataset.part(held)


def _text(report: "FaithfulnessReport") -> str:
    answers = {"yes": "yes", "no": "NO", "open": "-"}
    lines = [f"{report.model}: accuracy {report.accuracy}, {report.accuracy.count} inputs", ""]
    for item in report.findings:
        lines += [f"[{answers[item.answer]:>3}] {item.question}", f"      {item.sentence}"]
    return "\n".join([*lines, "", f"Written: {PAGE}, {DATA}"])
