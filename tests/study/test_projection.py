"""Points of a plane, against scikit-learn on the same maps; kept, and made anew for another study."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.decomposition import PCA

from daam_core.errors import ConfigError, ShapeError
from daam_core.study import projection
from daam_core.study.folder import open_maps, open_study
from daam_core.study.projection import has_umap, principal_components, project
from tests.support.studies import drawn_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Values of the classes lie apart, as those of a classifier do."""
    drawn = drawn_study(tmp_path_factory.mktemp("study"), inputs=300, refused=(4, 50))
    maps = open_maps(drawn.folder)
    draw = np.random.default_rng(1)
    for size in (2.0, 1.0):
        direction = draw.normal(size=maps["values"].shape[1:])
        maps["values"][:] += size * draw.normal(size=(300, 1, 1)) * direction
    maps["values"][[4, 50]] = np.nan
    return open_study(drawn.folder)


def gated(study):
    attention, values = (
        np.array(study.map(name), dtype=np.float64)[study.numbers] for name in ("density_attention", "values")
    )
    return (attention * values[:, None]).reshape(len(attention), -1)


def test_components_are_those_of_scikit_learn(study):
    expected = PCA(2, svd_solver="full").fit(gated(study))
    scores, shares = principal_components(study, 2)
    of_sklearn = expected.transform(gated(study))
    of_sklearn *= np.sign((of_sklearn * scores).sum(0))
    np.testing.assert_allclose(scores, of_sklearn, atol=2e-3 * np.abs(of_sklearn).max())
    np.testing.assert_allclose(shares, expected.explained_variance_ratio_, rtol=1e-3)
    assert (np.abs(scores).max(0) == scores.max(0)).all()


def test_a_projection_is_kept_and_made_anew_for_another_study(study, monkeypatch, tmp_path):
    made = project(study)
    assert made.points.shape == (298, 2)
    assert made.points.dtype == np.float32
    assert made.explained is not None
    assert 1 > made.explained[0] > made.explained[1] > 0
    calls = []
    real = projection.principal_components
    monkeypatch.setattr(
        projection, "principal_components", lambda *a, **k: (calls.append(a), real(*a, **k))[1]
    )
    again = project(study)
    np.testing.assert_array_equal(again.points, made.points)
    assert again.explained == made.explained
    assert calls == []
    other = drawn_study(tmp_path, inputs=30, seed=1)
    (tmp_path / "pca.npz").write_bytes((study.folder / "pca.npz").read_bytes())
    assert project(other).points.shape == (30, 2)
    (tmp_path / "pca.npz").write_bytes(b"PK\x03\x04 no archive")
    assert project(other).points.shape == (30, 2)
    assert len(calls) == 2


def test_umap_starts_from_principal_components(study, monkeypatch):
    given = []

    class Fake:
        def __init__(self, **options):
            given.append(options)

        def fit_transform(self, scores):
            given.append(scores.shape)
            return scores[:, :2]

    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Fake))
    monkeypatch.setattr(projection, "has_umap", lambda: True)
    made = project(study, "umap")
    assert given == [{"n_neighbors": 15, "random_state": 0}, (298, 10)]
    assert made.points.shape == (298, 2)
    assert made.explained is None
    assert project(study, "umap").explained is None  # the kept one
    assert len(given) == 2


@pytest.mark.slow
def test_umap_itself_keeps_apart_what_lies_apart(tmp_path):
    pytest.importorskip("umap", reason="the extra umap is not installed")
    study = drawn_study(tmp_path, inputs=90)
    maps = open_maps(study.folder)
    maps["values"][: 90 // 2] += 8  # two heaps of inputs
    maps["values"].flush()
    made = project(study, "umap")
    assert made.explained is None
    assert made.points.shape == (90, 2)
    centres = made.points[:45].mean(0), made.points[45:].mean(0)
    spread = max(
        np.linalg.norm(made.points[part] - centre, axis=1).max()
        for part, centre in zip((slice(45), slice(45, 90)), centres, strict=True)
    )
    assert np.linalg.norm(centres[0] - centres[1]) > spread
    (study.folder / "umap.npz").unlink()
    np.testing.assert_array_equal(project(study, "umap").points, made.points)  # the seed decides


def test_what_cannot_be_projected_is_refused(study, tmp_path):
    few = drawn_study(tmp_path, inputs=3, refused=(1,))
    with pytest.raises(ShapeError, match="three explained inputs at least"):
        project(few)
    with pytest.raises(ConfigError, match="one of pca, umap, got 'tsne'"):
        project(study, "tsne")
    if not has_umap():
        with pytest.raises(ConfigError, match="pip install umap-learn"):
            project(drawn_study(tmp_path / "other"), "umap")


def test_three_inputs_are_enough(tmp_path):
    made = project(drawn_study(tmp_path, inputs=3))
    assert made.points.shape == (3, 2)
    assert np.isfinite(made.points).all()
