"""Is this explanation true? A check of one input in seconds, without running the encoder again.

Letters: H heads, L layers, F features, R rows (see ``layers``), S shares.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from daam_core.configuration import class_index
from daam_core.encoding import Encoding, pool
from daam_core.errors import ConfigError
from daam_core.faithfulness.destroyed.learned import at_start
from daam_core.faithfulness.destroyed.models import judge, randomise_gate
from daam_core.faithfulness.maps.cells import gated_cells
from daam_core.faithfulness.maps.methods import MAP_KINDS, gated_maps
from daam_core.faithfulness.removal.curves import SHARES, deletion_curve
from daam_core.faithfulness.statistics import rank_correlation
from daam_core.progress import Progress
from daam_core.reading.numbers import fixed
from daam_core.trained import TrainedClassifier

#: Most random orders, and the fewest with which a p-value can reach :data:`SIGNIFICANCE`.
RANDOM_ORDERS, FEWEST_ORDERS = 50, 19
#: Cells ordered at random altogether: a check of a very large classifier takes fewer orders, not minutes.
RANDOM_CELLS = 10_000_000
CHECKED = ("importance", "gate", "decision_importance", "class_importance", "evidence")
SIGNIFICANCE = 0.05
#: Mean difference of probabilities below which a map is sooner than random orders, but tells nothing.
LEAST_GAIN = 0.01
#: By quantity of an explanation the map that was checked, and what it is called where not as that map:
#: density attention puts cells in the order of the Importance Factor, which is the same scaled.
SHOWN = {
    "evidence": ("evidence", ""),
    "importance": ("importance", ""),
    "density_attention": ("importance", "Density attention"),
    "gate": ("gate", "Gate"),
    "class_importance": ("class_importance", ""),
}


@dataclass(frozen=True)
class MapCheck:
    """One map of one input.

    Attributes:
        method: key of :data:`~daam_core.faithfulness.maps.methods.MAP_KINDS`.
        highest: ``[S]`` probability of the predicted class, highest cells removed first.
        lowest: ``[S]`` lowest first.
        deletion: area under ``highest`` (low is good).
        insertion: area under ``lowest``, that of adding the highest first (high is good).
        p_value: share of random orders whose deletion is at least as low, counting this one.
        randomised: rank correlation with the map after the gate's parameters were randomised.
        start: rank correlation with the map at δ, ξ and amplitude as before training.
        followed: what removing cells is to take away, in words.
        gain: area at random minus ``deletion``: by how much lower the probability is, on average over shares.
    """

    method: str
    highest: np.ndarray
    lowest: np.ndarray
    deletion: float
    insertion: float
    p_value: float
    randomised: float
    start: float
    followed: str = "the prediction"
    gain: float = 1.0

    @property
    def sooner(self) -> bool:
        """Whether removing what the map marks takes the prediction away sooner than random removal does."""
        return self.p_value <= SIGNIFICANCE

    @property
    def told(self) -> bool:
        """Whether what is sooner is so by enough to mean something."""
        return not self.sooner or self.gain >= LEAST_GAIN

    @property
    def true(self) -> bool:
        """Whether it is sooner, and by enough."""
        return self.sooner and self.told

    @property
    def against_random(self) -> str:
        """In a word or two, for tables."""
        return "hardly sooner" if not self.told else "sooner" if self.true else "no sooner"

    @property
    def learned(self) -> Literal["yes", "no", "open"]:
        """Whether the map shows what the gate learned: ``open`` is in part."""
        return judge(self.start, None)

    @property
    def verdict(self) -> str:
        """One sentence on what the check found, and one on what of the map was there before training."""
        title = MAP_KINDS[self.method].title
        if not self.told:
            found = f"Whether {title} marks what this decision rests on is not told: {self.hardly}."
        elif not self.true:
            found = (
                f"{title} marks what this decision rests on no better than chance (p = {self.p_value:.2g})."
            )
        else:
            found = f"Removing what {title} marks takes {self.followed} away sooner than random removal does."
        return f"{found} {self.before_training}"

    @property
    def hardly(self) -> str:
        """That removal by the map changes hardly more than at random."""
        return (
            f"removing the cells that it marks takes {self.followed} away sooner than removing cells at "
            f"random, but by {100 * self.gain:.1g} points of probability on average, which is next to nothing"
        )

    @property
    def before_training(self) -> str:
        """How much of the map is there without what was learned, which no removal of cells can tell."""
        alike = f"(rank correlation {fixed(self.start, 2)})"
        match self.learned:
            case "yes":
                return (
                    f"With the gate as before training the map was another one {alike}: it shows what "
                    "the gate learned."
                )
            case "no":
                return (
                    f"But with the gate as before training the map was the same {alike}: it shows hardly "
                    "anything that the gate learned."
                )
        return (
            f"But with the gate as before training the map was much alike {alike}: it shows what the gate "
            "learned only in part."
        )


@dataclass(frozen=True)
class InputCheck:
    """An input's maps beside random orders of its cells.

    Attributes:
        prediction: index of the class whose probability is followed: the predicted one, or another that was
            asked for.
        probability: its probability.
        shares: ``[S]`` of cells removed.
        cells: how many cells there are: rows times features.
        random: ``[S]`` mean probability over random orders.
        random_low: ``[S]`` their 2.5 % quantile.
        random_high: ``[S]`` their 97.5 % quantile.
        at_random: mean area of the random orders.
        orders: how many random orders.
        seed: of the orders and of the randomised gate.
        maps: the maps that were checked.
    """

    prediction: int
    probability: float
    shares: np.ndarray
    cells: int
    random: np.ndarray
    random_low: np.ndarray
    random_high: np.ndarray
    at_random: float
    orders: int
    seed: int
    maps: tuple[MapCheck, ...]

    @property
    def sentence(self) -> str:
        """Whether the map shown first, evidence or Importance Factor, is true, and how much was learned."""
        said = self.sentences
        return said.get("evidence") or said.get("importance", "")

    @property
    def sentences(self) -> dict[str, str]:
        """The same of every map that an explanation shows and that was checked, by its quantity."""
        checked = {found.method: found for found in self.maps}
        return {
            quantity: self._sentence(title or MAP_KINDS[method].title, checked[method])
            for quantity, (method, title) in SHOWN.items()
            if method in checked
        }

    def _sentence(self, title: str, found: MapCheck) -> str:
        if not found.told:
            return (
                f"The check does not tell whether the map “{title}” is true for this input: {found.hardly}. "
                f"{found.before_training}"
            )
        verb, when = ("confirms", "sooner") if found.true else ("does not confirm", "no sooner")
        return (
            f"The check {verb} the map “{title}” for this input: removing the cells that it marks takes "
            f"{found.followed} away {when} than removing cells at random. {found.before_training}"
        )


def check_encoding(
    model: TrainedClassifier,
    encoding: Encoding,
    *,
    methods: Sequence[str] = CHECKED,
    orders: int | None = None,
    seed: int = 0,
    target: int | None = None,
    progress: Progress | None = None,
) -> InputCheck:
    """Remove one input's gated cells in the order of its maps, and in random orders.

    Args:
        model: the trained classifier.
        encoding: what ``model.backbone.encode`` returned.
        methods: keys of MAP_KINDS that are defined on gated cells.
        orders: how many random orders; the smallest p-value is 1 / (orders + 1). By default as many
            as a few seconds allow.
        seed: of the orders and of the randomised gate.
        target: the class that is explained, by index; the most probable one by default.
        progress: told how far it is; stops when cancelled.

    Raises:
        ConfigError: fewer orders than can confirm a map, or a method that there is not.
        InputError: a class that there is not.
    """
    return check_pooled(
        model,
        pool(encoding).float(),
        methods=methods,
        orders=orders,
        seed=seed,
        target=target,
        progress=progress,
    )


def _require(orders: int | None, methods: Sequence[str]) -> None:
    if orders is not None and orders < FEWEST_ORDERS:
        raise ConfigError(
            f"A check takes at least {FEWEST_ORDERS} random orders, got {orders}: a map that comes before "
            "all of fewer could still do so by chance."
        )
    if unknown := [name for name in methods if name not in MAP_KINDS]:
        raise ConfigError(f"There is no map {unknown[0]!r} to check; there are {', '.join(MAP_KINDS)}.")


def check_pooled(
    model: TrainedClassifier,
    pooled: Tensor,
    *,
    methods: Sequence[str] = CHECKED,
    orders: int | None = None,
    seed: int = 0,
    target: int | None = None,
    progress: Progress | None = None,
) -> InputCheck:
    """:func:`check_encoding` for pooled values ``[L, F]``."""
    _require(orders, methods)
    target = class_index(model.class_names, target)
    progress = progress or Progress()
    classifier = model.classifier
    one = pooled[None]
    cells = gated_cells(classifier, one)
    if orders is None:
        orders = int(np.clip(RANDOM_CELLS // cells.per_input, FEWEST_ORDERS, RANDOM_ORDERS))
    # All random orders at once: one batch of the same input.
    repeated = gated_cells(classifier, one.expand(orders, -1, -1))
    progress.report(0.1, "Removing cells at random")
    nothing = torch.zeros_like(repeated.values)
    chance = deletion_curve(repeated, nothing, seed=seed + 1, target=target, check=progress.check)
    asked = None if target is None else torch.tensor([target])
    found, randomised, start = (
        gated_maps(one_of, one, target=asked, dataset=model.dataset)
        for one_of in (classifier, randomise_gate(classifier, seed=seed), at_start(classifier))
    )
    probabilities = cells.probabilities()[0]
    followed = int(probabilities.argmax()) if target is None else target
    alone = target is None and cells.labels == "one"
    said = "the prediction" if alone else f"the probability of “{model.class_names[followed]}”"
    checks, own = [], classifier.attention.own_rows
    methods = [name for name in methods if name in found]  # evidence is the density decoder's alone
    for index, name in enumerate(methods):
        progress.report(0.5 + 0.5 * index / len(methods), f"Removing cells by {MAP_KINDS[name].title}")
        highest = deletion_curve(cells, found[name], seed=seed, target=target)
        lowest = deletion_curve(cells, found[name], order="lowest", seed=seed, target=target)
        sizes = [maps[name].detach().abs()[:, own] for maps in (found, randomised, start)]
        checks.append(
            MapCheck(
                method=name,
                highest=highest.probability[0],
                lowest=lowest.probability[0],
                deletion=float(highest.areas[0]),
                insertion=float(lowest.areas[0]),
                p_value=float((1 + np.sum(chance.areas <= highest.areas[0])) / (orders + 1)),
                randomised=rank_correlation(sizes[0], sizes[1]),
                start=rank_correlation(sizes[0], sizes[2]),
                followed=said,
                gain=float(chance.areas.mean() - highest.areas[0]),
            )
        )
    low, high = np.quantile(chance.probability, [0.025, 0.975], axis=0)
    return InputCheck(
        prediction=followed,
        probability=float(probabilities[followed]),
        shares=np.asarray(SHARES),
        cells=cells.per_input,
        random=chance.probability.mean(0),
        random_low=low,
        random_high=high,
        at_random=float(chance.areas.mean()),
        orders=orders,
        seed=seed,
        maps=tuple(checks),
    )
