"""What is said where the browser's measurement cannot be made; what it finds is tested in tests/browser."""

import sys

import numpy as np
import pytest

from daam_core.bench import browser as module
from daam_core.bench.browser import Action, BrowserTimes, ViewTimes, Weight, bench_browser, random_explanation
from daam_core.cli.main import main
from daam_core.errors import ConfigError


def test_without_playwright_chromium_or_a_classifier_for_text_it_says_so(monkeypatch):
    with pytest.raises(ConfigError, match="needs a classifier for text"):
        bench_browser(model="image-object")
    monkeypatch.setattr(module, "find_chromium", lambda: None)
    with pytest.raises(ConfigError, match="needs Chromium, which is not found: install it"):
        bench_browser(model="news-topic")
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(ConfigError, match="needs Playwright: pip install playwright"):
        bench_browser(model="news-topic")


def test_its_explanations_are_random_the_same_each_time_and_labelled():
    one, again, other = (random_explanation(3, 6, 8, seed=seed) for seed in (0, 0, 1))
    assert one.shape == (3, 6, 8)
    assert one.model == "random numbers, no trained model"
    assert np.array_equal(one.gate, again.gate)
    assert not np.array_equal(one.gate, other.gate)
    assert len(set(one.gate.ravel().tolist())) > 100


def test_the_command_prints_each_action_and_what_the_page_weighs(monkeypatch, capsys):
    action = Action("open", 80.0, 371.0, 2.0, 61.0, 7.0, 5000.0)
    found = BrowserTimes(
        "150",
        "1280 x 800",
        3,
        (ViewTimes(4, 16, 320, 700_000, (action,)),),
        (Weight("fonts", 2, 9000, 3000),),
        (),
    )
    monkeypatch.setattr(module, "bench_browser", lambda *, runs, model: found)
    assert main(["bench", "view", "--runs", "3"]) == 0
    said = capsys.readouterr().out
    assert "Random numbers, 4 × 16 × 320, a page of 0.7 MB; Chromium 150, 1280 x 800 pixels" in said
    row = next(line for line in said.splitlines() if line.startswith("open"))
    assert row.split() == ["open", "80", "371", "2", "61", "7", "5"]
    assert next(line for line in said.splitlines() if line.startswith("fonts")).split() == [
        "fonts",
        "2",
        "9",
        "3",
    ]
