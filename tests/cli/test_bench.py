"""``bench``: what it prints and refuses."""

import json

import pytest

from daam_core.bench.layer import (
    LayerSize,
    bench_layer,
)
from daam_core.cli.main import main


def test_the_command_prints_one_json_object(monkeypatch, capsys):
    monkeypatch.setattr(
        "daam_core.bench.layer.bench_layer",
        lambda **named: bench_layer((LayerSize(2, 6, 8, 2, "layer_groups"),), **named),
    )
    assert main(["bench", "layer", "--runs", "1", "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["layer"]["runs"] == 1
    assert printed.err.splitlines() == [
        "daam: note: layer: density attention by itself, forward and backward",
        "daam: note: layer, 1 of 1: [2, 6, 8] H=2 layer_groups",
    ]
    assert main(["bench", "layer", "--runs", "1"]) == 0
    assert "speed-up" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("disk",), "invalid choice"),
        (("--runs", "0"), "at least 1"),
        (("layer", "--model", "news-topic"), "bench layer times density attention by itself, forward and"),
        (
            ("scale", "--runs", "2"),
            "bench scale times averages of 100,000 inputs of random numbers, once: leave",
        ),
        (
            ("load", "--model", "news-topic", "--model", "image-object"),
            "bench load times many visitors of one classifier: give one --model.",
        ),
    ],
)
def test_wrong_options_are_refused(capsys, words, said):
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
