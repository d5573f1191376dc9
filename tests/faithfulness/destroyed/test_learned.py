"""What is learned and what is given."""

import pytest
import torch

from daam_core.faithfulness.destroyed.learned import at_start, parameter_ranges, what_is_learned
from daam_core.model import DaamClassifier
from tests.support.small import letter_config, letter_model


def test_an_untrained_classifier_has_learned_nothing():
    classifier = DaamClassifier(letter_config(amplitude_start=1.0))
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    found = what_is_learned(classifier, x)
    assert [item.reset for item in found.starts] == [
        "mean offset and scaled variance",
        "amplitude",
        "all parameters of the gate",
    ]
    for start in found.starts:
        assert start.explained == pytest.approx(1)
        assert start.by_input.mean == pytest.approx(1)
    assert all(item.moved == pytest.approx(0, abs=1e-6) for item in found.ranges)
    assert 0 < found.between_inputs < 1


def test_what_is_learned_of_a_mixture_has_its_names():
    classifier = DaamClassifier(
        letter_config(gate_kind="mixture", n_gaussians=2, decoder="linear", amplitude="none")
    )
    found = what_is_learned(classifier, torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0)))
    assert [item.reset for item in found.starts] == ["mean offset and scale"]
    assert [item.name for item in found.ranges] == ["mean offset", "scale"]


def test_a_map_that_is_only_learned_and_one_that_is_the_same_for_all_inputs():
    classifier = DaamClassifier(letter_config())
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        classifier.attention.log_scaled_variance.fill_(6.0)  # gates that are open whatever comes
        classifier.attention.amplitude_logits.copy_(
            torch.randn(2, 6, generator=torch.Generator().manual_seed(2))
        )
    found = what_is_learned(classifier, x)
    assert found.between_inputs < 0.05
    assert found.starts[-1].explained < 0.1


def test_at_start_undoes_training():
    trained = letter_model(amplitude_start=2.0).classifier
    fresh = DaamClassifier(trained.config)
    assert not torch.allclose(trained.attention.amplitude, fresh.attention.amplitude)
    back = at_start(trained)
    torch.testing.assert_close(back.attention.mean_offset, fresh.attention.mean_offset)
    torch.testing.assert_close(back.attention.scaled_variance, fresh.attention.scaled_variance)
    torch.testing.assert_close(back.attention.amplitude, fresh.attention.amplitude)
    only = at_start(trained, amplitude=False)
    torch.testing.assert_close(only.attention.amplitude, trained.attention.amplitude)


def test_ranges_are_those_of_the_parameters():
    classifier = letter_model().classifier
    offset, variance, amplitude = parameter_ranges(classifier)
    assert offset.low == pytest.approx(float(classifier.attention.mean_offset.min()))
    assert offset.paper == (-0.06, 0.1)
    assert variance.high == pytest.approx(float(classifier.attention.scaled_variance.max()))
    moved = (classifier.attention.scaled_variance - classifier.attention.initial_scaled_variance).abs().mean()
    assert variance.moved == pytest.approx(float(moved), rel=1e-5)
    assert amplitude.mean == pytest.approx(1, abs=1e-5)
    mixture = parameter_ranges(letter_model(gate_kind="mixture", n_gaussians=2).classifier)
    assert mixture[1].name == "scale"
    assert mixture[1].paper is None
