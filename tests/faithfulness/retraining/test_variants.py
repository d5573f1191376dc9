"""Classifiers trained anew."""

from dataclasses import replace

import pytest

from daam_core.faithfulness.retraining.variants import measure_variant, plain_variant
from tests.support.planted import planted_classifier, planted_inputs
from tests.support.separable import BUDGET


def test_the_planted_classifier_gains_and_the_plain_variant_has_no_amplitude():
    classifier = planted_classifier()
    x, labels = planted_inputs()
    found = measure_variant("planted", [classifier, classifier], x, labels, orders=(0, 1))
    assert found.gain.low > 0
    assert found.accuracy.mean == 1
    assert found.by_seed[0] == pytest.approx(found.by_seed[1])
    assert found.gain.mean == pytest.approx(found.at_random.mean - found.deletion.mean)
    plain, budget = plain_variant(classifier, replace(BUDGET, gate_penalty=1.0))
    assert plain.attention.amplitude_logits is None
    assert float(plain.attention.mean_offset.abs().max()) == 0
    assert budget == replace(BUDGET, gate_penalty=0.0, gate_learning_rate=BUDGET.learning_rate)
