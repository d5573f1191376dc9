"""Model cards: what a classifier was trained on, how good it is, and what it must not be used for.

The metadata at the top follows the model card format of the Hugging Face hub, results included.
"""

from collections.abc import Sequence

from huggingface_hub import EvalResult, ModelCardData

from daam_core.configuration import Labels, ModelConfig
from daam_core.errors import DataError
from daam_core.inputs import Modality
from daam_core.outside import KEPT, Known
from daam_core.training.about import About
from daam_core.training.pages import class_table, frequent_answer, several_in_short, spread
from daam_core.training.run import TrainingReport
from daam_core.writing.pages import Block, Heading, Listing, Paragraph, Table, to_markdown

PAPER = "https://arxiv.org/abs/2401.11143"

#: Task names of the hub.
TASKS: dict[Modality, str] = {
    "audio": "audio-classification",
    "text": "text-classification",
    "image": "image-classification",
}

#: Said on every card, besides what its author says.
LIMITS: dict[Modality, str] = {
    "audio": "Other languages, voices, rooms and microphones than those of the training data give other "
    "accuracy; every clip gets {answer}, whatever it holds.",
    "text": "Texts of another kind, time or language than the training data give other accuracy; every text "
    "gets {answer}, whatever it says.",
    "image": "Pictures of another kind than the training data give other accuracy; every picture gets "
    "{answer}, whatever it shows.",
}
ANSWERS: dict[Labels, str] = {"one": "one of the classes", "several": "only labels that are known here"}
IMPORTANCE_LIMIT = (
    "The Importance Factor shows which layers and features the density attention lets through. It does not "
    "show a cause, and it is not about one class."
)
MISUSE = (
    "It must not decide about people (hiring, credit, insurance, police, health, schooling, work), nor watch "
    "or profile them, and no decision may rest on its output alone."
)


#: Heading of the part on inputs unlike the training data.
OUTSIDE = "Outside what it knows"


def model_card(
    config: ModelConfig,
    report: TrainingReport,
    *,
    name: str,
    about: About | None = None,
    known: Known | None = None,
) -> str:
    """The card's whole text, metadata included.

    Args:
        config: the classifier.
        report: what training and measuring found.
        name: of the model.
        about: the author's part.
        known: how inputs outside of what it knows are told; None where they are not.
    """
    about = about or About()
    blocks = _blocks(config, report, about)
    limits = blocks.index(Heading("Limits"))
    blocks[limits:limits] = _outside_blocks(known)
    text = to_markdown(about.title or name, blocks)
    return f"---\n{_metadata(config, report, name, about)}\n---\n\n{text}"


def _metadata(config: ModelConfig, report: TrainingReport, name: str, about: About) -> str:
    results = None
    if report.accuracy is not None:
        measured = [("accuracy", "Accuracy", report.accuracy)]
        if report.scores is not None:
            measured.append(("f1", f"Macro F1{_of_first_seed(report)}", report.scores.macro_f1))
            for area in filter(None, [report.scores.mean_average_precision]):
                title = f"Mean average precision{_of_first_seed(report)}"
                measured.append(("mean_average_precision", title, area))
        results = [
            EvalResult(
                task_type=TASKS[config.modality],
                dataset_type=report.data.name,
                dataset_name=about.data_name or report.data.name,
                metric_type=kind,
                metric_name=f"{title} ({report.protocol})",
                metric_value=round(value, 4),
            )
            for kind, title, value in measured
        ]
    card = ModelCardData(
        library_name="daam-explorer",
        license=about.license or None,
        language=_languages(about),
        pipeline_tag=TASKS[config.modality],
        tags=["density-adaptive-attention", "explainability"],
        metrics=["accuracy", "f1"] if results else None,
        model_name=name,
        eval_results=results,
    )
    return str(card.to_yaml()).strip()


def _languages(about: About) -> str | list[str] | None:
    codes = [code.strip() for code in about.language.split(",") if code.strip()]
    return codes if len(codes) > 1 else next(iter(codes), None)


def _blocks(config: ModelConfig, report: TrainingReport, about: About) -> list[Block]:
    data, encoder = report.data, config.encoder
    blocks: list[Block] = [
        Paragraph(
            about.description
            or f"A classifier with density adaptive attention that {_does(config)} and shows which "
            "layers and features of its frozen encoder it used."
        ),
        Heading("Model"),
        Table(
            ("", ""),
            (
                ("frozen encoder", f"{encoder.name} ({encoder.revision})"),
                ("layers × features", f"{config.n_layers} × {config.n_features}"),
                ("heads", f"{config.n_heads}, mode {config.mode}"),
                ("gate", _gate(config)),
                ("decoder", config.decoder),
                ("trained parameters", _count(report.parameters.trained)),
                ("numbers stored", f"{report.parameters.classifier:,}"),
                ("frozen parameters", _count(report.parameters.encoder)),
                ("classes", ", ".join(config.class_names)),
            ),
        ),
        Paragraph(f"Method: density adaptive attention, {PAPER}."),
        Heading("Data"),
        Paragraph(
            " ".join(
                part
                for part in (
                    f"{about.data_name or data.name}: {report.trained_inputs:,} inputs trained on.",
                    about.data_source and f"Source: {about.data_source}.",
                    about.data_url,
                    f"Terms: {about.data_terms}."
                    if about.data_terms
                    else "The data's terms were not stated; find them out before using this classifier.",
                    "The data is not part of this checkpoint.",
                )
                if part
            )
        ),
        Table(("class", f"inputs in {data.name}"), tuple((k, f"{v:,}") for k, v in data.classes.items())),
        Heading("Accuracy"),
        *_figures(report),
        Heading("Limits"),
        *map(Paragraph, report.warnings),
        Paragraph(
            " ".join(
                [
                    *about.limits,
                    LIMITS[config.modality].format(answer=ANSWERS[config.labels]),
                    IMPORTANCE_LIMIT,
                ]
            )
        ),
        Heading("Not to be used for"),
        Paragraph(" ".join([*about.misuse, MISUSE])),
        Heading("Made with"),
        Listing(report.command),
    ]
    return blocks


def card_with_outside(card: str, known: Known) -> str:
    """A card with its part on inputs outside of what the classifier knows, new or in an earlier one's place.

    Raises:
        DataError: the card has no part on limits, before which it belongs.
    """
    part = to_markdown("", _outside_blocks(known)).lstrip("# \n")
    before, found, after = card.partition("\n## Limits\n")
    if not found:
        raise DataError("The card has no heading 'Limits', before which the part on unlike inputs belongs.")
    before = before.partition(f"\n## {OUTSIDE}\n")[0]
    return f"{before.rstrip()}\n\n## {part.strip()}\n{found}{after}"


def _outside_blocks(known: Known | None) -> list[Block]:
    if known is None:
        return []
    facts = known.facts
    said = (
        f"Each prediction comes with the distance of the input's pooled cells from {facts['inputs']:,} "
        f"training inputs (Mahalanobis under probabilistic principal components, "
        f"{len(known.cells.variances)} directions). Inputs beyond {known.threshold:.3f} are called outside: "
        f"{KEPT} % of the known inputs are not, measured on {facts['held_out']}."
    )
    if "test" in facts:
        test = facts["test"]
        said += (
            f" Of the {test['inputs']:,} inputs of {test['data']}, {test['inside']:.1%} are kept; they are "
            "what unlike inputs are told from here:"
        )
    blocks: list[Block] = [Heading(OUTSIDE), Paragraph(said)]
    if facts.get("unlike"):
        rows = tuple(
            (told["name"], f"{told['inputs']:,}", f"{told['auroc']:.3f}", f"{told['outside']:.1%}")
            for told in facts["unlike"]
        )
        blocks.append(Table(("unlike inputs", "inputs", "AUROC", "called outside"), rows))
        blocks.append(
            Paragraph(
                "An input that is not called outside may still be one that the classifier cannot judge, such "
                "as words in an order that makes no sense."
            )
        )
    return blocks


_PLURAL: dict[Modality, str] = {"audio": "sounds", "text": "texts", "image": "pictures"}


def _figures(report: TrainingReport) -> Sequence[Block]:
    if report.accuracy is None:
        return [Paragraph("Not measured: the training was given neither a test set nor folds.")]
    deviation = report.accuracy_deviation
    around = f" ± {deviation:.3f}" if deviation else ""
    several = report.scores is not None and report.scores.several
    answer = frequent_answer(several=several)
    majority = "" if report.majority is None else f" Always {answer}: {report.majority:.3f}."
    what = " of the inputs have all labels right" if several else ""
    measured = f"{report.accuracy:.3f}{around}{what}, measured by: {report.protocol}.{majority}"
    blocks: list[Block] = [Paragraph(measured)]
    if report.scores is not None:
        if several:
            short = several_in_short(report.scores, digits=3)
            blocks.append(Paragraph(f"{short[0].upper()}{short[1:]}{_of_first_seed(report)}."))
        blocks.append(Paragraph(f"By class{_of_first_seed(report)}:"))
        blocks.append(class_table(report.scores))
    slices = () if report.measured is None else report.measured.slices
    for column in dict.fromkeys(found.column for found in slices):
        blocks.append(Paragraph(f"By {column}:"))
        of_column = [found for found in slices if found.column == column]
        blocks.append(
            Table(
                (column, "inputs", "accuracy"),
                tuple(
                    (s.value, f"{s.inputs:,}", f"{s.accuracy:.3f}{spread(s.deviation, 3)}") for s in of_column
                ),
            )
        )
    return blocks


def _of_first_seed(report: TrainingReport) -> str:
    """Said beside figures that are not averaged over seeds, where there are several."""
    seeds = () if report.measured is None else report.measured.seeds
    return f" of seed {seeds[0]}" if len(seeds) > 1 else ""


def _does(config: ModelConfig) -> str:
    count, what = len(config.class_names), _PLURAL[config.modality]
    if config.labels == "several":
        return f"says which of {count} labels {what} have"
    return f"sorts {what} into {count} classes"


def _gate(config: ModelConfig) -> str:
    gate = "density" if config.gate_kind == "density" else f"mixture of {config.n_gaussians} Gaussians"
    levels = "" if config.n_levels == 1 else f", {config.n_levels} levels"
    return f"{gate}, amplitude {config.amplitude}{levels}"


def _count(value: int | None) -> str:
    return "not known" if value is None else f"{value:,}"
