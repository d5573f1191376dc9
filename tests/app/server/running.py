"""The app in a process of its own, and requests as raw as an attacker's."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
START_SECONDS = 240
MAX_UPLOAD_MB = 1
LONG_TEXT = "a b " * 4_000  # ten seconds of work


@dataclass(frozen=True)
class Running:
    """A server of one model for texts."""

    port: int
    process: subprocess.Popen[bytes]
    uploads: Path
    log: Path

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def post(self, path: str, data: Any, **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(data).encode()
        return self.ask("POST", path, body, {"content-type": "application/json"} | named)

    def upload(self, name: str, content: bytes, **headers: str) -> tuple[int, str]:
        body, kind = form([(name, content)])
        named = {header.replace("_", "-"): value for header, value in headers.items()}
        return self.ask("POST", "/gradio_api/upload", body, {"content-type": kind} | named)

    def explain(self, text: str, timeout: float = 60) -> str:
        """The stream of events of one explanation."""
        status, answer = self.post(
            "/gradio_api/call/explain_text", {"data": [text, "news-topic", "", "all_heads", ""]}
        )
        assert status == 200, answer
        return self.ask(
            "GET", f"/gradio_api/call/explain_text/{json.loads(answer)['event_id']}", timeout=timeout
        )[1]

    def memory(self) -> int:
        """Bytes that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024


def form(files: list[tuple[str, bytes]]) -> tuple[bytes, str]:
    """A multipart form and its content type."""
    parts = [
        b'--edge\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n%s\r\n" % (name.encode(), content)
        for name, content in files
    ]
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(folder: Path, *arguments: str, port: int | None = None, **environment: str) -> Running:
    """Start the app and wait until it answers and an encoder is loaded; ``arguments`` beat those here."""
    folder.mkdir(parents=True, exist_ok=True)
    port, log = port or free_port(), folder / "log.txt"
    command = [sys.executable, "-m", "app", "--port", str(port), "--model", "news-topic"]
    command += ["--max-upload-mb", str(MAX_UPLOAD_MB), *arguments]
    own = {"GRADIO_TEMP_DIR": str(folder / "uploads"), "PYTHONUNBUFFERED": "1"}
    environment = os.environ | own | environment
    with log.open("ab") as output:
        begins = output.tell()
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    running = Running(port, process, folder / "uploads", log)
    deadline = time.monotonic() + START_SECONDS
    while b"Encoder of" not in log.read_bytes()[begins:] or not _answers(running):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"The app did not start:\n{log.read_text()}")
        time.sleep(0.2)
    return running


def _answers(running: Running) -> bool:
    try:
        return running.ask("GET", "/healthz", timeout=5)[0] == 200
    except OSError:
        return False


def stop(running: Running) -> None:
    running.process.terminate()
    try:
        running.process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        running.process.kill()
