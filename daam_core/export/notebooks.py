"""A notebook that reproduces an explanation."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np

from daam_core.errors import DataError, InputError
from daam_core.inputs import Region, SoundChange
from daam_core.reading.numbers import probability
from daam_core.result import Explanation

#: What stands for a path where the input was no file.
_INPUT_NAMES = {"audio": "clip.wav", "image": "picture.jpg"}
_CHANGES = {"audio": SoundChange, "image": Region}
_TOLERANCE = 1e-4  # of probabilities, between two machines
_MAX_LISTED_CELLS = 5000
_IMPORTS = """\
from importlib.util import find_spec

missing = [package for package in ("daam_core", "plotly") if find_spec(package) is None]
if missing:
    raise ModuleNotFoundError(
        f"This notebook needs {' and '.join(missing)}, which this kernel does not have. Install the DAAM "
        "explorer (the project that wrote the notebook) with pip in the kernel's environment."
    )

import numpy as np

from daam_core import explain_encoding, load_model
from daam_core.export import save
from daam_core.figures import plotly_layers, plotly_map, plotly_parameters
from daam_core.view.notebook import notebook_view"""


def notebook(explanation: Explanation) -> str:
    """A Jupyter notebook (nbformat 4.5) that explains the input again and compares the results.

    A text travels inside it. A sound or picture does not: the notebook asks for its path, and changes
    it as it was changed.

    Args:
        explanation: what to reproduce.

    Raises:
        DataError: cells were muted in a way that a short program cannot state.
        InputError: the model is one of somebody's own, that a notebook cannot load.
    """
    e = explanation
    if "attention" in e.provenance:
        raise InputError(
            f"A notebook cannot load {_line(e.model)}, a model of your own; save .html, .json, .npz or .csv."
        )
    cells = [
        _markdown(
            f"# Why {_span(e.model)} decided as it did\n\n"
            f"Explains one input again and compares the result with the recorded one: "
            f"{_span(e.answer)} with probability {probability(float(e.probabilities[e.prediction]))}, "
            f"{e.shape[0]} heads × {e.shape[1]} layers × {e.shape[2]} features. "
            "Needs the package `daam_core`, anywidget for the interactive view, plotly for the figures, and "
            "the encoder's weights."
        ),
        _code(_IMPORTS),
        _code(_model_lines(e)),
        _code(_input_lines(e)),
        _code(_explain_lines(e)),
        _markdown("## The same result?"),
        _code(_comparison_lines(e)),
        _markdown(
            "## Importance Factor\n\nWhich layers and features each head lets through. It marks typical "
            "values, amplified by layer; it is no proof that a cell decides."
        ),
        _code("notebook_view(e)"),
        _code("plotly_map(e)"),
        _code("plotly_layers(e)"),
        _markdown("## What was learned"),
        _code("plotly_parameters(e)"),
        _markdown("## Keep the numbers"),
        _code('save(e, "explanation.npz")'),
    ]
    content = {
        "cells": [{"id": f"cell-{index}", **cell} for index, cell in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _markdown(text: str) -> dict[str, object]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _span(name: str) -> str:
    """A name as a code span, which no character of it can end: markup and links in it stay text."""
    return f"`{_line(name).replace('`', chr(0x2019))}`"


def _line(text: object) -> str:
    """A text in one line, which ends no comment."""
    return " ".join(str(text).split())


def _code(text: str) -> dict[str, object]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": text.splitlines(keepends=True),
    }


def _model_lines(explanation: Explanation) -> str:
    lines = [f"model = load_model({explanation.model!r})"]
    recorded = explanation.provenance.get("checkpoint_sha256")
    if recorded:
        lines += [
            f"if model.sha256 != {str(recorded)!r}:",
            '    print("This is another version of the model: expect other numbers.")',
        ]
    return "\n".join(lines)


def _input_lines(explanation: Explanation) -> str:
    """Read the input, and change it as it was changed when it was explained."""
    e = explanation
    record = e.provenance.get("input", {})
    if e.modality == "text":
        edited = f"  # an edited version of {_line(record['name'])}" if "change" in record else ""
        return f"from daam_core.inputs import read_input\n\ngiven = read_input({e.text!r}, 'text'){edited}"
    from_file = bool(Path(str(record.get("name", ""))).suffix)
    name = record["name"] if from_file else _INPUT_NAMES[e.modality]
    rate = ", rate=model.backbone.sample_rate" if e.modality == "audio" else ""
    lines = [f"given = read_input({name!r}, {e.modality!r}{rate})  # its path; it does not travel along"]
    if from_file:
        lines += [
            f"if given.sha256 != {record['sha256']!r}:",
            '    print("This is another file: expect other numbers.")',
        ]
    imports = "from daam_core.inputs import read_input"
    if "change" in record:
        kind = _CHANGES[e.modality]
        said = record["change"]
        given = ((field.name, said[field.name], field.default) for field in fields(kind))
        parameters = ", ".join(f"{name}={value!r}" for name, value, usual in given if value != usual)
        lines.append(f"given = changed(given, {kind.__name__}({parameters}))  # {_line(said['description'])}")
        imports = f"from daam_core.inputs import {kind.__name__}, changed, read_input"
    return "\n".join([imports, "", *lines])


def _explain_lines(explanation: Explanation) -> str:
    e = explanation
    lines = list(_keep_lines(e))
    keep = ", keep=keep" if lines else ""
    lines += [
        "encoding = model.backbone.encode(given)",
        f"e = explain_encoding(model, encoding, target={e.explained_class!r}, scale={e.scale!r}{keep})",
        'print(e.answer, "with probability", round(float(e.probabilities[e.prediction]), 4))',
    ]
    return "\n".join(lines)


def _keep_lines(explanation: Explanation) -> Iterator[str]:
    """Statements that mute again what was muted: whole heads, layers and features first, then cells."""
    if not explanation.provenance.get("muted_cells"):
        return
    full = explanation.amplitude[:, :, None] * explanation.gate
    keep = np.ones(explanation.shape)
    np.divide(explanation.density_attention, full, out=keep, where=full > 0)
    muted = keep < 0.5
    if not np.allclose(keep[~muted], 1, atol=1e-4) or keep[muted].any():
        raise DataError("Cells were muted in part, which a notebook cannot state; save .json or .npz.")
    yield f"keep = np.ones({explanation.shape})  # 0 for muted cells"
    visible = explanation.head_layers[:, :, None] & (full > 0)
    muted = muted | ~visible  # what is 0 anyway may be muted or not
    rest = muted & visible
    for axis, place in enumerate(("{}", ":, {}", ":, :, {}")):
        others = tuple(other for other in range(3) if other != axis)
        whole = muted.all(axis=others) & rest.any(axis=others)
        for index in np.flatnonzero(whole).tolist():
            yield f"keep[{place.format(index)}] = 0"
        rest = rest & ~np.expand_dims(whole, others)
    cells = np.argwhere(rest)
    if len(cells) > _MAX_LISTED_CELLS:
        raise DataError("Too many single cells were muted to list them in a notebook; save .json or .npz.")
    if len(cells):
        yield f"keep[tuple(np.array({cells.tolist()}).T)] = 0"


def _comparison_lines(explanation: Explanation) -> str:
    recorded = dict(zip(explanation.class_names, explanation.probabilities.tolist(), strict=True))
    return (
        f"recorded = {recorded!r}\n"
        "found = dict(zip(e.class_names, e.probabilities.tolist()))\n"
        "difference = max(abs(found[name] - recorded[name]) for name in recorded)\n"
        'print(f"largest difference of a probability: {difference:.1e}")\n'
        f"if difference > {_TOLERANCE}:\n"
        '    print("The result differs from the recorded one: another input, model version or library?")'
    )
