"""Endpoints as the table makes them: names, parameters, descriptions and errors, without a server."""

import inspect
import re

import gradio as gr
import pytest

from app.main import build_demo
from app.visit import several
from daam_core import explain
from daam_core.export.row_per_input import explanation_row
from tests.support.small_heads import colour_picture

TEXT = "The goalkeeper saved a penalty."


@pytest.fixture(scope="module")
def endpoints(models):
    demo = build_demo(models)
    return {event.api_name: event.fn for event in demo.fns.values() if event.api_visibility == "public"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("explain_text", "text model explained_class scale mute"),
        ("explain_sound", "sound model explained_class scale mute"),
        ("explain_image", "image model explained_class scale mute"),
        ("explain_texts", "texts model explained_class scale"),
        ("explain_sounds", "sounds model explained_class scale"),
        ("explain_images", "images model explained_class scale"),
        ("change_text", "text changed_text model"),
        ("change_sound", "sound start end noise seed model"),
        ("change_image", "image left top right bottom fill model"),
        ("compare_image", "image model other_model"),
        ("check_sound", "sound model"),
        ("save_text", "text model file_format width scale explained_class"),
    ],
)
def test_names_of_parameters_are_a_promise(endpoints, name, parameters):
    found = inspect.signature(endpoints[name]).parameters
    assert list(found) == parameters.split()


def test_descriptions_name_every_parameter_and_leave_nothing_to_fill_in(endpoints):
    for name, function in endpoints.items():
        about = inspect.getdoc(function)
        assert about, name
        for parameter in inspect.signature(function).parameters:
            assert f"{parameter}: " in about, (name, parameter)
        assert not re.search(r"\{[a-z_]+\}", about), name
        assert function.__name__ == name


def test_wrong_input_is_one_sentence_and_a_defect_says_no_more(endpoints, monkeypatch):
    with pytest.raises(gr.Error, match="There is no model 'nobody' here"):
        endpoints["explain_text"](TEXT, "nobody", "", "all_heads", "")
    monkeypatch.setattr("app.api.summary", lambda _: 1 / 0)
    with pytest.raises(gr.Error, match="Something went wrong on the server"):
        endpoints["explain_text"](TEXT, "topics", "", "all_heads", "")


def test_several_texts_are_a_row_each_and_a_bad_one_says_why(endpoints, models):
    texts = [TEXT, " ", "Shares fell.", TEXT * 2]
    found = endpoints["explain_texts"](texts, "topics", "", "per_head")
    assert (found["model"], found["inputs"], found["explained"]) == ("topics", 4, 3)
    assert found["rows"][1] == {"name": "text 1", "reason": "The text is empty; give at least one word."}
    model = next(model for model in models if model.name == "topics")
    for text, row in zip(texts, found["rows"], strict=True):
        if row["reason"] is None:
            expected = explanation_row(explain(model, text, scale="per_head"))
            assert row["prediction"] == expected["prediction"]
            assert row["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-5)
            assert row["top_parts"][0]["part"] == expected["top_parts"][0]["part"]
            assert row["name"].startswith("“")
    assert endpoints["explain_texts"]('["Shares fell."]', "topics", "", "all_heads")["explained"] == 1


def test_several_files_are_a_row_each_in_batches(endpoints, tmp_path, monkeypatch):
    monkeypatch.setattr(several, "BATCH", 2)
    files = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        colour_picture(number / 5).save(path)
        files.append({"path": str(path)})
    (tmp_path / "2.png").write_bytes(b"no picture")
    found = endpoints["explain_images"](files, "colours", "hue 030", "all_heads")
    assert [row["name"] for row in found["rows"]] == [f"{number}.png" for number in range(5)]
    assert [row["reason"] is None for row in found["rows"]] == [True, True, False, True, True]
    assert "2.png" in found["rows"][2]["reason"]
    assert {row.get("explained") for row in found["rows"]} == {"hue 030", None}


def test_what_several_inputs_may_be_is_said(endpoints, monkeypatch, tmp_path):
    def refusal(name, values, *rest):
        with pytest.raises(gr.Error) as refused:
            endpoints[name](values, *(rest or ("topics", "", "all_heads")))
        return str(refused.value.message)

    assert refusal("explain_texts", []) == "texts is a list of 1 to 64 texts, got []."
    assert "up to 64 texts a call, got 65; call several times" in refusal("explain_texts", ["a"] * 65)
    assert "texts is a list of texts, got 5 among them" in refusal("explain_texts", ["a", 5])
    assert "200,000 characters all together, got 240,000" in refusal("explain_texts", ["a" * 60_000] * 4)
    assert "There is no class 'nobody'" in refusal("explain_texts", ["a"], "topics", "nobody", "all_heads")
    monkeypatch.setattr(several, "MOST_BYTES", 10)
    (tmp_path / "a.png").write_bytes(b"x" * 30_000_000)
    assert "images may have 25 MB all together, got 30" in refusal(
        "explain_images", [{"path": str(tmp_path / "a.png")}], "colours", "", "all_heads"
    )
    assert "sounds is a list of files: upload each first" in refusal(
        "explain_sounds", {"path": "a"}, "tones", "", "all_heads"
    )
