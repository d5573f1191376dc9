"""Visitors of the app: who asks what, counted at an app that answers at once."""

from collections import Counter
from contextlib import contextmanager

import pytest

from daam_core.bench import load as load_module
from daam_core.bench.load import EMPTY, bench_load
from daam_core.cli.main import main
from daam_core.errors import ConfigError


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    texts = []

    @contextmanager
    def app(names):
        assert names == ["news-topic"]
        yield "http://127.0.0.1:1"

    def call(address, data, *, refused=False):
        assert refused == (data[0] == EMPTY)
        texts.append(data[0])
        return 0.001

    monkeypatch.setattr(load_module, "running_app", app)
    monkeypatch.setattr(load_module, "timed_call", call)
    return texts


def test_every_visitor_asks_for_a_text_of_its_own_but_where_all_ask_for_one(asked):
    found = bench_load(model="news-topic", visitors=4, asked=8, characters=500)
    times = Counter(asked)
    assert sorted(times.values())[-2:] == [1, 4]
    assert times[EMPTY] == 1
    assert sum(len(text) == 500 for text in asked) == 1
    assert found.visitors == 4
    assert found.ratio == pytest.approx(found.together_per_second / found.alone_per_second)


def test_the_command_prints_what_was_found(asked, capsys):
    assert main(["bench", "load", "--model", "news-topic"]) == 0
    assert "20 visitors" in capsys.readouterr().out


def test_it_needs_a_classifier_for_text():
    with pytest.raises(ConfigError, match="needs a classifier for text"):
        bench_load(model="image-object")
