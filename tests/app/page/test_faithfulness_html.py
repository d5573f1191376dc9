"""The check of one input as HTML."""

import re
from dataclasses import replace

from app.page.html.faithfulness import check_html
from app.visit.faithfulness import check_current
from daam_core.faithfulness.one_input import check_encoding


def test_the_check_shows_the_cores_numbers(offer, session):
    shown = check_html(check_current(offer, session))
    found = check_encoding(offer[session.current.model], session.current.encoding)
    deletions = {
        name: float(value)
        for name, value in re.findall(r'data-method="(\w+)" data-deletion="([^"]+)"', shown)
    }
    assert deletions == {item.method: item.deletion for item in found.maps}
    rows = re.findall(r"<tr data-method.*?</tr>", shown)
    for item, row in zip(found.maps, rows, strict=True):
        cells = re.findall(r"<td>(.*?)</td>", row)
        assert cells[0] == ("sooner" if item.p_value <= 0.05 else "no sooner")
        assert cells[-1] == f"{item.randomised:.2f}"
        assert {"yes": "another one", "in part": "much alike", "hardly": "the same"}[cells[4]] in item.verdict
    assert shown.count('<path class="dx-line') == 2 * (len(found.maps) + 1)
    # Two equal curves are both seen: whole lines lie below dashed ones.
    chart = shown.split("</svg>")[0]
    dashed = [
        dashes != "" for dashes in re.findall(r'dx-line-\d" d="[^"]*" stroke-dasharray="([^"]*)"', chart)
    ]
    assert len(dashed) == len(found.maps)
    assert dashed == sorted(dashed)
    assert f"{found.cells:,} cells" in shown
    assert "No measurement over a data set comes with this model." in shown


def test_published_findings_are_escaped(offer, session):
    finding = {"question": "<b>Is it?</b>", "answer": "no", "sentence": "a < b by −0.013 (5-10 of x-1)"}
    summary = {"findings": [finding], "provenance": {"command": "daam <x>"}}
    shown = check_html(replace(check_current(offer, session), published=summary))
    assert "<b>" not in shown
    assert "&lt;b&gt;Is it?&lt;/b&gt;" in shown
    assert "daam &lt;x&gt;" in shown
    assert "a &lt; b by −0.013 (5-10 of x-1)" in shown
    assert "<td>no</td>" in shown
