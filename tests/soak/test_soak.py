"""The soak of ``make soak`` in small: mixed load, faults, and a crowd of fifty browsers."""

import pytest

from tests.soak.run import CROWD, report, soak


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_load_and_faults_for_some_seconds(tmp_path):
    faults = ("full_disk", "killed_worker", "crowd")
    found = soak(tmp_path / "soak", seconds=12, visitors=2, faults=faults)
    said = report(found)
    print(said)
    assert found.wrong == [], said
    assert found.answers > CROWD
    assert found.outcomes["done"] > CROWD
    survived = set(found.faults) | set(found.not_injected)
    assert survived == {"full disk", "killed worker", f"{CROWD} browsers at once"}
