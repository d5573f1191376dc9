"""The short summary holds what the explanation holds."""

import json

import pytest

from daam_core import export
from daam_core.reading.quantities import quantity_map, top_cells
from tests.support.builders import make_explanation
from tests.support.exports import kinds, strict


@kinds
def test_the_summary_is_small_plain_json(kind):
    e = make_explanation(**kind)
    found = strict(json.dumps(export.summary(e), allow_nan=False))
    assert found["prediction"] == e.predicted_class
    assert found["probabilities"] == {
        name: pytest.approx(float(p)) for name, p in zip(e.class_names, e.probabilities, strict=True)
    }
    assert found["shape"] == list(e.shape)
    assert found["provenance"] == e.provenance
    assert [token["attribution"] for token in found["tokens"]] == e.token_attribution.tolist()
    assert sum(layer["share"] for layer in found["top_layers"]) == pytest.approx(100, rel=1e-4)


def test_the_summary_lists_what_is_highest():
    e = make_explanation(features=200, planted=(2, 3, 150))
    found = export.summary(e, top=5)
    assert found["top_layers"][0]["layer"] == e.layer_contribution.sum(0).argmax()
    assert found["top_layers"][0]["by_head"] == pytest.approx(
        e.layer_contribution[:, found["top_layers"][0]["layer"]].tolist()
    )
    assert len(found["top_cells"]) == len(found["top_features"]) == 5
    hottest = found["top_cells"][0]
    assert (hottest["head"], hottest["layer"], hottest["feature"]) == (2, 3, 150)
    assert hottest["importance"] == 1
    assert hottest["value"] == e.values[3, 150]
    shares = 100 * e.density_attention.sum((0, 1)) / e.density_attention.sum()
    assert found["top_features"][0]["feature"] == shares.argmax() == 150
    assert found["top_features"][0]["share"] == pytest.approx(float(shares.max()), rel=1e-5)
    decisive = top_cells(quantity_map(e, "class_importance"), 1, absolute=True)[0].tolist()
    assert [found["top_class_cells"][0][k] for k in ("head", "layer", "feature")] == decisive
    assert len(json.dumps(found)) < 20_000


def test_the_summary_joins_words_and_marks_tokens_without_a_place():
    found = export.summary(make_explanation(tokens=8))
    assert found["tokens"][0] == {
        "label": "[CLS]",
        "span": None,
        "attribution": found["tokens"][0]["attribution"],
    }
    assert found["words"][0]["text"] == "Markets"
    pieces = [token["attribution"] for token in found["tokens"][1:3]]
    assert found["words"][0]["value"] == pytest.approx(sum(pieces))
    assert "words" not in export.summary(make_explanation("audio"))
