"""Endpoints as the table makes them: names, parameters, descriptions and errors, without a server."""

import inspect

import gradio as gr
import pytest

from app.main import build_demo

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
        for mark in ("{noun}", "{part}", "{example}", "{about_change}"):
            assert mark not in about, name
        assert function.__name__ == name


def test_wrong_input_is_one_sentence_and_a_defect_says_no_more(endpoints, monkeypatch):
    with pytest.raises(gr.Error, match="There is no model 'nobody' here"):
        endpoints["explain_text"](TEXT, "nobody", "", "all_heads", "")
    monkeypatch.setattr("app.api.summary", lambda _: 1 / 0)
    with pytest.raises(gr.Error, match="Something went wrong on the server"):
        endpoints["explain_text"](TEXT, "topics", "", "all_heads", "")
