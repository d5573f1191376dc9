"""Sums of gates by the kernel against the formulas, for features in single and in half precision."""

import numpy as np
import pytest
import torch

from daam_core.configuration import EncoderIdentity, ModelConfig
from daam_core.dataset_mean import dataset_mean
from daam_core.errors import ShapeError
from daam_core.kernels import averages, cpu
from daam_core.kernels.attend import formulas_alone
from daam_core.model import DaamClassifier

FIELDS = ("gate", "values", "statistic_mean", "statistic_variance", "density_attention", "importance")


@pytest.fixture(autouse=True)
def used(monkeypatch):
    """The kernel, for any number of inputs."""
    pytest.importorskip("numba", reason="The kernels need numba.")
    monkeypatch.setattr(averages, "SMALLEST", 0)


def drawn(mode="shared", *, layers=10, features=336, heads=3, **settings):
    torch.manual_seed(0)
    config = ModelConfig(
        modality="text",
        encoder=EncoderIdentity("none", "none", "none", "none"),
        n_layers=layers,
        n_features=features,
        class_names=("a", "b"),
        n_heads=heads,
        mode=mode,
        **settings,
    )
    classifier = DaamClassifier(config).eval()
    with torch.no_grad():
        for parameter in classifier.attention.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return classifier


def stored(count, *, layers=10, features=336):
    return (2 * torch.randn(count, layers, features) + 1).half()


@pytest.mark.parametrize("count", [1, 7, 300])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_the_kernels_averages_are_those_of_the_formulas(mode, count):
    classifier, x = drawn(mode), stored(count)
    classifier.standardisation.fit(stored(20).float())
    assert classifier.attention.sums(x, *classifier.standardisation.buffers()) is not None
    found = dataset_mean(classifier, x)
    with formulas_alone():
        expected = dataset_mean(classifier, x)
    for name in FIELDS:
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-5, atol=2e-6)


def test_half_precision_is_read_exactly():
    classifier, x = drawn(), stored(50)
    found, expected = dataset_mean(classifier, x), dataset_mean(classifier, x.float())
    assert all((getattr(found, name) == getattr(expected, name)).all() for name in FIELDS)


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    monkeypatch.setattr(cpu, "_WORTH_A_TEAM", 0)
    classifier, x, before = drawn(), stored(50), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = dataset_mean(classifier, x)
        torch.set_num_threads(4)
        assert all((getattr(dataset_mean(classifier, x), n) == getattr(alone, n)).all() for n in FIELDS)
    finally:
        torch.set_num_threads(before)


def test_where_the_formulas_remain():
    x = stored(3)
    classifier = drawn()
    of = classifier.standardisation.buffers
    with formulas_alone():
        assert classifier.attention.sums(x, *of()) is None
    assert classifier.attention.sums(x.double(), *of()) is None
    assert drawn(gate_kind="mixture", n_gaussians=2).attention.sums(x, *of()) is None
    x[1, 2, 3] = torch.nan
    assert classifier.attention.sums(x, *of()) is None
    with pytest.raises(ShapeError, match="NaN"):
        dataset_mean(classifier, x)
