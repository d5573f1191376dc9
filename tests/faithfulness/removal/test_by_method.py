"""Differences between methods."""

import pytest

from tests.support.reports import small_report


def test_pairs_are_differences_of_areas():
    report, _ = small_report()
    difference = report.pairs["importance over gate"].mean
    areas = report.gated["gate"].deletion.mean - report.gated["importance"].deletion.mean
    assert difference == pytest.approx(areas)
