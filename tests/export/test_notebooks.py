"""The notebook is run: it reproduces the explanation or says that it does not."""

import dataclasses
import json

import numpy as np
import pytest
from markdown_it import MarkdownIt

import daam_core
from daam_core import explain, explain_encoding, export
from daam_core.errors import DataError
from tests.support.builders import make_explanation
from tests.support.encode import encode
from tests.support.exports import assert_equal, strict
from tests.support.small import LetterEncoder, letter_model


def run_notebook(content: str, folder, monkeypatch) -> tuple[dict, str]:
    """Runs the code cells in order; returns their variables and everything printed."""
    printed: list[str] = []
    variables: dict = {"print": lambda *parts: printed.append(" ".join(map(str, parts)))}
    monkeypatch.chdir(folder)
    for cell in json.loads(content)["cells"]:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), cell["id"], "exec"), variables)
    return variables, "\n".join(printed)


def letters(monkeypatch, **changes: object):
    model = letter_model(**changes)
    monkeypatch.setattr(daam_core, "load_model", lambda name: model)
    return model


@pytest.mark.parametrize(
    "changes", [{}, {"gate_kind": "mixture", "n_gaussians": 2}, {"mode": "layer_groups"}]
)
def test_the_notebook_reproduces_the_explanation(tmp_path, monkeypatch, changes):
    e = explain(letters(monkeypatch, **changes), "hello\n'\"\\ {x} $5", target="vowels", scale="per_head")
    variables, printed = run_notebook(export.notebook(e), tmp_path, monkeypatch)
    assert "largest difference of a probability: 0.0e+00" in printed
    assert "differs from the recorded" not in printed
    np.testing.assert_array_equal(variables["e"].importance, e.importance)
    np.testing.assert_array_equal(variables["e"].class_importance, e.class_importance)
    assert_equal(export.load(tmp_path / "explanation.npz"), variables["e"])


def test_the_notebook_says_when_the_result_is_another_one(tmp_path, monkeypatch):
    e = explain(letters(monkeypatch), "hello")
    monkeypatch.setattr(daam_core, "load_model", lambda name: letter_model(n_heads=3))
    _, printed = run_notebook(export.notebook(e), tmp_path, monkeypatch)
    assert "The result differs from the recorded one" in printed


def mute(kind: str) -> np.ndarray:
    keep = np.ones((2, 6, 8), dtype=np.float32)
    if kind != "cells":
        keep[1] = 0
        keep[:, 3] = 0
    if kind != "head and layer":
        keep[0, 1, 2] = keep[0, 5, 7] = 0
    if kind == "all":
        keep[:, :, 4] = 0
    return keep


@pytest.mark.parametrize("kind", ["head and layer", "cells", "all"])
def test_the_notebook_mutes_again_what_was_muted(tmp_path, monkeypatch, kind):
    model = letters(monkeypatch)
    e = explain_encoding(model, encode(LetterEncoder(), "hello"), keep=mute(kind))
    content = export.notebook(e)
    variables, _ = run_notebook(content, tmp_path, monkeypatch)
    np.testing.assert_array_equal(variables["keep"], mute(kind))
    np.testing.assert_array_equal(variables["e"].logits, e.logits)


def test_a_partial_mute_is_refused_by_the_notebook(monkeypatch):
    keep = np.ones((2, 6, 8), dtype=np.float32)
    keep[0, 0, 0] = 0.5
    e = explain_encoding(letters(monkeypatch), encode(LetterEncoder(), "hello"), keep=keep)
    with pytest.raises(DataError, match="muted in part, which a notebook cannot state"):
        export.notebook(e)


def test_the_notebook_has_the_form_that_jupyter_reads():
    """The parts that the schema of nbformat 4.5 requires."""
    found = strict(export.notebook(make_explanation("audio")))
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert set(found) == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert found["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in found["cells"]:
        common = {"id", "cell_type", "metadata", "source"}
        assert set(cell) == common | (
            {"outputs", "execution_count"} if cell["cell_type"] == "code" else set()
        )
        assert all(line.endswith("\n") for line in cell["source"][:-1])
    assert "given = read_input('clip.wav', 'audio'" in "".join(
        "".join(cell["source"]) for cell in found["cells"]
    )


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "` <script>alert(1)</script> `",
    "a\n\n<img src=x onerror=alert(1)>\n\n# b",
    "``<b>x</b>``\u2028<img src=x>",
    "![x](http://evil.example/x.png)",
    "$$\\href{javascript:alert(1)}{x}$$",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_markup_in_the_names_of_models_and_classes_stays_text(name, monkeypatch):
    """Rendered as Jupyter does, with raw HTML let through: it is the headings that must hold none."""
    e = explain(letters(monkeypatch), "hello")
    names = tuple(f"{name} {index}" for index in range(len(e.class_names)))
    content = export.notebook(dataclasses.replace(e, model=name, class_names=names))
    texts = ["".join(c["source"]) for c in json.loads(content)["cells"] if c["cell_type"] == "markdown"]
    for text in texts:
        page = MarkdownIt("commonmark", {"html": True}).render(text)
        for sign in ("<img", "<script", "<b>", "<a "):
            assert sign not in page
    page = MarkdownIt("commonmark", {"html": True}).render(texts[0])
    assert page.count("<h1>") == 1  # no heading of the name's own
    assert page.count("<code>") == 3  # the model, the class, the package


@pytest.mark.parametrize("end", ["\n", "\r", "\u2028", "\x0c"])
def test_what_was_changed_is_a_comment_that_nothing_in_it_ends(end, monkeypatch):
    e = explain(letters(monkeypatch), "hello")
    name = f"a{end}raise SystemExit('code of a name')"
    said = {"name": name, "sha256": "0", "change": {"description": name, "text": "hello"}}
    provenance = {**e.provenance, "input": said}
    content = export.notebook(dataclasses.replace(e, provenance=provenance))
    (line,) = [
        line for cell in json.loads(content)["cells"] for line in cell["source"] if "code of a name" in line
    ]
    assert line.partition("  # ")[2].startswith("an edited version of a raise SystemExit")
    change = {"description": name, "start": 0.1, "end": 0.5, "snr": None, "seed": 0}
    sound = make_explanation("audio")
    said = {"name": "clip.wav", "sha256": "0", "change": change}
    content = export.notebook(dataclasses.replace(sound, provenance={**sound.provenance, "input": said}))
    lines = [line for cell in json.loads(content)["cells"] for line in "".join(cell["source"]).splitlines()]
    assert [line for line in lines if line.startswith("raise SystemExit")] == []
