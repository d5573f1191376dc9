"""Baselines that explain themselves."""

from dataclasses import replace

import numpy as np
import torch

from daam_core.faithfulness.retraining.rivals import agreement, rivals
from tests.support.separable import BUDGET, separable


def test_rivals_explain_their_own_decisions():
    train, (x, labels) = separable(160, layer=3), separable(60, layer=3, seed=1)
    budget = replace(BUDGET, epochs=20)
    found = rivals(train, x, labels, n_classes=2, budget=budget, random_seeds=(0, 1))
    assert [rival.method for rival in found] == ["layer_sum", "attention"]
    layer_sum = found[0]
    assert layer_sum.accuracy > 0.9
    assert int(layer_sum.maps["layer_sum"][0].mean(1).argmax()) == 3
    torch.testing.assert_close(layer_sum.maps["layer_sum"][0, :, 0].sum(), torch.tensor(1.0))
    assert layer_sum.deletion["layer_sum"].gain.low > 0
    attention = found[1].maps["attention"]
    torch.testing.assert_close(attention[..., 0].sum(1), torch.ones(60))


def test_agreement_of_a_map_with_itself_its_opposite_and_a_constant():
    map_ = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    names, matrix = agreement({"importance": map_, "gate": -map_, "amplitude": torch.ones(3, 4, 5)})
    assert names == ["importance", "gate", "amplitude"]
    np.testing.assert_allclose(matrix, [[1, -1, 0], [-1, 1, 0], [0, 0, 0]], atol=1e-12)
