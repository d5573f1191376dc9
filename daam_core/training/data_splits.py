"""How a data set is split for measuring: parts held out, at random or by group, and folds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from daam_core.errors import DataError
from daam_core.training.data import Dataset
from daam_core.training.data_rows import listed


def at_most(dataset: Dataset, per_class: int) -> Dataset:
    """At most so many inputs of each class, drawn with seed 0; of several labels, of each input's rarest.

    The data set's order stays, and a note says how many there are.
    """
    strata = np.array(_strata(dataset, 1))
    draw = np.random.default_rng(0)
    chosen = [draw.permutation(np.flatnonzero(strata == one))[:per_class] for one in np.unique(strata)]
    part = dataset.part(np.sort(np.concatenate(chosen)))
    note = f"Of {dataset.name} {len(part):,} of {len(dataset):,} inputs are taken, {per_class:,} a class."
    return part if len(part) == len(dataset) else replace(part, notes=(*part.notes, note))


def hold_out(dataset: Dataset, amount: float, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Split at random, every class in the same proportion.

    Args:
        dataset: what to split.
        amount: a share below 1, or a number of inputs from 1.
        seed: of the draw.

    Returns:
        Indices of the rest and of the part held out, each sorted.

    Raises:
        DataError: a part would be empty or lack a class.
    """
    from sklearn.model_selection import train_test_split

    size: float | int = amount if 0 < amount < 1 else int(amount)
    if amount <= 0 or (amount >= 1 and int(amount) != amount) or amount >= len(dataset):
        raise DataError(
            f"The part held out must be a share between 0 and 1 or a number of inputs below {len(dataset)}, "
            f"got {amount:g}."
        )
    single = [name for name, count in dataset.counts.items() if count == 1]
    if single and not dataset.several:
        raise DataError(
            f"Only one of {len(dataset):,} inputs is of the class {single[0]!r}, which is too few to learn "
            "from and to hold out: name the other classes with --classes, or give 0 or a data set with "
            "--validation."
        )
    try:
        rest, held = train_test_split(
            np.arange(len(dataset)), test_size=size, stratify=_strata(dataset, 2), random_state=seed
        )
    except ValueError as error:
        classes = len(set(_strata(dataset, 2)))
        raise DataError(
            f"Holding out {amount:g} of {len(dataset)} inputs leaves a class without inputs: that part and "
            f"the rest need at least {classes} inputs each, one of each class. Say how many with "
            "--validation; or give a data set there, or 0 to hold out none."
        ) from error
    return np.sort(rest), np.sort(held)


def hold_out_groups(dataset: Dataset, groups: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the inputs outside and inside the named groups.

    Raises:
        DataError: the data set has no groups or not these, or one part would be empty.
    """
    present = _require_groups(dataset)
    if missing := sorted(set(groups) - set(present)):
        raise DataError(f"There is no group {missing[0]!r}; the groups are {listed(sorted(set(present)))}.")
    inside = np.isin(np.array(present), list(groups))
    if inside.all():
        raise DataError("All inputs are in the groups held out; none is left for training.")
    return np.flatnonzero(~inside), np.flatnonzero(inside)


def folds(dataset: Dataset, count: int, *, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Cross-validation: each input is tested once.

    With groups: groups sorted, fold k holds groups k, k + ``count``, …, so no group is on both sides
    and ``seed`` changes nothing. Without: at random, every class in the same proportion.

    Returns:
        ``count`` pairs of sorted training and test indices.

    Raises:
        DataError: fewer than two folds, fewer groups than folds, or a class smaller than that.
    """
    if count < 2:
        raise DataError(f"Cross-validation needs at least 2 folds, got {count}.")
    if dataset.groups is not None:
        names = sorted(set(dataset.groups))
        if len(names) < count:
            raise DataError(f"{count} folds need as many groups; there are {len(names)}: {listed(names)}.")
        return [hold_out_groups(dataset, names[k::count]) for k in range(count)]
    smallest = min(dataset.counts.items(), key=lambda item: item[1])
    if smallest[1] < count and not dataset.several:
        raise DataError(
            f"{count} folds need {count} inputs of each class; {smallest[0]!r} has {smallest[1]}."
        )
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(count, shuffle=True, random_state=seed)
    return [(train, test) for train, test in splitter.split(np.zeros(len(dataset)), _strata(dataset, count))]


def _strata(dataset: Dataset, least: int) -> Sequence[int]:
    """What a split keeps in the same proportion: classes, or of several labels each input's rarest one.

    With several labels, those with fewer than ``least`` inputs go with the most frequent.
    """
    if dataset.label_sets is None:
        return dataset.labels
    frequency = Counter(label for labels in dataset.label_sets for label in labels)
    rarest = [min(labels, key=lambda label: frequency[label], default=-1) for labels in dataset.label_sets]
    sizes = Counter(rarest)
    most = sizes.most_common(1)[0][0]
    return [label if sizes[label] >= least else most for label in rarest]


def _require_groups(dataset: Dataset) -> tuple[str, ...]:
    if dataset.groups is None:
        raise DataError(
            f"{dataset.name} has no groups: name a column of groups, or a pattern for the files' names."
        )
    return dataset.groups
