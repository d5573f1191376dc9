"""The report as a page and as JSON."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from daam_core.faithfulness.maps.methods import MAP_KINDS
from daam_core.faithfulness.removal.curves import Comparison
from daam_core.faithfulness.report import charts
from daam_core.faithfulness.report.charts import Line
from daam_core.faithfulness.report.contents import FaithfulnessReport, plain
from daam_core.faithfulness.report.findings import NEGLIGIBLE
from daam_core.faithfulness.report.settings import DATA, PAGE
from daam_core.reading.numbers import fixed, number
from daam_core.writing.files import write_text
from daam_core.writing.pages import Block, Figure, Heading, Listing, Paragraph, Table, to_html

_ANSWERS = {"yes": "yes", "no": "no", "open": "—"}
_KINDS = {False: "about no class", True: "about the class"}
#: Lines of the two large figures; the tables hold all methods.
_DRAWN = (
    "importance",
    "gate",
    "decision_importance",
    "class_importance",
    "integrated_gradients",
    "layer_sum",
)


def save_report(report: FaithfulnessReport, folder: str | Path) -> tuple[Path, Path]:
    """Write the page and the JSON; returns their paths.

    Raises:
        DaamError: the folder cannot be written to.
    """
    page, data = Path(folder) / PAGE, Path(folder) / DATA
    write_text(data, json.dumps(plain(report), indent=1, allow_nan=False, ensure_ascii=False) + "\n")
    write_text(page, to_html(f"Does the Importance Factor mean anything? {report.model}", blocks(report)))
    return page, data


def blocks(report: FaithfulnessReport) -> list[Block]:
    """The page's content, in order."""
    return [
        *introduction(report),
        *_gated(report),
        *_input(report),
        *_retraining(report),
        *_sanity(report),
        *_learned(report),
        *_stability(report),
        *_tokens(report),
        *_quantus(report),
        *_maps(report),
    ]


def introduction(report: FaithfulnessReport) -> list[Block]:
    """What was measured on what, and the answers in words."""
    settings, facts = report.settings, report.provenance
    kept = (
        "The inputs measured were kept out of this classifier's training."
        if report.held_out
        else "This classifier was trained on the inputs measured as well: its accuracy on them says nothing, "
        "and its explanations are measured where it is surest."
    )
    besides = (
        " An input may have several labels: removals follow the label that is most probable, by its own "
        "probability, and an answer is right where all labels are."
        if report.labels == "several"
        else ""
    )
    if report.n_levels > 1:
        besides += (
            f" Heads stand in {report.n_levels} levels: the values go past all of them, which no removal of "
            "gated cells takes away, so that curves of these need not fall."
        )
    found: list[Block] = [
        Paragraph(
            f"{report.model} on {facts['encoder']}, {report.accuracy.count} inputs drawn with seed "
            f"{settings.seed}, accuracy {report.accuracy}. {kept} Numbers in brackets are 95 % "
            "percentile bootstrap intervals over inputs; baseline of every removal is the training mean."
            f"{besides}"
        ),
        Table(
            ("question", "answer", "what was found"),
            tuple((item.question, _ANSWERS[item.answer], item.sentence) for item in report.findings),
            "Yes and no where the interval excludes zero and, of areas, the difference is "
            f"{NEGLIGIBLE} or more.",
            left=3,
        ),
    ]
    if command := facts.get("command"):
        found.append(Listing(str(command)))
    return found


def _gated(report: FaithfulnessReport) -> list[Block]:
    return [
        Heading("Deletion on the gated cells"),
        Paragraph(
            "Every head's gated values are set to the training mean, highest first by each map, and the "
            "decoder decides on what is left; the gates are held fixed. Low areas are good. Adding the "
            "highest first (insertion) has the same area as removing the lowest first: high is good. "
            "On these cells gradient × input, integrated gradients and ablation all equal class "
            "importance where the decoder is linear."
        ),
        *_deletions(report.gated, "gated"),
        Table(
            ("classifiers trained anew", "accuracy", "deletion", "at random", "gain over random", "by seed"),
            tuple(
                (
                    item.name,
                    str(item.accuracy),
                    str(item.deletion),
                    str(item.at_random),
                    str(item.gain),
                    _listed(item.by_seed),
                )
                for item in report.variants
            ),
            f"By Importance Factor, on inputs that these classifiers were not trained on, n = "
            f"{report.variants[0].gain.count}; trained on {report.retraining.train_inputs} inputs.",
        ),
    ]


def _input(report: FaithfulnessReport) -> list[Block]:
    return [
        Heading("Deletion on the input, beside other methods"),
        Paragraph(
            "The standardised layer × feature input is set to the training mean and the whole classifier "
            "runs again, gates included. The classifier's own maps are summed over heads. The weights of the "
            "weighted layer sum and of multi-head attention come from those models and are tried here "
            "on this one; the next table tries them on their own."
        ),
        *_deletions(report.input, "input"),
        Table(
            ("model", "accuracy", "map", "deletion", "at random", "gain over random", "share of random"),
            tuple(
                (
                    rival.model,
                    fixed(rival.accuracy),
                    MAP_KINDS[name].title,
                    str(found.deletion),
                    str(found.at_random),
                    str(found.gain),
                    f"{found.gain.mean / found.at_random.mean:.0%}",
                )
                for rival in report.rivals
                for name, found in rival.deletion.items()
            ),
            "Baselines trained on the same features, explained by their own weights, on their own decisions.",
        ),
        Table(
            ("first over second", "difference of areas"),
            tuple((_pair(name), str(value)) for name, value in report.pairs.items()),
            "In pairs of inputs; above 0 where the first finds more.",
        ),
        Figure(
            "Agreement between methods: mean rank correlation of their maps over the input's cells.",
            "agreement.svg",
            charts.matrix([MAP_KINDS[name].title for name in report.agreement[0]], report.agreement[1]),
        ),
    ]


def _deletions(found: Mapping[str, Comparison], space: str) -> list[Block]:
    some = found["importance"]
    drawn_methods = [name for name in _DRAWN if name in found]
    lines = [
        Line(f"{MAP_KINDS[name].title}, highest first", found[name].highest.probability.mean(0), place)
        for place, name in enumerate(drawn_methods)
    ]
    colour = drawn_methods.index("importance")
    lowest = some.lowest.probability.mean(0)
    lines.append(Line("Importance Factor, lowest first", lowest, colour, dashed=True))
    accuracy = [
        Line(f"{MAP_KINDS[name].title}, highest first", curve, place)
        for place, name in enumerate(drawn_methods)
        if (curve := found[name].highest.accuracy) is not None
    ]
    drawn: list[Block] = [
        Figure(
            "Mean probability of the class predicted at first, against the share of cells removed.",
            f"{space}-probability.svg",
            charts.curves(some.highest.shares, lines, random=some.random.probability.mean(0)),
        )
    ]
    if accuracy:
        drawn.append(
            Figure(
                "Accuracy against the share of cells removed.",
                f"{space}-accuracy.svg",
                charts.curves(some.highest.shares, accuracy, random=some.random.accuracy, y_label="accuracy"),
            )
        )
    rows = sorted(found.items(), key=lambda item: (MAP_KINDS[item[0]].class_specific, item[1].deletion.mean))
    table = Table(
        ("map", "kind", "deletion", "insertion", "gain over random", "insertion over random"),
        tuple(
            (
                MAP_KINDS[name].title,
                _KINDS[MAP_KINDS[name].class_specific],
                str(comparison.deletion),
                str(comparison.insertion),
                str(comparison.gain),
                str(comparison.insertion_gain),
            )
            for name, comparison in rows
        ),
        f"Areas under the curve of probability. Random order: {some.at_random}, seeds "
        f"{', '.join(map(str, some.seeds))}. n = {some.gain.count}, {len(some.highest.shares)} shares.",
        left=2,
    )
    gains = {MAP_KINDS[name].title: comparison.gain for name, comparison in rows}
    figure = Figure(
        "Area under the random curve minus area under each map's curve, with intervals: right of zero is "
        "better than random.",
        f"{space}-gains.svg",
        charts.intervals(gains, label="gain over random order"),
    )
    return [*drawn, figure, table]


def _retraining(report: FaithfulnessReport) -> list[Block]:
    found = report.retraining
    by_layer = tuple(
        (
            str(index),
            f"{share:.1f} %",
            str(choice.accuracy),
            _listed(choice.by_seed),
        )
        for index, (share, choice) in enumerate(zip(found.share, found.single, strict=True))
    )
    budget = found.budget
    return [
        Heading("Retraining on chosen layers"),
        Paragraph(
            "The paper's own validation (section 3.2): a classifier is trained on the layers of highest and "
            f"of lowest Importance Factor only, with the same seeds ({', '.join(map(str, found.seeds))}) and "
            f"budget (at most {budget.epochs} epochs, stopped after {budget.patience} without gain on 15 % "
            f"held out, {found.train_inputs} training and {found.test_inputs} test inputs). A gate needs "
            "three layers, so a single layer gets a linear classifier."
        ),
        Table(
            ("layers", "which (from 0)", "classifier", "accuracy", "by seed"),
            tuple(
                (
                    choice.name,
                    ", ".join(map(str, choice.layers)),
                    choice.kind,
                    str(choice.accuracy),
                    _listed(choice.by_seed),
                )
                for choice in found.choices
            ),
            "Differences: "
            + "; ".join(f"highest − lowest {count}: {value}" for count, value in found.difference.items())
            + ".",
        ),
        Table(("layer", "share of Importance Factor", "accuracy alone", "by seed"), by_layer),
        Figure(
            f"Rank correlation {fixed(found.correlation, 2)}, p = {number(found.p_value)} (one-sided, by "
            "permutation).",
            "layers.svg",
            charts.scatter(
                found.share,
                [choice.accuracy.mean for choice in found.single],
                [str(index) for index in range(len(found.share))],
                x_label="share of the summed density attention, %",
                y_label="accuracy of the layer alone",
            ),
        ),
    ]


def _sanity(report: FaithfulnessReport) -> list[Block]:
    return [
        Heading("Sanity checks"),
        Paragraph(
            "A map that stays the same when the model is destroyed does not explain the model (Adebayo et "
            "al. 2018). By rank correlation: from 0.9 it fails, below 0.5 it passes; after training on "
            "shuffled labels it also fails where it is as alike as after honest training. The Importance "
            "Factor is computed before the decoder, so it cannot change with it: it says what the gates let "
            "through, not what the decoder makes of it."
        ),
        Table(
            ("map", "destroyed", "verdict", "rank correlation", "SSIM", "inside layers", "accuracy left"),
            tuple(
                (
                    MAP_KINDS[item.method].title,
                    item.destroyed,
                    item.verdict,
                    fixed(item.ranks.mean, 2),
                    fixed(item.structure.mean, 2),
                    fixed(item.within_layers.mean, 2),
                    "" if item.accuracy is None else fixed(item.accuracy, 2),
                )
                for item in report.sanity
            ),
            f"n = {report.sanity[0].ranks.count}, {len(report.sanity[0].seeds)} seeds each. Maps are "
            "compared without sign.",
            left=3,
        ),
    ]


def _learned(report: FaithfulnessReport) -> list[Block]:
    found = report.learned
    return [
        Heading("What is learned and what is given"),
        Table(
            ("back at their start", "correlation", "ranks", "variance explained", "by input"),
            tuple(
                (
                    item.reset,
                    fixed(item.correlation),
                    fixed(item.ranks),
                    f"{item.explained:.1%}",
                    str(item.by_input),
                )
                for item in found.starts
            ),
            "The learned mean map against the map with these parameters as before training; what is not "
            f"explained is learned. {found.between_inputs:.1%} of the variance lies between inputs, "
            f"n = {found.count}.",
        ),
        Table(
            ("parameter", "lowest", "highest", "mean", "deviation", "moved", "paper, speech"),
            tuple(
                (
                    item.name,
                    *map(fixed, (item.low, item.high, item.mean, item.deviation, item.moved)),
                    "" if item.paper is None else f"{item.paper[0]} to {item.paper[1]}",
                )
                for item in found.ranges
            ),
            "Moved: mean distance from the start.",
        ),
    ]


def _stability(report: FaithfulnessReport) -> list[Block]:
    found = report.seeds
    content: list[Block] = [
        Heading("Stability"),
        Table(
            ("across seeds", "value"),
            (
                ("correlation of mean maps, over pairs", fixed(found.correlation)),
                ("least alike pair", fixed(found.lowest_correlation)),
                ("rank correlation", fixed(found.ranks)),
                ("correlation, summed over heads", fixed(found.over_heads)),
                ("rank correlation of layers' shares", fixed(found.layers)),
                ("correlation with the map before training", fixed(found.untrained)),
            ),
            f"Seeds {', '.join(map(str, found.seeds))}, accuracies "
            f"{_listed(found.accuracy)}, n = {found.count}.",
        ),
        Figure(
            "Density attention summed over heads, over seeds.",
            "seeds.svg",
            charts.maps(
                {"mean over seeds": found.mean, "deviation over seeds": found.deviation},
                label="density attention",
            ),
        ),
    ]
    if report.inputs:
        content.append(
            Table(
                ("change of the input", "size", "Importance Factor", "class importance", "same prediction"),
                tuple(
                    (
                        item.change,
                        str(item.relative_change),
                        str(item.importance),
                        str(item.class_importance),
                        f"{item.same_prediction.mean:.0%}",
                    )
                    for item in report.inputs
                ),
                f"Rank correlation of single inputs' maps before and after, n = "
                f"{report.inputs[0].importance.count}; size: relative distance of the pooled values.",
            )
        )
    return content


def _tokens(report: FaithfulnessReport) -> list[Block]:
    found = report.tokens
    if found is None:
        return []
    lines = [
        Line(f"{method.method}, highest first", method.highest, place)
        for place, method in enumerate(found.methods)
    ]
    lines += [
        Line(f"{method.method}, lowest first", method.lowest, place, dashed=True)
        for place, method in enumerate(found.methods)
    ]
    return [
        Heading(f"Deletion in the input: {found.unit}"),
        Paragraph(
            f"The encoder runs again on an input that lacks some of its {found.unit}; in their place: "
            f"{found.baseline}. {found.runs} runs of the encoder."
        ),
        Figure(
            f"Mean probability of the class predicted at first, against the share of {found.unit} removed.",
            "tokens.svg",
            charts.curves(found.shares, lines, random=found.random, x_label=f"share of {found.unit} removed"),
        ),
        Table(
            ("order", "deletion", "insertion", "gain over random", "insertion over random"),
            tuple(
                (
                    method.method,
                    str(method.deletion),
                    str(method.insertion),
                    str(method.gain),
                    str(method.insertion_gain),
                )
                for method in found.methods
            ),
            f"Random order: {found.at_random}, seeds {', '.join(map(str, found.seeds))}, "
            f"n = {found.at_random.count}.",
        ),
    ]


def _quantus(report: FaithfulnessReport) -> list[Block]:
    return [
        Heading("Metrics of the quantus package"),
        Table(
            ("metric", "map", "score", "better", "settings"),
            tuple(
                (
                    score.metric,
                    MAP_KINDS[score.method].title,
                    str(score.score),
                    score.better,
                    score.settings,
                )
                for score in report.quantus
            ),
            f"n = {report.quantus[0].score.count}, seed {report.settings.seed}, on the layer × "
            "feature input. Random logit is 1 by construction for maps that are about no class.",
            left=2,
        ),
    ]


def _maps(report: FaithfulnessReport) -> list[Block]:
    return [
        Heading("The maps"),
        Table(
            ("map", "kind", "what it is"),
            tuple(
                (method.title, _KINDS[method.class_specific], method.source)
                for name, method in MAP_KINDS.items()
                if name in report.gated or name in report.input
            ),
            left=3,
        ),
    ]


def _listed(values: Sequence[float]) -> str:
    return ", ".join(map(fixed, values))


def _pair(name: str) -> str:
    first, _, second = name.partition(" over ")
    return f"{MAP_KINDS[first].title} over {MAP_KINDS[second].title}"
