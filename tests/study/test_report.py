"""The report's numbers are those of the study."""

from daam_core.study.folder import Study
from daam_core.study.report import report_blocks, report_title, study_scores
from daam_core.writing.pages import Paragraph, Table, to_html, to_markdown
from tests.support.studies import drawn_study

PLANTED = (1, 2, 7)


def table_with(study: Study, column: str) -> Table:
    tables = (block for block in report_blocks(study) if isinstance(block, Table))
    return next(table for table in tables if column in table.head)


def test_the_planted_cell_sets_its_class_apart(tmp_path):
    apart = table_with(drawn_study(tmp_path, planted=PLANTED), "AUROC")
    rows = {row[0]: row for row in apart.rows}
    assert rows["sad"][1:3] == ("1", "head 1, layer 2, feature 7")
    inside, elsewhere, area = map(float, rows["sad"][3:])
    assert inside > 0.85
    assert elsewhere < 0.15
    assert area == 1.0


def test_scores_and_refusals_are_counted(tmp_path):
    study = drawn_study(tmp_path, refused=(4,))
    scores = study_scores(study)
    assert scores is not None
    assert scores.inputs == 89
    assert scores.accuracy == 30 / 89  # everything is said to be sad, and a third is
    assert [figures.inputs for figures in scores.classes] == [30, 29, 30]
    assert table_with(study, "reason").rows[0] == ("row 4", "empty")


def test_the_report_can_be_read_as_page_and_text(tmp_path):
    study = drawn_study(tmp_path)
    blocks = report_blocks(study)
    assert report_title(study) == "drawn on drawn"
    page, text = to_html("x", blocks), to_markdown("x", blocks)
    first = next(block.text for block in blocks if isinstance(block, Paragraph))
    assert first.startswith("90 of 90 inputs explained by drawn (2 heads, 3 layers, 20 features")
    assert first in text
    assert "does not show that the classifier" in page


def test_a_study_of_nothing_that_could_be_explained_says_so(tmp_path):
    blocks = report_blocks(drawn_study(tmp_path, inputs=3, refused=(0, 1, 2)))
    assert isinstance(blocks[0], Paragraph)
    assert blocks[0].text.startswith("0 of 3 inputs explained")
    assert [block.head for block in blocks if isinstance(block, Table)] == [("input", "reason")]
