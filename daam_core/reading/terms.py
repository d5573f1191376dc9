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
        "learned, starting at 2; an open head of a density decoder is not learned and has 1000",
    ),
    "Evid.": Term(
        "Evidence",
        "How much this cell speaks for the explained class and against the next one, in logits; where an "
        "input may have several, against its absence. Only density decoders have it.",
        "change of the log of the joint gates, from the training mean to this input",
    ),
    "joint-gates": Term(
        "Joint gates",
        "How near an input lies to one training example, over all cells at once: 1 for the same, towards 0 "
        "far away.",
        "exp(−‖u − δ‖² / 2ξ), u = the cells of all heads",
    ),
    "density-decoder": Term(
        "Density decoder",
        "What decides from joint gates: each training example votes for its class, the nearer the more; its "
        "first head is open: it lets every cell through.",
        "logit of a class = sum over examples of weight · joint gate",
    ),
    "Entropy": Term(
        "Selectivity of a head",
        "Spread of what a head lets through: 0 where it is one cell only, 1 where it is all cells alike.",
        "−Σ p log p / log(number of cells), p = share of the gates",
    ),
    "AUROC": Term(
        "Area under the ROC curve",
        "How often an input of a class has the higher number than one of the others: 0.5 is "
        "chance, 1 always.",
        "share of pairs in the right order",
    ),
    "q": Term(
        "False discovery rate",
        "Of all cells that differ at least as much as this one, the share to be expected to do so by chance.",
        "by permutation of the inputs",
    ),
    "unlike-training": Term(
        "Unlike training",
        "Whether an input lies farther from the training data than 95 % of known inputs; its prediction "
        "means little then.",
        "distance of the standardised values, among those of known inputs",
    ),
}
