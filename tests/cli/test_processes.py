"""Training by two processes, as a launcher starts them: each encodes its share, the result is the same."""

import json
import os
import socket
import subprocess
import sys

import torch
from safetensors.torch import load_file

from tests.support.commands import QUICK
from tests.support.data import write_table
from tests.support.tiny_models import save_text

BROKEN = ("\u200b", "a")  # nothing that the tokenizer can read


# Commands one after another in a process of its own, as accelerate launch or torchrun starts two: forked
# from the tests they would inherit locks that some thread here holds just then, and might wait for ever.
COMMANDS = """
import json, os, sys
from contextlib import redirect_stderr, redirect_stdout
from daam_core.cli.main import main
out, commands = sys.argv[1], json.loads(sys.argv[2])
for number, words in enumerate(commands):
    place = os.path.join(out, f"{number}-" + os.environ["RANK"])
    with open(place + ".out", "w") as output, open(place + ".err", "w") as errors:
        with redirect_stdout(output), redirect_stderr(errors):
            status = main(words)
    with open(place + ".status", "w") as file:
        file.write(str(status))
"""


def launched(out, *commands):
    """Statuses, standard outputs and errors of each command, given to two processes at once."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    words = [
        sys.executable,
        "-c",
        COMMANDS,
        str(out),
        json.dumps([list(map(str, words)) for words in commands]),
    ]
    shared = {
        "WORLD_SIZE": "2",
        "ACCELERATE_USE_CPU": "true",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
    }
    started = [
        subprocess.Popen(words, env=os.environ | shared | {"RANK": rank, "LOCAL_RANK": rank}) for rank in "01"
    ]
    try:
        assert [process.wait(200) for process in started] == [0, 0]
    finally:
        for process in started:
            process.kill()

    def written(number, kind):
        return [(out / f"{number}-{rank}.{kind}").read_text() for rank in "01"]

    return [
        (list(map(int, written(number, "status"))), written(number, "out"), written(number, "err"))
        for number in range(len(commands))
    ]


def test_two_processes_train_what_one_trains(tmp_path, run):
    save_text(tmp_path / "TINY", "bert")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(40)]
    table = write_table(tmp_path / "d.csv", [("text", "label"), *rows, BROKEN])
    words = ["train", table, "--modality", "text", "--backbone", tmp_path / "TINY", *QUICK, "--folds", "2"]
    two = ["--out", tmp_path / "two", "--cache-dir", tmp_path / "cache-2"]

    refused, trained = launched(tmp_path, [*words, *two], [*words, *two, "--skip-broken", "--json"])

    # What one of them refuses, both refuse.
    statuses, _, errors = refused
    assert statuses == [2, 2]
    assert "row 81" in errors[0]
    assert "leave out such inputs with --skip-broken" in errors[0]

    statuses, outputs, errors = trained
    assert statuses == [0, 0], errors
    assert outputs[1] == ""  # one of them speaks
    # 80 inputs: both wrote shards.
    assert len(list((tmp_path / "cache-2").glob("*/*.safetensors"))) >= 2

    one = ["--out", tmp_path / "one", "--cache-dir", tmp_path / "cache-1", "--skip-broken"]
    status, _, err = run(*words, *one)
    assert status == 0, err
    alone = json.loads((tmp_path / "one" / "report.json").read_text())
    report = json.loads(outputs[0])
    for name in ("accuracy", "training_accuracy", "best_epoch", "data"):
        assert report[name] == alone[name]
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name, tensor in one.items():  # weights, and the averages over the data set
        torch.testing.assert_close(two[name], tensor, rtol=1e-6, atol=1e-6)
