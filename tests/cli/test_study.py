"""``daam study`` through the command line, and by two processes."""

import json
import socket
import subprocess
import sys

import pyarrow.compute as pc
import pytest

from daam_core.cli.main import main
from daam_core.study.folder import open_study

ROWS = [
    "text,label",
    "Stocks fell sharply on Monday.,Business",
    "The team won the cup final.,Sports",
    ",Sports",
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "news.csv"
    path.write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return path


def test_a_study_is_made_and_counted(table, tmp_path, capsys):
    words = ["study", str(table), "--model", "news-topic", "--out", str(tmp_path / "out"), "--skip-broken"]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    study = open_study(tmp_path / "out")
    assert (found["inputs"], found["explained"], found["finished"]) == (2, 2, 2)
    assert found["right"] == pc.sum(study.rows["right"]).as_py() == 2
    assert study.facts.command.startswith("python -m daam_core study news.csv")
    assert "Accuracy 1.000" in (tmp_path / "out" / "report.md").read_text("utf-8")
    assert "<title>news-topic on news.csv</title>" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert main(words) == 0  # nothing is left to do
    said = capsys.readouterr().out
    assert "2 of 2 inputs explained, 2 right (1.000)" in said
    assert "Written: out" in said


def test_a_study_needs_a_place(table, capsys):
    assert main(["study", str(table), "--model", "news-topic"]) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_share_a_study(tmp_path):
    table = tmp_path / "news.csv"
    rows = [f"Company number {number} rose on Monday.,Business" for number in range(260)]
    rows += [f"Team number {number} won on Sunday.,Sports" for number in range(260)]
    table.write_text("\n".join(["text,label", *rows]) + "\n", encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    launcher = f"-m torch.distributed.run --nproc-per-node 2 --master-port {port}".split()
    study_words = ["study", str(table), "--model", "news-topic", "--out", str(tmp_path / "out")]
    command = [sys.executable, *launcher, "-m", "daam_core", *study_words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    study = open_study(tmp_path / "out")
    assert study.complete
    assert len(study.numbers) == 520
