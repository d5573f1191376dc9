"""Ways to compute an encoder: each is compared with the usual one, and one that cannot be taken says why."""

import pytest

from daam_core.bench.encoders import TOLERANCE, USUAL, WAYS, bench_encoders
from daam_core.cli.main import main


@pytest.mark.slow
def test_each_way_is_compared_with_the_usual_one(monkeypatch, capsys):
    monkeypatch.delitem(WAYS, "onnxruntime")  # exporting takes long
    found = {case.way: case for case in bench_encoders(runs=1, models=["image-object"]).cases}
    assert set(found) == set(WAYS)
    assert found[USUAL].largest_difference == 0
    assert found[USUAL].speedup == 1
    assert found["channels first"].largest_difference < 1e-5
    assert found["channels first"].agrees
    assert found["bfloat16"].largest_difference > 1e-4  # it does compute otherwise
    assert found["bfloat16"].agrees == (found["bfloat16"].largest_difference <= TOLERANCE)
    assert found["int8"].seconds is None
    assert "it has convolutions" in found["int8"].why_not


def test_a_way_that_a_library_refuses_is_told(monkeypatch, capsys):
    def refuses(*_: object) -> None:
        raise ImportError("the package is not here")

    for way in set(WAYS) - {USUAL}:
        monkeypatch.setitem(WAYS, way, refuses)
    assert main(["bench", "encoders", "--runs", "1", "--model", "news-topic"]) == 0
    assert "ImportError: the package is not here" in capsys.readouterr().out
