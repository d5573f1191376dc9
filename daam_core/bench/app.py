"""How long the app takes to start and to answer, and how much its heat maps weigh.

The real app runs in a process of its own, on a free port of this machine.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from daam_core.bench.library import input_for, ordinary_text
from daam_core.errors import ConfigError, DaamError
from daam_core.explaining import explain
from daam_core.locating import built_in_models
from daam_core.trained import TrainedClassifier, load_model

#: Seconds after which the app counts as not starting, or not answering.
PATIENCE = 180.0
POLL_SECONDS = 0.05
GRADIO_CHECK_SECONDS = 3.0
#: Where the app's package is imported from: the folder of this one.
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ViewCase:
    """How much the data of one model's heat map weighs."""

    model: str
    heads: int
    layers: int
    features: int
    payload_bytes: int
    payload_bytes_per_head: float


@dataclass(frozen=True)
class AppTimes:
    """The app from its start to its second answer, in seconds, and what it sends, in bytes.

    ``imports_seconds`` is what Python takes to import torch and gradio alone, ``start_ratio`` the start over
    that.
    """

    start_seconds: float
    imports_seconds: float
    start_ratio: float
    page_seconds: float
    page_bytes: int
    first_result_seconds: float
    next_result_seconds: float
    views: tuple[ViewCase, ...]


def bench_app(*, models: Sequence[str] | None = None) -> AppTimes:
    """Start the app, ask for its page, explain a text twice, and weigh the heat maps.

    Args:
        models: names of trained classifiers; all built-in ones by default. At least one for text.

    Returns:
        Seconds until the app listens, seconds and bytes of its page, seconds of the first explanation (which
        loads the encoder) and of the next, and for each model the bytes of the view's data.

    Raises:
        ConfigError: no classifier for text, or the app does not start or answer.
    """
    names = list(models) if models is not None else built_in_models()
    loaded = [load_model(name) for name in names]
    texts = [model.name for model in loaded if model.config.modality == "text"]
    if not texts:
        raise ConfigError("Timing the app needs a classifier for text; give one with --model.")
    imports_seconds = _imports()
    started = time.perf_counter()
    with _app(names) as (address, process):
        _wait_for(address, process, until=started + PATIENCE)
        start_seconds = time.perf_counter() - started
        # Gradio now asks its own page once, and gives up after three seconds: let it go first.
        time.sleep(GRADIO_CHECK_SECONDS)
        asked = time.perf_counter()
        page = _get(address)
        page_seconds = time.perf_counter() - asked
        text = ordinary_text()
        # Two texts: the second is not in any cache, but its encoder is loaded.
        answers = [timed_call(address, [words, texts[0], "", "all_heads", {}]) for words in (text, text[:-1])]
    return AppTimes(
        start_seconds=start_seconds,
        imports_seconds=imports_seconds,
        start_ratio=start_seconds / imports_seconds,
        page_seconds=page_seconds,
        page_bytes=len(page),
        first_result_seconds=answers[0],
        next_result_seconds=answers[1],
        views=tuple(_view_case(model) for model in loaded),
    )


def _imports() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import torch, gradio"], check=True, capture_output=True)
    return time.perf_counter() - started


def _view_case(model: TrainedClassifier) -> ViewCase:
    from daam_core.view.payload import view_payload

    explanation = explain(model, input_for(model.config.modality))
    size = len(json.dumps(view_payload(explanation)).encode())
    heads, layers, features = explanation.shape
    return ViewCase(model.name, heads, layers, features, size, size / heads)


def app_command(port: int, models: Sequence[str]) -> list[str]:
    """How the app is started from here: its package has another name where it was installed."""
    package = "daam_app" if find_spec("daam_app") else "app"
    chosen = [word for name in models for word in ("--model", _absolute(name))]
    return [sys.executable, "-m", package, "--port", str(port), *chosen]


@contextmanager
def running_app(models: Sequence[str]) -> Iterator[str]:
    """The address of an app that answers; it is ended with the block.

    Raises:
        ConfigError: it does not start.
    """
    with _app(models) as (address, process):
        _wait_for(address, process, until=time.perf_counter() + PATIENCE)
        yield address


@contextmanager
def _app(models: Sequence[str]) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The app's address and process; it is ended with the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            app_command(port, models),
            stdout=subprocess.DEVNULL,
            stderr=errors,
            cwd=_ROOT,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
        try:
            yield f"http://127.0.0.1:{port}", process
        except DaamError as error:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip().splitlines()
            raise ConfigError(f"{error} Its last words: {said[-1] if said else 'none'}") from error
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _absolute(name: str) -> str:
    """A folder's name as the app's process, which runs elsewhere, finds it."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def _wait_for(address: str, process: "subprocess.Popen[bytes]", *, until: float) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=10).close()
        except OSError as error:
            if process.poll() is not None:
                raise ConfigError("The app ended instead of starting.") from error
            if time.perf_counter() > until:
                raise ConfigError(f"The app did not start within {PATIENCE:.0f} seconds.") from error
            time.sleep(POLL_SECONDS)
        else:
            return


def _get(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=PATIENCE) as answer:  # noqa: S310 (our own address)
            content: bytes = answer.read()
            return content
    except OSError as error:
        raise ConfigError(f"The app did not serve its page: {error}.") from error


def timed_call(address: str, data: Sequence[object], *, refused: bool = False) -> float:
    """Seconds until ``explain_text`` has answered, or refused what is to be refused.

    Raises:
        ConfigError: it did otherwise.
    """
    started = time.perf_counter()
    call = f"{address}/gradio_api/call/explain_text"
    request = urllib.request.Request(  # noqa: S310 (our own address)
        call, json.dumps({"data": data}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            event = json.load(answer)["event_id"]
        with urllib.request.urlopen(f"{call}/{event}", timeout=PATIENCE) as stream:  # noqa: S310
            said = stream.read().decode()
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"The app did not answer: {error}.") from error
    if ("event: complete" in said) == refused:
        raise ConfigError(f"The app {'explained' if refused else 'refused to explain'} a text.")
    return time.perf_counter() - started
