"""Visitors as a server meets them: browsers, programs and agents of all three modalities, in mixed order."""

import base64
import http.client
import io
import json
import random
import socket
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import soundfile
from PIL import Image

from daam_core.explaining import explain
from daam_core.trained import TrainedClassifier, load_model
from tests.app.server.running import form
from tests.support.small_heads import RATE, colour_picture, tone

MODELS = {"text": "news-topic", "sound": "speech-emotion", "image": "image-object"}
TEXTS = (
    "The bank raised its interest rate on Monday.",
    "The striker scored twice in the second half of the final.",
    "Researchers found water on a distant planet.",
    "Soldiers crossed the border, the minister said. " * 40,
)
LONG_TEXT = "a b " * 8_000
ALIKE = 1e-5  # what probabilities may differ by from the library's own
PATIENCE = 120.0  # seconds that a visitor waits for an answer
TOOLS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Given:
    """An input, and what the library itself answers to it."""

    kind: str
    content: bytes
    name: str
    probabilities: dict[str, float]
    sha256: str


def inputs() -> list[Given]:
    """Texts, sounds and pictures with the library's own answers."""
    models = {kind: load_model(name) for kind, name in MODELS.items()}
    found = [_given("text", text.encode(), "text", text, models["text"]) for text in TEXTS]
    for index, (frequency, seconds) in enumerate(((220, 0.6), (440, 2.0), (700, 5.0))):
        file = io.BytesIO()
        soundfile.write(file, tone(frequency, seconds=seconds), RATE, format="FLAC" if index else "WAV")
        name = f"sound {index}.{'flac' if index else 'wav'}"
        found.append(_given("sound", file.getvalue(), name, file.getvalue(), models["sound"]))
    for index, suffix in enumerate(("png", "jpeg", "webp")):
        file = io.BytesIO()
        colour_picture(index / 3, size=(640, 480)).save(file, suffix)
        found.append(_given("image", file.getvalue(), f"picture.{suffix}", file.getvalue(), models["image"]))
    return found


def _given(kind: str, content: bytes, name: str, value: object, model: TrainedClassifier) -> Given:
    told = Image.open(io.BytesIO(content)) if kind == "image" else value
    if kind == "sound":
        samples, rate = soundfile.read(io.BytesIO(content), dtype="float32")
        told = (samples, rate)
    explanation = explain(model, told)
    values = (float(value) for value in explanation.probabilities)
    probabilities = dict(zip(explanation.class_names, values, strict=True))
    return Given(kind, content, name, probabilities, explanation.provenance["input"]["sha256"])


class WrongError(Exception):
    """An answer that should not have been."""


class BusyError(Exception):
    """The server said that it is full, as it may."""


@dataclass
class Visitor:
    """One visitor with an address of its own, who does one thing after another.

    Attributes:
        port: of the server on this machine.
        number: of this visitor; decides about its address and what it does.
        given: what it may explain.
        answers: compared with the library's own so far.
    """

    port: int
    number: int
    given: list[Given]
    answers: int = 0
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)

    # Requests

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        address = f"127.0.{1 + self.number // 250}.{1 + self.number % 250}"
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE, source_address=(address, 0)
        )
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def post(self, path: str, data: object, headers: dict[str, str] = JSON) -> Any:
        status, said = self.ask("POST", path, json.dumps(data).encode(), headers)
        if status in (429, 503, 507):
            raise BusyError(said.decode()[:200])
        if status != 200:
            raise WrongError(f"{path}: {status} {said[:300]!r}")
        return said

    def page(self, path: str) -> bytes:
        status, said = self.ask("GET", path)
        if status != 200:
            raise WrongError(f"{path}: {status} {said[:300]!r}")
        return said

    def upload(self, given: Given) -> dict[str, Any]:
        body, kind = form([(given.name, given.content)])
        status, said = self.ask("POST", "/gradio_api/upload", body, {"content-type": kind})
        if status in (429, 503, 507):
            raise BusyError(said.decode()[:200])
        if status != 200:
            raise WrongError(f"upload: {status} {said[:300]!r}")
        return {"path": json.loads(said)[0], "meta": {"_type": "gradio.FileData"}}

    def value(self, given: Given) -> object:
        return given.content.decode() if given.kind == "text" else self.upload(given)

    def call(self, name: str, data: list[Any]) -> Any:
        """As programs do: what an endpoint answers; a refusal raises its sentence."""
        identity = json.loads(self.post(f"/gradio_api/call/{name}", {"data": data}))["event_id"]
        event = self.page(f"/gradio_api/call/{name}/{identity}").decode()
        kind, _, said = event.rpartition("event: ")[2].partition("\ndata: ")
        if kind != "complete":
            raise WrongError(f"{name}: {event[-300:]}")
        return json.loads(said)[0]

    def browse(self, name: str, data: list[Any]) -> Any:
        """As a browser does: a session, the page, its stream of news, the event by its number."""
        numbers = self.numbers()
        session = uuid.uuid4().hex
        asked = {"data": data, "fn_index": numbers[name], "session_hash": session}
        identity = json.loads(self.post("/gradio_api/queue/join", asked))["event_id"]
        for line in self.page(f"/gradio_api/queue/data?session_hash={session}").decode().splitlines():
            message = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if message.get("msg") == "process_completed" and message.get("event_id") == identity:
                if not message["success"]:
                    raise WrongError(f"{name}: {message['output']}")
                return message["output"]["data"][0]
        raise WrongError(f"{name}: the stream ended without an answer")

    def numbers(self) -> dict[str, int]:
        """Of events, by their names, as the page's configuration tells browsers."""
        config = json.loads(self.page("/config"))
        return {event["api_name"]: event["id"] for event in config["dependencies"]}

    def compare(self, given: Given, answer: dict[str, Any]) -> None:
        """The answer is the library's own, and about this visitor's input."""
        if answer["provenance"]["input"]["sha256"] != given.sha256 and given.kind == "text":
            raise WrongError("The answer is about another visitor's input.")
        found = answer["probabilities"]
        if found.keys() != given.probabilities.keys() or any(
            abs(found[name] - value) > ALIKE for name, value in given.probabilities.items()
        ):
            raise WrongError(f"{given.kind}: {found} instead of {given.probabilities}")
        self.answers += 1

    # What visitors do

    def explains_in_a_browser(self) -> None:
        given = self.chance.choice(self.given)
        self.page("/")
        values = [self.value(given), MODELS[given.kind], "", "all_heads", ""]
        self.compare(given, self.browse(f"explain_{given.kind}", values))

    def explains_from_a_program(self) -> None:
        given = self.chance.choice(self.given)
        values = [self.value(given), MODELS[given.kind], "", "all_heads", ""]
        self.compare(given, self.call(f"explain_{given.kind}", values))

    def changes(self) -> None:
        given = self.chance.choice(self.given)
        changes: dict[str, list[Any]] = {
            "text": ["The team won."],
            "sound": [0.1, 0.5, 20, 1],
            "image": [0.1, 0.1, 0.5, 0.5, "blur"],
        }
        values = [self.value(given), *changes[given.kind], MODELS[given.kind]]
        answer = self.call(f"change_{given.kind}", values)
        self.compare(given, answer["before"])

    def checks(self) -> None:
        given = self.chance.choice(self.given)
        self.call(f"check_{given.kind}", [self.value(given), MODELS[given.kind]])

    def saves(self) -> None:
        given = self.chance.choice(self.given)
        suffix = self.chance.choice(("png", "csv", "svg"))
        values = [self.value(given), MODELS[given.kind], suffix, "single", "per_head", ""]
        path = self.call(f"save_{given.kind}", values)["path"]
        if not self.page(f"/gradio_api/file={path}"):
            raise WrongError(f"The saved {suffix} is empty.")

    def uses_a_tool(self) -> None:
        given = self.chance.choice(self.given)
        coded = base64.b64encode(given.content).decode()
        kinds = {"sound": "audio/flac", "image": f"image/{given.name.rpartition('.')[2]}"}
        value = given.content.decode() if given.kind == "text" else f"data:{kinds[given.kind]};base64,{coded}"
        arguments = {given.kind: value, "model": MODELS[given.kind]}
        call = {"name": f"explain_{given.kind}", "arguments": arguments}
        request = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
        said = self.post("/gradio_api/mcp/", request, TOOLS).decode()
        answer = json.loads(said.partition("data: ")[2])["result"]
        if answer["isError"] and "ueue is full" in str(answer):
            raise BusyError("The queue is full.")
        if answer["isError"]:
            raise WrongError(f"tool: {answer}")

    def looks_around(self) -> None:
        for path in ("/", "/config", "/healthz", "/gradio_api/info", "/theme.css"):
            self.page(path)

    def is_wrong(self) -> None:
        wrong = self.chance.choice(
            (["a"], [5, *"abcd"], ["", "x", "", "", ""], [{"path": "/etc/passwd"}] * 5)
        )
        name = self.chance.choice(("explain_text", "explain_sound", "explain_image", "save_text"))
        try:
            self.call(name, wrong)
        except WrongError as error:
            if '"error": "' not in str(error) or "went wrong" in str(error):
                raise
        else:
            raise WrongError(f"{name} took {wrong}")

    def gives_a_broken_file(self) -> None:
        given = self.chance.choice([given for given in self.given if given.kind != "text"])
        content = bytearray(given.content)
        for _ in range(20):
            content[self.chance.randrange(len(content))] = self.chance.randrange(256)
        broken = Given(given.kind, bytes(content), given.name, {}, "")
        values = [self.upload(broken), MODELS[given.kind], "", "all_heads", ""]
        try:
            self.call(f"explain_{given.kind}", values)
        except WrongError as error:
            if '"error": "' not in str(error) or "went wrong" in str(error):
                raise

    def leaves(self) -> None:
        """Asks for much, listens for a moment, and is gone."""
        session = uuid.uuid4().hex
        numbers = self.numbers()
        values = [LONG_TEXT, MODELS["text"], "", "all_heads", ""]
        asked = {"data": values, "fn_index": numbers["explain_text"], "session_hash": session}
        self.post("/gradio_api/queue/join", asked)
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as listening:
            stream = f"GET /gradio_api/queue/data?session_hash={session} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            listening.sendall(stream.encode())
            listening.recv(1000)
            time.sleep(self.chance.random())

    def breaks_off_an_upload(self) -> None:
        body, kind = form([("broken off.wav", b"x" * 500_000)])
        head = f"POST /gradio_api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:200_000])

    def next(self) -> Callable[[], None]:
        """What this visitor does next."""
        (chosen,) = self.chance.choices(
            (
                self.explains_in_a_browser,
                self.explains_from_a_program,
                self.changes,
                self.checks,
                self.saves,
                self.uses_a_tool,
                self.looks_around,
                self.is_wrong,
                self.gives_a_broken_file,
                self.leaves,
                self.breaks_off_an_upload,
            ),
            (20, 30, 10, 4, 4, 6, 8, 8, 6, 2, 2),
        )
        return chosen
