"""Gradio components with this page's rules: files are read by the core, views are drawn by scripts."""

from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from ..server import assets


def _path(_: gr.Image, payload: ImageData | None) -> str | None:
    return None if payload is None else str(payload.path)


# Made past Gradio's metaclass, which writes a file beside the source of every component class; and under
# the name and module by which the page's script knows images. It is a class, and no changed object, since
# Gradio makes a component anew by its class whenever a listener leaves it as it is.
_Picture: Any = type.__new__(
    type(gr.Image), "Image", (gr.Image,), {"__module__": gr.Image.__module__, "preprocess": _path}
)


def picture(**options: Any) -> gr.Image:
    """An image upload that hands on the path of the file as it came.

    Gradio's own would decode the file first and answer a damaged one with a message of its own; here
    the core's reader decides, with its one sentence.
    """
    image: gr.Image = _Picture(type="filepath", **options)
    return image


def answer_place(elem_id: str) -> gr.HTML:
    """Where it is said, beside a control, what was wrong with its use."""
    return gr.HTML("", elem_id=elem_id, elem_classes="dx-said", apply_default_css=False)


def with_page(call: str) -> str:
    """For ``js_on_load``: calls something of ``DaamPage``, ``static/page.js``, once that is loaded.

    Gradio loads no modules of its own accord; the browser loads this one once for all elements.
    """
    module = f"new URL('{assets.address('page.js')}', document.baseURI)"
    return f"import({module}).then(() => window.DaamPage.{call});"


def script_view(
    script: str, *, value: object = None, events: tuple[str, ...] = (), **options: Any
) -> gr.HTML:
    """An element that a script of this page fills; its value is data, never markup.

    Args:
        script: function in ``DaamPage`` (``static/page.js``) that takes ``(element, props, watch,
            trigger, events)``.
        value: data that it has from the start.
        events: names of the events that it triggers; each is a listener of the component.
        options: as for ``gr.HTML``.
    """
    names = ", ".join(f"'{event}'" for event in events)
    place = "element.querySelector('.dx-mount')"
    return gr.HTML(
        value,
        html_template='<div class="dx-mount"></div>',
        js_on_load=with_page(f"{script}({place}, props, watch, trigger, [{names}])"),
        apply_default_css=False,
        **options,
    )
