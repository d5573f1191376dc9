"""Measure every method on every data set of a folder, all tuned alike on validation parts; one table.

It goes on where it was left: each result is a file of its own below DIR, and what is there is not made
again. Every method tries the same number of its settings on the validation part, trains again with the best
on everything but the test part with every seed, and is tested on that. Data sets: emodb, ravdess, speech
(both), emodb-ravdess and ravdess-emodb (trained on one, tested on the other), news, news-50 (50 texts a
class), grocery, grocery-fine, caltech, cifar.
"""

import argparse
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from daam_core.benchmark.plan import MEASUREMENTS, Budget, Plan
from daam_core.benchmark.sets import SETS
from daam_core.cli import options
from daam_core.cli.named import names_in, whole_number
from daam_core.cli.output import Output, progress_bar, say
from daam_core.errors import DataError
from daam_core.progress import Progress
from daam_core.training.methods import METHODS, USUAL
from daam_core.writing.files import replacing, write_text
from daam_core.writing.pages import Block, Heading, Listing, Paragraph, to_markdown

if TYPE_CHECKING:
    from daam_core.benchmark.tables import MethodFigures


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DATA", help="folder of the data sets")
    parser.add_argument("--out", required=True, metavar="DIR", help="folder of the results; gone on with")
    parser.add_argument("--methods", metavar="A[,B…]", help=f"which methods (default: {', '.join(USUAL)})")
    parser.add_argument("--data", metavar="A[,B…]", help=f"which data sets (default: {', '.join(SETS)})")
    parser.add_argument(
        "--measure",
        metavar="A[,B…]",
        help="accuracy on all inputs, few inputs a class, harder test inputs "
        f"(noise at 10 dB, blur, typos) (default: {', '.join(MEASUREMENTS)})",
    )
    budget = Budget()
    number = whole_number(1)
    parser.add_argument(
        "--settings", type=number, default=budget.settings, metavar="N", help="of each method that are tried"
    )
    parser.add_argument("--seeds", type=number, default=budget.seeds, metavar="N", help="how many")
    parser.add_argument("--epochs", type=number, default=budget.epochs, metavar="N", help="at most")
    parser.add_argument(
        "--patience", type=number, default=budget.patience, metavar="N", help="epochs without progress"
    )
    parser.add_argument("--cache-dir", metavar="DIR", help="where features are kept (default: user's cache)")
    parser.add_argument("--table", action="store_true", help="only write the table of what is there")
    parser.add_argument(
        "--overwrite",
        action="store_true",
        help="make results in DIR anew that are of another budget, of other data or by another encoder",
    )


def run(arguments: argparse.Namespace) -> Output:
    plan = Plan(
        data=Path(arguments.folder),
        out=Path(arguments.out),
        methods=_once(arguments.methods, USUAL),
        sets=_once(arguments.data, tuple(SETS)),
        measurements=_once(arguments.measure, MEASUREMENTS),  # type: ignore[arg-type] # checked by the plan
        budget=Budget(arguments.settings, arguments.seeds, arguments.epochs, arguments.patience),
        cache_dir=None if arguments.cache_dir is None else Path(arguments.cache_dir),
    )
    if not arguments.table:
        from daam_core.benchmark.run import run as make  # here: a wrong plan does not wait for torch

        with progress_bar(1000, "Benchmark") as bar:

            def told(share: float, message: str) -> None:
                bar.set_postfix_str(message)
                bar.update(round(1000 * share) - bar.n)
                if bar.disable:
                    say(message)

            for refusal in make(plan, overwrite=arguments.overwrite, progress=Progress(on_progress=told)):
                say(refusal)
    return written(plan, options.printed_command(arguments.words))


def _once(said: str | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Names on the command line, each once; the usual ones where the option was not given."""
    return usual if said is None else tuple(dict.fromkeys(names_in(said)))


def _seeds(found: "Sequence[MethodFigures]") -> str:
    """How many there are: of each method the same, or between two numbers."""
    counts = sorted({row.seeds for row in found if not METHODS[row.method].solved}) or [0]
    return f"{counts[0]} seeds" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} seeds (see the CSV)"


def written(plan: Plan, command: str) -> Output:
    """The table, rows and plots of what is finished.

    Raises:
        DataError: nothing is.
    """
    from daam_core.benchmark.plots import accuracy_figure, few_figure
    from daam_core.benchmark.run import results
    from daam_core.benchmark.tables import (
        accuracy_table,
        cost_table,
        csv_rows,
        few_rows,
        few_table,
        harder_rows,
        harder_table,
        paired_table,
        rows,
    )
    from daam_core.figures.style import figure_bytes
    from daam_core.training.pages import aligned

    found = rows(plan)
    if not found:
        others = len(list(plan.out.glob("accuracy/*.json")))
        raise DataError(
            f"{plan.out.name} holds no finished result of what is asked for"
            + (
                f"; {others:,} are of other methods, data sets or budgets (--settings, --epochs, --patience)."
                if others
                else "."
            )
        )
    blocks: list[Block] = [
        Heading("Made with"),
        Listing(command),
        Paragraph(
            f"Every method tried {plan.budget.settings} of its settings on the validation part of each "
            f"split, {plan.budget.epochs} epochs at most; then {_seeds(found)} trained on everything but the "
            "test part and were tested. What is solved has no seed. Deviations are over "
            "folds where there are folds, else over seeds, and divide by n − 1."
        ),
        Heading("Accuracy"),
        accuracy_table(found, plan.sets),
        Heading("Against the best rival, on the same test inputs"),
        paired_table(found),
        Heading("Cost"),
        cost_table(found, plan.sets),
    ]
    few, harder = results(plan, "few"), results(plan, "harder")
    if few:
        blocks += [Heading("With few inputs a class"), few_table(plan)]
    if harder:
        blocks += [Heading("On harder test inputs"), harder_table(plan)]
    plan.out.mkdir(parents=True, exist_ok=True)
    write_text(plan.out / "benchmark.md", to_markdown("Benchmark", blocks))
    flat = {"benchmark": csv_rows(found), "few": few_rows(few), "harder": harder_rows(harder)}
    for name, lines in flat.items():
        if lines:
            write_text(plan.out / f"{name}.csv", _csv(lines))
    drawn = {"accuracy.svg": accuracy_figure(found)} | ({"few.svg": few_figure(few)} if few else {})
    for name, figure in drawn.items():
        with replacing(plan.out / name) as temporary:
            temporary.write_bytes(figure_bytes(figure, "svg"))
    told = {"command": command, "rows": flat["benchmark"], "few": flat["few"], "harder": flat["harder"]}
    return Output(told, aligned(accuracy_table(found, plan.sets)))


def _csv(rows: Sequence[Mapping[str, object]]) -> str:
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
