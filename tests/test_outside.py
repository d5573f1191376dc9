"""How far outside of what a classifier knows an input lies."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from daam_core.checkpoint import KNOWN, read_checkpoint, write_known
from daam_core.errors import CheckpointError, ShapeError
from daam_core.explaining import explain
from daam_core.export import from_json, from_npz, summary, to_json, to_npz
from daam_core.export.row_per_input import explanation_row
from daam_core.locating import OUTSIDE_FILE
from daam_core.outside import KEPT, PERCENTILES, Cells, Known, at_percentiles, distance, judge
from daam_core.reading.outside import outside_columns, verdict, warning
from daam_core.reading.sentences import in_words
from daam_core.result import Outside, arrays
from daam_core.trained import load_model
from tests.support.builders import make_explanation
from tests.support.small import FEATURES, LAYERS, LetterModel, letter_model


def some_cells(seed: int = 0, *, directions: int = 3, shape: tuple[int, int] = (2, 5)) -> Cells:
    draw = np.random.default_rng(seed)
    size = shape[0] * shape[1]
    basis, _ = np.linalg.qr(draw.normal(size=(size, directions)))
    return Cells(
        mean=draw.normal(size=shape),
        directions=basis.T.reshape(directions, *shape),
        variances=draw.uniform(1, 4, directions),
        rest=0.3,
    )


def some_known(shape: tuple[int, int] = (2, 5), **changes: object) -> Known:
    cells = some_cells(shape=shape)
    draw = np.random.default_rng(1)
    known = Known(cells, at_percentiles(draw.uniform(0.5, 1.5, 400)), 400, {"LATIN": 1.0}, {"data": "made"})
    return replace(known, **changes)  # type: ignore[arg-type]


def test_the_distance_is_mahalanobis_of_the_whole_covariance():
    """Oracle: the covariance written out, and its inverse."""
    cells = some_cells()
    v = cells.directions.reshape(3, -1)
    covariance = v.T @ np.diag(cells.variances) @ v + cells.rest * (np.eye(10) - v.T @ v)
    values = np.random.default_rng(2).normal(size=(4, 2, 5))
    y = (values - cells.mean).reshape(4, -1)
    expected = np.sqrt(np.einsum("ni,ij,nj->n", y, np.linalg.inv(covariance), y) / 10)
    np.testing.assert_allclose(distance(cells, values), expected, rtol=1e-12)
    assert distance(cells, cells.mean) == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(1, 100))
def test_farther_along_any_line_from_the_mean_is_a_larger_distance(seed, factor):
    cells = some_cells()
    step = np.random.default_rng(seed).normal(size=(2, 5))
    near, far = distance(cells, np.stack([cells.mean + step, cells.mean + factor * step]))
    np.testing.assert_allclose(far, factor * near, rtol=1e-9)


def test_values_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=r"must be \[\.\., 2, 5\], got \(5, 2\)"):
        distance(some_cells(), np.zeros((5, 2)))
    with pytest.raises(ShapeError, match="3 directions"):
        Cells(np.zeros((2, 4)), np.zeros((3, 2, 5)), np.ones(3), 1.0)


def test_a_verdict_says_where_among_known_inputs_an_input_lies():
    known = some_known()
    assert known.threshold == known.distances[KEPT]
    at_centre, far = judge(known, np.stack([known.cells.mean, known.cells.mean + 100]), [None, None])
    assert at_centre.percentile == 0
    middle = replace(known, distances=PERCENTILES / 50)  # a distance of 1 has half of them below
    at_one = known.cells.mean + known.cells.directions[0] * np.sqrt(known.cells.variances[0] * 10)
    (found,) = judge(middle, at_one[None], [None])
    assert (found.distance, found.percentile) == (pytest.approx(1), pytest.approx(50))
    assert not found.is_outside
    assert far.is_outside
    assert far.percentile == 100


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Жук сидел на траве", "100% of its letters are of a script that the training texts hardly have"),
        ("A word, and жу", ""),
        ("12345 !?", ""),
        ("株式市場は下落", "(CJK; theirs are Latin)"),
    ],
)
def test_a_script_that_the_training_texts_lack_is_named(text, reason):
    (found,) = judge(some_known(), np.zeros((1, 2, 5)), [text])
    (*reasons,) = found.reasons
    assert (reason in reasons[0]) if reason else not reasons


# In words and files


def with_outside(**changes: object):
    found = Outside(2.0, 1.5, 100.0, 339)
    return replace(make_explanation(), outside=replace(found, **changes))  # type: ignore[arg-type]


def test_the_warning_says_how_far_and_never_more_than_is_known():
    assert warning(with_outside()) == (
        "Unlike anything it was trained on: farther from the training data than each of 339 known inputs. "
        "Read the prediction with that in mind."
    )
    assert "farther from the training data than 99.4 % of the known inputs." in warning(
        with_outside(percentile=99.47)
    )
    inside = with_outside(distance=1.0, percentile=43.9)
    assert warning(inside) == ""
    assert verdict(inside).endswith("than 95 % of the known inputs (43 % lie closer).")
    assert "is not known for this classifier" in verdict(replace(inside, outside=None))
    assert warning(with_outside(distance=1.0, percentile=40.0, reasons=("its letters are odd",))).startswith(
        "Its letters are odd. Read"
    )


def test_silence_is_warned_of_even_where_nothing_is_known():
    e = make_explanation(modality="audio")
    silent = replace(e, outside=None, provenance={"input": {"noticed": "silent: every sample is 0"}})
    assert warning(silent).startswith("The sound is silent: every sample is 0, so there is hardly anything")
    assert in_words(silent)[0] == warning(silent)


def test_words_summary_rows_and_files_carry_it():
    e = with_outside(reasons=("its letters are odd",))
    assert in_words(e)[0] == warning(e)
    told = summary(e)["outside"]
    assert (told["distance"], told["is_outside"], told["verdict"]) == (2.0, True, warning(e))
    row = explanation_row(e)
    assert (row["outside"], row["outside_distance"], row["outside_percentile"]) == (True, 2.0, 100.0)
    assert from_json(to_json(e)).outside == e.outside
    assert from_npz(to_npz(e)).outside == e.outside
    nothing = replace(e, outside=None)
    assert outside_columns(nothing)["outside"] is None
    assert summary(nothing)["outside"] is None
    assert from_json(to_json(nothing)).outside is None


# Beside the weights


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "letters"
    letter_model().save_pretrained(path)
    write_known(path, some_known((LAYERS, FEATURES)))
    return path


def test_it_travels_beside_the_weights_which_stay_as_they_are(folder, tmp_path):
    weights = (folder / "model.safetensors").read_bytes()
    loaded = load_model(folder)
    known = some_known((LAYERS, FEATURES))
    np.testing.assert_allclose(loaded.known.cells.directions, known.cells.directions, atol=1e-3)
    np.testing.assert_array_equal(loaded.known.distances, known.distances)
    assert (loaded.known.samples, loaded.known.scripts) == (400, {"LATIN": 1.0})
    loaded.save_pretrained(tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == weights
    assert (tmp_path / "again" / OUTSIDE_FILE).read_bytes() == (folder / OUTSIDE_FILE).read_bytes()
    write_known(folder, None)
    assert read_checkpoint(folder).known is None


def test_an_explanation_has_it_and_is_otherwise_the_same(folder):
    known = load_model(folder).known
    without = letter_model()
    model = LetterModel(without.classifier, name=without.name, dataset=without.dataset, known=known)
    a, b = explain(without, "abc"), explain(model, "abc")
    assert a.outside is None
    assert b.outside.distance == pytest.approx(float(distance(known.cells, b.values)))
    for name, array in arrays(a).items():
        np.testing.assert_array_equal(array, arrays(b)[name])


def _changed(path, tensors=None, told=None):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    save_file(load_file(path) | (tensors or {}), path, metadata=told or metadata)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-9]), "is damaged"),
        (lambda p: p.write_bytes(b"nonsense"), "is damaged"),
        (lambda p: _changed(p, told={"format": "pt"}), "is damaged"),
        (lambda p: _changed(p, told={KNOWN: "[1]"}), "is damaged"),
        (lambda p: _changed(p, {"mean": torch.zeros(2, 2)}), r"mean must be \[6, 8\], got \[2, 2\]"),
        (lambda p: _changed(p, {"variances": -torch.ones(3)}), "variances must be positive"),
        (lambda p: _changed(p, {"rest": torch.tensor([float("nan")])}), "rest holds values"),
        (lambda p: _changed(p, {"distances": torch.arange(110.0).flip(0)}), "not in order"),
        (lambda p: (p.unlink(), p.mkdir()), "is no ordinary file"),
    ],
)
def test_a_damaged_file_is_refused_with_what_to_do(folder, damage, said):
    damage(folder / OUTSIDE_FILE)
    with pytest.raises(CheckpointError, match=said):
        load_model(folder)


def test_a_file_of_other_weights_is_refused(folder, tmp_path):
    letter_model(decoder="linear").save_pretrained(tmp_path / "other")
    (tmp_path / "other" / OUTSIDE_FILE).write_bytes((folder / OUTSIDE_FILE).read_bytes())
    with pytest.raises(CheckpointError, match=r"made for other weights.*Make it anew with 'daam outside'"):
        load_model(tmp_path / "other")
