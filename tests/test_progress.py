"""Progress of parts of a computation."""

import pytest

from daam_core.errors import CancelledError
from daam_core.progress import Progress, stop_if_asked, stoppable


def test_parts_of_progress_follow_each_other():
    seen: list[float] = []
    progress = Progress(lambda share, _: seen.append(share))
    progress.part(0.5, 0.7).part(0.5, 1).report(0.5, "half of the second half")
    assert seen == [pytest.approx(0.65)]


def test_work_stops_only_inside_of_what_may_stop_it():
    asked = []
    stop_if_asked()
    with stoppable(lambda: len(asked) > 1):
        stop_if_asked()
        with stoppable(lambda: False):  # nobody may stop what is inside
            asked += [1, 2]
            stop_if_asked()
        with pytest.raises(CancelledError, match="Stopped, as asked"):
            stop_if_asked()
    stop_if_asked()
