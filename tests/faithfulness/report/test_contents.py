"""Reports as plain values."""

import numpy as np

from daam_core.faithfulness.report.contents import plain
from daam_core.faithfulness.statistics import bootstrap_mean


def test_intervals_in_json_are_plain():
    assert plain(bootstrap_mean([1.0, 2.0], seed=0))["count"] == 2
    assert plain({"a": (np.float64(1), np.array([2]))}) == {"a": [1.0, [2]]}
