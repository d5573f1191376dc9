"""Training by two processes, as a launcher starts them: each encodes its share, the result is the same."""

import json
import multiprocessing
import os
import socket
import sys

import pytest
import torch
from safetensors.torch import load_file

from daam_core.cli.main import main
from tests.support.commands import QUICK
from tests.support.data import write_table
from tests.support.tiny_models import save_text

BROKEN = ("\u200b", "a")  # nothing that the tokenizer can read


def in_process(rank, port, words, out):
    """What a process that accelerate launch or torchrun started does; its standard output goes to a file."""
    place = {"WORLD_SIZE": "2", "RANK": rank, "LOCAL_RANK": rank, "ACCELERATE_USE_CPU": "true"}
    os.environ.update(place, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
    with (out / f"out-{rank}").open("w") as output, (out / f"err-{rank}").open("w") as errors:
        sys.stdout, sys.stderr = output, errors
        status = main(list(map(str, words)))
    os._exit(status)


@pytest.fixture
def launched(tmp_path):
    """``launched(*words)``: statuses, standard outputs and errors of two processes with this command."""

    def launch(*words):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = str(free.getsockname()[1])
        # Forked: what is imported here need not be imported again.
        context = multiprocessing.get_context("fork")
        started = [context.Process(target=in_process, args=(rank, port, words, tmp_path)) for rank in "01"]
        for process in started:
            process.start()
        for process in started:
            process.join(120)
        texts = [[(tmp_path / f"{kind}-{rank}").read_text() for rank in "01"] for kind in ("out", "err")]
        return [process.exitcode for process in started], *texts

    return launch


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_two_processes_train_what_one_trains(tmp_path, run, launched):
    save_text(tmp_path / "TINY", "bert")
    rows = [(f"{text} {i}", label) for text, label in (("dog box", "a"), ("my jug", "b")) for i in range(40)]
    table = write_table(tmp_path / "d.csv", [("text", "label"), *rows, BROKEN])
    words = ["train", table, "--modality", "text", "--backbone", tmp_path / "TINY", *QUICK, "--folds", "2"]
    two = ["--out", tmp_path / "two", "--cache-dir", tmp_path / "cache-2"]

    # What one of them refuses, both refuse.
    statuses, _, errors = launched(*words, *two)
    assert statuses == [2, 2]
    assert "row 81" in errors[0]
    assert "leave out such inputs with --skip-broken" in errors[0]
    assert not (tmp_path / "two").exists()

    statuses, outputs, errors = launched(*words, *two, "--skip-broken", "--json")
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
