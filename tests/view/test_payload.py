"""Payloads of the interactive view."""

import base64
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daam_core.errors import InputError
from daam_core.explaining import explain
from daam_core.reading.colours import DIVERGING, DIVERGING_DARK, HEAD_COLOURS
from daam_core.reading.terms import TERMS
from daam_core.result import Explanation
from daam_core.view.payload import LIMIT_PER_HEAD, view_array, view_payload
from tests.support.builders import make_explanation
from tests.support.small import letter_model

MAPS = ("gate", "values", "class_importance")


def decode(spec: dict[str, Any]) -> np.ndarray:
    """What the script makes of an encoded array; its own code is tested in the browser."""
    raw = base64.b64decode(spec["data"])
    if spec["dtype"] == "float32":
        return np.frombuffer(raw, "<f4").reshape(spec["shape"])
    levels = np.frombuffer(raw, np.uint8).reshape(len(spec["ranges"]), -1)
    low, high = np.array(spec["ranges"]).T[..., None]
    return (low + levels / 255 * (high - low)).reshape(spec["shape"])


def encoded_length(payload: dict[str, Any]) -> int:
    return sum(len(spec.get("data", "")) for spec in payload["a"]["arrays"].values())


def exact_product(explanation: Explanation) -> Explanation:
    """The same explanation computed in float32 throughout, as the model does."""
    gate = explanation.gate.astype(np.float32)
    return replace(
        explanation, gate=gate, density_attention=explanation.amplitude.astype(np.float32)[..., None] * gate
    )


# ---- payload --------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["audio", "text", "image"])
@pytest.mark.parametrize("mode", ["shared", "layer_groups"])
def test_a_small_payload_holds_every_number_exactly(modality: str, mode: str) -> None:
    e = make_explanation(modality, mode=mode, heads=2)
    raw = json.loads(json.dumps(view_payload(e), allow_nan=False))["a"]
    for name in (*MAPS, "mean_offset", "scaled_variance", "statistic_mean", "statistic_variance"):
        assert np.array_equal(decode(raw["arrays"][name]), getattr(e, name)), name
    for name in ("amplitude", "importance_range", "layer_contribution", "probabilities", "logits"):
        assert np.array_equal(np.array(raw[name]), getattr(e, name)), name
    spans = decode(raw["arrays"]["token_spans"])
    assert np.allclose(spans, e.token_spans, equal_nan=True, rtol=1e-6)
    assert raw["class_names"] == list(e.class_names)
    assert np.array_equal(raw["head_layers"], e.head_layers)
    assert e.dataset is not None
    assert raw["dataset"]["samples"] == e.dataset.samples
    for ranges, source in ((raw["ranges"], e), (raw["dataset"]["ranges"], e.dataset)):
        for name, pairs in ranges.items():
            array = getattr(source, name)
            assert pairs == [
                [part[seen].min(), part[seen].max()] for part, seen in zip(array, e.head_layers, strict=True)
            ]
    assert np.array_equal(decode(raw["arrays"]["dataset_gate"]), e.dataset.gate)


def test_density_attention_travels_only_where_it_cannot_be_computed() -> None:
    e = exact_product(make_explanation(dataset=False))
    assert "density_attention" not in view_payload(e)["a"]["arrays"]
    muted = e.density_attention.copy()
    muted[0, 1, 2] = 0.0
    arrays = view_payload(replace(e, density_attention=muted))["a"]["arrays"]
    assert np.array_equal(decode(arrays["density_attention"]), muted)


def test_without_compare_or_dataset_there_is_none() -> None:
    payload = view_payload(make_explanation(dataset=False))
    assert payload["b"] is None
    assert payload["a"]["dataset"] is None
    assert not any(name.startswith("dataset") for name in payload["a"]["arrays"])


def test_names_letters_and_colours_travel_in_fields_of_their_own() -> None:
    e = make_explanation()
    payload = view_payload(e, compare=e, names=("B: one.wav", ""))
    assert [(payload[side]["letter"], payload[side]["name"]) for side in "ab"] == [
        ("A", "B: one.wav"),
        ("B", ""),
    ]
    assert payload["colours"] == {
        "heads": list(HEAD_COLOURS),
        "diverging": list(DIVERGING),
        "diverging_dark": list(DIVERGING_DARK),
    }
    assert payload["terms"] == {s: f"{term.name}: {term.sentence}" for s, term in TERMS.items()}


def test_numbers_that_json_lacks_become_null() -> None:
    e = make_explanation()
    logits = e.logits.copy()
    logits[:2] = np.nan, np.inf
    raw = json.loads(json.dumps(view_payload(replace(e, logits=logits)), allow_nan=False))["a"]
    assert raw["logits"][:2] == [None, None]
    assert raw["logits"][2] == pytest.approx(float(e.logits[2]))


@settings(max_examples=40)
@given(
    heads=st.integers(1, 3),
    layers=st.integers(3, 5),
    features=st.integers(1, 40),
    limit=st.integers(0, 6000),
    planted=st.booleans(),
)
def test_no_payload_exceeds_its_limit_and_what_it_rounds_stays_close(
    heads: int, layers: int, features: int, limit: int, planted: bool
) -> None:
    e = make_explanation(
        heads=heads,
        layers=layers,
        features=features,
        tokens=3,
        planted=(heads - 1, layers - 1, features - 1) if planted else None,
    )
    payload = view_payload(e, limit=limit)
    assert encoded_length(payload) <= limit * heads
    for name, spec in payload["a"]["arrays"].items():
        exact = decode(view_array(e, name))
        assert spec["shape"] == list(exact.shape)
        if spec.get("lazy"):
            continue
        found = decode(spec)
        if spec["dtype"] == "float32":
            assert np.array_equal(found, exact, equal_nan=True)
            continue
        parts = exact if exact.ndim == 3 else exact[None]
        width = (parts.max((1, 2)) - parts.min((1, 2)))[:, None, None]
        assert (np.abs(found.reshape(parts.shape) - parts) <= width / 510 * (1 + 1e-5) + 1e-12).all()
        # The strongest cell is the one that is looked for: it stays exact.
        assert np.array_equal(found.reshape(parts.shape).max((1, 2)).astype(np.float32), parts.max((1, 2)))


def test_large_maps_stay_below_the_limit_and_the_map_shown_first_is_there() -> None:
    e = make_explanation(heads=2, layers=40, features=5120, tokens=4, dataset=False, planted=(1, 17, 3333))
    payload = view_payload(e)
    assert len(json.dumps(payload)) / 2 < LIMIT_PER_HEAD * 1.01  # with the few plain values
    assert encoded_length(payload) / 2 <= LIMIT_PER_HEAD
    arrays = payload["a"]["arrays"]
    density = decode(arrays["density_attention"])
    assert density.argmax() == np.ravel_multi_index((1, 17, 3333), density.shape)
    assert np.float32(density[1, 17, 3333]) == e.density_attention[1, 17, 3333]
    assert arrays["mean_offset"]["dtype"] == "float32"


def test_the_usual_large_encoder_travels_exactly() -> None:
    e = exact_product(make_explanation(heads=4, layers=24, features=1024, tokens=4))
    assert e.dataset is not None
    gate = e.dataset.gate
    e = replace(e, dataset=replace(e.dataset, density_attention=e.amplitude[..., None] * gate))
    payload = view_payload(e)
    assert {spec.get("dtype") for spec in payload["a"]["arrays"].values()} == {"float32"}


# ---- arrays asked for ----------------------------------------------------------------------------


def test_an_array_asked_for_is_exact() -> None:
    e = make_explanation(heads=3)
    assert np.array_equal(decode(view_array(e, "gate", head=2)), e.gate[2])
    assert np.array_equal(decode(view_array(e, "values")), e.values)
    assert np.array_equal(decode(view_array(e, "mean_offset")), e.mean_offset)


def test_evidence_is_shown_where_both_results_have_it() -> None:
    e, other = explain(letter_model(decoder="density"), "hello"), explain(letter_model(), "hello")
    found = view_payload(e)
    assert found["quantities"]["evidence"]["signed"]
    assert np.array_equal(decode(found["a"]["arrays"]["evidence"]), e.evidence)
    assert found["a"]["ranges"]["evidence"][1] == [e.evidence[1].min(), e.evidence[1].max()]
    for without in (view_payload(other), view_payload(e, compare=other)):
        assert "evidence" not in without["quantities"]
    assert view_array(e, "evidence", head=1)["shape"] == list(e.shape[1:])
    with pytest.raises(InputError, match="There is no array 'evidence'"):
        view_array(other, "evidence")


@pytest.mark.parametrize(
    ("name", "head", "message"),
    [
        ("provenance", None, "There is no array 'provenance' in this view; it has token_spans, "),
        ("__class__", None, "There is no array '__class__'"),
        ("gate", 3, "Array 'gate' has no head 3; heads go from 0 to 2"),
        ("gate", -1, "Array 'gate' has no head -1"),
        ("gate", True, "Array 'gate' has no head True"),
        ("values", 0, "only class_importance, dataset_density_attention, dataset_gate, "),
    ],
)
def test_an_array_that_does_not_exist_is_refused(name: str, head: int | None, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        view_array(make_explanation(heads=3), name, head=head)


# ---- words ---------------------------------------------------------------------------------------


def test_words_and_gaps_make_up_the_text_and_hold_every_token_once() -> None:
    e = make_explanation("text", tokens=23)
    words = view_payload(e)["a"]["words"]
    assert "".join(text for text, _ in words["pieces"]) == e.text
    used = [index for _, index in words["pieces"] if index >= 0]
    assert len(set(used)) == len(used)
    tokens = [token for word in words["list"] for token in word["tokens"]]
    assert sorted(tokens) == list(range(len(e.token_labels)))
    assert [word["text"] for word in words["list"] if word["special"]] == ["[CLS]", "[SEP]"]
    joined = next(word for word in words["list"] if word["text"] == "announcement")
    assert [e.token_labels[t] for t in joined["tokens"]] == ["annou", "##nceme", "##nt"]


def test_marks_that_turn_a_text_do_not_reach_the_page():
    e = make_explanation("text", tokens=2)
    text = "fell\u202e \ufeffon\u2066 ब\u200dक"
    words = view_payload(replace(e, text=text, token_spans=np.array([[0, 5], [6, 9]], dtype=float)))["a"][
        "words"
    ]
    assert "".join(piece for piece, _ in words["pieces"]) == "fell on ब\u200dक"
    assert [word["text"] for word in words["list"]][:2] == ["fell", "on"]


def test_other_modalities_have_no_words() -> None:
    assert view_payload(make_explanation("audio"))["a"]["words"] is None
