"""Starting the app: wrong arguments, a busy port, an unknown model."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from app.__main__ import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "a port is a number from 1 to 65535, got '0'"),
        (["--port", "web"], "a port is a number"),
        (["--max-upload-mb", "-1"], "whole number of megabytes"),
        (["--max-upload-mb", "0"], "whole number of megabytes"),
    ],
)
def test_wrong_arguments_end_with_status_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_a_busy_port_is_one_sentence_and_status_2():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = _start("--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        f"Cannot serve on 127.0.0.1, port {port}: Address already in use; choose another with --port."
    ]


@pytest.mark.slow
def test_an_unknown_model_is_one_sentence_and_status_2():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = _start("--port", str(port), "--model", "no-such-model")
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith("There is no model 'no-such-model'")
    assert "Traceback" not in ended.stderr
