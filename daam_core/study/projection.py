"""A study's inputs as points of a plane: those whose gated values are alike lie together.

Letters: M explained inputs, H heads, L layers, F features.
"""

import importlib.util
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from daam_core.errors import ConfigError, ShapeError
from daam_core.study.folder import Study
from daam_core.writing.files import replacing

ProjectionMethod = Literal["pca", "umap"]
#: Directions that are followed together; more makes each pass surer of the first two.
_FOLLOWED = 12
_PASSES = 4
#: Principal components that UMAP starts from.
_BEFORE_UMAP = 10


@dataclass(frozen=True)
class Projection:
    """Where each explained input lies.

    Attributes:
        method: ``pca`` or ``umap``.
        points: ``[M, 2]`` float32, in the order of ``study.numbers``.
        explained: share of the variance along each of PCA's two axes, 0 to 1; None with UMAP, whose
            axes mean nothing.
    """

    method: ProjectionMethod
    points: np.ndarray
    explained: tuple[float, float] | None


def has_umap() -> bool:
    """Whether the package umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def project(study: Study, method: ProjectionMethod = "pca", *, seed: int = 0) -> Projection:
    """The plane of a study's gated values, density attention × values; kept beside the study.

    Raises:
        ConfigError: no such method, or the package umap-learn is not installed.
        ShapeError: fewer than three inputs were explained.
    """
    if method not in get_args(ProjectionMethod):
        raise ConfigError(f"The method is one of {', '.join(get_args(ProjectionMethod))}, got {method!r}.")
    if method == "umap" and not has_umap():
        raise ConfigError(
            "UMAP needs the package umap-learn: pip install umap-learn, or daam-explorer[umap]."
        )
    if (kept := _kept(study, method, seed)) is not None:
        return kept
    scores, shares = principal_components(study, _BEFORE_UMAP if method == "umap" else 2, seed=seed)
    if method == "umap":
        made = Projection("umap", _umap(scores, seed), None)
    else:
        made = Projection("pca", scores.astype(np.float32), (float(shares[0]), float(shares[1])))
    _keep(study, made, seed)
    return made


def principal_components(study: Study, count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The first principal components of the gated values, by subspace iteration over the maps on disk.

    Memory does not grow with the study, but for ``[M, 12]`` numbers. Of each axis, the sign is chosen so
    that its largest score is positive.

    Args:
        study: of three explained inputs at least.
        count: components, at most ten, and at most M − 1.
        seed: of the directions it starts from.

    Returns:
        Scores ``[M, count]`` float64 and each component's share of the variance ``[count]``.

    Raises:
        ShapeError: too few inputs were explained.
    """
    if len(study.numbers) < 3:
        raise ShapeError("A projection needs three explained inputs at least.")
    count = min(count, len(study.numbers) - 1)
    cells = int(np.prod(study.facts.map_shape("density_attention")[1:]))
    followed = min(max(_FOLLOWED, count + 2), len(study.numbers), cells)
    directions = np.random.default_rng(seed).standard_normal((cells, followed)).astype(np.float32)
    mean = np.zeros(cells)
    squares = 0.0
    for number in range(_PASSES):
        # Xᵀ X W in one pass over the inputs' rows X; centring is taken off afterwards.
        turned = np.zeros((cells, followed))
        along = np.zeros(followed)
        for rows in _gated(study):
            on_directions = rows @ directions
            turned += rows.T @ on_directions
            along += on_directions.sum(0, dtype=np.float64)
            if number == 0:
                mean += rows.sum(0, dtype=np.float64) / len(study.numbers)
                squares += float(np.vdot(rows, rows))
        turned -= np.outer(mean, along)
        directions = np.linalg.qr(turned)[0].astype(np.float32)
    scores = np.concatenate([rows @ directions for rows in _gated(study)]).astype(np.float64)
    scores -= scores.mean(0)
    left, sizes, _ = np.linalg.svd(scores, full_matrices=False)
    found = (left * sizes)[:, :count]
    found *= np.where(found[np.abs(found).argmax(0), np.arange(count)] < 0, -1, 1)
    variance = max(squares - len(study.numbers) * float(mean @ mean), np.finfo(np.float64).tiny)
    return found, np.minimum(sizes[:count] ** 2 / variance, 1)


def _gated(study: Study) -> Iterator[np.ndarray]:
    """Gated values of the explained inputs, ``[≤ 256, H·L·F]`` float32 at a time."""
    maps = (study.batches(name, study.numbers) for name in ("density_attention", "values"))
    for attention, values in zip(*maps, strict=True):
        attention *= values[:, None]
        yield attention.reshape(len(attention), -1)


def _umap(scores: np.ndarray, seed: int) -> np.ndarray:
    umap = importlib.import_module("umap")  # an extra; its types are unknown
    neighbours = min(15, len(scores) - 1)
    found = umap.UMAP(n_neighbors=neighbours, random_state=seed).fit_transform(scores)
    return np.asarray(found, dtype=np.float32)


def _kept(study: Study, method: ProjectionMethod, seed: int) -> Projection | None:
    """What an earlier call found, if the study still holds the same inputs."""
    try:
        with np.load(study.folder / f"{method}.npz") as file:
            if str(file["of"]) != _identity(study, seed):
                return None
            shares = file["explained"]
            explained = (float(shares[0]), float(shares[1])) if len(shares) else None
            return Projection(method, file["points"], explained)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _keep(study: Study, made: Projection, seed: int) -> None:
    try:
        with replacing(study.folder / f"{made.method}.npz") as temporary, temporary.open("wb") as file:
            np.savez(
                file,
                points=made.points,
                explained=np.array(made.explained or (), dtype=np.float64),
                of=np.array(_identity(study, seed)),
            )
    except OSError:
        return  # a study that cannot be written to is projected anew each time


def _identity(study: Study, seed: int) -> str:
    facts = study.facts
    return json.dumps([facts.checkpoint_sha256, facts.data_sha256, len(study.numbers), seed])
