"""What a study comes down to without its inputs: mean maps of classes, confusion, histograms.

That may be handed on where the data itself may not. Overviews of the built-in classifiers come along.
Letters: C classes, S classes with enough inputs, H heads, L layers, F features, B bins.
"""

import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from daam_core.errors import DataError
from daam_core.shipped import shipped
from daam_core.study.folder import Facts, Study, facts_of
from daam_core.study.slices import mean_map
from daam_core.writing.files import replacing

OVERVIEW = "overview.npz"
#: A mean of fewer inputs is left out: it would nearly be one of them.
FEWEST = 5
_GATE_EDGES = np.linspace(0, 1, 41)
_VALUE_EDGES = np.linspace(-5, 5, 41)


@dataclass(frozen=True)
class Overview:
    """Means and counts of a study.

    Attributes:
        facts: what was studied, by which classifier.
        explained: how many inputs of each class were explained, ``[C]``.
        confusion: ``[C, C]`` inputs by true class and prediction.
        classes: the S classes with :data:`FEWEST` inputs or more.
        density_attention: ``[S, H, L, F]`` float32, mean map of each; from a file to 1/255
            of the largest of each head's layer.
        gate_counts: ``[H, L, B]`` gates of all inputs and features, by ``gate_edges`` from 0 to 1.
        value_counts: ``[L, B]`` values of all inputs and features, by ``value_edges``; those beyond
            count in the outermost bins.
        gate_edges, value_edges: ``[B + 1]``.
    """

    facts: Facts
    explained: np.ndarray
    confusion: np.ndarray
    classes: tuple[str, ...]
    density_attention: np.ndarray
    gate_counts: np.ndarray
    value_counts: np.ndarray
    gate_edges: np.ndarray
    value_edges: np.ndarray


def overview(study: Study) -> Overview:
    """Means and counts of a study, in two passes over its maps.

    Raises:
        DataError: no input was explained, or inputs have several labels.
    """
    if not len(study.numbers):
        raise DataError(f"The study {study.folder.name} holds no explained input.")
    facts = study.facts
    if facts.labels == "several":
        raise DataError(
            "An overview counts which class is taken for which, and with several labels no class stands in "
            f"place of another; the report of the study {study.folder.name} has the figures of each class."
        )
    labels, predictions = (np.asarray(study.explained[name]) for name in ("label", "prediction"))
    index = {name: number for number, name in enumerate(facts.class_names)}
    confusion = np.zeros((len(index), len(index)), dtype=np.int64)
    for label, prediction in zip(labels, predictions, strict=True):
        confusion[index[label], index[prediction]] += 1
    classes = tuple(name for name in facts.class_names if (labels == name).sum() >= FEWEST)
    cells = facts.map_shape("density_attention")[1:]
    means = [mean_map(study, study.numbers[labels == name]) for name in classes]
    gates = np.zeros((*cells[:2], len(_GATE_EDGES) - 1), dtype=np.int64)
    values = np.zeros((cells[1], len(_VALUE_EDGES) - 1), dtype=np.int64)
    for batch in study.batches("gate", study.numbers):
        for head, layer in np.argwhere(study.head_layers):
            clipped = np.clip(batch[:, head, layer], 0, 1)  # float16 may lie a little above 1
            gates[head, layer] += np.histogram(clipped, _GATE_EDGES)[0]
    for batch in study.batches("values", study.numbers):
        for layer in range(cells[1]):
            clipped = np.clip(batch[:, layer], _VALUE_EDGES[0], _VALUE_EDGES[-1])
            values[layer] += np.histogram(clipped, _VALUE_EDGES)[0]
    maps = np.array(means, dtype=np.float32).reshape(len(classes), *cells)
    return Overview(
        facts, confusion.sum(1), confusion, classes, maps, gates, values, _GATE_EDGES, _VALUE_EDGES
    )


def save_overview(found: Overview, path: str | Path) -> None:
    """Write an overview as NPZ, whole or not at all; maps as 1/255 of the largest of each head's layer.

    Raises:
        DaamError: it cannot be written.
    """
    largest = found.density_attention.max(-1, keepdims=True, initial=0)
    steps = np.where(largest > 0, largest, 1).astype(np.float32) / 255
    coded = np.rint(found.density_attention / steps).astype(np.uint8)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            facts=np.array(json.dumps(asdict(found.facts), ensure_ascii=False)),
            classes=np.array(found.classes),
            density_attention=coded,
            steps=steps,
            confusion=found.confusion,
            gate_counts=found.gate_counts,
            value_counts=found.value_counts,
        )


def read_overview(path: str | Path) -> Overview:
    """Read what :func:`save_overview` wrote.

    Raises:
        DataError: it is no such file, or damaged.
    """
    path = Path(path)
    try:
        with np.load(path) as file:
            facts = facts_of(json.loads(str(file["facts"])))
            if facts is None:
                raise ValueError("its facts are not those of a study")
            confusion = file["confusion"]
            maps = file["density_attention"] * file["steps"]
            return Overview(
                facts,
                confusion.sum(1),
                confusion,
                tuple(str(name) for name in file["classes"]),
                maps,
                file["gate_counts"],
                file["value_counts"],
                _GATE_EDGES,
                _VALUE_EDGES,
            )
    except FileNotFoundError as error:
        raise DataError(f"There is no overview {path.name}.") from error
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path.name} is no overview of a study, or damaged.") from error


def shipped_overview(name: str) -> Overview:
    """The overview that comes along with a built-in classifier.

    ``facts.command`` is the command that makes the whole study from the data, and ``facts.data`` says of
    which: for ``speech-emotion`` all that there is was trained on, so its confusion flatters.

    Raises:
        DataError: none comes along for a classifier of that name.
    """
    path = shipped("studies") / f"{name}.npz"
    if not path.is_file():
        raise DataError(f"No overview comes along for {name!r}; daam study makes one from your data.")
    return read_overview(path)
