"""The words and symbols of the maps, each in one sentence, for tooltips and for the list of words."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A symbol that stands in tables and readouts.

    Attributes:
        name: in words.
        sentence: what it says, in plain words.
        formula: how it is computed.
    """

    name: str
    sentence: str
    formula: str

    def on(self, row: str, column: str) -> "Term":
        """The same of a map whose rows and columns are called otherwise than layers and features."""
        texts = (
            text.replace("layer", row).replace("feature", column)
            for text in (self.name, self.sentence, self.formula)
        )
        return Term(*texts)


#: By the symbol as it is written in the view.
TERMS: Mapping[str, Term] = {
    "Value": Term(
        "Standardised value",
        "What the encoder computed here, in standard deviations from the mean of the training data.",
        "(value − training mean) / training deviation",
    ),
    "Gate": Term(
        "Gate",
        "How much of a value the head lets through: 1 at the top of its curve, towards 0 far from it.",
        "exp(−z² / 2ξ), z = (value − mean over layers − δ) / deviation over layers",
    ),
    "λ": Term("Amplitude", "How much a head uses a layer, whatever the input; 1 on average.", "learned"),
    "DA": Term(
        "Density attention", "How much a head lets through here: the gate times the amplitude λ.", "λ · gate"
    ),
    "IF": Term(
        "Importance Factor",
        "Density attention on a scale from 0, the weakest cell, to 1, the strongest.",
        "(DA − lowest DA) / (highest DA − lowest DA)",
    ),
    "Class": Term(
        "Class importance",
        "How much this cell speaks for the explained class (positive) or against it (negative), in logits.",
        "gradient of the class's logit · gated value",
    ),
    "δ": Term(
        "Mean offset",
        "How far the top of a head's curve lies from the mean over layers, for one feature.",
        "learned; the heads start spread around 0",
    ),
    "ξ": Term(
        "Scaled variance",
        "How wide a head's curve is for one feature: small lets through only what is near its top.",
        "learned; starts at 2",
    ),
}
