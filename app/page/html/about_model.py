"""What a model is: what it tells apart, what it learned from, how good it is and where it ends, as HTML."""

from html import escape

from daam_core.reading.card import card_part, card_title
from daam_core.reading.numbers import percent
from daam_core.trained import TrainedClassifier

_CLASSES_NAMED = 6


def about_model_html(model: TrainedClassifier) -> str:
    """One line on what it predicts, which opens; everything is its card's and its report's."""
    names = model.class_names
    few = ", ".join(names[:_CLASSES_NAMED]) + (f" and {rest} more" if (rest := len(names) - 6) > 0 else "")
    title = card_title(model.card)
    said = f"{title}: {few}" if title else f"{model.name} tells apart {few}"
    rows = (
        ("What it does", card_part(model.card)),
        (f"Its {len(names)} classes", ", ".join(names)),
        ("Learned from", card_part(model.card, "Data")),
        ("Accuracy", _accuracy(model)),
        ("Limits", card_part(model.card, "Limits")),
        ("Not to be used for", card_part(model.card, "Not to be used for")),
    )
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    return (
        f'<details class="dx-more dx-model"><summary>{escape(said[:1].upper() + said[1:])}</summary>'
        f"<dl>{told}</dl></details>"
        f'<p class="dx-hint dx-encoder" data-encoder-of="{escape(model.name)}" role="status"></p>'
    )


def _accuracy(model: TrainedClassifier) -> str:
    accuracy, deviation = model.report.get("accuracy"), model.report.get("accuracy_deviation")
    if not isinstance(accuracy, float):
        return "not measured"
    spread = f" ± {100 * deviation:.1f}" if isinstance(deviation, float) and deviation else ""
    return f"{percent(accuracy)}{spread}, measured by: {model.report.get('protocol')}"
