"""Addresses at which the page's scripts ask studies of data sets; all answers are compressed JSON.

``/studies/NAME/QUESTION`` with the question's arguments in the query, or as JSON for lists of inputs.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from daam_core.errors import DaamError, InputError

from .page.outcomes import sentence_of
from .visit.study import Studies

JSON_TYPE = "application/json"
#: Of this visitor's browser alone, and not for long: another study may lie there after a restart.
KEPT_HERE = {"Cache-Control": "private, max-age=60"}
COMPRESSED = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}


def routes(studies: Studies) -> list[Route]:
    """Routes that answer questions about studies, and keep selections; none without studies."""
    if not studies:
        return []

    async def ask(request: Request) -> Response:
        name, question = request.path_params["name"], request.path_params["question"]
        if question == "payload":
            return await _told(lambda: studies.payload(name), JSON_TYPE, COMPRESSED)
        asking = {
            "place": studies.place,
            "alike": studies.alike,
            "telling": studies.telling,
            "projection": studies.projection,
        }
        if (answer := asking.get(question)) is None:
            return _refused(InputError("A study is not asked this."), 404)
        query: Mapping[str, object] = dict(request.query_params)
        return await _told(lambda: answer(name, query), JSON_TYPE, COMPRESSED)

    async def ask_with_lists(request: Request) -> Response:
        name, question = request.path_params["name"], request.path_params["question"]
        answer = {
            "inputs": studies.inputs,
            "slices": studies.slices,
            "keep": studies.keep,
            "drop": studies.drop,
            "rename": studies.rename,
        }.get(question)
        if answer is None:
            return _refused(InputError("A study is not asked this."), 404)
        # A form of another site cannot send this type without asking first.
        if not request.headers.get("content-type", "").startswith(JSON_TYPE):
            return _refused(InputError("Lists of inputs are sent as JSON."), 415)
        try:
            asked: Any = json.loads(await request.body())
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            return _refused(InputError("Lists of inputs are sent as a JSON object."), 400)
        return await _told(lambda: answer(name, asked), JSON_TYPE, COMPRESSED)

    async def medium(request: Request) -> Response:
        name, number = request.path_params["name"], request.path_params["number"]
        if request.path_params["kind"] == "thumbnail":
            return await _told(lambda: studies.thumbnail(name, number), "image/jpeg", KEPT_HERE)
        return await _told(lambda: studies.sound(name, number), "audio/wav", KEPT_HERE)

    return [
        Route("/studies/{name}/{kind:str}/{number:str}", medium, methods=["GET"]),
        Route("/studies/{name}/{question:str}", ask, methods=["GET"]),
        Route("/studies/{name}/{question:str}", ask_with_lists, methods=["POST"]),
    ]


async def _told(answer: Callable[[], bytes], kind: str, headers: Mapping[str, str]) -> Response:
    try:
        content = await run_in_threadpool(answer)
    except Exception as error:
        return _refused(error, 400 if isinstance(error, DaamError) else 500)
    return Response(content, media_type=kind, headers=dict(headers))


def _refused(error: Exception, status: int) -> Response:
    return JSONResponse({"error": sentence_of(error)}, status)
