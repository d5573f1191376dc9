"""Maps across seeds and across small changes of the input."""

import numpy as np
import pytest
import torch

from daam_core.faithfulness.destroyed.stability import compare_inputs, input_stability, seed_stability
from daam_core.faithfulness.retraining.layers import (
    mean_density_attention,
)
from daam_core.inputs import read_text
from daam_core.progress import Progress
from tests.support.small import LetterEncoder, letter_data, letter_model


def test_classifiers_of_the_same_parameters_are_perfectly_stable():
    classifier = letter_model().classifier
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    labels = classifier(x).logits.argmax(-1)
    found = seed_stability(classifier, [classifier, classifier], x, labels)
    assert found.correlation == pytest.approx(1)
    assert found.lowest_correlation == pytest.approx(1)
    assert found.layers == pytest.approx(1)
    assert found.accuracy == (1, 1)
    assert float(found.deviation.max()) == 0
    np.testing.assert_allclose(found.mean, mean_density_attention(classifier, x).sum(0).numpy(), rtol=1e-5)
    assert found.untrained < 1


def test_the_same_input_has_the_same_map_and_a_new_one_another():
    classifier = letter_model().classifier
    x = torch.randn(9, 6, 8, generator=torch.Generator().manual_seed(0))
    same = compare_inputs(classifier, x, x, change="nothing")
    assert same.importance.mean == pytest.approx(1)
    assert same.same_prediction.mean == 1
    assert same.relative_change.mean == 0
    other = compare_inputs(classifier, x, x.flip(0), change="everything")
    assert other.importance.mean < 0.9
    assert other.relative_change.mean > 0.5


def test_inputs_are_changed_and_encoded_again():
    from daam_core.faithfulness.destroyed.small_changes import PERTURBATIONS

    texts, _ = letter_data(5)
    texts = [read_text(f"{text} {text}") for text in texts]
    seen: list[float] = []
    found = input_stability(
        letter_model().classifier,
        LetterEncoder(),
        texts,
        PERTURBATIONS["text"],
        progress=Progress(lambda share, _: seen.append(share)),
    )
    assert [item.change for item in found] == ["one typo", "one word left out"]
    assert all(-1 <= item.importance.mean <= 1 and item.importance.count == 5 for item in found)
    assert seen == sorted(seen)
    assert len(seen) == 15
