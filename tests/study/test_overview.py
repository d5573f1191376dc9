"""Overviews: means and counts of a study, saved and read again; those that come along."""

import numpy as np
import pytest

from daam_core import load_model
from daam_core.errors import DataError
from daam_core.locating import built_in_models
from daam_core.study.overview import overview, read_overview, save_overview, shipped_overview
from tests.support.studies import drawn_study


def test_means_and_counts_are_those_of_the_maps(tmp_path):
    study = drawn_study(tmp_path / "study", refused=(4,))
    study.head_layers[1, 2] = False
    found = overview(study)
    attention = np.array(study.map("density_attention"), dtype=np.float32)
    values = np.array(study.map("values"), dtype=np.float32)[study.numbers]
    sad = [number for number in study.numbers if number % 3 == 2]
    assert found.classes == ("angry", "calm", "sad")
    np.testing.assert_allclose(found.density_attention[2], attention[sad].mean(0), rtol=1e-4)
    assert found.confusion.tolist() == [[0, 0, 30], [0, 0, 29], [0, 0, 30]]
    assert found.explained.tolist() == [30, 29, 30]
    assert found.gate_counts[1, 2].sum() == 0
    gates = np.clip(attention[study.numbers, 0, 1] / study.amplitude[0, 1], 0, 1)
    np.testing.assert_array_equal(found.gate_counts[0, 1], np.histogram(gates, found.gate_edges)[0])
    assert found.gate_counts[0, 1].sum() == found.value_counts[0].sum() == 89 * 20
    np.testing.assert_array_equal(
        found.value_counts[2], np.histogram(np.clip(values[:, 2], -5, 5), found.value_edges)[0]
    )
    save_overview(found, tmp_path / "o.npz")
    read = read_overview(tmp_path / "o.npz")
    assert (read.facts, read.classes) == (found.facts, found.classes)
    largest = found.density_attention.max()
    np.testing.assert_allclose(read.density_attention, found.density_attention, atol=largest / 500)
    for name in ("confusion", "explained", "gate_counts", "value_counts"):
        np.testing.assert_array_equal(getattr(read, name), getattr(found, name))


def test_a_mean_of_few_inputs_is_left_out(tmp_path):
    found = overview(drawn_study(tmp_path, inputs=14))
    assert found.classes == ("angry", "calm")
    assert found.explained.tolist() == [5, 5, 4]
    with pytest.raises(DataError, match="holds no explained input"):
        overview(drawn_study(tmp_path / "none", inputs=2, refused=(0, 1)))


def test_what_is_no_overview_is_said_to_be_none(tmp_path):
    (tmp_path / "o.npz").write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match=r"o\.npz is no overview of a study, or damaged"):
        read_overview(tmp_path / "o.npz")
    np.savez(tmp_path / "p.npz", facts="{}")
    with pytest.raises(DataError, match=r"p\.npz is no overview"):
        read_overview(tmp_path / "p.npz")
    with pytest.raises(DataError, match="There is no overview nothing"):
        read_overview(tmp_path / "nothing")
    with pytest.raises(DataError, match="No overview comes along for 'mine'"):
        shipped_overview("mine")


@pytest.mark.parametrize("name", built_in_models())
def test_those_that_come_along_are_of_the_classifiers_that_do(name):
    found, model = shipped_overview(name), load_model(name)
    assert found.facts.checkpoint_sha256 == model.sha256
    assert found.facts.class_names == model.class_names
    config = model.config
    assert found.density_attention.shape[1:] == (config.n_heads, config.n_layers, config.n_features)
    assert found.explained.sum() == found.facts.inputs > 300
    assert found.facts.command.startswith("python -m daam_core study ")
    assert np.isfinite(found.density_attention).all()
