"""The running app's endpoints: the core's numbers for gradio_client and MCP, and closed doors."""

import ast
import asyncio
import base64
import json
import re
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest
import soundfile
from gradio_client import Client, handle_file
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from daam_core import export
from daam_core.explaining import explain, explain_encoding
from daam_core.inputs import Region, SoundChange, changed, read_picture, read_sound
from tests.support.encode import encode
from tests.support.small_heads import RATE, colour_picture, tone

TEXT = "The goalkeeper saved a penalty."
NOTHING = ""


@pytest.fixture(scope="module")
def client(server) -> Client:
    return Client(server.url, verbose=False)


@pytest.fixture
def sound(tmp_path) -> Path:
    soundfile.write(tmp_path / "clip.wav", tone(400), RATE)
    return tmp_path / "clip.wav"


@pytest.fixture
def picture(tmp_path) -> Path:
    colour_picture(0.7).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def as_json(explanation) -> dict[str, Any]:
    """A summary as it arrives over JSON, less the input's facts, which know the upload's name."""
    return _without_facts(json.loads(json.dumps(export.summary(explanation))))


def _without_facts(summary: dict[str, Any]) -> dict[str, Any]:
    return summary | {"provenance": {k: v for k, v in summary["provenance"].items() if k != "input"}}


def test_models_are_listed(client, server):
    found = {model["name"]: model for model in client.predict(api_name="/list_models")}
    assert list(found) == list(server.models)
    config = server.models["tones"].config
    assert found["tones"]["classes"] == list(config.class_names)
    assert (found["tones"]["layers"], found["tones"]["features"]) == (config.n_layers, config.n_features)


def test_a_text_is_explained_with_the_cores_numbers(client, server):
    found = client.predict(TEXT, "topics", "", "all_heads", NOTHING, api_name="/explain_text")
    assert _without_facts(found) == as_json(explain(server.models["topics"], TEXT))


def test_a_sound_is_explained_with_the_cores_numbers(client, server, sound):
    found = client.predict(handle_file(sound), "tones", "", "all_heads", NOTHING, api_name="/explain_sound")
    assert _without_facts(found) == as_json(explain(server.models["tones"], sound))


def test_an_image_is_explained_with_the_cores_numbers(client, server, picture):
    found = client.predict(
        handle_file(picture), "colours", "", "all_heads", NOTHING, api_name="/explain_image"
    )
    assert _without_facts(found) == as_json(explain(server.models["colours"], picture))


def test_class_scale_and_mutes_are_the_cores(client, server):
    model = server.models["topics"]
    mute = {"heads": [1], "layers": [0], "features": [5, 6], "cells": [[2, 3, 4]]}
    found = client.predict(
        TEXT, "topics", model.class_names[2], "per_head", json.dumps(mute), api_name="/explain_text"
    )
    keep = np.ones((4, 6, 384), np.float32)
    keep[1] = keep[:, 0] = keep[:, :, 5:7] = keep[2, 3, 4] = 0
    encoding = encode(model.backbone, TEXT)
    expected = explain_encoding(model, encoding, target=2, scale="per_head", keep=keep)
    assert _without_facts(found) == as_json(expected)


def test_changes_are_before_after_and_difference(client, server, sound, picture):
    found = client.predict(handle_file(sound), 0.1, 0.4, 10, 3, "tones", api_name="/change_sound")
    model = server.models["tones"]
    noisy = changed(read_sound(sound), SoundChange(0.1, 0.4, 10, 3))
    before, after = explain(model, sound), explain(model, noisy)
    assert list(found["probability_change"].values()) == (after.probabilities - before.probabilities).tolist()
    assert found["after"]["probabilities"] == as_json(after)["probabilities"]

    found = client.predict(
        handle_file(picture), 0.1, 0.2, 0.5, 0.9, "black", "colours", api_name="/change_image"
    )
    masked = changed(read_picture(picture), Region(0.1, 0.2, 0.5, 0.9, "black"))
    assert (
        found["after"]["probabilities"] == as_json(explain(server.models["colours"], masked))["probabilities"]
    )

    found = client.predict(TEXT, TEXT + " Shares fell.", "topics", api_name="/change_text")
    after = explain(server.models["topics"], TEXT + " Shares fell.")
    assert found["after"]["probabilities"] == as_json(after)["probabilities"]


def test_two_models_are_compared(client, server):
    found = client.predict(TEXT, "topics", "topics-b", api_name="/compare_text")
    a, b = (explain(server.models[name], TEXT) for name in ("topics", "topics-b"))
    one, other = (e.density_attention.sum(0).astype(np.float64).ravel() for e in (a, b))
    assert found["importance_correlation"] == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)
    assert found["before"]["probabilities"] == as_json(a)["probabilities"]
    assert found["after"]["probabilities"] == as_json(b)["probabilities"]


def test_files_carry_the_cores_arrays(client, server, picture):
    path = client.predict(
        handle_file(picture), "colours", "npz", "double", "all_heads", "", api_name="/save_image"
    )
    found, expected = export.load(path), explain(server.models["colours"], picture)
    np.testing.assert_array_equal(found.importance, expected.importance)
    np.testing.assert_array_equal(found.token_attribution, expected.token_attribution)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("", "topics", "", "all_heads", NOTHING), "The text is empty"),
        ((TEXT, "topics", "nobody", "all_heads", NOTHING), "There is no class 'nobody'; the classes are"),
        ((TEXT, "topics", "", "all_heads", '{"heads": [9]}'), "There is no head 9: heads go from 0 to 3"),
        ((TEXT, "topics", "", "all_heads", '{"heads": ["x"]}'), "lists of whole numbers"),
        ((TEXT, "topics", "", "all_heads", "{"), "a JSON object with the lists"),
        ((TEXT, "topics", "", "all_heads", '{"tails": []}'), "a JSON object with the lists"),
    ],
)
def test_wrong_input_is_one_sentence(client, arguments, said):
    with pytest.raises(Exception, match=said) as refused:
        client.predict(*arguments, api_name="/explain_text")
    assert "Traceback" not in str(refused.value)


def test_every_endpoint_is_documented_and_nothing_else_is_public(client):
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    kinds = ("text", "sound", "image")
    several = {"/explain_texts", "/explain_sounds", "/explain_images"}
    assert set(endpoints) == {"/list_models"} | several | {
        f"/{action}_{kind}" for action in ("explain", "change", "compare", "check", "save") for kind in kinds
    }
    for name, endpoint in endpoints.items():
        assert endpoint["description"], name
        assert all(p["parameter_name"] not in ("", "param_0") for p in endpoint["parameters"]), name


def test_tools_for_agents_explain_a_text_a_sound_and_an_image(server, sound, picture):
    async def call() -> tuple[dict[str, Any], dict[str, Any]]:
        async with (
            streamable_http_client(f"{server.url}/gradio_api/mcp/") as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = {tool.name: tool for tool in (await session.list_tools()).tools}
            names = {
                kind: next(n for n in tools if n.endswith(f"explain_{kind}"))
                for kind in ("text", "sound", "image")
            }
            inputs = {
                "text": {"text": TEXT, "model": "topics"},
                "sound": {"sound": _data_uri(sound, "audio/wav"), "model": "tones"},
                "image": {"image": _data_uri(picture, "image/png"), "model": "colours"},
            }
            answers = {}
            for kind, name in names.items():
                answer = await session.call_tool(name, inputs[kind])
                assert not answer.isError, answer
                answers[kind] = ast.literal_eval(answer.content[0].text)  # as Gradio writes it
            return {kind: tools[name].description for kind, name in names.items()}, answers

    descriptions, answers = asyncio.run(call())
    samples = {"text": ("topics", TEXT), "sound": ("tones", sound), "image": ("colours", picture)}
    for kind, (model, sample) in samples.items():
        assert descriptions[kind].startswith("Explain why a model assigns a class")
        expected = as_json(explain(server.models[model], sample))["probabilities"]
        assert answers[kind]["probabilities"] == expected


def _data_uri(path: Path, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _status(url: str, **options: Any) -> int:
    try:
        with urlopen(Request(url, **options), timeout=20) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


@pytest.mark.parametrize(
    "path", ["/monitoring", "/monitoring/summary", "/gradio_api/runs", "/daam/secret.js"]
)
def test_doors_are_closed(server, path):
    assert _status(server.url + path) in (403, 404)


def test_files_of_the_machine_are_not_served(server):
    for path in ("/etc/passwd", str(Path(__file__)), str(server.log)):
        assert _status(f"{server.url}/gradio_api/file={path}") in (403, 404)


def test_an_upload_over_the_limit_is_refused_by_the_server_too(server):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.wav"\r\n\r\n'
        + bytes(2**21)
        + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert _status(f"{server.url}/gradio_api/upload", data=body, headers=headers) == 413


def test_headers_keep_the_page_to_itself(server):
    with urlopen(server.url, timeout=20) as answer:
        headers = answer.headers
        page = answer.read().decode()
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "fonts.googleapis" not in page
    version = re.search(r"daam/([0-9a-f]+)/page\.js", page)[1]
    with urlopen(f"{server.url}/daam/{version}/view/daam_view.js", timeout=20) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert b"daam-view" in answer.read()
    for missing in ("0/page.js", f"{version}/../assets.py", f"{version}/view/types.js"):
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{server.url}/daam/{missing}", timeout=20)


def test_the_log_holds_no_text_of_a_visitor(client, server):
    client.predict("An unmistakable sentence.", "topics", "", "all_heads", NOTHING, api_name="/explain_text")
    assert "unmistakable" not in server.log.read_text()
