"""Study a data set: explain every input once and keep what was found in one folder, to be asked
afterwards: what a cell answers to, how classes differ. An interrupted study goes on where it stopped.

With `torchrun --nproc-per-node 4 -m daam_core study …` (or `accelerate launch`) several processes share
the inputs.
"""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.cli import options
from daam_core.cli.encoders import add_encoder_arguments, config_of, model_of
from daam_core.cli.named import whole_number
from daam_core.cli.output import Output, progress_bar, refused_lines
from daam_core.processes import among_processes
from daam_core.study.place import check_place
from daam_core.training.data import MEASURED
from daam_core.writing.files import write_text
from daam_core.writing.pages import to_html, to_markdown

if TYPE_CHECKING:
    from daam_core.study.folder import Study
    from daam_core.study.memory import Growth

#: Fewer lie on no plane.
FEWEST_POINTS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add_data_arguments(parser)
    parser.add_argument("--model", required=True, metavar="NAME", help="built-in name, folder or hub id")
    parser.add_argument(
        "--out", required=True, metavar="DIR", help="the study's folder, new or to go on with"
    )
    parser.add_argument(
        "--batch-size",
        type=whole_number(1),
        metavar="N",
        help="inputs encoded together, at most (default: as many as are fast)",
    )
    add_encoder_arguments(parser)


def run(arguments: argparse.Namespace) -> Output:
    config = config_of(arguments.model, arguments)
    check_place(Path(arguments.out))
    reading = options.data_options(arguments)
    dataset = reading.load(
        options.data_paths(arguments),
        modality=config.modality,
        class_names=config.class_names,
        preferred=MEASURED,
    )
    # Here, so that wrong arguments do not wait for torch.
    from daam_core.study.make import make_study
    from daam_core.study.memory import growth, held_mib
    from daam_core.study.overview import OVERVIEW, overview, save_overview
    from daam_core.study.projection import project
    from daam_core.study.report import report_blocks, report_title

    model = model_of(arguments.model, arguments)
    share, turn = among_processes()
    before, after = held_mib(), list[tuple[int, float]]()
    with progress_bar(len(dataset) // share[1], f"Explaining {dataset.name}") as bar:

        def done(inputs: int) -> None:
            bar.update(inputs)
            after.append((inputs + (after[-1][0] if after else 0), held_mib() or 0.0))

        study = make_study(
            model,
            dataset,
            arguments.out,
            **({} if arguments.batch_size is None else {"batch_size": arguments.batch_size}),
            command=options.printed_command(arguments.words),
            share=share,
            turn=turn,
            on_progress=done,
        )
    found = study_summary(study)
    grown = None if before is None else growth(before, after)
    if grown is not None:
        found["memory"] = asdict(grown)
    if study.complete and share[0] == 0:
        if len(study.numbers) > FEWEST_POINTS:
            project(study)  # kept beside it, so that the page has its plane at once
        title, blocks = report_title(study), report_blocks(study)
        write_text(study.folder / "report.html", to_html(title, blocks))
        write_text(study.folder / "report.md", to_markdown(title, blocks))
        if len(study.numbers) and study.facts.labels == "one":
            save_overview(overview(study), study.folder / OVERVIEW)
    return Output(found, _text(study, grown, Path(arguments.out).name))


def study_summary(study: "Study") -> dict[str, object]:
    """Plain values: how many inputs, how many right, which refused."""
    facts, rows = study.facts, study.rows
    right = study.explained["right"].to_pylist()
    return {
        "model": facts.model,
        "data": facts.data,
        "inputs": facts.inputs,
        "finished": rows.num_rows,
        "explained": len(right),
        "right": sum(right),
        "accuracy": sum(right) / len(right) if right else None,
        "refused": [{"place": place, "reason": reason} for place, reason in study.refused],
    }


def _text(study: "Study", grown: "Growth | None", folder: str) -> str:
    right = study.explained["right"].to_pylist()
    how = "right" if study.facts.labels == "one" else "with all labels right"
    accuracy = f"{sum(right) / len(right):.3f}" if right else "–"
    lines = [
        f"{study.facts.model} on {study.facts.data}: {len(right):,} of {study.facts.inputs:,} inputs "
        f"explained, {sum(right):,} {how} ({accuracy})"
    ]
    lines += refused_lines(study.refused)
    if not study.complete:
        lines.append(f"Not finished: {study.rows.num_rows:,} inputs done so far; other processes go on.")
    if grown is not None:
        lines.append(f"Memory: {grown}")
    return "\n".join([*lines, f"Written: {folder}"])
