"""Data sets for the tests: tables, class folders, and letters in memory."""

import csv

from daam_core.training.data import Dataset
from tests.support.small import letter_data


def write_table(path, rows, *, delimiter=","):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def class_folders(root, tree):
    """A folder for each class, with files of the given names and contents."""
    for name, files in tree.items():
        for file, content in files.items():
            path = root / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
    return root


def letters(count=40, *, groups=None):
    texts, labels = letter_data(count)
    return Dataset(
        name="letters",
        modality="text",
        inputs=tuple(texts),
        labels=tuple(labels.tolist()),
        class_names=("vowels", "consonants"),
        places=tuple(f"row {i + 1}" for i in range(count)),
        groups=groups,
    )
