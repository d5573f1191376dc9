"""What is said where a package that only these measures need is missing."""

import sys

import pytest

from daam_core.errors import ConfigError
from daam_core.faithfulness.packages import check_packages
from daam_core.faithfulness.report.measures import measure_faithfulness
from tests.support.small import letter_features, letter_model


@pytest.mark.parametrize("package", ["captum.attr", "quantus", "skimage.metrics"])
def test_a_missing_package_is_one_sentence(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=r"needs the package .*pip install 'daam-explorer\[faithfulness\]'"):
        check_packages()


def test_it_is_refused_before_anything_is_measured(monkeypatch):
    monkeypatch.setitem(sys.modules, "quantus", None)
    part = letter_features(4)
    with pytest.raises(ConfigError, match="quantus"):
        measure_faithfulness(letter_model(), part, part)
