"""``daam study`` through the command line, and by two processes."""

import json
import socket
import subprocess
import sys

import pyarrow.compute as pc
import pytest

from daam_core.cli.main import main
from daam_core.study.folder import open_study
from daam_core.study.memory import give_back, held_mib

ROWS = [
    "text,label",
    "Stocks fell sharply on Monday.,Business",
    "The striker scored twice as the team won the cup final.,Sports",
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
    rows = [f"Company number {number} rose on Monday.,Business" for number in range(130)]
    rows += [f"Team number {number} won on Sunday.,Sports" for number in range(130)]
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
    assert len(study.numbers) == 260


def test_growth_of_memory_is_fitted_and_said(table, tmp_path, capsys, monkeypatch):
    held = iter([100.0, 500.0, 502.0, 503.0, 504.0])
    monkeypatch.setattr("daam_core.study.memory.held_mib", lambda: next(held))
    monkeypatch.setattr("daam_core.study.folder.PART", 1)
    monkeypatch.setattr("daam_core.study.make.PART", 1)
    with table.open("a", encoding="utf-8") as file:
        file.write("Shares rose.,Business\nThe match ended in a draw.,Sports\n")
    words = ["study", str(table), "--model", "news-topic", "--out", str(tmp_path / "out"), "--skip-broken"]
    assert main(words) == 0
    assert (
        "Memory: 404 MiB beyond the model and the list of inputs, +1000.0 MiB per 1,000 inputs"
        in capsys.readouterr().out
    )


def test_memory_held_is_that_of_this_process():
    held = held_mib()
    if not sys.platform.startswith("linux"):
        assert held is None
        return
    block = bytearray(64 << 20)
    assert 50 < held_mib() - held < 70  # pages that were held before may be used again
    del block
    give_back()
    assert held_mib() - held < 10
