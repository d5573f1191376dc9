"""Classifiers on disk: a folder of ``config.json``, ``model.safetensors``, ``outside.safetensors``,
``README.md`` and ``report.json``. Reading checks everything and never unpickles.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from daam_core.configuration import ModelConfig
from daam_core.dataset_mean import from_averages
from daam_core.errors import CheckpointError, ConfigError, first_line, is_number, is_whole
from daam_core.locating import (
    CARD_FILE,
    CONFIG_FILE,
    ENCODER_FOLDER,
    OUTSIDE_FILE,
    REPORT_FILE,
    WEIGHTS_FILE,
    check_kind,
    read_config,
    read_text,
)
from daam_core.model import DaamClassifier, new_decoder
from daam_core.outside import PERCENTILES, Cells, Known
from daam_core.plain import PlainMapping, PlainObject
from daam_core.result import DatasetMean
from daam_core.writing.files import replacing, write_text

MAX_WEIGHTS_BYTES = 2**30
MAX_OUTSIDE_BYTES = 2**26
MAX_ROW_WEIGHTS = 10_000_000  # heads × rows of the gate: the one table that is no tensor of the file
#: Names of a data set's averages in the weights file, beside those of the classifier's own tensors.
DATASET_TENSORS = (
    "dataset_gate",
    "dataset_values",
    "dataset_statistic_mean",
    "dataset_statistic_variance",
    "dataset_samples",
)
Read = TypeVar("Read")
#: Tensors of the file that says what is known, and the entry of its metadata that says the rest.
KNOWN_TENSORS = ("mean", "directions", "variances", "rest", "distances")
KNOWN = "known"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint's files hold.

    Attributes:
        classifier: the weights and their configuration.
        dataset: its averages over a data set, or None.
        known: what its training data look like, or None.
        card: text of the model card, empty if there is none.
        report: what training and evaluation measured; empty if the checkpoint carries no report.
        sha256: hash of the weights file; empty for one that was not read from disk.
        encoder_folder: where the encoder lies if that is a folder; empty if not. On disk the path is kept
            relative to the checkpoint's own folder, so that both can be moved together and no path of a
            computer is published.
    """

    classifier: DaamClassifier
    dataset: DatasetMean | None = None
    known: Known | None = None
    card: str = ""
    report: PlainMapping = field(default_factory=dict)
    sha256: str = ""
    encoder_folder: str = ""


def read_checkpoint(folder: Path) -> Checkpoint:
    """Read a folder.

    Raises:
        CheckpointError: it is incomplete, damaged, truncated, foreign or at odds with its configuration.
    """
    config, encoder_folder = read_config(folder / CONFIG_FILE)
    classifier, dataset = _read_weights(folder / WEIGHTS_FILE, config)
    sha256 = _sha256(folder / WEIGHTS_FILE)
    return Checkpoint(
        classifier,
        dataset,
        read_known(folder / OUTSIDE_FILE, config, sha256),
        card=_read_optional(folder / CARD_FILE, lambda text: text) or "",
        report=_read_optional(folder / REPORT_FILE, _json_object) or {},
        sha256=sha256,
        encoder_folder=str(folder / encoder_folder) if encoder_folder else "",
    )


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a folder's files, each whole or not at all."""
    classifier = checkpoint.classifier
    tensors = {name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}
    if checkpoint.dataset is not None:
        tensors |= _dataset_tensors(classifier, checkpoint.dataset)
    with replacing(folder / WEIGHTS_FILE) as temporary:
        save_file(tensors, temporary, metadata={"format": "pt"})
    write_known(folder, checkpoint.known)
    config = asdict(classifier.config)
    if checkpoint.encoder_folder:
        config[ENCODER_FOLDER] = Path(os.path.relpath(checkpoint.encoder_folder, folder.resolve())).as_posix()
    write_text(folder / CONFIG_FILE, json.dumps(config, indent=2) + "\n")
    if checkpoint.card:
        write_text(folder / CARD_FILE, checkpoint.card)
    if checkpoint.report:
        write_text(folder / REPORT_FILE, json.dumps(checkpoint.report, indent=2, allow_nan=False) + "\n")


def write_known(folder: Path, known: Known | None) -> None:
    """Write what is known beside the weights that lie there, or remove what was said of earlier ones."""
    if known is None:
        (folder / OUTSIDE_FILE).unlink(missing_ok=True)
        return
    told = {
        "checkpoint_sha256": _sha256(folder / WEIGHTS_FILE),
        "samples": known.samples,
        "scripts": dict(known.scripts),
        "facts": dict(known.facts),
    }
    cells = known.cells
    tensors = {
        "mean": torch.from_numpy(cells.mean).float(),
        "directions": torch.from_numpy(cells.directions).half(),
        "variances": torch.from_numpy(cells.variances).double(),
        "rest": torch.tensor([cells.rest], dtype=torch.float64),
        "distances": torch.from_numpy(known.distances).double(),
    }
    with replacing(folder / OUTSIDE_FILE) as temporary:
        save_file(
            {name: tensor.contiguous() for name, tensor in tensors.items()},
            temporary,
            metadata={KNOWN: json.dumps(told, allow_nan=False)},  # one entry: their order is not kept
        )


def read_known(path: Path, config: ModelConfig, sha256: str) -> Known | None:
    """What is known of a classifier's training data; None where no file says so.

    Args:
        path: of the file.
        config: the classifier's.
        sha256: hash of its weights.

    Raises:
        CheckpointError: it is damaged, no ordinary file, too large, or was made for another classifier.
    """
    where = f"{path.parent.name}/{path.name}"
    remedy = f"Make it anew with 'daam outside', or remove {path.name}: inputs are then not judged."
    try:
        status = path.stat()
        check_kind(path, status, MAX_OUTSIDE_BYTES)
        with safe_open(path, framework="pt") as file:
            told = json.loads((file.metadata() or {})[KNOWN])
            if told["checkpoint_sha256"] != sha256:
                raise CheckpointError(f"{where} was made for other weights than those beside it. {remedy}")
            found = {name: file.get_tensor(name) for name in KNOWN_TENSORS}
        return _known(found, told, config)
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError, ValueError, TypeError, KeyError, RuntimeError, RecursionError) as error:
        raise CheckpointError(f"{where} is damaged: {first_line(error)}. {remedy}") from error


def _known(found: Mapping[str, Tensor], told: PlainMapping, config: ModelConfig) -> Known:
    """From what a file holds, each part of it checked.

    Raises:
        ValueError: saying what is wrong with it.
    """
    cells = (config.n_layers, config.n_features)
    count = len(found["variances"])
    shapes = {
        "mean": cells,
        "directions": (count, *cells),
        "variances": (count,),
        "rest": (1,),
        "distances": PERCENTILES.shape,
    }
    for name, shape in shapes.items():
        tensor = found[name]
        if tuple(tensor.shape) != shape or not tensor.is_floating_point():
            raise ValueError(f"{name} must be {list(shape)}, got {list(tensor.shape)} of {tensor.dtype}")
        if not bool(torch.isfinite(tensor).all()):
            raise ValueError(f"{name} holds values that are not finite")
    if not bool((found["variances"] > 0).all()) or not bool((found["rest"] > 0).all()):
        raise ValueError("variances must be positive")
    distances = found["distances"].numpy().astype("float64")
    samples, scripts, facts = told["samples"], told["scripts"], told["facts"]
    if not is_whole(samples) or samples < 1 or not (distances[1:] >= distances[:-1]).all():
        raise ValueError("its distances of known inputs are not in order")
    if not isinstance(facts, dict) or not (
        isinstance(scripts, dict) and all(is_number(share) for share in scripts.values())
    ):
        raise ValueError("what it says of its data cannot be read")
    return Known(
        Cells(
            found["mean"].numpy().astype("float32"),
            found["directions"].numpy().astype("float32"),
            found["variances"].numpy().astype("float64"),
            float(found["rest"]),
        ),
        distances,
        samples,
        scripts,
        facts,
    )


def _read_weights(path: Path, config: ModelConfig) -> tuple[DaamClassifier, DatasetMean | None]:
    where = f"{path.parent.name}/{path.name}"
    try:
        check_kind(path, path.stat(), MAX_WEIGHTS_BYTES)
        with safe_open(path, framework="pt") as file:
            shapes = {name: list(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        _check_sizes(where, shapes, config)
        classifier = DaamClassifier(config)
        tensors = load_file(path)
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path.parent.name} has no {WEIGHTS_FILE}; this package reads safetensors only."
        ) from error
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        if isinstance(error, ConfigError):
            raise CheckpointError(f"{path.parent.name}/{CONFIG_FILE}: {error}") from error
        raise CheckpointError(
            f"{where} is damaged, truncated or no safetensors file: {first_line(error)}"
        ) from error
    weights = classifier.state_dict()
    if foreign := sorted(set(shapes) - set(weights) - set(DATASET_TENSORS)):
        raise CheckpointError(f"{where} holds tensors that no such head has: {', '.join(foreign[:5])}.")
    expected = weights | _dataset_shapes(classifier)
    # A whole average or none: heads saved before its statistics were kept lack some of it.
    averaged = set(DATASET_TENSORS) <= set(tensors) and int(tensors["dataset_samples"].max()) > 0
    if not averaged:
        tensors = {name: tensor for name, tensor in tensors.items() if name not in DATASET_TENSORS}
        expected = weights
    for name, tensor in expected.items():
        _check_shape(where, shapes, name, list(tensor.shape))
        found = tensors[name]
        if found.dtype != tensor.dtype:
            raise CheckpointError(f"{where}: {name} must be {tensor.dtype}, got {found.dtype}.")
        if not bool(torch.isfinite(found).all()):
            raise CheckpointError(f"{where}: {name} holds values that are not finite.")
    if not bool((tensors["standardisation.deviation"] > 0).all()):
        raise CheckpointError(f"{where}: standardisation.deviation must be positive.")
    if config.decoder == "density" and not bool(tensors["decoder.scaled_variance"] > 0):
        raise CheckpointError(f"{where}: decoder.scaled_variance must be positive.")
    classifier.load_state_dict({name: tensors[name] for name in weights})
    return classifier, _dataset_of(classifier, tensors) if averaged else None


def _check_sizes(where: str, shapes: Mapping[str, list[int]], config: ModelConfig) -> None:
    """Compare a configuration with the tensors' shapes before anything of its sizes is allocated."""
    width = config.n_features if config.gate_kind == "density" else config.n_gaussians
    _check_shape(where, shapes, "standardisation.mean", [config.n_layers, config.n_features])
    _check_shape(where, shapes, "attention.mean_offset", [config.n_heads, width])
    if config.n_heads**2 * config.n_layers > MAX_ROW_WEIGHTS:
        raise CheckpointError(f"{where}: {config.n_heads} heads over {config.n_layers} layers are too many.")
    try:
        # Shapes without memory. The decoder alone: for the rest torch would import its compiler, and its
        # sizes are those checked above.
        with torch.device("meta"):
            decoder = new_decoder(config).state_dict(prefix="decoder.")
    except (RuntimeError, OverflowError, TypeError) as error:
        raise CheckpointError(f"{where}: {CONFIG_FILE} asks for sizes that no classifier has.") from error
    for name, tensor in decoder.items():
        _check_shape(where, shapes, name, list(tensor.shape))


def _dataset_shapes(classifier: DaamClassifier) -> dict[str, Tensor]:
    """Tensors like those of a data set's averages, without values."""
    config, rows = classifier.config, len(classifier.attention.head_of_row)
    shapes = (
        (rows, config.n_features),
        (config.n_layers, config.n_features),
        (config.n_heads, config.n_features),
        (config.n_heads, config.n_features),
        (),
    )
    kinds = (*(torch.float32,) * 4, torch.int64)
    return {
        name: torch.empty(shape, dtype=kind, device="meta")
        for name, shape, kind in zip(DATASET_TENSORS, shapes, kinds, strict=True)
    }


def _dataset_tensors(classifier: DaamClassifier, mean: DatasetMean) -> dict[str, Tensor]:
    """A data set's averages as they are stored; the rest of them follows from these."""
    tensors = (
        classifier.attention.by_row(torch.from_numpy(mean.gate)),
        torch.from_numpy(mean.values),
        torch.from_numpy(mean.statistic_mean),
        torch.from_numpy(mean.statistic_variance),
        torch.tensor(mean.samples),
    )
    return {name: tensor.contiguous() for name, tensor in zip(DATASET_TENSORS, tensors, strict=True)}


def _dataset_of(classifier: DaamClassifier, tensors: Mapping[str, Tensor]) -> DatasetMean:
    gate, values, mean, variance, samples = (tensors[name] for name in DATASET_TENSORS)
    return from_averages(
        classifier,
        gate=gate,
        values=values,
        statistic_mean=mean,
        statistic_variance=variance,
        samples=int(samples),
    )


def _check_shape(where: str, shapes: Mapping[str, list[int]], name: str, shape: list[int]) -> None:
    if name not in shapes:
        raise CheckpointError(f"{where} lacks {name}: not a head of this kind.")
    if shapes[name] != shape:
        raise CheckpointError(f"{where}: {name} is {shapes[name]}, but {CONFIG_FILE} asks for {shape}.")


def _read_optional(path: Path, parse: Callable[[str], Read]) -> Read | None:
    try:
        return parse(read_text(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path.parent.name}/{path.name} is damaged: {first_line(error)}") from error


def _json_object(text: str) -> PlainObject:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object is needed, got {type(found).__name__}")
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
