"""What every encoder says of itself."""

import pytest
import torch

from daam_core.backbones import load_backbone
from daam_core.errors import EncoderError
from tests.support.small import LetterEncoder


def test_learned_numbers_are_counted_once():
    class Weighted(LetterEncoder):
        def weights(self):
            shared = torch.zeros(2, 3)
            return shared, torch.zeros(5), shared

    assert Weighted().n_parameters == 11
    assert LetterEncoder().n_parameters is None


@pytest.mark.parametrize(
    ("name", "count"),
    [("whisper-tiny-en", 8_208_384), ("minilm-l6", 22_565_376), ("efficientnet-lite0", 4_631_000)],
)
def test_the_built_in_encoders_know_their_size(name, count):
    try:
        encoder = load_backbone(name)
    except EncoderError as error:
        pytest.skip(f"The encoder's weights are not here: {error}")
    assert encoder.n_parameters == count
