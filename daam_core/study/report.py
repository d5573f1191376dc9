"""A study as one report: how good, which errors, what sets each class apart.

Letters: C classes, H heads, L layers, F features.
"""

import numpy as np
import torch

from daam_core.errors import DataError
from daam_core.reading.numbers import fixed, number
from daam_core.reading.quantities import top_cells
from daam_core.study.cells import class_preference
from daam_core.study.folder import Study, in_words
from daam_core.study.selection import GROUP, unit_columns
from daam_core.study.slices import compare_slices
from daam_core.training.pages import NO_CONFUSION, class_table, confusion_table, several_in_short
from daam_core.training.scores import Scores, score, score_logits
from daam_core.writing.pages import Block, Heading, Listing, Paragraph, Table

PERMUTATIONS = 200
#: The largest classes are compared; each takes a second or so.
CLASSES_COMPARED = 12
ERRORS_SHOWN = 10
CELLS_SHOWN = 3
_EXCERPT = 80

_CAUTION = (
    "A cell that prefers a class goes with it in these inputs; that alone does not show that the classifier "
    "decides by it. Cells are compared one by one and depend on each other, so many that differ may say one "
    "thing. Whether importance is faithful is measured by daam faithfulness."
)


def study_scores(study: Study) -> Scores | None:
    """Accuracy, figures by class and confusion matrix of the explained inputs; None if there are none."""
    names, rows = study.facts.class_names, study.explained
    if not rows.num_rows:
        return None
    if study.facts.labels == "several":
        labels = np.stack([study.of_class(name) for name in names], 1)
        shares = np.array(rows["probabilities"].to_pylist(), dtype=np.float64)
        return score_logits(torch.from_numpy(labels), torch.from_numpy(shares).logit(), names)
    index = {name: place for place, name in enumerate(names)}
    label, prediction = (
        [index[name] for name in rows[column].to_pylist()] for column in ("label", "prediction")
    )
    return score(label, prediction, names)


def report_title(study: Study) -> str:
    return f"{study.facts.model} on {study.facts.data}"


def report_blocks(study: Study) -> list[Block]:
    """The report's headings, sentences and tables; no input of the data set but excerpts of errors."""
    facts, scores = study.facts, study_scores(study)
    blocks: list[Block] = [
        Paragraph(
            f"{len(study.numbers):,} of {facts.inputs:,} inputs explained by {facts.model} "
            f"({facts.heads} heads, {facts.layers} layers, {facts.features} features of {facts.encoder})."
        )
    ]
    if facts.command:
        blocks.append(Listing(facts.command))
    if scores is not None:
        blocks += [
            Heading("How good"),
            Paragraph(
                f"All labels right {fixed(scores.accuracy)}; {several_in_short(scores, digits=3)}."
                if scores.several
                else f"Accuracy {fixed(scores.accuracy)}, mean recall of the classes "
                f"{fixed(scores.balanced_accuracy)}, macro F1 {fixed(scores.macro_f1)}."
            ),
            class_table(scores),
            Paragraph(NO_CONFUSION) if scores.several else confusion_table(scores),
            Heading("Errors, most confident first"),
            _errors(study),
            Heading("What sets each class apart"),
            _apart(study),
            Heading("Layers by class"),
            _layers(study),
            Heading("What this does not show"),
            Paragraph(_CAUTION),
        ]
    refused = study.refused
    if refused:
        rows = tuple(refused[:ERRORS_SHOWN])
        note = "" if len(refused) <= ERRORS_SHOWN else f"{len(refused):,} in all; the rows name them."
        blocks += [
            Heading("Inputs that could not be explained"),
            Table(("input", "reason"), rows, note, left=2),
        ]
    return blocks


def _errors(study: Study) -> Table:
    table = study.to_pandas()
    wrong = table[table["right"] == False].sort_values("confidence", ascending=False)  # noqa: E712 - null is neither
    names = dict(zip(study.numbers.tolist(), study.names, strict=True))
    rows = tuple(
        (
            names[row.number],
            in_words(row.label),
            in_words(row.prediction),
            _excerpt(row.text),
            fixed(row.confidence),
        )
        for row in wrong.head(ERRORS_SHOWN).itertuples()
    )
    note = f"{len(wrong):,} errors in all." if len(wrong) else "There is no error."
    return Table(("input", "true class", "predicted", "text", "probability"), rows, note, left=4)


def _excerpt(text: object) -> str:
    if not isinstance(text, str):
        return ""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else f"{line[: _EXCERPT - 1]}…"


def _apart(study: Study) -> Table:
    members = {name: study.of_class(name) for name in sorted(study.facts.class_names)}
    counts = np.array([members[name].sum() for name in members])
    rows: list[tuple[str, ...]] = []
    for chosen in np.argsort(-counts, kind="stable")[:CLASSES_COMPARED]:
        name = list(members)[chosen]
        inside, outside = study.numbers[members[name]], study.numbers[~members[name]]
        if min(len(inside), len(outside)) < 2:
            continue
        try:
            found = compare_slices(study, outside, inside, permutations=PERMUTATIONS)
        except DataError:
            rows.append((name, "", "too few groups to compare", "", "", ""))
            continue
        holds = found.holds()
        strongest = top_cells(np.where(holds, found.difference, 0), CELLS_SHOWN, absolute=True).tolist()
        for place, (head, layer, feature) in enumerate(strongest):
            cell = (head, layer, feature)
            if not holds[cell]:
                continue
            column = study.column("density_attention", cell).astype(np.float64)
            rows.append(
                (
                    name if place == 0 else "",
                    f"{int(holds.sum()):,}" if place == 0 else "",
                    f"head {head}, layer {layer}, feature {feature}",
                    fixed(column[members[name]].mean()),
                    fixed(column[~members[name]].mean()),
                    fixed(class_preference(study, column)[name]),
                )
            )
    dealt = (
        "all inputs of one group together"
        if GROUP in unit_columns(study)
        else "single inputs: where several are of one speaker or source, too many cells are called different"
    )
    return Table(
        ("class", "cells that differ", "largest differences", "mean in class", "mean elsewhere", "AUROC"),
        tuple(rows),
        note=(
            "Density attention of the class's inputs against all others: cells with a false discovery rate "
            f"of 0.05 or less by {PERMUTATIONS} permutations, and the {CELLS_SHOWN} of largest difference. "
            f"Dealt were {dealt}."
        ),
    )


def _layers(study: Study) -> Table:
    shares = np.array(study.explained["layers"].to_pylist(), dtype=np.float64)
    rows = []
    for name in study.facts.class_names:
        if (inside := study.of_class(name)).any():
            mean = shares[inside].mean(0)
            order = top_cells(mean, min(5, len(mean)))[:, 0]
            rows.append((name, ", ".join(f"{layer} ({number(mean[layer])} %)" for layer in order)))
    return Table(
        ("class", "layers with most density attention"), tuple(rows), note="Means over inputs.", left=2
    )
