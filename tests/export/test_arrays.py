"""Round trips through JSON and NPZ: every number, every type."""

import io
import json
from dataclasses import fields, replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from daam_core import explain, export
from daam_core.errors import DataError
from daam_core.result import Explanation
from tests.support.builders import make_explanation
from tests.support.exports import assert_equal, kinds, strict
from tests.support.small import letter_model

#: What a file leaves out where it is as usual: layers and features, one level, one label.
USUAL = {"axis_names", "n_levels", "residual_share", "labels"}


@kinds
def test_json_loads_back_to_the_same_explanation(kind):
    e = make_explanation(**kind)
    assert_equal(export.from_json(export.to_json(e)), e)


@kinds
def test_npz_loads_back_to_the_same_explanation(kind):
    e = make_explanation(**kind)
    assert_equal(export.from_npz(export.to_npz(e)), e)


@pytest.mark.parametrize("decoder", ["pool", "density"])
def test_a_trained_models_explanation_survives_both_formats(decoder):
    e = explain(letter_model(decoder=decoder), "hello")
    assert (e.evidence is not None) == (decoder == "density")
    assert_equal(export.from_json(export.to_json(e)), e)
    assert_equal(export.from_npz(export.to_npz(e)), e)


@given(st.text(min_size=1, max_size=30), st.text(max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_any_text_and_label_survives(text, label):
    """Among them NUL at the end, which numpy's own texts lose, and lone surrogates."""
    e = make_explanation(tokens=4)
    e = replace(e, text=text, token_labels=("[CLS]", label, f"{label}\0", "</script>"))
    for found in (export.from_json(export.to_json(e)), export.from_npz(export.to_npz(e))):
        assert (found.text, found.token_labels) == (e.text, e.token_labels)


def test_json_holds_every_field_under_its_name_and_nothing_that_is_not_json():
    e = make_explanation()
    found = strict(export.to_json(e))
    assert {field.name for field in fields(Explanation)} - USUAL <= found.keys()
    np.testing.assert_array_equal(np.array(found["importance"]), e.importance.astype(np.float64))
    assert found["token_spans"][0] == [None, None], "NaN spans are null"
    assert found["class_names"] == list(e.class_names)
    assert found["dataset"]["samples"] == 20
    assert found["provenance"] == e.provenance


def test_npz_opens_without_pickle_under_the_field_names():
    e = make_explanation("audio")
    with np.load(io.BytesIO(export.to_npz(e)), allow_pickle=False) as file:
        for field in fields(Explanation):
            # A sound has no text, of a classifier made here nothing is known, and it is pooled.
            if field.name not in {"dataset", "text", "outside", "evidence"} | USUAL:
                assert field.name in file.files
        np.testing.assert_array_equal(file["gate"], e.gate)
        np.testing.assert_array_equal(file["dataset_importance"], e.dataset.importance)
        assert file["class_names"].tolist() == list(e.class_names)
        assert file["token_labels"].tolist() == list(e.token_labels)
        assert json.loads(str(file["provenance"])) == e.provenance
        assert int(file["prediction"]) == e.prediction


@pytest.mark.parametrize("write", [export.to_json, export.to_npz, export.to_csv, export.notebook])
def test_equal_explanations_give_equal_files(write):
    assert write(make_explanation()) == write(make_explanation())


def test_infinity_is_refused_by_json_and_kept_by_npz():
    e = make_explanation()
    e.pooled[0, 0] = np.inf
    with pytest.raises(DataError, match=r"pooled holds infinity, which JSON cannot express; write an \.npz"):
        export.to_json(e)
    assert export.from_npz(export.to_npz(e)).pooled[0, 0] == np.inf
