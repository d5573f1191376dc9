"""What is tried: each target draws something wrong, gives it to the program, and judges what comes of it.

Right is an answer, or one sentence of the program's own errors. Wrong is any other exception, a sentence of
several lines or with a folder's name, a word on standard error or standard output, and taking too long.
"""

import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import gradio as gr
from hypothesis import strategies as st

from app.main import build_demo
from app.page.outcomes import DEFECT
from daam_core.errors import DaamError
from daam_core.explaining import explain
from daam_core.export import load, save
from daam_core.inputs import read_input
from daam_core.trained import load_model
from tests.fuzz.mutations import mutated
from tests.fuzz.samples import files
from tests.support.small_heads import small_heads

LONGEST_SENTENCE = 700
LONGEST_SECONDS = 30.0

Data = st.DataObject
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=12,
)


@dataclass(frozen=True)
class Target:
    """One kind of wrong thing.

    Attributes:
        name: of the target.
        one: draws one, tries it, and says what it was and whether it was taken (else it was refused).
    """

    name: str
    one: Callable[[Data], tuple[str, bool]]


class DefectError(AssertionError):
    """Something else than an answer or a sentence."""


def judged(attempt: Callable[[], object], what: str) -> bool:
    """Whether it was taken; whatever else than that or a sentence comes of it is a defect."""
    began = time.monotonic()
    with silence(what):
        try:
            attempt()
            taken = True
        except (DaamError, gr.Error) as error:
            sentence = error.message if isinstance(error, gr.Error) else str(error)
            _check(sentence, what)
            taken = False
        except Exception as error:
            raise DefectError(f"{what}: {type(error).__name__}: {error}") from error
    if time.monotonic() - began > LONGEST_SECONDS:
        raise DefectError(f"{what}: took {time.monotonic() - began:.0f} s")
    return taken


def _check(sentence: str, what: str) -> None:
    wrong = not sentence.strip() or "\n" in sentence or len(sentence) > LONGEST_SENTENCE
    if wrong or sentence == DEFECT or tempfile.gettempdir() in sentence:
        raise DefectError(f"{what}: {sentence!r}")


@contextmanager
def silence(what: str) -> Iterator[None]:
    """Fails where a library writes on standard output or error beside Python."""
    with tempfile.TemporaryFile() as said:
        kept = [os.dup(number) for number in (1, 2)]
        try:
            for number in (1, 2):
                os.dup2(said.fileno(), number)
            yield
        finally:
            for number, own in zip((1, 2), kept, strict=True):
                os.dup2(own, number)
                os.close(own)
        said.seek(0)
        words = said.read(2000)
    if words and b"Warning" not in words:
        raise DefectError(f"{what}: a library said {words[:500]!r}")


# Files


def read_file(data: Data) -> tuple[str, bool]:
    """A sound or picture with a few bytes changed."""
    name = data.draw(st.sampled_from(sorted(files())))
    modality, content = files()[name]
    changed = data.draw(mutated(content))
    if data.draw(st.integers(0, 9)) == 0:  # one format's head on another's body
        other = files()[data.draw(st.sampled_from(sorted(files())))][1]
        changed = other[: len(other) // 2] + changed
    path = _scratch() / "given"
    path.write_bytes(changed)
    return name, judged(lambda: read_input(path, modality), name)


@cache
def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="daam-fuzz-"))


# Texts


@cache
def _model(name: str) -> Any:
    return load_model(small_heads()[name])


TEXTS = st.text(max_size=300) | st.text(
    alphabet=st.characters(categories=("Mn", "Cf", "Co", "Cs", "Zs", "So", "Lo")), max_size=200
)


def explain_text(data: Data) -> tuple[str, bool]:
    """Any text, through the encoder to the last number."""
    text = data.draw(TEXTS)
    return "text", judged(lambda: explain(_model("topics"), text), repr(text))


# Arguments


@cache
def endpoints() -> dict[str, tuple[list[str], Callable[..., object]]]:
    demo = build_demo([_model(name) for name in ("tones", "topics", "colours")])
    return {
        event.api_name: ([component.label for component in event.inputs], event.fn)
        for event in demo.fns.values()
        if event.api_visibility == "public" and event.inputs
    }


def call_endpoint(data: Data) -> tuple[str, bool]:
    """An endpoint's arguments, of which at least one is anything."""
    name = data.draw(st.sampled_from(sorted(endpoints())))
    values, function = right_call(name)
    wrong = data.draw(st.lists(st.integers(0, len(values) - 1), min_size=1, max_size=2))
    for index in wrong:
        values[index] = data.draw(
            ANYTHING
            | st.sampled_from(
                [
                    "",
                    "nobody",
                    -1,
                    0,
                    1e308,
                    1e400,
                    10**30,
                    {"path": "/dev/null"},
                    {"path": "a\0b"},
                    "\ud800",
                    '{"heads": [0]}',
                    '{"cells": [[0, 0, 0]]}',
                    '{"heads": [1e400]}',
                ]
            )
        )
    return name, judged(lambda: function(*values), f"{name}{values!r:.500}")


def right_call(name: str) -> tuple[list[Any], Callable[..., object]]:
    """Values that an endpoint takes, and its function."""
    labels, function = endpoints()[name]
    kind = name.rpartition("_")[2].removesuffix("s")  # of one input, or of several
    right = {
        "Sound": {"path": str(_sample("audio"))},
        "Image": {"path": str(_sample("image"))},
        "Text": "A goal.",
        "Sounds": [{"path": str(_sample("audio"))}],
        "Images": [{"path": str(_sample("image"))}],
        "Texts": ["A goal."],
        "Changed text": "A bank.",
        "Start, seconds": 0.0,
        "End, seconds": None,
        "Width of figures": "single",
        "Signal-to-noise ratio of added noise, dB": None,
        "Seed of the noise": 0,
        "Filling": "mean",
        "Format": "csv",
        "Scale of the Importance Factor": "all_heads",
        **{
            f"{edge}, share of the picture": share
            for edge, share in (("Left", 0.1), ("Top", 0.1), ("Right", 0.6), ("Bottom", 0.6))
        },
    }
    model = {"sound": "tones", "text": "topics", "image": "colours"}[kind]
    return [right.get(label, model if "odel" in label else "") for label in labels], function


@cache
def _sample(modality: str) -> Path:
    path = _scratch() / f"sample-{modality}"
    path.write_bytes(files()["WAV" if modality == "audio" else "PNG"][1])
    return path


# Checkpoints and exports


def load_checkpoint(data: Data) -> tuple[str, bool]:
    """A classifier's folder with a file changed, as bytes or as JSON, or missing."""
    source = small_heads()[data.draw(st.sampled_from(("tones", "topics", "colours")))]
    folder = _scratch() / "checkpoint"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(source, folder)
    name = data.draw(st.sampled_from(sorted(path.name for path in folder.iterdir())))
    path = folder / name
    way = data.draw(st.sampled_from(("bytes", "json", "missing")))
    if way == "missing":
        path.unlink()
    elif way == "json" and name.endswith(".json"):
        path.write_text(json.dumps(_changed_json(data, json.loads(path.read_text()))))
    else:
        path.write_bytes(data.draw(mutated(path.read_bytes())))
    return name, judged(lambda: load_model(folder), f"{name} ({way})")


def _changed_json(data: Data, value: Any) -> Any:
    """A JSON value with something else at a place that is drawn."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value)))
        return value | {key: _changed_json(data, value[key])}
    if isinstance(value, list) and value and data.draw(st.integers(0, 3)):
        index = data.draw(st.integers(0, len(value) - 1))
        return [*value[:index], _changed_json(data, value[index]), *value[index + 1 :]]
    return data.draw(ANYTHING | st.sampled_from([10**9, -1, 0, 10**400, 1e308, "a" * 1000, {}, []]))


@cache
def _exported() -> dict[str, bytes]:
    explanation = explain(_model("topics"), "The striker scored.")
    found = {}
    for suffix in ("json", "npz"):
        path = _scratch() / f"explanation.{suffix}"
        save(explanation, path)
        found[suffix] = path.read_bytes()
    return found


def load_export(data: Data) -> tuple[str, bool]:
    """An exported explanation with bytes or a value changed."""
    suffix = data.draw(st.sampled_from(sorted(_exported())))
    path = _scratch() / f"changed.{suffix}"
    if suffix == "json" and data.draw(st.booleans()):
        path.write_text(json.dumps(_changed_json(data, json.loads(_exported()[suffix]))))
    else:
        path.write_bytes(data.draw(mutated(_exported()[suffix])))
    return suffix, judged(lambda: load(path), f"an export in {suffix}")


TARGETS = (
    Target("files of sounds and pictures", read_file),
    Target("texts", explain_text),
    Target("arguments of endpoints", call_endpoint),
    Target("checkpoints", load_checkpoint),
    Target("exported explanations", load_export),
)


@dataclass
class Tried:
    """How many were tried, taken and refused, and which defects were found."""

    taken: Counter[str]
    refused: Counter[str]
    defects: list[str]
