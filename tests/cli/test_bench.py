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
    assert printed.err == ""
    assert main(["bench", "layer", "--runs", "1"]) == 0
    assert "speed-up" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "said"), [(("disk",), "invalid choice"), (("--runs", "0"), "at least 1")])
def test_wrong_options_are_refused(capsys, words, said):
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
