"""Benchmarks: what they compare is the same thing, and what they report is consistent. Never a time."""

import pytest
from PIL import Image

from daam_core.bench import library as library_module
from daam_core.bench.library import bench_explain, input_for
from tests.support.small import letter_model


def test_inputs_are_the_same_every_time():
    samples, rate = input_for("audio")
    assert (len(samples) / rate, rate) == (3, 16_000)
    assert (samples == input_for("audio")[0]).all()
    picture = input_for("image")
    assert isinstance(picture, Image.Image)
    assert picture.size == (480, 360)
    assert len(input_for("text").split()) == 40


def test_an_explanations_figures_are_consistent(monkeypatch):
    monkeypatch.setattr(library_module, "load_model", lambda name: letter_model())
    (case,) = bench_explain(runs=2, models=["letters"]).cases
    assert case.trained is True
    assert case.tokens == len(input_for("text"))
    assert case.ratio == pytest.approx(case.explanation_seconds / case.encoder_seconds)
    assert case.beyond_encoder_ratio == pytest.approx(case.beyond_encoder_seconds / case.encoder_seconds)
    assert all(0 < seconds < 1 for part, seconds in case.parts.items() if part != "unlike inputs")
    assert set(case.parts) == {*library_module.PARTS, library_module.REST}
