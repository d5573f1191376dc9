"""Cells that can be removed from a decision."""

import torch

from daam_core.faithfulness.maps.cells import gated_cells, input_cells
from tests.support.random_classifiers import random_classifier, random_inputs


def test_input_cells_decide_as_the_model_does():
    classifier = random_classifier()
    x = random_inputs()
    cells = input_cells(classifier, x)
    torch.testing.assert_close(cells.logits(cells.values), classifier(x).logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        gated_cells(classifier, x).logits(gated_cells(classifier, x).values), classifier(x).logits
    )
