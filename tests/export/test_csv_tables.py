"""The CSV of cells: round trips, readers of other programs, damage."""

import csv
import io
import re
from dataclasses import fields, replace

import numpy as np
import pytest

from daam_core import export
from daam_core.errors import DataError
from daam_core.explaining import explain
from daam_core.reading.quantities import quantity_text
from daam_core.reading.words import join_words
from tests.support.builders import make_explanation
from tests.support.exports import SMALL, assert_one_sentence, kinds, strict
from tests.support.small import letter_model


@kinds
def test_csv_loads_back_to_the_same_numbers(kind):
    e = make_explanation(**kind)
    table = export.from_csv(export.to_csv(e))
    for field in fields(export.CellTable):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(e, field.name), err_msg=field.name)


@pytest.mark.parametrize("labels", ["one", "several"])
def test_evidence_is_one_column_more(labels, tmp_path):
    e = replace(explain(letter_model(decoder="density"), "hello"), labels=labels)
    export.save(e, tmp_path / "e.csv")
    table = (tmp_path / "e.csv").read_text("utf-8")
    assert table.splitlines()[0] == export.to_csv(SMALL).splitlines()[0] + ",evidence"
    found = export.from_csv(table)
    for field in fields(export.CellTable):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(e, field.name), err_msg=field.name)
    described = strict((tmp_path / "e.csv-metadata.json").read_text("utf-8"))["tableSchema"]["columns"]
    said = {column["name"]: column["dc:description"] for column in described}
    assert [*said] == table.splitlines()[0].split(",")
    assert said["evidence"] == quantity_text("evidence", labels).meaning
    with pytest.raises(DataError, match="10 finite numbers"):
        export.from_csv(
            re.sub(r",[^,\n]*$", "", table, flags=re.MULTILINE).replace("ance\n", "ance,evidence\n", 1)
        )


def test_csv_opens_with_any_reader_and_holds_each_seen_cell_once():
    e = make_explanation(mode="layer_groups", heads=2)
    rows = list(csv.DictReader(io.StringIO(export.to_csv(e))))
    _, layers, features = e.shape
    assert len(rows) == layers * features == e.head_layers.sum() * features
    assert list(rows[0]) == [
        "head",
        "layer",
        "feature",
        "value",
        "gate",
        "amplitude",
        "density_attention",
        "importance",
        "class_importance",
    ]
    for row in rows:
        head, layer, feature = (int(row[name]) for name in ("head", "layer", "feature"))
        assert np.float32(row["importance"]) == e.importance[head, layer, feature]
        assert np.float32(row["value"]) == e.values[layer, feature]
        assert np.float32(row["amplitude"]) == e.amplitude[head, layer]


def test_csv_rows_may_stand_in_any_order_and_begin_with_a_mark():
    header, *rows = export.to_csv(SMALL).splitlines()
    shuffled = "\n".join([header, *reversed(rows)]).encode("utf-8-sig")
    np.testing.assert_array_equal(export.from_csv(shuffled).gate, SMALL.gate)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda lines: ["a,b", *lines[1:]], "needs the columns head, layer, feature"),
        (lambda lines: lines[:1], "it has no rows"),
        (lambda lines: lines[:-1], "cells are missing, or listed twice"),
        (lambda lines: [*lines, lines[-1]], "cells are missing, or listed twice"),
        (lambda lines: [*lines[:-1], lines[-2]], "cells are missing, or listed twice"),
        (lambda lines: [*lines[:-1], lines[-1].replace(",", ";")], "The table is damaged"),
        (lambda lines: [*lines[:-1], f"0.5{lines[-1][1:]}"], "must be whole numbers"),
        (lambda lines: [*lines[:-1], f"-1{lines[-1][1:]}"], "must be whole numbers"),
        (lambda lines: [*lines[:-1], f"9{lines[-1][1:]}"], "cells are missing"),
        (lambda lines: [*lines[:-1], lines[-1].rsplit(",", 1)[0] + ",nan"], "9 finite numbers"),
        (
            lambda lines: [*lines[:-1], "1,2,3,7" + lines[-1].split(",", 3)[3].lstrip("-.0123456789e")],
            "value differs between rows",
        ),
    ],
)
def test_a_damaged_table_is_refused_with_its_reason(damage, message):
    lines = export.to_csv(SMALL).splitlines()
    with pytest.raises(DataError, match=message) as caught:
        export.from_csv("\n".join(damage(lines)))
    assert_one_sentence(caught.value)


def test_the_table_has_its_description_beside_it(tmp_path):
    e = make_explanation()
    export.save(e, tmp_path / "cells.csv")
    described = strict((tmp_path / "cells.csv-metadata.json").read_text(encoding="utf-8"))
    names = [column["name"] for column in described["tableSchema"]["columns"]]
    assert names == (tmp_path / "cells.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert described["url"] == "cells.csv"
    assert described["notes"][0]["provenance"] == e.provenance
    assert described["notes"][0]["prediction"] == e.predicted_class


def test_the_description_says_of_which_level_a_head_is():
    e = make_explanation(mode="layer_groups", levels=2, heads=4)
    columns = strict(export.csv_metadata(e, "cells.csv"))["tableSchema"]["columns"]
    assert columns[0]["dc:description"].endswith("; 2 of each of 2 levels, the first level's first")


SIDES = {"audio": ["start", "end"], "text": ["start", "end"], "image": ["left", "top", "right", "bottom"]}


@pytest.mark.parametrize("modality", SIDES)
def test_the_table_of_tokens_says_where_each_stands_and_what_it_counts(modality):
    e = make_explanation(modality)
    rows = list(csv.DictReader(io.StringIO(export.to_token_csv(e))))
    assert [int(row["token"]) for row in rows] == list(range(len(e.token_labels)))
    assert tuple(row["label"] for row in rows) == e.token_labels
    for row, span, value, by_head in zip(
        rows, e.token_spans, e.token_attribution, e.head_token_attribution.T, strict=True
    ):
        there = [row[side] for side in SIDES[modality]]
        assert (
            there == [""] * len(span) if np.isnan(span).any() else [float(x) for x in there] == span.tolist()
        )
        assert np.float32(row["attribution"]) == value
        heads = [np.float32(row[f"attribution_head_{head}"]) for head in range(e.shape[0])]
        np.testing.assert_array_equal(heads, by_head)
    assert ("word" in rows[0]) == (modality == "text")


def test_words_of_the_table_of_tokens_are_those_of_the_summary():
    e = make_explanation("text", tokens=20)
    rows = list(csv.DictReader(io.StringIO(export.to_token_csv(e))))
    placed = [row for row in rows if row["word"]]
    assert all(row["word_attribution"] == "" for row in rows if not row["word"])
    for row in placed:
        assert e.text[int(row["start"]) : int(row["end"])] in row["word"]
    words = join_words(e.text, e.token_labels, e.token_spans, e.token_attribution)
    sums = {(word.text, word.value) for word in words if word.tokens and word.start is not None}
    assert {(row["word"], float(row["word_attribution"])) for row in placed} == sums


@pytest.mark.parametrize("modality", SIDES)
def test_the_description_of_the_table_of_tokens_has_its_columns(modality, tmp_path):
    e = make_explanation(modality)
    export.save(e, tmp_path / "t.csv", table="tokens")
    described = strict((tmp_path / "t.csv-metadata.json").read_text("utf-8"))["tableSchema"]
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        assert [column["name"] for column in described["columns"]] == next(csv.reader(file))
    assert described["primaryKey"] == ["token"]
    assert all(column["dc:description"] for column in described["columns"])
