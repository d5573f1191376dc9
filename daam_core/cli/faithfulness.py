"""Measure whether a model's explanations are true, on labelled data; writes one page and one JSON.

DATA is what is measured: inputs that the head was not trained on, if possible. Heads are retrained on
--train, or, without it, on a part of DATA that is then not measured.
"""

import argparse
import sys
from dataclasses import fields

import numpy as np
from tqdm import tqdm

from daam_core.checkpoint import load_model
from daam_core.cli.options import add_data_arguments, add_fields, chosen, printed_command, read_data
from daam_core.cli.output import Output, check_folder, new_folder
from daam_core.faithfulness.report.contents import FaithfulnessReport, Settings, report_summary
from daam_core.faithfulness.report.measures import measure_faithfulness
from daam_core.faithfulness.report.page import DATA, PAGE, save_report
from daam_core.progress import Progress
from daam_core.training.data import Dataset, hold_out, hold_out_groups
from daam_core.training.features import extract

#: Share of DATA, or of its groups, that is measured where there is no other data to retrain on.
MEASURED_SHARE = 0.4
SETTINGS = tuple(field.name for field in fields(Settings))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_data_arguments(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    parser.add_argument(
        "--encoder", metavar="DIR", help="where the model's encoder lies, if not in its place"
    )
    parser.add_argument("--train", metavar="DATA", help="other data to retrain heads on, the training part")
    parser.add_argument(
        "--trained-on-data",
        action="store_true",
        help="DATA was part of this head's training: the report says so",
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the report")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier report there")
    add_fields(parser, "how much is measured", Settings, SETTINGS)


def run(arguments: argparse.Namespace) -> Output:
    check_folder(arguments.out, overwrite=arguments.overwrite, known=frozenset({PAGE, DATA}))
    settings = Settings(**chosen(arguments, SETTINGS))
    model = load_model(arguments.model, encoder=arguments.encoder)
    modality, names = model.config.modality, model.class_names
    dataset = read_data(arguments, arguments.data, modality=modality, class_names=names)
    if arguments.train is not None:
        train = read_data(arguments, arguments.train, modality=modality, class_names=names, groups=False)
        test = dataset
    else:
        train, test = parted(dataset, seed=settings.seed)
    encoded = [
        extract(part, model.backbone, cache_dir=arguments.cache_dir, skip_broken=arguments.skip_broken)
        for part in (train, test)
    ]
    command = printed_command(arguments.words)
    with tqdm(total=100, unit="%", leave=False, disable=None, file=sys.stderr) as bar:

        def on_progress(share: float, message: str) -> None:
            bar.set_description(message)
            bar.update(round(100 * share) - bar.n)

        report = measure_faithfulness(
            model,
            (encoded[0].features, encoded[0].dataset.targets),
            (encoded[1].features, encoded[1].dataset.targets),
            inputs=encoded[1].dataset.samples,
            held_out=not arguments.trained_on_data,
            settings=settings,
            provenance={
                "command": command,
                "data": dataset.name,
                "measured": len(encoded[1].dataset),
                "retrained_on": train.name if arguments.train is not None else f"a part of {dataset.name}",
                "skipped": len(encoded[1].dataset.skipped),
            },
            progress=Progress(on_progress),
        )
    with new_folder(arguments.out) as folder:
        save_report(report, folder)
    return Output(report_summary(report), _text(report))


def parted(dataset: Dataset, *, seed: int) -> tuple[Dataset, Dataset]:
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


def _text(report: FaithfulnessReport) -> str:
    answers = {"yes": "yes", "no": "NO", "open": "-"}
    lines = [f"{report.model}: accuracy {report.accuracy}, {report.accuracy.count} inputs", ""]
    for item in report.findings:
        lines += [f"[{answers[item.answer]:>3}] {item.question}", f"      {item.sentence}"]
    return "\n".join([*lines, "", f"Written: {PAGE}, {DATA}"])
