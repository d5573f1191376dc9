"""The view of a study in a notebook cell, as on the page; whatever is asked there is answered by Python.

A widget of the package anywidget, which is loaded when asked for.
"""

import base64
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from daam_core.errors import DaamError, InputError
from daam_core.inputs import read_sound
from daam_core.study.cells import Place
from daam_core.study.folder import Study
from daam_core.study.payload import (
    alike_answer,
    inputs_answer,
    place_answer,
    projection_answer,
    slices_answer,
    study_payload,
    telling_answer,
)
from daam_core.study.selection import (
    drop_selection,
    rename_selection,
    save_selection,
    why_not_written,
)
from daam_core.view.media import wav_bytes
from daam_core.view.modules import STUDY_ENTRY, bundle, study_style, view_style
from daam_core.view.notebook import need_anywidget

if TYPE_CHECKING:
    import anywidget

#: Questions go to Python as messages, each with a number that its answer comes back with. Pictures and sounds
#: are asked for when they are first shown, and drawn once they are here.
_RENDER = """
function render({ model, el }) {
  const element = document.createElement('daam-study');
  const waiting = new Map();
  const media = new Map();
  let count = 0;
  const answered = ({ id, value, error }) => {
    const [good, bad] = waiting.get(id) || [];
    if (!waiting.delete(id)) return;
    if (error) bad(new Error(error));
    else good(value);
  };
  model.on('msg:custom', answered);
  const ask = (question, asked) =>
    new Promise((good, bad) => {
      count += 1;
      waiting.set(count, [good, bad]);
      model.send({ id: count, question, asked });
    });
  const address = (kind, number) => {
    const key = `${kind} ${number}`;
    if (!media.has(key)) {
      media.set(key, '');
      ask(kind, { number }).then(
        (found) => { media.set(key, found); element.refresh(); },
        () => {},
      );
    }
    return media.get(key);
  };
  element.options = { theme: 'auto', heading: 3 };
  element.source = { ask, address };
  element.state = model.get('state');
  element.payload = model.get('payload');
  element.addEventListener('state', ({ detail }) => {
    if (JSON.stringify(model.get('state')) === JSON.stringify(detail)) return;
    model.set('state', detail);
    model.save_changes();
  });
  const state = () => { element.state = model.get('state'); };
  model.on('change:state', state);
  el.replaceChildren(element);
  return () => {
    model.off('msg:custom', answered);
    model.off('change:state', state);
    element.remove();
  };
}
export default { render };
"""


def notebook_study(study: Study, *, state: Mapping[str, object] | None = None) -> "anywidget.AnyWidget":
    """The view of a study as the value of a notebook cell: inputs, what cells answer to, how groups differ.

    Its trait ``state`` follows what a reader does and may be observed or set (see ``DEFAULTS`` in
    ``web/study/state.js``): ``state["input"]`` is the number of the chosen input, ``state["place"]`` the
    chosen cell. A selection that a reader names is kept with the study.

    Args:
        study: from :func:`~daam_core.study.folder.open_study`.
        state: what to show first, such as ``{"tab": "slices"}``.

    Raises:
        ConfigError: anywidget is not installed.
    """
    payload = study_payload(study) | {"explains": False, "example": False, "stated": None}
    widget = _widget_class()(payload=payload, state=dict(state or {}))
    widget.on_msg(lambda _, message, __: widget.send(answer(study, message)))
    return widget


def answer(study: Study, message: object) -> dict[str, Any]:
    """What a message asks of a study: its ``id`` with the ``value``, or an ``error`` of one sentence."""
    asked = message if isinstance(message, Mapping) else {}
    about = asked.get("asked")
    known = _QUESTIONS.get(str(asked.get("question")))
    try:
        if known is None or not isinstance(about, Mapping):
            raise InputError("A study is not asked this.")
        return {"id": asked.get("id"), "value": known(study, about)}
    except DaamError as error:
        return {"id": asked.get("id"), "error": str(error)}
    except (KeyError, TypeError, ValueError):
        return {"id": asked.get("id"), "error": "A study is not asked this."}


def _place(asked: Mapping[str, Any]) -> Place:
    return Place(head=asked["head"], layer=asked["layer"], feature=asked["feature"])


def _keep(study: Study, asked: Mapping[str, Any]) -> dict[str, str]:
    numbers = np.array(asked["numbers"], dtype=np.int64)
    return {"reason": why_not_written(lambda: save_selection(study, asked["name"], numbers))}


def _drop(study: Study, asked: Mapping[str, Any]) -> dict[str, str]:
    return {"reason": why_not_written(lambda: drop_selection(study, str(asked["name"])))}


def _rename(study: Study, asked: Mapping[str, Any]) -> dict[str, str]:
    name, other = str(asked["name"]), str(asked["other"])
    return {"reason": why_not_written(lambda: rename_selection(study, name, other))}


def _thumbnail(study: Study, asked: Mapping[str, Any]) -> str:
    rows = study.rows.take(study.rows_of(np.array([asked["number"]])))
    return _data_address("image/jpeg", rows["thumbnail"][0].as_py() or b"")


def _sound(study: Study, asked: Mapping[str, Any]) -> str:
    heard = read_sound(study.original(asked["number"]))
    return _data_address("audio/wav", wav_bytes(heard.samples, heard.rate))


def _data_address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


_QUESTIONS: dict[str, Callable[[Study, Mapping[str, Any]], object]] = {
    "place": lambda study, asked: place_answer(study, _place(asked), asked["quantity"]),
    "alike": lambda study, asked: alike_answer(study, _place(asked), asked["quantity"]),
    "telling": lambda study, _: telling_answer(study),
    "projection": lambda study, asked: projection_answer(study, asked["method"]),
    "inputs": lambda study, asked: inputs_answer(study, asked["numbers"]),
    "slices": lambda study, asked: slices_answer(
        study, asked["first"], asked["second"], asked["quantity"], asked.get("units") or None
    ),
    "keep": _keep,
    "drop": _drop,
    "rename": _rename,
    "thumbnail": _thumbnail,
    "sound": _sound,
}


@cache
def _widget_class() -> "type[anywidget.AnyWidget]":
    need_anywidget()
    import anywidget
    import traitlets

    class NotebookStudy(anywidget.AnyWidget):
        """See :func:`notebook_study`."""

        _esm = bundle(_RENDER, entry=STUDY_ENTRY)
        _css = view_style() + study_style()
        payload = traitlets.Dict().tag(sync=True)
        state = traitlets.Dict().tag(sync=True)

    return NotebookStudy
