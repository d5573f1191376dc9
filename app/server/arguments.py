"""What visitors and programs send to an event, checked before Gradio looks at it.

Gradio answers values that do not fit with a traceback in the log and an error without words. Here they
are the sender's error, in one sentence. A file is one that was uploaded to this server: addresses are
not fetched, which would let anybody make this server load anything from anywhere.
"""

import contextlib
import inspect
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
from fastapi.exceptions import RequestValidationError
from gradio.block_function import BlockFunction
from gradio.data_classes import FileData, ImageData, ListFiles
from gradio.route_utils import FnIndexInferError
from gradio.routes import App
from gradio.state_holder import SessionState
from gradio.utils import get_upload_folder
from starlette.requests import Request
from starlette.responses import Response

from daam_core.errors import InputError, first_line

from .answers import API, refusal

NOT_OURS = "The values do not fit what is on this page; load it again."
OWN_ADDRESS = re.compile(r"https?://[^/?#]*/(?:[^?#]*/)?gradio_api/file=([^?#]+)")
EVENTS = (f"{API}call/", f"{API}queue/join")
LISTED = "/gradio_api/info lists endpoints and what they take"
NO_EVENT = f"There is no such endpoint; {LISTED}."
FILES = (FileData, ImageData)
FILE_HINT = 'upload it first and give {"path": …} with the path from the answer'


_BUILDING = threading.RLock()


@contextlib.contextmanager
def _no_application() -> Iterator[None]:
    """Gradio makes its web application three times before the one that it serves; the others serve nobody.

    Each takes a fifth of a second of the app's start.
    """
    with _BUILDING:
        made = App.create_app
        App.create_app = staticmethod(lambda *_, **__: None)  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            App.create_app = staticmethod(made)  # type: ignore[method-assign]


class CheckedBlocks(gr.Blocks):
    """Blocks whose events refuse what does not fit in one sentence."""

    def __exit__(self, *error: Any) -> None:
        with _no_application():
            super().__exit__(*error)

    def queue(self, *arguments: Any, **named: Any) -> "CheckedBlocks":
        """As Gradio's own."""
        with _no_application():
            super().queue(*arguments, **named)
        return self

    def validate_inputs(self, block_fn: BlockFunction, inputs: list[object]) -> None:
        """
        Raises:
            gr.Error: too few values, or too many.
        """
        if len(inputs) == len(block_fn.inputs):
            return
        if block_fn.api_visibility != "public":
            raise _refused(NOT_OURS)
        names = ", ".join(inspect.signature(block_fn.fn or str).parameters) or "none"
        raise _refused(
            f"{block_fn.api_name} takes {len(block_fn.inputs)} values ({names}), got {len(inputs)}."
        )

    async def preprocess_data(
        self,
        block_fn: BlockFunction,
        inputs: list[object],
        state: SessionState | None,
        explicit_call: bool = False,
    ) -> list[object]:
        """
        Raises:
            gr.Error: something that a component cannot hold, or a file that nobody uploaded here.
        """
        self.validate_inputs(block_fn, inputs)
        try:
            inputs = [
                _checked(value, getattr(block, "data_model", None))
                for block, value in zip(block_fn.inputs, inputs, strict=True)
            ]
            values: list[object] = await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except InputError as error:
            raise _refused(str(error)) from error
        except Exception as error:
            raise _refused(NOT_OURS) from error
        return values


async def _no_such_event(request: Request, error: Exception) -> Response:
    """Answers who asks for an endpoint that is not there, which Gradio looks up unchecked."""
    if not request.url.path.startswith(EVENTS):
        raise error
    return refusal(request.scope, 404, NO_EVENT)


async def _wrong_names(request: Request, error: Exception) -> Response:
    """Answers who leaves a parameter out, or names one that there is not."""
    if not request.url.path.startswith(EVENTS):
        raise error
    return refusal(request.scope, 422, f"{first_line(error).partition('. Please')[0]}; {LISTED}.")


async def _wrong_body(request: Request, error: Exception) -> Response:
    """Answers who sends something else than Gradio's routes take."""
    sentence = f"The request's body is not of the form that this address takes; {LISTED}."
    return refusal(request.scope, 422, sentence)


#: What Gradio's routes raise for requests that do not fit, and who answers.
HANDLERS = {
    KeyError: _no_such_event,
    FnIndexInferError: _no_such_event,
    TypeError: _wrong_names,
    RequestValidationError: _wrong_body,
}


def path_of(value: object, name: str) -> str | None:
    """Where an uploaded file lies, from what Gradio makes of a file; None for none.

    Raises:
        InputError: it is something else.
    """
    if value is None:
        return None
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str):
        raise InputError(f"{name} is a file: {FILE_HINT}.")
    return path


def paths_of(value: object, name: str) -> list[str | None]:
    """Where uploaded files lie; None is no file.

    Raises:
        InputError: it is something else.
    """
    if value is not None and not isinstance(value, list):
        raise InputError(f"{name} is a list of files: upload each first, and give their paths.")
    return [path_of(one, name) for one in value or []]


def _checked(value: object, holds: object) -> object:
    """A value whose files were uploaded here, by what its component holds."""
    if holds in FILES:
        return _uploaded(value)
    if holds is ListFiles and isinstance(value, list):
        return [_uploaded(one) for one in value]
    if holds is ListFiles and value is not None:
        raise InputError(f"Files are given as a list: {FILE_HINT}.")
    return value


def _uploaded(value: object) -> dict[str, object] | None:
    """A file as Gradio takes it; None for none.

    Raises:
        InputError: no file, or none that was uploaded here.
    """
    if value is None:
        return None
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or not path:
        raise InputError(f"A file is missing: {FILE_HINT}.")
    if own := OWN_ADDRESS.fullmatch(path):
        path = unquote(own[1])
    if "://" in path:
        raise InputError(f"Files are not fetched from other addresses: {FILE_HINT}.")
    try:
        resolved = Path(path).resolve()
        found = resolved.is_relative_to(Path(get_upload_folder()).resolve()) and resolved.is_file()
    except (OSError, ValueError):  # a name that no file can have
        found = False
    if not found:
        raise InputError(f"There is no such file here: {FILE_HINT}.")
    return {"path": path, "meta": {"_type": "gradio.FileData"}}


def _refused(sentence: str) -> gr.Error:
    return gr.Error(sentence, print_exception=False)
