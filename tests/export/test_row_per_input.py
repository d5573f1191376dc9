"""One row an input: what it names, in every format."""

import json
from dataclasses import replace

import numpy as np
import pytest

from daam_core.export.row_per_input import ROW_SUFFIXES, explanation_row, json_line, write_rows
from tests.support.builders import make_explanation


@pytest.mark.parametrize("suffix", ROW_SUFFIXES)
def test_a_token_that_stands_for_no_part_of_a_picture_is_not_named(suffix, tmp_path):
    """Such as ``[CLS]``, here the token that says the most."""
    e = make_explanation("image")
    spans, attribution = e.token_spans.copy(), e.token_attribution.copy()
    spans[0], attribution[0] = np.nan, 2 * abs(attribution).max()
    row = explanation_row(replace(e, token_spans=spans, token_attribution=attribution))
    assert len(row["top_parts"]) == 5
    assert e.token_labels[0] not in {one["part"] for one in row["top_parts"]}
    assert json.loads(json_line(row)) == row
    write_rows([row], tmp_path / f"rows.{suffix}")
