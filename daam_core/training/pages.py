"""What reports look like: the same figures as JSON, Markdown, a page and plain text."""

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from daam_core.configuration import GateKind
from daam_core.encoding import Encoding, Tokens
from daam_core.explaining import explain_encoding
from daam_core.reading.numbers import fixed, number
from daam_core.reading.quantities import top_cells
from daam_core.result import Explanation
from daam_core.trained import TrainedClassifier
from daam_core.training.accuracy import Measured
from daam_core.training.evaluation import DataFacts, Evaluation
from daam_core.training.layer_shares import LayerShares
from daam_core.training.scores import ClassFigures, MajorityOf, Scores, figures_of_several, one_class_only
from daam_core.training.settings import DensitySettings, SettingValues
from daam_core.writing.pages import Block, Figure, Heading, Listing, Paragraph, Table, to_html, to_markdown

_IMPORTANCE = (
    "Importance Factor of the mean density attention over the data set, by head. It shows what the heads let "
    "through, not what caused a decision."
)
_LAYERS = "Share of each layer and head in the mean density attention."
#: What is learned of a gate, in words and as a symbol.
_LEARNED: dict[GateKind, tuple[tuple[str, str], tuple[str, str]]] = {
    "density": (("mean offset", "δ"), ("scaled variance", "ξ")),
    "mixture": (("mean offsets", "m"), ("scales", "c")),
}
_TRAINED_ON = "The classifier was trained on this data: its accuracy here says nothing about other data."
NO_CONFUSION = (
    "With several labels an input has, no class stands in place of another: there is no such matrix."
)
#: What is counted as a method's parameters.
TRAINED = (
    "Trained parameters are the numbers that training could change; what joint density (directions, "
    "prototypes) and kernel ridge regression (the inputs) keep of the training inputs is stored besides and "
    "not counted."
)
#: What is chosen in a comparison.
CHOSEN = (
    "With --tune the validation part of each split chooses each method's settings; logistic regression and "
    "kernel ridge regression, which are solved, are tuned in any case, and so is joint density's closed form."
)
#: Larger confusion matrices are shown as the list of their most frequent errors.
_LARGEST_MATRIX = 15
_ERRORS_SHOWN = 20


def json_bytes(data: Mapping[str, object]) -> bytes:
    """Strict JSON, UTF-8."""
    return (json.dumps(data, indent=2, allow_nan=False, ensure_ascii=False) + "\n").encode()


def evaluation_files(report: Evaluation, model: TrainedClassifier, command: str) -> dict[str, bytes]:
    """Every file of an evaluation's output folder."""
    figures = _figures(report, model)
    title = f"{report.model} on {report.data.name}"
    blocks = [*evaluation_blocks(report), *figures, Heading("Made with"), Listing(command)]
    return {
        "report.json": json_bytes(report.as_dict() | {"command": command}),
        "report.md": to_markdown(title, blocks).encode(),
        "report.html": to_html(title, blocks).encode(),
        "importance.npz": _map_bytes(report),
        **{figure.file: figure.svg.encode() for figure in figures},
    }


def evaluation_text(report: Evaluation) -> str:
    """The report for a terminal."""
    scores, data = report.scores, report.data
    (_, offset), (_, variance) = _LEARNED[report.gate_kind]
    lines = [
        *([_TRAINED_ON] if report.trained_on else []),
        *filter(None, [one_class_only(scores)]),
        f"{report.model} on {data.name}: {scores.inputs:,} inputs"
        + (f", {data.skipped} skipped" if data.skipped else ""),
        _in_short(scores),
        "",
        aligned(class_table(scores)),
        "",
        f"classifier {report.classifier_parameters:,} numbers stored, "
        f"encoder {_count(report.encoder_parameters)}",
        f"{offset} moved by {fixed(report.mean_offset.mean_change)} on average, "
        f"{variance} by {fixed(report.scaled_variance.mean_change)}",
    ]
    return "\n".join(lines)


def evaluation_blocks(report: Evaluation) -> list[Block]:
    """The report without its figures."""
    scores, data, encoder = report.scores, report.data, report.encoder
    return [
        *([Paragraph(_TRAINED_ON)] if report.trained_on else []),
        *(Paragraph(note) for note in (*data.notes, one_class_only(scores)) if note),
        Paragraph(f"On {scores.inputs:,} inputs ({data.skipped} skipped): {_in_short(scores)}."),
        Heading("Classes"),
        class_table(scores),
        Heading("Confusion"),
        Paragraph(NO_CONFUSION) if scores.several else confusion_table(scores),
        Heading("Classifier and encoder"),
        Table(
            ("", ""),
            (
                ("encoder", f"{encoder['name']} ({encoder['revision']})"),
                ("numbers stored by the classifier", f"{report.classifier_parameters:,}"),
                ("frozen parameters", _count(report.encoder_parameters)),
                ("seed", str(report.seed)),
                ("data, SHA-256", data.sha256),
                ("checkpoint, SHA-256", report.checkpoint_sha256 or "not saved"),
            ),
        ),
        Heading("What the gate learned"),
        movement_table(report),
        Heading("The data set's mean Importance Factor"),
    ]


def _in_short(scores: Scores) -> str:
    accuracy, balanced = fixed(scores.accuracy, 4), fixed(scores.balanced_accuracy, 4)
    majority = (
        f"always {frequent_answer(scores.majority_of, several=scores.several)} {fixed(scores.majority, 4)}"
    )
    if not scores.several:
        return f"accuracy {accuracy}, balanced {balanced}, macro F1 {fixed(scores.macro_f1, 4)}; {majority}"
    return f"{several_in_short(scores)}, balanced {balanced}; all labels right {accuracy}, {majority}"


def several_in_short(scores: Scores, digits: int = 4) -> str:
    """Figures of several labels beside what a classifier that looks at nothing would have."""
    said = {name: fixed(value, digits) for name, value in figures_of_several([scores]).items()}
    always = frequent_answer(scores.majority_of, several=True)
    return (
        f"mean average precision {said['mean_average_precision']} (at random "
        f"{said['random_average_precision']}), micro F1 {said['micro_f1']} (always {always} "
        f"{said['majority_micro_f1']}), macro F1 {said['macro_f1']} ({said['majority_macro_f1']})"
    )


def frequent_answer(of: MajorityOf = "the training part", *, several: bool) -> str:
    """What a classifier that looks at nothing always says, in words."""
    return f"the most frequent {'set of labels' if several else 'class'} of {of}"


def comparison_blocks(
    protocol: str,
    measured: Sequence[Measured],
    parts: Sequence[DataFacts],
    majority: float,
    shares: Sequence[LayerShares],
) -> list[Block]:
    """The tables of a comparison."""
    counts = ", ".join(f"{part.inputs:,} inputs in {part.name}" for part in parts)
    slices = [slice_table(measured, column) for column in sliced_by(measured)]
    layers = [layers_table(shares)] if any(one.percent for one in shares) else []
    head = Paragraph(f"{counts}. Protocol: {protocol}.")
    chosen = [chosen_table(measured)] if chooses(measured) else []
    return [head, comparison_table(measured, majority), *chosen, *slices, *layers]


def layers_table(shares: Sequence[LayerShares]) -> Table:
    """What each method makes of the layers, one row a method; those that have no measure are left out."""
    known = [one for one in shares if one.percent]
    layers = len(known[0].percent) if known else 0
    return Table(
        ("percent of each layer", "of its", *(f"layer {layer}" for layer in range(layers))),
        tuple((one.method, one.quantity, *(fixed(share, 1) for share in one.percent)) for one in known),
        note="Each method's own measure, mean over inputs and over the first seed's trainings. They are not "
        "the same thing, and none is a proof of what matters.",
    )


def spread(deviation: float | None, digits: int = 4) -> str:
    """A deviation behind a mean; nothing where there is none."""
    return "" if deviation is None else f" ± {fixed(deviation, digits)}"


def chosen_table(measured: Sequence[Measured]) -> Table:
    """What the validation parts chose: a row for each setting that was chosen, with how often."""
    rows = []
    for method in measured:
        times = Counter(_settings_in_words(one) for of_seed in method.chosen for one in of_seed)
        total = times.total()
        rows += [
            (method.method, said, f"{count} of {total}", f"{method.tried}" if method.tried > 1 else "–")
            for said, count in times.most_common()
        ]
    return Table(
        ("method", "settings that the validation part chose", "trainings", "tried"),
        tuple(rows),
        note=CHOSEN,
        left=2,
    )


def chooses(measured: Sequence[Measured]) -> bool:
    """Whether a validation part chose anything but epochs."""
    return any(method.chosen for method in measured)


def _settings_in_words(settings: SettingValues) -> str:
    said = []
    for name, value in settings.items():
        if isinstance(value, DensitySettings):
            said += [f"{part} {of:.3g}" for part, of in vars(value).items() if of is not None]
        else:
            said.append(f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}")
    return ", ".join(said)


def sliced_by(measured: Sequence[Measured]) -> list[str]:
    """Columns by whose values accuracy was measured apart."""
    return list(dict.fromkeys(found.column for method in measured for found in method.slices))


def slice_table(measured: Sequence[Measured], column: str) -> Table:
    """One row a method, one column for each value."""
    rows = [[found for found in method.slices if found.column == column] for method in measured]
    return Table(
        (f"method, accuracy by {column}", *(f"{found.value} ({found.inputs:,})" for found in rows[0])),
        tuple(
            (method.method, *(f"{fixed(s.accuracy, 4)}{spread(s.deviation)}" for s in found))
            for method, found in zip(measured, rows, strict=True)
        ),
    )


_COMPARED_OF_SEVERAL = {
    "mean_average_precision": "mean average precision",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
}


def comparison_table(measured: Sequence[Measured], majority: float) -> Table:
    """One row a method, in the order measured; ``majority`` is what a constant answer reaches."""
    several, always = measured[0].several, measured[0].several_figures
    best = max(method.accuracy for method in measured)
    rows = tuple(
        (
            method.method,
            *(fixed(method.several_figures[name], 4) for name in _COMPARED_OF_SEVERAL if several),
            fixed(method.accuracy, 4) + (" (best)" if method.accuracy == best else ""),
            fixed(method.balanced_accuracy, 4),
            "–" if method.split_deviation is None else fixed(method.split_deviation, 4),
            "–" if method.seed_deviation is None else fixed(method.seed_deviation, 4),
            f"{method.parameters:,}",
            f"{method.epochs:.1f}".removesuffix(".0"),
            fixed(method.seconds, 1),
        )
        for method in measured
    )
    return Table(
        (
            "method",
            *(title for title in _COMPARED_OF_SEVERAL.values() if several),
            *(
                "accuracy",
                "balanced",
                "± over folds",
                "± over seeds",
                "trained parameters",
                "epochs",
                "seconds",
            ),
        ),
        rows,
        note=f"Always {frequent_answer(several=several)}: {fixed(majority, 4)}"
        + (
            f", micro F1 {fixed(always['majority_micro_f1'], 4)}, macro F1 "
            f"{fixed(always['majority_macro_f1'], 4)}; mean average precision at random "
            f"{fixed(always['random_average_precision'], 4)}. Accuracy: all labels of an input right. "
            if several
            else ". "
        )
        + f"Deviations divide by n − 1. {TRAINED}",
    )


def confusion_table(scores: Scores) -> Table:
    """The matrix, or its most frequent errors where there are many classes."""
    names = [figures.name for figures in scores.classes]
    if len(names) <= _LARGEST_MATRIX:
        rows = tuple(
            (name, *(str(count) for count in counts))
            for name, counts in zip(names, scores.confusion, strict=True)
        )
        return Table(("true ↓ predicted →", *names), rows)
    matrix = np.array(scores.confusion)
    np.fill_diagonal(matrix, 0)
    pairs = top_cells(matrix, _ERRORS_SHOWN).tolist()
    return Table(
        ("true class", "predicted as", "inputs"),
        tuple((names[t], names[p], str(matrix[t, p])) for t, p in pairs if matrix[t, p]),
        note=f"The {_ERRORS_SHOWN} most frequent errors; the whole matrix is in the JSON report.",
    )


def movement_table(report: Evaluation) -> Table:
    """Where the gate's parameters started and ended."""
    movements = (report.mean_offset, report.scaled_variance)
    return Table(
        ("parameter", "start", "learned range", "mean", "deviation", "mean change", "largest change"),
        tuple(
            (
                f"{name} {symbol}",
                f"{number(m.initial_minimum)} to {number(m.initial_maximum)}",
                f"{fixed(m.minimum)} to {fixed(m.maximum)}",
                fixed(m.mean),
                fixed(m.deviation),
                fixed(m.mean_change),
                fixed(m.largest_change),
            )
            for (name, symbol), m in zip(_LEARNED[report.gate_kind], movements, strict=True)
        ),
    )


def aligned(table: Table) -> str:
    """A table as lines of a terminal."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < table.left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def class_table(scores: Scores) -> Table:
    """Precision, recall and F1 of each class; with several labels average precision beside its share. A
    class that does not occur has a precision alone.
    """

    def told(figures: ClassFigures, value: float) -> str:
        return fixed(value) if figures.inputs else "–"

    rows = tuple(
        (c.name, str(c.inputs), fixed(c.precision), told(c, c.recall), told(c, c.f1)) for c in scores.classes
    )
    head = ("class", "inputs", "precision", "recall", "F1")
    if not scores.several:
        return Table(head, rows)
    more = ((told(c, c.average_precision or 0.0), told(c, c.inputs / scores.inputs)) for c in scores.classes)
    wide = tuple((*row, *two) for row, two in zip(rows, more, strict=True))
    return Table((*head, "average precision", "at random"), wide)


def _count(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"


def _map_bytes(report: Evaluation) -> bytes:
    mean = report.mean
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        gate=mean.gate,
        density_attention=mean.density_attention,
        importance=mean.importance,
        values=mean.values,
        layer_contribution=np.array(report.layer_contribution),
        samples=np.array(mean.samples),
        provenance=np.array(json.dumps(report.as_dict(), allow_nan=False)),
    )
    return buffer.getvalue()


def _figures(report: Evaluation, model: TrainedClassifier) -> list[Figure]:
    from daam_core.figures.layers import layer_contribution_figure
    from daam_core.figures.maps import importance_figure
    from daam_core.figures.parameters import parameters_figure
    from daam_core.figures.style import figure_bytes

    average = _average_input(report, model)
    learned = " and ".join(f"{name} {symbol}" for name, symbol in _LEARNED[report.gate_kind])
    drawn = (
        ("importance.svg", _IMPORTANCE, importance_figure(average)),
        ("layers.svg", _LAYERS, layer_contribution_figure(average)),
        ("parameters.svg", f"Learned {learned} of every head.", parameters_figure(average)),
    )
    return [Figure(caption, file, figure_bytes(figure, "svg").decode()) for file, caption, figure in drawn]


def _average_input(report: Evaluation, model: TrainedClassifier) -> Explanation:
    """The data set's average in the form that figures take: one token, the mean maps."""
    standardisation = model.classifier.standardisation
    values = torch.from_numpy(report.mean.values)
    pooled = values * standardisation.deviation + standardisation.mean
    spans = np.full((1, 4 if model.config.modality == "image" else 2), np.nan)
    tokens = Tokens(model.config.modality, spans, ("all inputs",), np.ones(1))
    average = explain_encoding(model, Encoding(pooled[:, None], tokens, {"samples": report.mean.samples}))
    seen = average.head_layers[..., None] & np.ones_like(report.mean.gate, dtype=bool)
    attention = report.mean.density_attention
    lowest, highest = attention[seen].min(), attention[seen].max()
    return replace(
        average,
        gate=report.mean.gate,
        density_attention=attention,
        importance=report.mean.importance,
        importance_range=np.tile([lowest, highest], (len(attention), 1)),
        degenerate=bool(lowest == highest),
        layer_contribution=np.array(report.layer_contribution),
    )
