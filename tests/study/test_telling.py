"""Cells that tell a class best."""

import numpy as np
import pytest

from daam_core.study.folder import Study
from daam_core.study.telling import telling_cells
from tests.support.studies import CLASSES, drawn_study

PLANTED = (1, 2, 7)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return drawn_study(tmp_path_factory.mktemp("studies") / "drawn", planted=PLANTED, refused=(4,))


def test_a_planted_cell_tells_its_class_best(study: Study) -> None:
    found = telling_cells(study, 3)
    assert list(found) == list(CLASSES)
    assert found["sad"][0][0] == PLANTED
    assert found["sad"][0][1] > 10 > 1 > abs(found["sad"][1][1])
    # What is high for one class is low for the others.
    assert found["calm"][0] == (PLANTED, pytest.approx(found["angry"][0][1], abs=0.3))
    assert found["calm"][0][1] < 0


def test_the_size_is_cohens_d(study: Study) -> None:
    values = study.column("density_attention", PLANTED).astype(np.float64)
    labels = np.asarray(study.explained["label"])
    inside, outside = values[labels == "sad"], values[labels != "sad"]
    within = ((inside - inside.mean()) ** 2).sum() + ((outside - outside.mean()) ** 2).sum()
    wanted = (inside.mean() - outside.mean()) / np.sqrt(within / (len(values) - 2))
    assert telling_cells(study, 1)["sad"][0][1] == pytest.approx(wanted, rel=5e-3)


def test_a_class_of_one_input_is_left_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    study = drawn_study(tmp_path_factory.mktemp("studies") / "few", inputs=5)  # two, two and one
    assert list(telling_cells(study)) == ["angry", "calm"]
