"""Makes a study: every input of a data set explained, part by part; an interrupted one goes on."""

import hashlib
import io
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from daam_core.errors import DaamError
from daam_core.explaining_many import BATCH_SIZE, read_and_explain
from daam_core.inputs import Input, Picture, Sound
from daam_core.inputs.text import text_sha256
from daam_core.reading.outside import outside_columns
from daam_core.result import Explanation
from daam_core.study.folder import (
    PART,
    SCHEMA,
    Facts,
    StoredMap,
    Study,
    finished,
    new_maps,
    open_maps,
    open_study,
    read_facts,
    write_facts,
    write_part,
)
from daam_core.study.memory import give_back
from daam_core.study.place import FACTS, check_place
from daam_core.trained import TrainedClassifier
from daam_core.training.data import Dataset, size_of
from daam_core.version import __version__

#: Longer side of a picture's thumbnail in pixels.
THUMBNAIL_SIDE = 96


def make_study(
    model: TrainedClassifier,
    dataset: Dataset,
    folder: str | Path,
    *,
    batch_size: int = BATCH_SIZE,
    command: str = "",
    share: tuple[int, int] = (0, 1),
    turn: AbstractContextManager[object] | None = None,
    on_progress: Callable[[int], object] = lambda _: None,
) -> Study:
    """Explain every input of a data set and keep what was found in a folder.

    Parts that an earlier, interrupted run finished are kept. Memory does not grow with the data set:
    one part is held at a time. Each file is read once, while others are encoded.

    Args:
        model: the classifier.
        dataset: the inputs; its classes must be the model's, in its order.
        folder: a new folder, or that of the same study.
        batch_size: inputs encoded together, at most.
        command: that makes it, for the record.
        share: (i, n): make parts i, i + n, … only, as one of n processes.
        turn: entered while the folder is made ready, so that of several processes one is first.
        on_progress: told how many inputs are done after each part.

    Raises:
        DaamError: the folder holds another study or something else, or cannot be written to.
        DataError: a study in it is damaged, or inputs have several labels, and the classifier knows one.
    """
    folder = Path(folder)
    dataset = dataset.with_labels(model.config.labels)
    facts = _facts(model, dataset, command)
    with turn or nullcontext():
        _prepare(folder, facts)
    done = set(finished(folder, facts))
    index, count = share
    for part in range(index, facts.parts, count):
        numbers = range(part * PART, min((part + 1) * PART, len(dataset)))
        if part not in done:
            _make_part(model, dataset, facts, folder, part, numbers, batch_size)
            give_back()
        on_progress(len(numbers))
    return open_study(folder)


def _facts(model: TrainedClassifier, dataset: Dataset, command: str) -> Facts:
    config, attention = model.config, model.classifier.attention
    digest = hashlib.sha256()
    labels = dataset.label_sets or dataset.labels
    for place, given, label in zip(dataset.places, dataset.inputs, labels, strict=True):
        # Files are read once, when they are explained: here their sizes must do.
        content = text_sha256(given) if isinstance(given, str) else size_of(given)
        digest.update(f"{place}\0{content}\0{label}\n".encode())
    return Facts(
        model=model.name,
        checkpoint_sha256=model.sha256,
        encoder=config.encoder.name,
        encoder_sha256=config.encoder.weights_sha256,
        modality=config.modality,
        class_names=config.class_names,
        heads=config.n_heads,
        layers=config.n_layers,
        features=config.n_features,
        head_layers=tuple(tuple(bool(seen) for seen in head) for head in attention.head_layers),
        amplitude=tuple(tuple(float(height) for height in head) for head in attention.amplitude.tolist()),
        columns=tuple(_own_columns(dataset)),
        data=dataset.name,
        data_sha256=digest.hexdigest(),
        inputs=len(dataset),
        tool=f"daam-explorer {__version__}",
        command=command,
        labels=config.labels,
    )


def _own_columns(dataset: Dataset) -> dict[str, str]:
    """The data set's own columns by the names that they have in the study, where others have theirs."""
    return {f"{name} of the data" if name in SCHEMA.names else name: name for name in dataset.columns}


def _prepare(folder: Path, facts: Facts) -> None:
    """A folder with maps and facts, new or of the same study."""
    if (folder / FACTS).is_file():
        earlier = read_facts(folder)
        for said, name in (("checkpoint_sha256", "another classifier"), ("data_sha256", "other data")):
            if getattr(earlier, said) != getattr(facts, said):
                raise DaamError(
                    f"The folder {folder.name} holds a study of {name} ({earlier.model} on "
                    f"{earlier.data}); give a new folder."
                )
        return
    check_place(folder)
    try:
        new_maps(folder, facts)
    except OSError as error:
        raise DaamError(
            f"Cannot write the study {folder.name}: {error.strerror or error}. Choose a place that is "
            "writable and has space."
        ) from error
    write_facts(folder, facts)  # last: a folder with facts is whole


def _make_part(
    model: TrainedClassifier,
    dataset: Dataset,
    facts: Facts,
    folder: Path,
    part: int,
    numbers: range,
    batch_size: int,
) -> None:
    rows: list[dict[str, object]] = []
    maps = open_maps(folder)
    results = read_and_explain(model, (dataset.inputs[n] for n in numbers), batch_size=batch_size)
    for number, (given, result) in zip(numbers, results, strict=True):
        row: dict[str, object] = {
            "number": number,
            "place": dataset.places[number],
            "path": None if isinstance(dataset.inputs[number], str) else str(dataset.inputs[number]),
            "sha256": None if given is None else given.sha256,
            "group": None if dataset.groups is None else dataset.groups[number],
            "label": _named(dataset.class_names, dataset.sets[number], facts.labels),
        } | {name: dataset.columns[own][number] or None for name, own in _own_columns(dataset).items()}
        if isinstance(result, Explanation) and given is not None:
            row |= _found(result, given, row["label"])
            scale = float(np.abs(result.class_importance).max()) or 1.0
            row["importance_scale"] = scale
            kept: dict[StoredMap, np.ndarray] = {
                "density_attention": result.density_attention,
                "class_importance": result.class_importance / scale,
                "values": result.values,
            }
            for name, values in kept.items():
                maps[name][number] = values
        else:
            row["reason"] = str(result)
            for stored in maps.values():
                stored[number] = np.nan
        rows.append(row)
    for stored in maps.values():
        stored.flush()
    write_part(folder, facts, part, rows)


def _named(names: Sequence[str], classes: Sequence[int], labels: str) -> str | list[str]:
    """The one class by name, or where an input may have several, all of them in the model's order."""
    return names[classes[0]] if labels == "one" else [names[index] for index in sorted(classes)]


def _found(e: Explanation, given: Input, label: object) -> dict[str, object]:
    prediction = _named(e.class_names, e.predicted, e.labels)
    return {
        "prediction": prediction,
        "right": prediction == label,
        "confidence": float(e.probabilities[e.prediction]),
        **outside_columns(e),
        "probabilities": e.probabilities.tolist(),
        "layers": e.layer_contribution.sum(0).tolist(),
        "text": e.text,
        "thumbnail": _thumbnail(given) if isinstance(given, Picture) else None,
        "seconds": given.seconds if isinstance(given, Sound) else None,
        "token_spans": e.token_spans.ravel().tolist(),
        "token_attribution": e.token_attribution.tolist(),
    }


def _thumbnail(picture: Picture) -> bytes:
    small = picture.rgb.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=80)
    return file.getvalue()
