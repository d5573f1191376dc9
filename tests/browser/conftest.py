"""The real app, started once for all tests that need it, with small heads trained here."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from daam_core.trained import TrainedClassifier, load_model
from tests.browser.app_page import AppPage
from tests.support.small_heads import several_head, small_heads

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 120
MAX_UPLOAD_MB = 1


@dataclass(frozen=True)
class Server:
    """Where the app answers, what it offers, and what it logged."""

    url: str
    models: dict[str, TrainedClassifier]
    log: Path
    folder: Path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """``python -m app`` in a process of its own, as a person starts it."""
    heads = small_heads() | {"subjects": several_head()}
    models = [word for head in heads.values() for word in ("--model", str(head))]
    with serving(tmp_path_factory.mktemp("app"), *models) as (url, log, folder):
        yield Server(url, {name: load_model(head) for name, head in heads.items()}, log, folder)


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[str, Path, Path]]:
    """Address, log and folder of an app of its own with these options."""
    log = folder / "log.txt"
    url = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "app", "--port", url.rpartition(":")[2]]
    command += ["--max-upload-mb", str(MAX_UPLOAD_MB), *words]
    environment = os.environ | {"GRADIO_TEMP_DIR": str(folder / "uploads"), "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            _wait_for(url, process, log)
            yield url, log, folder
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            pytest.fail(f"The app ended with status {process.returncode}:\n{log.read_text()}")
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"The app did not answer within {START_SECONDS} s:\n{log.read_text()}")


@pytest.fixture
def app(page, server) -> AppPage:
    """A visitor's fresh page. It must not complain in its console."""
    visitor = AppPage(page, server.url)
    visitor.open()
    return visitor
