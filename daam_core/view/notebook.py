"""The interactive view in a notebook cell: what is selected there comes back to Python.

A widget of the package anywidget, which is no requirement of this one: it is loaded when asked for.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from daam_core.errors import ConfigError
from daam_core.result import Explanation
from daam_core.view.modules import bundle, view_style
from daam_core.view.payload import view_payload

if TYPE_CHECKING:
    import anywidget

#: What the cell's script does with the view: payload and state go in, what a reader does comes back.
_RENDER = """
function render({ model, el }) {
  const element = document.createElement('daam-view');
  element.options = { theme: 'auto', heading: 3, serves: model.get('explains') ? ['target'] : [] };
  element.state = model.get('state');
  element.payload = model.get('payload');
  const keep = (name, value) => {
    if (JSON.stringify(model.get(name)) === JSON.stringify(value)) return;
    model.set(name, value);
    model.save_changes();
  };
  element.addEventListener('state', ({ detail }) => keep('state', detail));
  element.addEventListener('cell', ({ detail }) => keep('cell', detail));
  element.addEventListener('target', ({ detail }) => keep('target', detail.index));
  const payload = () => { element.payload = model.get('payload'); };
  const state = () => { element.state = model.get('state'); };
  model.on('change:payload', payload);
  model.on('change:state', state);
  el.replaceChildren(element);
  return () => {
    model.off('change:payload', payload);
    model.off('change:state', state);
    element.remove();
  };
}
export default { render };
"""


def notebook_view(
    explanation: Explanation,
    *,
    compare: Explanation | None = None,
    media: Mapping[str, object] | None = None,
    compare_media: Mapping[str, object] | None = None,
    names: tuple[str, str] = ("", ""),
    state: Mapping[str, object] | None = None,
    explain: Callable[[int], Explanation] | None = None,
) -> "anywidget.AnyWidget":
    """The view as the value of a notebook cell.

    Its traits follow what a reader does, and may be observed: ``cell``, the chosen
    ``{"head", "layer", "feature"}`` or None; ``target``, the index of the class asked for; ``state``, all
    that is shown (see ``DEFAULTS`` in ``web/state.js``), which can also be set.

    Args:
        explanation, compare, media, compare_media, names: as for
            :func:`~daam_core.view.payload.view_payload`; all arrays are in the cell, exactly.
        state: what to show first.
        explain: explains the newest input for another class; with it, the view offers the choice.

    Raises:
        ConfigError: anywidget is not installed.
    """

    def payload(newest: Explanation) -> dict[str, object]:
        first, second = (explanation, newest) if compare is not None else (newest, None)
        return view_payload(
            first, compare=second, media=media, compare_media=compare_media, names=names, limit=None
        )

    newest = explanation if compare is None else compare
    widget = _widget_class()(
        payload=payload(newest),
        state=dict(state or {}),
        target=int(newest.explained),
        explains=explain is not None,
    )
    if explain is not None:
        widget.observe(lambda change: setattr(widget, "payload", payload(explain(change["new"]))), "target")
    return widget


def need_anywidget() -> None:
    """Say in one sentence that widgets need a package which is not installed.

    Raises:
        ConfigError: it is not.
    """
    try:
        import anywidget  # noqa: F401
    except ImportError as error:
        raise ConfigError(
            "The view in a notebook cell needs the package anywidget: pip install anywidget."
        ) from error


@cache
def _widget_class() -> "type[anywidget.AnyWidget]":
    need_anywidget()
    import anywidget
    import traitlets

    class NotebookView(anywidget.AnyWidget):
        """See :func:`notebook_view`."""

        _esm = bundle(_RENDER)
        _css = view_style()
        payload = traitlets.Dict().tag(sync=True)
        state = traitlets.Dict().tag(sync=True)
        cell = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
        target = traitlets.Int().tag(sync=True)
        explains = traitlets.Bool(False).tag(sync=True)

    return NotebookView
