"""Metrics of the quantus package."""

import numpy as np
import pytest

from daam_core.errors import ConfigError
from daam_core.faithfulness.quantus import quantus_metrics
from tests.support.planted import planted_classifier, planted_inputs


def test_quantus_on_the_planted_classifier():
    classifier = planted_classifier()
    x, _ = planted_inputs(8)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    found = quantus_metrics(classifier, x, methods=("importance", "class_importance", "integrated_gradients"))
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002
    score = {(item.metric, item.method): item.score.mean for item in found}
    # Removing cells changes the logit by just what class importance gives them.
    assert score["Faithfulness Correlation", "class_importance"] > 0.95
    assert score["Faithfulness Correlation", "class_importance"] == pytest.approx(
        score["Faithfulness Correlation", "integrated_gradients"], abs=0.05
    )
    assert score["Random Logit", "importance"] == pytest.approx(1)
    assert score["Random Logit", "class_importance"] < 0.999
    assert score["MPRT: decoder randomised", "importance"] == pytest.approx(1)
    assert score["MPRT: decoder randomised", "class_importance"] < 0.999
    assert score["MPRT: gate randomised", "importance"] < 0.5
    # Three cells of forty matter: sparse.
    assert score["Sparseness", "class_importance"] > 0.9
    assert quantus_metrics(classifier, x[:2], methods=("importance",), seed=3) == quantus_metrics(
        classifier, x[:2], methods=("importance",), seed=3
    )


def test_quantus_measures_the_classifiers_own_maps_only():
    with pytest.raises(ConfigError, match="got 'layer_sum'"):
        quantus_metrics(planted_classifier(), planted_inputs(2)[0], methods=("layer_sum",))
