"""The maps of an explanation: what they are called, what their scores mean, and their highest cells.

Letters in shapes: H heads, L layers, F features.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from daam_core.errors import ConfigError
from daam_core.result import Explanation, Scale

Quantity = Literal["importance", "density_attention", "gate", "class_importance", "evidence"]


@dataclass(frozen=True)
class QuantityText:
    """How a map is named, and what its score means, in figures and tables.

    Attributes:
        name: for titles.
        short: for columns and readouts.
        meaning: what a score says, for the colour bar.
        signed: values of both signs are meaningful, so colours diverge from zero.
    """

    name: str
    short: str
    meaning: str
    signed: bool = False


QUANTITIES: Mapping[Quantity, QuantityText] = {
    "importance": QuantityText("Importance Factor", "IF", "0 = weakest, 1 = strongest density attention"),
    "density_attention": QuantityText(
        "Density attention", "DA", "amplitude × gate: how much the head lets through"
    ),
    "gate": QuantityText("Gate", "Gate", "1 = the value is typical for its feature"),
    "class_importance": QuantityText(
        "Class importance",
        "Class",
        "how much a cell speaks for the class (above 0) or against it, in logits",
        signed=True,
    ),
    "evidence": QuantityText(
        "Evidence",
        "Evid.",
        "how much a cell speaks for the class and against the next one, in logits",
        signed=True,
    ),
}


#: What has to stand beside every Importance Factor that people read.
CAUTION = (
    "The Importance Factor says how strongly a head lets a cell through. It is the same for every class. It "
    "is no proof that the cell caused the decision: cells whose value is ordinary are let through, too."
)


#: What has to stand beside a map of one quantity alone.
CAUTIONS: Mapping[Quantity, str] = {
    "importance": CAUTION,
    "density_attention": (
        "Density attention says how strongly a head lets a cell through. It is the same for every class. It "
        "is no proof that the cell caused the decision: cells whose value is ordinary are let through, too."
    ),
    "gate": (
        "A gate says how ordinary a cell's value is for its feature. It is the same for every class. It is "
        "no proof that the cell caused the decision."
    ),
    "class_importance": (
        "Class importance says how far a cell's gated value moves the class's logit to first order. It is of "
        "this class alone; it is no proof that the decision changes without the cell."
    ),
    "evidence": (
        "Evidence says how far a cell speaks for the class against the next one. It is of this class alone; "
        "it is no proof that the decision changes without the cell."
    ),
}


#: What evidence is against: with several labels a class's own logit decides whether it is there.
RIVALS = {"one": "the next one", "several": "its absence"}


def caution(quantity: str, labels: str = "one") -> str:
    """What a map of this quantity does not show, for classes of which an input has one or several.

    Raises:
        ConfigError: an unknown quantity.
    """
    return CAUTIONS[_known(quantity)].replace(RIVALS["one"], RIVALS[labels])


def quantity_text(quantity: str, labels: str = "one") -> QuantityText:
    """Name and meaning of a map, for classes of which an input has one or several.

    Raises:
        ConfigError: an unknown quantity.

    >>> quantity_text("gate").meaning
    '1 = the value is typical for its feature'
    """
    text = QUANTITIES[_known(quantity)]
    return replace(text, meaning=text.meaning.replace(RIVALS["one"], RIVALS[labels]))


def _known(quantity: str) -> Quantity:
    for known in QUANTITIES:
        if known == quantity:
            return known
    raise ConfigError(f"Unknown quantity {quantity!r}; choose one of: {', '.join(QUANTITIES)}.")


def quantity_map(explanation: Explanation, quantity: str) -> np.ndarray:
    """``[H, L, F]`` float64 map of a quantity, NaN in layers that a head does not see.

    Raises:
        ConfigError: an unknown quantity, or one that this classifier's explanations lack.
    """
    text = quantity_text(quantity)
    if (found := getattr(explanation, quantity)) is None:
        raise ConfigError(
            f"{text.name} is defined for the decoder density, which {explanation.model} has not."
        )
    values = np.array(found, dtype=np.float64)
    values[~explanation.head_layers] = np.nan
    return values


def scale_limits(values: np.ndarray, *, scale: Scale = "all_heads", signed: bool = False) -> np.ndarray:
    """Colour limits of each head's map.

    Args:
        values: ``[H, L, F]``, NaN where there is no cell.
        scale: ``all_heads``, one pair over all heads together, or ``per_head``.
        signed: symmetric limits ±max |value|, so that zero has the middle colour.

    Returns:
        ``[H, 2]`` lowest and highest value; both equal where the map is constant.

    Raises:
        ConfigError: an unknown scale.

    >>> maps = np.array([[[0.0, 1.0]], [[0.5, 3.0]]])
    >>> scale_limits(maps).tolist(), scale_limits(maps, scale="per_head").tolist()
    ([[0.0, 3.0], [0.0, 3.0]], [[0.0, 1.0], [0.5, 3.0]])
    """
    if scale not in ("all_heads", "per_head"):
        raise ConfigError(f"Unknown scale {scale!r}; choose all_heads or per_head.")
    flat = values.reshape(len(values), -1)
    if signed:
        highest = np.nanmax(np.abs(flat), axis=1)
        limits = np.stack([-highest, highest], axis=1)
    else:
        limits = np.stack([np.nanmin(flat, axis=1), np.nanmax(flat, axis=1)], axis=1)
    if scale == "all_heads":
        limits[:] = limits[:, 0].min(), limits[:, 1].max()
    return limits


def top_cells(values: np.ndarray, count: int, *, absolute: bool = False) -> np.ndarray:
    """Indices of the highest cells, highest first.

    Args:
        values: array of D axes, such as ``[H, L, F]``; NaN cells are never returned.
        count: how many, at most as many as there are cells.
        absolute: rank by size, whatever the sign.

    Returns:
        ``[n, D]`` integer indices; equal cells stand in the order of the array.

    >>> top_cells(np.array([[0.0, 3.0], [2.0, -9.0]]), 2)
    array([[0, 1],
           [1, 0]])
    """
    flat = np.abs(values).ravel() if absolute else np.asarray(values).ravel()
    present = np.flatnonzero(~np.isnan(flat))
    order = present[np.argsort(-flat[present], kind="stable")][: max(count, 0)]
    indices: np.ndarray = np.stack(np.unravel_index(order, np.shape(values)), axis=1)
    return indices
