"""Progress of parts of a computation."""

import pytest

from daam_core.progress import Progress


def test_parts_of_progress_follow_each_other():
    seen: list[float] = []
    progress = Progress(lambda share, _: seen.append(share))
    progress.part(0.5, 0.7).part(0.5, 1).report(0.5, "half of the second half")
    assert seen == [pytest.approx(0.65)]
