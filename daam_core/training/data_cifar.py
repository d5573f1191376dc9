"""CIFAR-10 and CIFAR-100 in the binary version in which they are published.

They are recognised by their own files. The version for Python is refused: nothing is unpickled here.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from daam_core.errors import DataError

CIFAR = ".bin"  # how its files end
_SIDE, _PLANES = 32, 3
_PIXELS = _PLANES * _SIDE * _SIDE


@dataclass(frozen=True)
class Cifar:
    """A binary version: bytes of labels before each picture, by the name of what they say."""

    labels: Mapping[str, str]  # column → file of names
    parts: Mapping[str, tuple[str, ...]]


CIFAR_10 = Cifar(
    {"fine": "batches.meta.txt"},
    {"train": tuple(f"data_batch_{i}.bin" for i in range(1, 6)), "test": ("test_batch.bin",)},
)
CIFAR_100 = Cifar(
    {"coarse": "coarse_label_names.txt", "fine": "fine_label_names.txt"},
    {"train": ("train.bin",), "test": ("test.bin",)},
)


def cifar_parts(folder: Path) -> dict[str, list[Path]] | None:
    """The parts of CIFAR's binary version; None where a folder is something else.

    Raises:
        DataError: it is the version for Python, which are pickles.
    """
    for name, kind in (("cifar-100-binary", CIFAR_100), ("cifar-10-batches-bin", CIFAR_10)):
        if (folder / kind.labels["fine"]).is_file():
            parts = {
                part: [folder / file for file in files if (folder / file).is_file()]
                for part, files in kind.parts.items()
            }
            if found := {part: files for part, files in parts.items() if files}:
                return found
        pickled = {"meta", "train", "test"} if kind is CIFAR_100 else {"batches.meta", "test_batch"}
        if all((folder / file).is_file() for file in pickled):
            raise DataError(
                f"{folder.name} is CIFAR as Python pickles, which can run code when they are opened and are "
                f"not read; give the binary version from the same page, {name} ({', '.join(_some(kind))})."
            )
    return None


def _some(kind: Cifar) -> list[str]:
    return [*(files[0] for files in kind.parts.values()), kind.labels["fine"]]


def cifar_picture(file: Path, row: int) -> dict[str, object]:
    """A picture as the cell of a table holds it, ``{"bytes": PNG, "path": None}``."""
    first = len(cifar_kind(file).labels)
    width = first + _PIXELS
    with file.open("rb") as opened:
        opened.seek(row * width + first)
        planes = np.frombuffer(opened.read(_PIXELS), np.uint8).reshape(_PLANES, _SIDE, _SIDE)
    written = io.BytesIO()
    from PIL import Image  # here: a list of inputs is read without waiting for it

    Image.fromarray(planes.transpose(1, 2, 0)).save(written, format="PNG")
    return {"bytes": written.getvalue(), "path": None}


def cifar_kind(file: Path) -> Cifar:
    """Which of the two a binary file is of."""
    return CIFAR_100 if (file.parent / CIFAR_100.labels["fine"]).is_file() else CIFAR_10


def cifar_labels(file: Path) -> list[dict[str, str]]:
    """What is said of each picture of a binary file: names by column, ``fine`` and for CIFAR-100 ``coarse``.

    Raises:
        DataError: the file is damaged, or its names cannot be read.
    """
    kind = cifar_kind(file)
    width = len(kind.labels) + _PIXELS
    content = np.fromfile(file, dtype=np.uint8)
    if content.size == 0 or content.size % width:
        raise DataError(
            f"{file.name} is {content.size:,} bytes long, which is no multiple of {width:,}, the bytes of a "
            "picture with its labels; it is damaged: unpack it again."
        )
    numbers = content.reshape(-1, width)[:, : len(kind.labels)].tolist()
    names = {column: _names(file.parent / name) for column, name in kind.labels.items()}
    return [
        {
            column: _name(names[column], number, file)
            for column, number in zip(kind.labels, labels, strict=True)
        }
        for labels in numbers
    ]


def _names(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{file.name} of {file.parent.name} cannot be read: {error.strerror}.") from error
    return [line.strip() for line in lines if line.strip()]


def _name(names: list[str], number: int, file: Path) -> str:
    if number >= len(names):
        raise DataError(
            f"{file.name} holds the label {number}, and there are {len(names)} names; unpack it again."
        )
    return names[number]
