"""One result, told alike wherever it is told: page, saved page, figure, files, program, terminal."""

import html
import json
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from app.page.html.prediction import prediction_html
from app.visit.view_values import view_value
from daam_core import export
from daam_core.cli.explain import as_text
from daam_core.reading.numbers import percent
from daam_core.reading.quantities import caution
from daam_core.reading.sentences import in_words, what_stands_out
from tests.view.test_page import parsed

SVG = "{http://www.w3.org/2000/svg}"


def test_every_export_tells_the_same_of_one_result(session):
    result = session.current
    e, given = result.explanation, result.given
    words, careful = in_words(e), caution("importance", e.labels)
    likely = percent(float(e.probabilities[e.prediction]))
    program = export.summary(e)
    saved = export.file_bytes(e, "html", shown=given.held).decode()
    drawn = ET.fromstring(export.file_bytes(e, "svg", shown=given.held))
    figure = " ".join("".join(part.itertext()) for part in drawn.iter(f"{SVG}text"))
    table = json.loads(export.csv_metadata(e, "e.csv"))["notes"][0]
    terminal = as_text(e, None)
    page = re.sub("\u00a0", " ", html.unescape(prediction_html(session)))
    view = view_value(session)["payload"]
    in_file = json.loads(parsed(saved).scripts["payload"])

    # The answer and its probability, for reading and in full.
    for text in (page, figure, terminal):
        assert e.answer in text
        assert likely in text
    full = {name: pytest.approx(float(p)) for name, p in zip(e.class_names, e.probabilities, strict=True)}
    for told in (program, table):
        assert (told["model"], told["prediction"]) == (e.model, e.predicted_class)
        assert told["probabilities"] == full
    for side in (view["a"], in_file["a"]):
        assert dict(zip(side["class_names"], side["probabilities"], strict=True)) == full
        assert side["model"] == e.model

    # The sentences, and what the map does not show, word for word.
    assert program["in_words"] == table["in_words"] == list(words)
    assert view["a"]["in_words"] == in_file["a"]["in_words"] == list(what_stands_out(e))  # warned above them
    assert all(sentence in terminal for sentence in words)
    assert program["caution"] == table["caution"] == careful
    assert view["quantities"]["importance"]["caution"] == careful
    assert careful in html.unescape(saved)
    assert careful in terminal
    assert careful in re.sub(r"\s+", " ", figure)

    # What was explained, and every number of the map.
    assert view["a"]["name"] == result.title
    assert given.name in page
    read = export.from_json(export.to_json(e)), export.from_npz(export.to_npz(e))
    cells = export.from_csv(export.to_csv(e))
    for found in (*(one.importance for one in read), cells.importance):
        np.testing.assert_array_equal(np.asarray(found, e.importance.dtype).reshape(e.shape), e.importance)
