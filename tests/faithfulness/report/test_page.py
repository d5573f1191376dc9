"""The report as a page and as JSON."""

import html
import json
from dataclasses import replace

from daam_core.faithfulness.report.page import introduction, save_report
from daam_core.faithfulness.report.settings import DATA, PAGE
from tests.support.reports import small_report


def test_the_page_and_the_json_hold_the_figures(tmp_path):
    report, _ = small_report()
    page, data = save_report(report, tmp_path)
    assert (page.name, data.name) == (PAGE, DATA)
    read = json.loads(data.read_text(encoding="utf-8"))
    assert read["gated"]["importance"]["deletion"]["mean"] == report.gated["importance"].deletion.mean
    assert read["findings"][0]["sentence"] == report.findings[0].sentence
    assert len(read["gated"]["importance"]["highest"]["probability"]) == 21
    text = page.read_text(encoding="utf-8")
    assert str(report.gated["importance"].deletion) in text
    assert "python -m daam_core faithfulness" in text
    assert text.count("<svg") == 10
    for outside in ("<script", "src=", "@import", "url(http"):
        assert outside not in text
    for item in report.findings:
        assert item.sentence in html.unescape(text)
    assert save_report(report, tmp_path)[0].read_text(encoding="utf-8") == text


def test_a_page_says_when_inputs_were_trained_on():
    report = replace(small_report()[0], held_out=False)
    assert any("was trained on the inputs measured" in str(block) for block in introduction(report))
