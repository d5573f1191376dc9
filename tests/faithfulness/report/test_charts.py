"""The report's figures: what a line looks like is said, not guessed from its name."""

import re

import numpy as np

from daam_core.faithfulness.report import charts
from daam_core.faithfulness.report.charts import Line
from daam_core.faithfulness.statistics import Interval
from daam_core.reading.colours import head_colour

SHARES = np.linspace(0, 1, 5)


def strokes(svg: str) -> list[tuple[str, bool]]:
    """Colour and dashes of every coloured line, the legend's included."""
    styles = re.findall(r'style="fill: none; (.*?)"', svg)
    return [
        (re.search("#[0-9a-f]{6}", style)[0], "dasharray" in style)
        for style in styles
        if "stroke: #" in style
    ]


def test_lines_of_one_map_have_one_colour_and_those_from_the_lowest_are_dashed():
    lines = [
        Line("the lowest of all", 1 - SHARES, 0),
        Line("another", 1 - SHARES**2, 1),
        Line("another, backwards", SHARES, 1, dashed=True),
    ]
    found = strokes(charts.curves(SHARES, lines))
    for line in lines:
        assert (head_colour(line.colour), line.dashed) in found
    assert (head_colour(0), True) not in found


def test_equal_figures_are_equal_files_with_text_as_text():
    rows = {"a map": Interval(0.2, 0.1, 0.3, 8, 0), "worse": Interval(-0.2, -0.3, -0.1, 8, 0)}
    one, other = (charts.intervals(rows, label="gain") for _ in range(2))
    assert one == other
    assert ">a map</text>" in one
    assert charts.BETTER in one
    assert charts.WORSE in one


def test_a_matrix_shows_its_numbers_with_a_typographic_minus():
    svg = charts.matrix(["a", "b"], np.array([[1.0, -0.44], [-0.44, 1.0]]))
    assert svg.count(">−0.4</text>") == 2
