"""Every endpoint with every kind of wrong value: one sentence for whoever sent it, no defect in the log."""

import io
import json
import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import soundfile
from PIL import Image

from tests.app.server.running import Running, start, stop
from tests.support.small_heads import RATE, tone

pytestmark = pytest.mark.slow

TOOLS = {"accept": "application/json, text/event-stream"}
TEXT = "The bank raised its interest rate on Monday."
NUMBERS = ["a", "1", 1e308, math.inf, -math.inf, math.nan, -1e9, 10**30, [], {}, True, [1]]
CHOICES = ["nobody", "", 5, [], {}, ["all_heads"], "a" * 100_000, "\0", "\ud800", "<img src=x onerror=a()>"]
FILES = [
    None,
    5,
    "",
    "clip.wav",
    [],
    {},
    {"path": ""},
    {"path": 5},
    {"path": "a\0b"},
    {"path": "/etc/passwd"},
    {"path": "a" * 100_000},
    {"path": "../../etc/passwd"},
    {"path": "file:///etc/passwd"},
    {"path": "http://127.0.0.1:1/a.wav"},
    {"path": "http://127.0.0.1/gradio_api/file=/etc/passwd"},
    {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
    {"path": "a", "url": "http://127.0.0.1:1/a.wav", "meta": {"_type": "gradio.FileData"}},
]
WRONG: dict[str, list[Any]] = {
    "text": [None, 5, 1e400, True, "", " \n", [], {}, {"\n": 1}, {"text": "a"}, "a" * 60_000],
    "changed_text": [None, 5, True, "", [], {}, "a" * 60_000],
    "explained_class": ["nobody", 5, True, [], {}, "\ud800", "a" * 100_000],
    "mute": [
        "x",
        "{",
        "5",
        '{"heads": [1e400]}',
        '{"heads": [-1]}',
        '{"heads": [99]}',
        '{"heads": 1}',
        '{"cells": [[0, 0]]}',
        '{"cells": [[0, 0, 99999]]}',
        '{"nobody": []}',
        '{"layers": ["a"]}',
        '{"heads": [' + "9" * 5000 + "]}",
        "[" * 100_000,
        5,
        [5],
        {"heads": [1e300]},
    ],
    "seed": [*NUMBERS, 0.5, -1, 2**32],
    "start": [*NUMBERS, -1, 1e4],
    "end": [*NUMBERS, -1, 0, 1e4],
    "noise": [*NUMBERS, -11, 41],
    "fill": [*CHOICES, None],
    "scale": [*CHOICES, None],
    "width": [*CHOICES, None],
    "file_format": [*CHOICES, None, "exe", "../a"],
    "model": [*CHOICES, None],
    "other_model": [*CHOICES, None],
}
WRONG |= {edge: [*NUMBERS, None, -0.1, 1.1] for edge in ("left", "top", "right", "bottom")}
WRONG |= dict.fromkeys(("sound", "image"), FILES)
WRONG["texts"] = [None, 5, "", [], {}, [5], [[TEXT]], [None], TEXT, [TEXT] * 65, ["a" * 50_000] * 5]
SEVERAL_FILES = [None, 5, [], {}, "clip.wav", *([one] for one in FILES[5:10]), [{"path": "a"}] * 65]
WRONG |= {"sounds": SEVERAL_FILES, "images": SEVERAL_FILES}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("server"), "--model", "speech-emotion", "--model", "image-object")
    yield running
    stop(running)


@pytest.fixture(scope="module")
def right(server: Running) -> dict[str, Any]:
    """A right value for each parameter of every endpoint."""
    sound, image = io.BytesIO(), io.BytesIO()
    soundfile.write(sound, tone(300), RATE, format="WAV")
    Image.new("RGB", (64, 48), "red").save(image, "PNG")
    paths = [
        json.loads(server.upload(*pair)[1])[0]
        for pair in (("a.wav", sound.getvalue()), ("a.png", image.getvalue()))
    ]
    files = [{"path": path, "meta": {"_type": "gradio.FileData"}} for path in paths]
    return {
        "text": TEXT,
        "texts": [TEXT, ""],
        "sounds": files[:1],
        "images": files[1:],
        "sound": files[0],
        "image": files[1],
        "changed_text": "The team won the final.",
        "explained_class": "",
        "scale": "all_heads",
        "mute": "",
        "file_format": "json",
        "width": "double",
        "start": 0.0,
        "end": 0.5,
        "noise": None,
        "seed": 0,
        "left": 0.1,
        "top": 0.1,
        "right": 0.5,
        "bottom": 0.5,
        "fill": "black",
    }


@pytest.fixture(scope="module")
def endpoints(server: Running) -> dict[str, list[str]]:
    """Names of the parameters of every endpoint, as the server describes itself."""
    described = json.loads(server.ask("GET", "/gradio_api/info")[1])["named_endpoints"]
    return {
        name.removeprefix("/"): [parameter["parameter_name"] for parameter in about["parameters"]]
        for name, about in described.items()
    }


MODELS = {"text": "news-topic", "sound": "speech-emotion", "image": "image-object"}


def values_for(name: str, right: dict[str, Any]) -> dict[str, Any]:
    model = MODELS.get(name.rpartition("_")[2].removesuffix("s"), "")
    return right | {"model": model, "other_model": model}


def call(server: Running, name: str, body: object) -> str:
    """The event that a call ends with; a refusal's sentence as if it were one."""
    raw = json.dumps(body).replace("Infinity", "1e400").encode()
    status, said = server.ask("POST", f"/gradio_api/call/{name}", raw, {"content-type": "application/json"})
    if status != 200:
        assert 400 <= status < 500, said
        return f"event: error\ndata: {json.dumps({'error': json.loads(said)['detail']})}"
    return server.ask("GET", f"/gradio_api/call/{name}/{json.loads(said)['event_id']}")[1].strip()


def sentence_of(event: str, what: object) -> str:
    kind, _, data = event.partition("\ndata: ")
    assert kind == "event: error", (str(what)[:200], event[:500])
    sentence = json.loads(data)["error"]
    assert isinstance(sentence, str), (str(what)[:200], event[:500])
    assert sentence, what
    assert sentence[-1] in ".!", (str(what)[:200], sentence)
    assert "\n" not in sentence
    assert len(sentence) < 500, (str(what)[:200], sentence)
    assert "went wrong" not in sentence, (str(what)[:200], sentence)
    return sentence


def log_without_traceback(server: Running) -> str:
    log = server.log.read_text()
    assert "Traceback" not in log, log[log.index("Traceback") - 500 :][:5000]
    return log


@pytest.mark.slow
def test_every_wrong_value_of_every_endpoint_is_one_sentence(server, right, endpoints):
    assert len(endpoints) == 19
    asked, seen = [], set()
    for name, parameters in endpoints.items():
        for wrong in parameters:
            # All wrong values of each parameter once, one of them at every other endpoint that has it.
            asked += [
                (name, parameters, wrong, value) for value in WRONG[wrong][: 1 if wrong in seen else None]
            ]
            seen.add(wrong)
    assert len(asked) > 300

    def one(case: tuple[str, list[str], str, Any]) -> str:
        name, parameters, wrong, value = case
        given = values_for(name, right) | {wrong: value}
        event = call(server, name, {"data": [given[parameter] for parameter in parameters]})
        return sentence_of(event, (name, wrong, value))

    with ThreadPoolExecutor(4) as pool:
        sentences = list(pool.map(one, asked))
    assert len(set(sentences)) > 60  # each says what was wrong with its value
    log_without_traceback(server)


def test_too_few_and_too_many_values_are_counted(server, right, endpoints):
    for name, parameters in endpoints.items():
        given = [values_for(name, right)[parameter] for parameter in parameters]
        for data in ([], given[:-1], [*given, None], [*given] * 30):
            if len(data) != len(given):
                sentence = sentence_of(call(server, name, {"data": data}), name)
                names = ", ".join(parameters) or "none"
                assert sentence == f"{name} takes {len(given)} values ({names}), got {len(data)}."
    log_without_traceback(server)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"null",
        b"\xff",
        b'{"data": 5}',
        b'{"data": null}',
        b"{}",
        b'{"data": "abc"}',
        b'{"data": [' + b"[" * 50_000 + b"]" * 50_000 + b"]}",
        b'{"data": [' + b"9" * 5_000 + b"]}",
        b'{"data": {"text": "a"}}',
        b'{"data": [], "session_hash": 5}',
    ],
)
def test_a_body_of_another_form_is_refused_in_one_sentence(server, body):
    for path in ("call/explain_text", "call/v2/explain_text", "queue/join"):
        headers = {"content-type": "application/json"}
        status, said = server.ask("POST", f"/gradio_api/{path}", body, headers)
        assert 400 <= status < 500, (path, said)
        assert isinstance(json.loads(said)["detail"], str)
    log_without_traceback(server)


def test_there_is_no_such_endpoint(server):
    status, said = server.post("/gradio_api/call/nothing", {"data": []})
    expected = "There is no such endpoint; /gradio_api/info lists endpoints and what they take."
    assert (status, json.loads(said)["detail"]) == (404, expected)
    assert server.post("/gradio_api/call/v2/nothing", {})[0] == 404
    join = {"data": [], "session_hash": "a"}
    for index in (9999, -1, 10**30):
        assert server.post("/gradio_api/queue/join", join | {"fn_index": index})[0] == 404
    log_without_traceback(server)


def test_calls_by_name_say_which_name_is_wrong(server):
    path = "/gradio_api/call/v2/explain_text"
    status, said = server.post(path, {"text": TEXT, "colour": "red"})
    assert status == 422
    assert json.loads(said)["detail"].startswith("Parameter `colour` is not a valid key-word argument; ")
    status, said = server.post(path, {})
    assert status == 422
    assert "text" in json.loads(said)["detail"]
    assert server.post(path, {"text": TEXT})[0] == 200
    log_without_traceback(server)


def test_direct_calls_do_not_pass_the_queue_with_wrong_values_either(server):
    status, said = server.post("/gradio_api/run/change_sound", {"data": [5]})
    assert (status, "join the queue" in said) == (404, True)
    log_without_traceback(server)


def tool(server: Running, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    parameters = {"name": name, "arguments": arguments}
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": parameters}
    status, said = server.post("/gradio_api/mcp/", request, **TOOLS)
    assert status == 200, said
    return json.loads(said.partition("data: ")[2])["result"]


@pytest.mark.slow
def test_wrong_values_of_tools_are_one_sentence(server, right, endpoints):
    own = f"http://127.0.0.1:{server.port}/gradio_api/file="
    for name, parameters in endpoints.items():
        given = {key: value for key, value in values_for(name, right).items() if key in parameters}
        for key in ("sound", "image"):
            if key in given:
                given[key] = own + given[key]["path"]
        for key in ("sounds", "images"):
            if key in given:
                given[key] = [own + one["path"] for one in given[key]]
        for wrong in parameters:
            for value in WRONG[wrong][:6]:
                answer = tool(server, name, given | {wrong: value})
                said = answer["content"][0]["text"]
                assert answer["isError"], (name, wrong, value, said[:300])
                assert "went wrong" not in said, (name, wrong, value)
                assert "Traceback" not in said
                assert said.strip(), (name, wrong, value)
    log_without_traceback(server)


def test_a_tool_needs_only_what_has_no_default(server, right):
    sound = f"http://127.0.0.1:{server.port}/gradio_api/file={right['sound']['path']}"
    answer = tool(server, "change_sound", {"sound": sound, "end": 0.3})
    assert not answer["isError"], answer
    assert "speech-emotion" in answer["content"][0]["text"]


def test_only_files_of_this_server_are_read_whatever_they_are_called(server, right, tmp_path: Path):
    outside = tmp_path / "a.png"
    Image.new("RGB", (64, 48)).save(outside)
    values = ["image-object", "", "all_heads", ""]
    for path in (str(outside), f"file://{outside}", str(server.uploads / ".." / "log.txt")):
        event = call(server, "explain_image", {"data": [{"path": path}, *values]})
        assert "There is no such file here" in event or "not fetched" in event
    event = call(server, "explain_image", {"data": [{"path": right["image"]["path"]}, *values]})
    assert event.startswith("event: complete")
