"""A study in a notebook cell: what its script asks is answered by Python."""

import base64
from pathlib import Path

import numpy as np
import pytest

from daam_core.errors import ConfigError
from daam_core.study import notebook
from daam_core.study.notebook import answer, notebook_study
from daam_core.study.selection import selections
from tests.support.studies import drawn_study


def test_the_widget_answers_each_message_with_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = drawn_study(tmp_path / "study", row=lambda number: {"thumbnail": b"jpeg"})
    widget = notebook_study(study, state={"tab": "cells"})
    assert widget.state == {"tab": "cells"}
    assert widget.payload["name"] == "study"
    sent: list[dict[str, object]] = []
    monkeypatch.setattr(widget, "send", sent.append)
    place = {"head": 1, "layer": 2, "feature": 7, "quantity": "density_attention"}
    for number, (question, asked) in enumerate(
        [("place", place), ("telling", {}), ("inputs", {"numbers": [5]}), ("thumbnail", {"number": 3})]
    ):
        widget._handle_custom_msg({"id": number, "question": question, "asked": asked}, [])
    assert [one["id"] for one in sent] == [0, 1, 2, 3]
    scores = np.frombuffer(base64.b64decode(sent[0]["value"]["scores"]["data"]), "<f4")  # type: ignore[index]
    np.testing.assert_array_equal(scores, study.column("density_attention", (1, 2, 7)))
    assert sent[2]["value"][0]["number"] == 5  # type: ignore[index]
    assert sent[3]["value"] == f"data:image/jpeg;base64,{base64.b64encode(b'jpeg').decode()}"


def test_a_selection_is_kept_and_what_cannot_be_answered_is_one_sentence(tmp_path: Path) -> None:
    study = drawn_study(tmp_path / "study", refused=(4,))
    asked = {"name": "mine", "numbers": [2, 1]}
    assert answer(study, {"id": 7, "question": "keep", "asked": asked}) == {"id": 7, "value": {"reason": ""}}
    assert selections(study)["mine"].tolist() == [1, 2]
    renamed = {"id": 7, "question": "rename", "asked": {"name": "mine", "other": "ours"}}
    assert answer(study, renamed) == {"id": 7, "value": {"reason": ""}}
    assert list(selections(study)) == ["ours"]
    answer(study, {**renamed, "asked": {"name": "ours", "other": "mine"}})
    dropped = answer(study, {"id": 8, "question": "drop", "asked": {"name": "mine"}})
    assert (dropped, selections(study)) == ({"id": 8, "value": {"reason": ""}}, {})
    for message in (None, {}, {"id": 1, "question": "rows", "asked": {}}, {"question": "place", "asked": {}}):
        assert answer(study, message)["error"] == "A study is not asked this."
    told = answer(study, {"id": 2, "question": "inputs", "asked": {"numbers": [4]}})
    assert told == {"id": 2, "error": "An input is asked for that was not explained in this study."}


def test_without_the_package_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notebook._widget_class.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    with pytest.raises(ConfigError, match="pip install anywidget"):
        notebook_study(drawn_study(tmp_path / "study"))
    notebook._widget_class.cache_clear()
