"""Studies of data sets that the page shows: which there are, and what visitors may ask them.

Whatever visitors ask is checked, and the answers are kept for everybody, since they are the same for
everybody. All that a visitor can change is which selections are kept with a study, and that only where the
page is for this machine alone.
"""

import gzip
import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np

from daam_core.errors import ConfigError, DataError, InputError, is_whole, shown
from daam_core.inputs import Sound
from daam_core.study.cells import Place
from daam_core.study.example import MODEL, example_study
from daam_core.study.folder import MapName, Study, open_study
from daam_core.study.payload import (
    alike_answer,
    inputs_answer,
    place_answer,
    projection_answer,
    slices_answer,
    study_payload,
    telling_answer,
)
from daam_core.study.projection import ProjectionMethod
from daam_core.study.selection import (
    drop_selection,
    rename_selection,
    save_selection,
    selections,
    unit_columns,
    why_not_written,
)
from daam_core.trained import TrainedClassifier, load_model
from daam_core.view.media import wav_bytes

from ..server.files import new_file, written
from .inputs import Given, given_file, given_text

#: What the study that comes along is called.
EXAMPLE = "photographs"
#: Answers kept, over all studies: some hundred kilobytes each at most.
KEPT_ANSWERS = 64
#: Inputs that are told in full at a time.
MOST_INPUTS = 64
#: Selections that a study keeps, and characters of their names.
MOST_SELECTIONS, LONGEST_NAME = 100, 60
#: Digits of a number that a visitor asks by.
LONGEST_INDEX = 9
#: Seconds that a question may wait for another one's answer.
PATIENCE = 40.0
AXES = ("head", "layer", "feature")


class Studies:
    """Studies by name, with what was asked of them.

    Args:
        studies: with distinct names.
        models: those on offer, by name; a study whose classifier is not among them can be looked at, but
            its inputs cannot be explained.
        later: studies of models on offer that are made or opened when they are first asked, by name.

    Attributes:
        writable: whether selections that visitors name are kept in the studies' folders.

    Raises:
        ConfigError: two of one name.
        DataError: a study holds no explained input, or is of another classifier than the model of its name.
    """

    def __init__(
        self,
        studies: Sequence[Study] = (),
        models: Mapping[str, TrainedClassifier] | None = None,
        *,
        later: Mapping[str, Callable[[], Study]] | None = None,
    ) -> None:
        self._studies = {study.folder.name: study for study in studies}
        self._later = dict(later or {})
        if len(self._studies) != len(studies):
            names = ", ".join(study.folder.name for study in studies)
            raise ConfigError(f"Studies need folders of different names; got {names}.")
        self._models = dict(models or {})
        self.writable = True
        for study in studies:
            _check(study, self._models)
        self._answers: OrderedDict[object, bytes] = OrderedDict()
        self._opening = threading.Lock()
        self._asking = threading.Lock()  # one at a time: each reads maps with every core

    @property
    def names(self) -> list[str]:
        """What the studies are called, in the order given."""
        return [*self._studies, *(name for name in self._later if name not in self._studies)]

    def __bool__(self) -> bool:
        return bool(self.names)

    def __getitem__(self, name: object) -> Study:
        if not isinstance(name, str) or name not in self.names:
            raise InputError(
                f"There is no study {shown(name)} here; there is {', '.join(self.names) or 'none'}."
            )
        if name not in self._studies:
            with self._opening:
                if name not in self._studies:
                    self._studies[name] = self._later[name]()
        return self._studies[name]

    def explains(self, name: str) -> bool:
        """Whether the classifier of a study is on offer."""
        return name not in self._studies or self[name].facts.model in self._models

    def payload(self, name: str) -> bytes:
        """What the page shows of a study at once, as compressed JSON."""
        study = self[name]
        return self._answer(
            ("payload", name),
            lambda: (
                study_payload(study)
                | {"explains": self.explains(name), "example": name == EXAMPLE}
                | {"stated": _stated(self._models.get(study.facts.model))}
            ),
        )

    def place(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Scores of every input at a place, and how well they tell the classes."""
        study, place, quantity = self[name], place_of(asked), quantity_of(asked.get("quantity"))
        return self._answer(("place", name, place, quantity), lambda: place_answer(study, place, quantity))

    def alike(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Cells like the one that is asked about."""
        study, place, quantity = self[name], place_of(asked), quantity_of(asked.get("quantity"))
        return self._answer(("alike", name, place, quantity), lambda: alike_answer(study, place, quantity))

    def telling(self, name: str, asked: Mapping[str, object]) -> bytes:
        """The cells that tell each class best; nothing is asked beside."""
        study = self[name]
        return self._answer(("telling", name), lambda: telling_answer(study))

    def projection(self, name: str, asked: Mapping[str, object]) -> bytes:
        """The inputs as points of a plane."""
        study, method = self[name], method_of(asked.get("method"))
        return self._answer(("projection", name, method), lambda: projection_answer(study, method))

    def inputs(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Some inputs in full."""
        study, numbers = self[name], numbers_of(asked.get("numbers"), most=MOST_INPUTS)
        return _compressed(inputs_answer(study, numbers))

    def slices(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Mean maps of one or two groups of inputs, and which cells differ."""
        study = self[name]
        most = len(study.numbers)
        first, second = (numbers_of(asked.get(group), most=most) for group in ("first", "second"))
        quantity = quantity_of(asked.get("quantity"))
        if quantity == "values":
            raise InputError("Slices are compared by density attention, gate or class importance.")
        units = units_of(asked.get("units"), unit_columns(study))
        groups = hashlib.sha256(repr((first, second, units)).encode()).hexdigest()
        return self._answer(
            ("slices", name, quantity, groups),
            lambda: slices_answer(study, first, second, quantity, units),
        )

    def keep(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Keep inputs with the study as a selection: ``{"reason": …}`` says why not, or nothing."""
        study = self[name]
        numbers = numbers_of(asked.get("numbers"), most=len(study.numbers))
        called = _called(asked.get("name"))
        if not numbers:
            raise InputError("No input is selected, so there is nothing to keep.")

        def write() -> None:
            kept = selections(study)
            if called not in kept and len(kept) >= MOST_SELECTIONS:
                raise InputError(
                    f"A study keeps {MOST_SELECTIONS} selections; give the name of one, to replace it."
                )
            save_selection(study, called, np.array(numbers, dtype=np.int64))

        return self._written(name, write)

    def drop(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Remove a selection from the study: ``{"reason": …}`` says why not, or nothing."""
        study, called = self[name], _kept_name(asked.get("name"))
        return self._written(name, lambda: drop_selection(study, called))

    def rename(self, name: str, asked: Mapping[str, object]) -> bytes:
        """Give a selection another name: ``{"reason": …}`` says why not, or nothing."""
        study, other = self[name], _called(asked.get("other"))
        called = _kept_name(asked.get("name"))
        return self._written(name, lambda: rename_selection(study, called, other))

    def _written(self, name: str, write: Callable[[], None]) -> bytes:
        reason = "the page is open to other machines, so it writes no files"
        if self.writable:
            with self._asking:
                reason = why_not_written(write)
                self._answers.pop(("payload", name), None)
        return _compressed({"reason": reason})

    def thumbnail(self, name: str, number: object) -> bytes:
        """The small picture of an input, JPEG."""
        picture = self._row(name, number)["thumbnail"]
        if not isinstance(picture, bytes):
            raise InputError(f"The study holds no picture of input {shown(number)}.")
        return picture

    def sound(self, name: str, number: object) -> bytes:
        """The sound of an input as WAV, if its file is still where it was."""
        given = self.given(name, number)
        heard = given.input
        if not isinstance(heard, Sound):
            raise InputError(f"{given.name} is no sound.")
        return wav_bytes(heard.samples, heard.rate)

    def given(self, name: object, number: object) -> Given:
        """An input of a study, read again.

        Raises:
            InputError: there is no such input, or it is not where it was or not what it was.
        """
        study, row = self[name], self._row(name, number)
        place = study.names[int(study.rows_of(np.array(row["number"])))]
        if row["text"] is not None:
            return replace(given_text(row["text"], name=place), truth=_classes(row["label"]))
        try:
            path = study.original(int(str(row["number"])))
        except DataError as error:
            raise InputError(
                f"The input {place} is no longer where the study found it; put it back, or give it as an "
                "input of your own."
            ) from error
        if isinstance(path, Mapping):
            path = _file_of(path)
        given = given_file(study.facts.modality, path, name=place)
        # Nothing but what was studied is ever handed out, whatever a study says where it lies.
        if given.sha256 != row["sha256"]:
            raise InputError(f"The input {place} has changed since it was studied; make the study again.")
        return replace(given, truth=_classes(row["label"]))

    def _row(self, name: object, number: object) -> dict[str, object]:
        study = self[name]
        index = number if is_whole(number) else _index(number)
        if index is None or index not in study.numbers:
            raise InputError(f"There is no explained input {shown(number)} in this study.")
        row: dict[str, object] = study.rows.slice(int(study.rows_of(np.array(index))), 1).to_pylist()[0]
        return row

    def _answer(self, key: object, compute: Callable[[], object]) -> bytes:
        """A kept answer, or a new one; one is computed at a time."""
        if (kept := self._answers.get(key)) is not None:
            return kept
        if not self._asking.acquire(timeout=PATIENCE):
            raise InputError("Others are asking, too, and the answer takes long; ask again in a while.")
        try:
            if (kept := self._answers.get(key)) is None:
                kept = self._answers[key] = _compressed(compute())
                while len(self._answers) > KEPT_ANSWERS:
                    self._answers.popitem(last=False)
        finally:
            self._asking.release()
        return kept


def _file_of(cell: Mapping[str, object]) -> Path:
    """What lies in a table's cell as a file, since visitors' inputs are decoded from files, apart."""
    content = cell["bytes"]
    if not isinstance(content, bytes):
        return Path(str(cell["path"]))
    path = new_file(Path(str(cell["path"] or "input")).name)
    with written():
        path.write_bytes(content)
    return path


def open_studies(folders: Sequence[str | Path | None], models: Sequence[TrainedClassifier]) -> Studies:
    """Open the studies that the page is to show; None stands for the one that comes along.

    Where none is named and its classifier is on offer, that one is there, too, and made when it is looked at.

    Raises:
        DaamError: a folder is not there, is no study, or the study is damaged or of another classifier.
    """
    offered = {one.name: one for one in models}
    for folder in folders:
        if folder is not None and not Path(folder).is_dir():
            raise DataError(
                f"There is no folder {folder}; daam study DATA --model NAME --out {folder} makes a study."
            )
    example = offered.get(MODEL)
    if not folders and example is not None:
        return Studies((), offered, later={EXAMPLE: lambda: example_study(example)})
    opened = [
        open_study(Path(folder).resolve())
        if folder is not None
        else example_study(example or load_model(MODEL))
        for folder in folders
    ]
    return Studies(opened, offered)


def _stated(model: TrainedClassifier | None) -> dict[str, object] | None:
    """The accuracy that a classifier's report states, on inputs it was not trained on, and what it was
    trained on; None where it states none."""
    report = model.report if model is not None else {}
    accuracy, data = report.get("accuracy"), report.get("data")
    named = data.get("name") if isinstance(data, dict) else None
    if not isinstance(accuracy, float) or not isinstance(named, str):
        return None
    return {"accuracy": accuracy, "trained_on": named}


def _check(study: Study, models: Mapping[str, TrainedClassifier]) -> None:
    facts = study.facts
    if not len(study.numbers):
        raise DataError(
            f"The study {study.folder.name} holds no explained input yet; finish it with daam study."
        )
    model = models.get(facts.model)
    if model is not None and model.sha256 != facts.checkpoint_sha256:
        raise DataError(
            f"The study {study.folder.name} is of another classifier called {facts.model} (weights "
            f"{facts.checkpoint_sha256[:8]}, here {model.sha256[:8]}); make the study again."
        )


# What visitors send


def _called(name: object) -> str:
    if isinstance(name, str) and 0 < len(name.strip()) <= LONGEST_NAME:
        return name.strip()
    raise InputError(f"A selection needs a name of 1 to {LONGEST_NAME} characters; got {shown(name)}.")


def _kept_name(name: object) -> str:
    if isinstance(name, str):
        return name
    raise InputError(f"A selection is named by a text; got {shown(name)}.")


def _classes(label: object) -> tuple[str, ...]:
    """A row's label: one class, or several."""
    return (label,) if isinstance(label, str) else tuple(label)  # type: ignore[arg-type]


def place_of(asked: Mapping[str, object]) -> Place:
    """A cell, head, layer or feature; what is left out stands for all.

    Raises:
        InputError: something that is no index.
    """
    found: dict[str, int] = {}
    for axis in AXES:
        value = asked.get(axis)
        if value is None or value == "":
            continue
        index = _index(value)
        if index is None:
            raise InputError(f"{axis} is a whole number from 0, or left out; got {shown(value)}.")
        found[axis] = index
    return Place(**found)


def quantity_of(value: object) -> MapName:
    """A map that places are asked for.

    Raises:
        InputError: something else.
    """
    known: MapName
    for known in ("density_attention", "gate", "class_importance", "values"):
        if value == known:
            return known
    raise InputError(f"quantity is density_attention, gate, class_importance or values; got {shown(value)}.")


def units_of(value: object, columns: Sequence[str]) -> str | None:
    """The column whose values are dealt as wholes, None for single inputs.

    Raises:
        InputError: something else.
    """
    if value is None or value == "":
        return None
    for known in columns:
        if value == known:
            return known
    raise InputError(
        f"units is empty or a column whose values several inputs share ({', '.join(columns) or 'none'}); got "
        f"{shown(value)}."
    )


def method_of(value: object) -> ProjectionMethod:
    """A way to lay inputs out on a plane.

    Raises:
        InputError: something else.
    """
    known: ProjectionMethod
    for known in get_args(ProjectionMethod):
        if value == known:
            return known
    raise InputError(f"method is {' or '.join(get_args(ProjectionMethod))}; got {shown(value)}.")


def numbers_of(value: object, *, most: int) -> tuple[int, ...]:
    """Numbers of inputs, each once.

    Raises:
        InputError: something else, too many, or one twice.
    """
    listed = value if isinstance(value, list) else None
    if listed is None or not all(is_whole(one) and 0 <= one < 10**LONGEST_INDEX for one in listed):
        raise InputError(f"Inputs are named by a list of whole numbers; got {shown(value)}.")
    if len(listed) > most:
        raise InputError(f"Up to {most:,} inputs can be asked for at a time; got {len(listed):,}.")
    if len(set(listed)) < len(listed):
        raise InputError("An input is named twice.")
    return tuple(listed)


def _index(value: object) -> int | None:
    text = str(value) if is_whole(value) else value
    if isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) <= LONGEST_INDEX:
        return int(text)
    return None


def _compressed(answer: object) -> bytes:
    return gzip.compress(json.dumps(answer, allow_nan=False, separators=(",", ":")).encode(), 3)
