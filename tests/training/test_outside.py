"""Calibration: how many known inputs the threshold keeps, and how well unlike ones are told."""

import numpy as np
import pytest
import torch

from daam_core.cli.main import main
from daam_core.errors import DataError
from daam_core.locating import OUTSIDE_FILE
from daam_core.outside import distance
from daam_core.training.cards import OUTSIDE, card_with_outside
from daam_core.training.data import Dataset
from daam_core.training.outside import (
    LEAST_INPUTS,
    distances_of,
    fit_cells,
    held_out_distances,
    known_from,
    told_apart,
    with_earlier,
    with_measures,
)
from tests.support.small import FEATURES, LAYERS, letter_model


def drawn(count: int, *, seed: int, shift: float = 0.0) -> np.ndarray:
    """``[N, 3, 10]``: three strong directions in noise."""
    draw = np.random.default_rng(seed)
    along = np.random.default_rng(99).normal(size=(3, 30))
    values = 2 * draw.normal(size=(count, 3)) @ along + 0.5 * draw.normal(size=(count, 30)) + shift
    return values.reshape(count, 3, 10)


def letters(count: int, groups: tuple[str, ...] | None = None) -> Dataset:
    texts = tuple("Letters, and more of them"[: 5 + number % 20] for number in range(count))
    places = tuple(map(str, range(count)))
    return Dataset("letters", "text", texts, (0,) * count, ("a", "b"), places, groups)


def test_the_threshold_keeps_95_percent_of_known_data():
    train, fresh = drawn(600, seed=0), drawn(2000, seed=1)
    limit = np.percentile(held_out_distances(train), 95)
    kept = (distance(fit_cells(train), fresh) <= limit).mean()
    assert kept == pytest.approx(0.95, abs=0.02)


def test_a_group_is_never_judged_by_itself():
    """Two speakers far from each other: held out by speaker they are unlike, at random they are not."""
    values = np.concatenate([drawn(60, seed=0), drawn(60, seed=1, shift=20.0)])
    groups = ["a"] * 60 + ["b"] * 60
    assert held_out_distances(values, groups).min() > 5 * held_out_distances(values).max()


def test_directions_are_those_of_the_data():
    cells = fit_cells(drawn(2000, seed=0))
    flat = cells.directions.reshape(len(cells.variances), -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(len(flat)), atol=2e-3)
    assert (np.diff(cells.variances) <= 0).all()
    assert cells.variances[2] > 20 * cells.variances[3]
    assert cells.rest == pytest.approx(0.25, rel=0.25)


def test_data_without_variation_and_few_data_give_no_nonsense():
    constant = fit_cells(np.ones((50, 2, 3)))
    assert np.isfinite(distance(constant, np.zeros((2, 3))))
    classifier = letter_model().classifier
    few = LEAST_INPUTS - 1
    assert known_from(classifier, torch.zeros(few, LAYERS, FEATURES), letters(few)) is None


def test_unlike_inputs_are_told_and_the_card_says_how_well():
    classifier = letter_model().classifier
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(200, LAYERS, FEATURES))).float()
    known = known_from(classifier, features, letters(200, ("x", "y") * 100))
    told = "themselves, held out in 2 parts by group"
    assert known.facts == {"data": "letters", "inputs": 200, "held_out": told}
    other = known_from(classifier, features, letters(200), ("fresh", features[:50]))
    assert (other.samples, other.facts["held_out"]) == (50, "the 50 inputs of fresh")
    np.testing.assert_allclose(other.distances[-1], distances_of(known, classifier, features[:50]).max())
    assert known.scripts == {"LATIN": 1.0}
    far = distances_of(known, classifier, features + 30)
    told = told_apart(known, "far", far)
    assert (told.inputs, told.auroc, told.outside) == (200, 1.0, 1.0)
    fresh = torch.from_numpy(np.random.default_rng(1).normal(size=(50, LAYERS, FEATURES))).float()
    tested = ("fresh", distances_of(known, classifier, fresh))
    assert told_apart(known, "alike", tested[1]).auroc < 0.8
    known = with_measures(known, test=tested, unlike={"far": far})
    card = "# Letters\n\n## Accuracy\n\n0.9\n\n## Limits\n\nMany.\n"
    first = card_with_outside(card, known)
    assert f"0.9\n\n## {OUTSIDE}\n\n" in first
    assert "| far | 200 | 1.000 | 100.0% |" in first
    assert "Of the 50 inputs of fresh" in first
    assert card_with_outside(first, known) == first
    with pytest.raises(DataError, match="no heading 'Limits'"):
        card_with_outside("# Letters\n", known)


def test_the_command_refuses_what_it_cannot_do(tmp_path, capsys):
    assert main(["outside", "x.csv", "--model", "owner/name"]) == 2
    assert "give a folder, not a hub id" in capsys.readouterr().err
    letter_model().save_pretrained(tmp_path / "m")
    (tmp_path / "m" / OUTSIDE_FILE).touch()
    assert main(["outside", "x.csv", "--model", str(tmp_path / "m")]) == 2
    assert "give --overwrite to replace it" in capsys.readouterr().err


def test_earlier_figures_hold_for_the_same_data_only():
    classifier = letter_model().classifier
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(200, LAYERS, FEATURES))).float()
    known = known_from(classifier, features, letters(200))
    far = distances_of(known, classifier, features + 30)
    near = distances_of(known, classifier, features + 1)
    earlier = with_measures(known, test=None, unlike={"poems": near, "noise": near})
    now = with_earlier(with_measures(known, test=None, unlike={"noise": far}), earlier)
    assert [(told["name"], told["auroc"] > 0.9) for told in now.facts["unlike"]] == [
        ("poems", earlier.facts["unlike"][0]["auroc"] > 0.9),
        ("noise", True),
    ]
    assert now.facts["unlike"][1]["outside"] == 1.0
    with pytest.raises(DataError, match=r"are other data, .* leave out --earlier"):
        with_earlier(known_from(classifier, 2 * features, letters(200)), earlier)
