"""What a classifier knows: where its training data lie, and how far inputs of their kind lie from there.

Letters: N inputs, L layers, F features, K directions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from daam_core.backbones.base import Backbone
from daam_core.encoding import pool
from daam_core.errors import DataError
from daam_core.inputs import Modality, read_input
from daam_core.model import DaamClassifier
from daam_core.outside import KEPT, PERCENTILES, Cells, Known, at_percentiles, distance, scripts_of
from daam_core.plain import PlainObject
from daam_core.training.data import Dataset

#: Directions at most, and numbers that they may hold together: half a megabyte as float16.
MOST_DIRECTIONS, MOST_NUMBERS = 32, 2**18
FOLDS = 5
#: Fewer training inputs than this say nothing of which distance 95 % of their kind keep to.
LEAST_INPUTS = 40
SEED = 0
#: Thresholds that differ by less, relatively, are of the same data.
SAME_THRESHOLD = 1e-3
#: How many inputs of each kind are made up.
_MADE = 24


def fit_cells(values: np.ndarray) -> Cells:
    """Mean, main directions and variances of training values ``[N, L, F]``."""
    from sklearn.decomposition import PCA

    count, *shape = values.shape
    flat = np.asarray(values, dtype=np.float32).reshape(count, -1)
    size = flat.shape[1]
    kept = max(1, min(MOST_DIRECTIONS, MOST_NUMBERS // size, count // 4, size - 1))
    found = PCA(kept, svd_solver="randomized", random_state=SEED).fit(flat)
    variances = found.explained_variance_.astype(np.float64)
    total = flat.var(axis=0, ddof=1, dtype=np.float64).sum()
    rest = (total - variances.sum()) / (size - kept)
    least = np.finfo(np.float32).tiny  # data that do not vary at all
    return Cells(
        mean=found.mean_.reshape(shape).astype(np.float32),
        # As they are stored, so that thresholds are of what is stored.
        directions=found.components_.astype(np.float16).astype(np.float32).reshape(-1, *shape),
        variances=np.maximum(variances, least),
        rest=float(max(rest, least)),
    )


def held_out_distances(values: np.ndarray, groups: Sequence[str] | None = None) -> np.ndarray:
    """``[N]`` distance of each input from the data without its fold; a group is never on both sides."""
    if groups is not None and len(set(groups)) > 1:
        order = {group: number for number, group in enumerate(sorted(set(groups)))}
        fold = np.array([order[group] for group in groups]) % FOLDS
    else:
        fold = np.random.default_rng(SEED).permutation(len(values)) % FOLDS
    found = np.empty(len(values))
    for k in np.unique(fold):
        found[fold == k] = distance(fit_cells(values[fold != k]), values[fold == k])
    return found


def known_from(
    classifier: DaamClassifier,
    features: Tensor,
    dataset: Dataset,
    held_out: tuple[str, Tensor] | None = None,
) -> Known | None:
    """What is to be kept of training features ``[N, L, F]``; None where inputs are too few.

    Args:
        classifier: what was trained.
        features: pooled, of the training data.
        dataset: the training data.
        held_out: name and features of a data set of the same kind that the threshold is measured on; without
            it the training data are held out from themselves in :data:`FOLDS` parts, by group if they have
            groups. A set of its own is better where training inputs are near copies of each other.
    """
    if min(len(features), len(features) if held_out is None else len(held_out[1])) < LEAST_INPUTS:
        return None
    values = classifier.standardise(features).detach().numpy()
    cells = fit_cells(values)
    facts: PlainObject = {"data": dataset.name, "inputs": len(values)}
    if held_out is not None:
        name, other = held_out
        found = distance(cells, classifier.standardise(other).detach().numpy())
        facts["held_out"] = f"the {len(other):,} inputs of {name}"
    else:
        found = held_out_distances(values, dataset.groups)
        groups = len(set(dataset.groups or ()))
        parts = f"{min(FOLDS, groups)} parts by group" if groups > 1 else f"{FOLDS} parts at random"
        facts["held_out"] = f"themselves, held out in {parts}"
    texts = [text for text in dataset.inputs if isinstance(text, str)]
    scripts = scripts_of(texts) if dataset.modality == "text" else {}
    return Known(cells, at_percentiles(found), len(found), scripts, facts)


@dataclass(frozen=True)
class Told:
    """How well unlike inputs are told from known ones.

    Attributes:
        name: what they are.
        inputs: how many.
        auroc: share of pairs of an unlike and a known input of which the unlike one lies farther away.
        outside: share of them that lies beyond the threshold.
    """

    name: str
    inputs: int
    auroc: float
    outside: float


def told_apart(known: Known, name: str, unlike: np.ndarray, kept: np.ndarray | None = None) -> Told:
    """Measure on distances ``[M]`` of unlike inputs.

    Args:
        known: of the classifier.
        name: what they are.
        unlike: their distances.
        kept: distances of known inputs of a test set; by default those of the held-out training inputs,
            as far as they are stored.
    """
    from sklearn.metrics import roc_auc_score

    if kept is None:
        kept = np.interp(np.linspace(0, 100, 1001), PERCENTILES, known.distances)
    labels = np.concatenate([np.zeros(len(kept)), np.ones(len(unlike))])
    area = float(roc_auc_score(labels, np.concatenate([kept, unlike])))
    return Told(name, len(unlike), area, float((unlike > known.threshold).mean()))


def distances_of(known: Known, classifier: DaamClassifier, features: Tensor) -> np.ndarray:
    """``[N]`` of pooled features ``[N, L, F]``."""
    return distance(known.cells, classifier.standardise(features).detach().numpy())


def with_measures(
    known: Known, *, test: tuple[str, np.ndarray] | None, unlike: Mapping[str, np.ndarray]
) -> Known:
    """With what was found on distances of a test set, by its name, and of unlike inputs, by theirs."""
    kept = None if test is None else test[1]
    found = [asdict(told_apart(known, name, each, kept)) for name, each in unlike.items()]
    facts = {**known.facts, "kept": KEPT, "unlike": found}
    if test is not None:
        name, each = test
        inside = float((each <= known.threshold).mean())
        facts["test"] = {"data": name, "inputs": len(each), "inside": inside}
    return replace(known, facts=facts)


def with_earlier(known: Known, earlier: Known) -> Known:
    """With the figures of unlike inputs that only an earlier measurement has.

    Raises:
        DataError: the earlier one knows something else, so its figures do not hold here.
    """
    now, then = known.cells, earlier.cells
    # By their means and variances: directions may differ in sign.
    same = now.mean.shape == then.mean.shape and np.allclose(now.mean, then.mean, atol=1e-5)
    same = same and np.allclose(now.variances, then.variances, rtol=1e-3)
    if not same or abs(known.threshold - earlier.threshold) > SAME_THRESHOLD * known.threshold:
        raise DataError(
            "What the earlier classifier knows are other data, so its figures of unlike inputs do not hold "
            f"here (threshold {earlier.threshold:.4f}, now {known.threshold:.4f}): leave out --earlier."
        )
    unlike = {
        told["name"]: told for told in (*earlier.facts.get("unlike", ()), *known.facts.get("unlike", ()))
    }
    return replace(known, facts={**known.facts, "unlike": list(unlike.values())})


def made_up(backbone: Backbone) -> dict[str, Tensor]:
    """Features ``[M, L, F]`` of inputs that nobody would give, by name: noise, silence, random letters."""
    made = _MAKERS[backbone.modality](np.random.default_rng(SEED))
    return {
        name: torch.stack(
            [
                pool(backbone.encode(read_input(one, backbone.modality, rate=backbone.sample_rate)))
                for one in inputs
            ]
        ).float()
        for name, inputs in made.items()
    }


def _sounds(draw: np.random.Generator) -> dict[str, list[object]]:
    rate = 16_000

    def noise() -> np.ndarray:
        count = int(draw.uniform(1, 4) * rate)
        spectrum = np.fft.rfft(draw.standard_normal(count))
        colour = draw.uniform(0, 1)  # from white to brown
        coloured = np.fft.irfft(spectrum / np.maximum(np.arange(len(spectrum)), 1) ** colour, count)
        loudest = draw.uniform(0.05, 0.8) / np.abs(coloured).max()
        sound: np.ndarray = (coloured * loudest).astype(np.float32)
        return sound

    def tone() -> np.ndarray:
        time = np.arange(int(draw.uniform(1, 4) * rate)) / rate
        return (0.3 * np.sin(2 * np.pi * draw.uniform(80, 4000) * time)).astype(np.float32)

    return {
        "noise, made": [(noise(), rate) for _ in range(_MADE)],
        "tones, made": [(tone(), rate) for _ in range(_MADE)],
        "digital silence": [(np.zeros(int(s * rate), np.float32), rate) for s in (0.5, 1, 2, 3, 5, 10)],
    }


def _texts(draw: np.random.Generator) -> dict[str, list[object]]:
    letters = list("abcdefghijklmnopqrstuvwxyz")

    def word() -> str:
        return "".join(draw.choice(letters, int(draw.integers(2, 10))))

    return {"random letters, made": [" ".join(word() for _ in range(30)) for _ in range(_MADE)]}


def _pictures(draw: np.random.Generator) -> dict[str, list[object]]:
    def noise(side: int) -> Image.Image:
        picture = Image.fromarray(draw.integers(0, 256, (side, side, 3), dtype=np.uint8))
        return picture.resize((224, 224), Image.Resampling.BICUBIC)

    def plain() -> Image.Image:
        red, green, blue = draw.integers(0, 256, 3).tolist()
        return Image.new("RGB", (224, 224), (red, green, blue))

    return {
        "noise, made": [noise(side) for side in (8, 32, 224) for _ in range(_MADE // 3)],
        "plain colours, made": [plain() for _ in range(_MADE)],
    }


_MAKERS: dict[Modality, Callable[[np.random.Generator], dict[str, list[object]]]] = {
    "audio": _sounds,
    "text": _texts,
    "image": _pictures,
}
