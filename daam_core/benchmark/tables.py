"""What the cells say: means, deviations, paired tests, curves; as tables and rows.

Letters: S seeds, N test inputs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from daam_core.benchmark.cells import FEW
from daam_core.benchmark.plan import Plan
from daam_core.benchmark.run import results
from daam_core.benchmark.sets import SETS
from daam_core.faithfulness.statistics import Interval, bootstrap_mean
from daam_core.plain import PlainMapping
from daam_core.reading.numbers import fixed
from daam_core.training.methods import METHODS
from daam_core.training.pages import TRAINED, frequent_answer
from daam_core.writing.pages import Table


@dataclass(frozen=True)
class Against:
    """A method against the best rival on the same test inputs.

    Attributes:
        rival: its name.
        difference: of accuracies, averaged over seeds input by input, with a bootstrap interval over inputs.
        p_value: McNemar's exact test on the first seed's answers.
    """

    rival: str
    difference: Interval
    p_value: float


@dataclass(frozen=True)
class MethodFigures:
    """A method on a data set.

    Attributes:
        accuracy: mean over seeds and splits.
        deviation: over splits' means where there are several, else over seeds; over n − 1.
        balanced: mean recall of classes.
        seeds: S; what is solved has one.
        parameters: those that training could change.
        seconds: of one training.
        majority: what the training part's most frequent class reaches.
        against: the best rival; None for a rival, and where no rival was measured.
    """

    name: str
    method: str
    accuracy: float
    deviation: float
    balanced: float
    seeds: int
    parameters: int
    seconds: float
    majority: float
    against: Against | None


def rows(plan: Plan) -> list[MethodFigures]:
    """Every finished cell, by data set and in the methods' order."""
    cells = results(plan, "accuracy")
    found = []
    for name in plan.sets:
        here = {method: cell for (one, method), cell in cells.items() if one == name}
        means = {method: float(np.mean(cell["accuracies"])) for method, cell in here.items()}
        rivals = {method: mean for method, mean in means.items() if not is_density(method)}
        best = max(rivals, key=lambda method: rivals[method]) if rivals else None
        for method, cell in here.items():
            table = np.array(cell["accuracies"])
            over = table.mean(0) if table.shape[1] > 1 else table.mean(1)
            paired = None
            if best is not None and is_density(method):
                paired = against(best, here[best], cell)
            found.append(
                MethodFigures(
                    name=name,
                    method=method,
                    accuracy=means[method],
                    deviation=float(over.std(ddof=1)) if len(over) > 1 else 0.0,
                    balanced=cell["balanced"],
                    seeds=len(table),
                    parameters=cell["parameters"],
                    seconds=cell["seconds"],
                    majority=cell["majority"],
                    against=paired,
                )
            )
    return found


def is_density(method: str) -> bool:
    """Whether a method is of the paper or ours, and no rival."""
    return METHODS[method].ours


def right(cell: PlainMapping) -> np.ndarray:
    """``[S, N]``: 1 where a seed's answer is right, all splits together."""
    labels = np.concatenate([np.array(one) for one in cell["labels"]])
    answers = np.array(
        [np.concatenate([np.array(one) for one in of_seed]) for of_seed in cell["predictions"]]
    )
    found: np.ndarray = (answers == labels).astype(np.float64)
    return found


def against(rival: str, theirs: PlainMapping, ours: PlainMapping) -> Against:
    """A paired comparison of two cells of one data set."""
    one, other = right(ours), right(theirs)
    difference = bootstrap_mean(one.mean(0) - other.mean(0), seed=0)
    gained, lost = int(np.sum(one[0] > other[0])), int(np.sum(one[0] < other[0]))
    p_value = 1.0 if gained + lost == 0 else float(binomtest(gained, gained + lost).pvalue)
    return Against(rival, difference, p_value)


def accuracy_table(found: list[MethodFigures], sets: tuple[str, ...]) -> Table:
    """Methods down, data sets across: accuracy ± deviation, the best of a column marked."""
    cells = {(row.name, row.method): row for row in found}
    shown = [name for name in sets if any(row.name == name for row in found)]
    best = {name: max(row.accuracy for row in found if row.name == name) for name in shown}
    methods = list(dict.fromkeys(row.method for row in found))
    methods.sort(key=list(METHODS).index)

    def cell(name: str, method: str) -> str:
        row = cells.get((name, method))
        if row is None:
            return "–"
        text = (
            f"{fixed(row.accuracy, 3)} ± {fixed(row.deviation, 3)}"
            if row.deviation
            else fixed(row.accuracy, 3)
        )
        return f"**{text}**" if row.accuracy == best[name] else text

    majority = {row.name: row.majority for row in found}
    lines = [(METHODS[method].title, *(cell(name, method) for name in shown)) for method in methods]
    lines.append((f"always {frequent_answer(several=False)}", *(fixed(majority[name], 3) for name in shown)))
    return Table(("accuracy", *shown), tuple(lines))


def cost_table(found: list[MethodFigures], sets: tuple[str, ...]) -> Table:
    """Trained parameters and seconds of one training, by data set."""
    methods = sorted(dict.fromkeys(row.method for row in found), key=list(METHODS).index)
    shown = [name for name in sets if any(row.name == name for row in found)]
    cells = {(row.name, row.method): row for row in found}

    def cell(name: str, method: str) -> str:
        row = cells.get((name, method))
        return "–" if row is None else f"{row.parameters:,}; {fixed(row.seconds, 1)} s"

    lines = tuple((METHODS[m].title, *(cell(name, m) for name in shown)) for m in methods)
    return Table(("trained parameters; seconds of one training", *shown), lines, note=TRAINED)


def paired_table(found: list[MethodFigures]) -> Table:
    """Each density method against the best rival."""
    return Table(
        ("data set", "method", "best rival", "difference [95 %]", "McNemar p"),
        tuple(
            (
                row.name,
                METHODS[row.method].title,
                METHODS[row.against.rival].title,
                str(row.against.difference),
                "< 0.001" if row.against.p_value < 0.0005 else fixed(row.against.p_value, 3),
            )
            for row in found
            if row.against is not None
        ),
        left=3,
    )


def few_table(plan: Plan) -> Table:
    """Accuracy with few inputs a class, mean over seeds."""
    cells = results(plan, "few")
    lines = []
    for (name, method), cell in cells.items():
        curve: Mapping[str, list[float]] = cell["accuracies"]
        means = (fixed(float(np.mean(curve[str(n)])), 3) if str(n) in curve else "–" for n in FEW)
        lines.append((name, METHODS[method].title, *means))
    note = "Mean over seeds, which draw other inputs; of several splits the first alone."
    return Table(("data set", "method", *(f"{n} a class" for n in FEW)), tuple(lines), left=2, note=note)


def harder_table(plan: Plan) -> Table:
    """Accuracy of the first seed on test inputs as they are, and on harder ones."""
    lines = []
    for (name, method), cell in results(plan, "harder").items():
        given, changed = cell["as_given"], cell["changed"]
        lines.append(
            (name, METHODS[method].title, fixed(given, 3), fixed(changed, 3), fixed(given - changed, 3))
        )
    head = ("data set", "method", "as given", "harder", "lost")
    return Table(head, tuple(lines), left=2, note="The first seed alone, all splits.")


def csv_rows(found: list[MethodFigures]) -> list[dict[str, object]]:
    """One flat row a cell."""
    flat = []
    for row in found:
        paired = row.against
        flat.append(
            {
                "set": row.name,
                "title": SETS[row.name].title,
                "method": row.method,
                "accuracy": row.accuracy,
                "deviation": row.deviation,
                "balanced_accuracy": row.balanced,
                "seeds": row.seeds,
                "majority": row.majority,
                "parameters": row.parameters,
                "seconds": row.seconds,
                "best_rival": "" if paired is None else paired.rival,
                "difference": "" if paired is None else paired.difference.mean,
                "low": "" if paired is None else paired.difference.low,
                "high": "" if paired is None else paired.difference.high,
                "mcnemar_p": "" if paired is None else paired.p_value,
            }
        )
    return flat


def few_rows(cells: Mapping[tuple[str, str], PlainMapping]) -> list[dict[str, object]]:
    """One flat row for each number of inputs a class and seed."""
    return [
        {"set": name, "method": method, "inputs_a_class": int(count), "seed": seed, "accuracy": accuracy}
        for (name, method), cell in cells.items()
        for count, of_seeds in cell["accuracies"].items()
        for seed, accuracy in enumerate(of_seeds)
    ]


def harder_rows(cells: Mapping[tuple[str, str], PlainMapping]) -> list[dict[str, object]]:
    """One flat row a cell: accuracy of the first seed."""
    return [
        {"set": name, "method": method, "as_given": cell["as_given"], "harder": cell["changed"]}
        for (name, method), cell in cells.items()
    ]
