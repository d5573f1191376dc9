"""The CSV of cells: round trips, readers of other programs, damage."""

import csv
import io
from dataclasses import fields

import numpy as np
import pytest

from daam_core import export
from daam_core.errors import DataError
from tests.support.builders import make_explanation
from tests.support.exports import SMALL, assert_one_sentence, kinds, strict


@kinds
def test_csv_loads_back_to_the_same_numbers(kind):
    e = make_explanation(**kind)
    table = export.from_csv(export.to_csv(e))
    for field in fields(export.CellTable):
        np.testing.assert_array_equal(getattr(table, field.name), getattr(e, field.name), err_msg=field.name)


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
