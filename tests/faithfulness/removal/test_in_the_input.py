"""Deletion in the input itself, with an encoder that runs again."""

import pytest
import torch

from daam_core.encoding import pool
from daam_core.errors import CancelledError
from daam_core.explaining import explain_encoding
from daam_core.faithfulness.removal.in_the_input import (
    LEAVE_ONE_OUT,
    TOKEN_ATTRIBUTION,
    part_attribution,
    part_cells,
    token_level,
)
from daam_core.faithfulness.removal.parts import split
from daam_core.inputs import read_text
from daam_core.progress import Progress
from tests.support.encode import encode
from tests.support.given import INPUTS, TEXTS
from tests.support.small import letter_model


def test_cells_of_parts_are_decided_by_the_encoder_once_each():
    model = letter_model()
    runs = []
    parts = split(read_text(TEXTS[0]))
    cells = part_cells(model, parts, ran=lambda: runs.append(1))
    whole = model.classifier(pool(encode(model.backbone, TEXTS[0].replace("  ", " "))).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.ones(1, 3)), whole)
    one = model.classifier(pool(encode(model.backbone, "oua")).float()[None]).logits
    torch.testing.assert_close(cells.logits(torch.tensor([[0.0, 1.0, 0.0]])), one)
    cells.logits(torch.ones(2, 3))
    assert len(runs) == 2


def test_words_get_what_their_tokens_have():
    model = letter_model()
    text = read_text(TEXTS[2])
    explanation = explain_encoding(model, encode(model.backbone, text))
    found = part_attribution(model, text, split(text))
    letters = explanation.token_attribution
    assert found[0] == pytest.approx(letters[:3].sum(), rel=1e-5)
    assert found[1] == pytest.approx(letters[4:6].sum(), rel=1e-5)


def test_token_level_deletion():
    seen: list[float] = []
    found = token_level(
        letter_model(), INPUTS, seeds=(0, 1), progress=Progress(lambda share, _: seen.append(share))
    )
    assert [method.method for method in found.methods] == [TOKEN_ATTRIBUTION, LEAVE_ONE_OUT]
    assert found.unit == "words"
    assert found.at_random.count == 4
    assert seen == sorted(seen)
    for method in found.methods:
        assert method.highest[0] == pytest.approx(method.lowest[0])
        assert method.highest[-1] == pytest.approx(method.lowest[-1])
        assert method.gain.mean == pytest.approx(found.at_random.mean - method.deletion.mean)
        assert method.insertion.mean >= method.deletion.mean
    # At most every choice of words once: 2^3 + 2^3 + 2^4 + 2^2.
    assert 0 < found.runs <= 36
    assert len(token_level(letter_model(), INPUTS, seeds=(0,), leave_one_out=False).methods) == 1


def test_token_level_deletion_stops_when_asked():
    with pytest.raises(CancelledError):
        token_level(letter_model(), INPUTS, progress=Progress(cancelled=lambda: True))
