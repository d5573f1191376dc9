"""The view in a notebook cell, as far as Python sees it; what its script does is tested in a browser."""

import sys

import pytest

from daam_core.errors import ConfigError
from daam_core.result import Explanation
from daam_core.view import notebook
from daam_core.view.payload import view_payload
from tests.support.builders import make_explanation


def test_the_cell_holds_everything_exactly() -> None:
    e = make_explanation(heads=1, layers=12, features=6000, tokens=3, dataset=False)
    widget = notebook.notebook_view(e, state={"tab": "layers"})
    assert widget.payload == view_payload(e, limit=None)
    assert widget.state == {"tab": "layers"}
    assert (widget.cell, widget.target, widget.explains) == (None, e.explained, False)


def test_another_class_is_explained_where_that_is_offered() -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=2)
    asked: list[int] = []

    def explain(target: int) -> Explanation:
        asked.append(target)
        return b

    widget = notebook.notebook_view(a, compare=a, explain=explain)
    assert widget.explains
    wanted = (a.explained + 1) % len(a.class_names)
    widget.target = wanted
    assert asked == [wanted]
    assert widget.payload == view_payload(a, compare=b, limit=None)


def test_without_anywidget_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook._widget_class.cache_clear()
    monkeypatch.setitem(sys.modules, "anywidget", None)
    with pytest.raises(ConfigError, match="needs the package anywidget: pip install anywidget"):
        notebook.notebook_view(make_explanation())
