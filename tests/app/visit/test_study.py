"""Studies on the page: which are accepted, and what visitors may ask of them."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from app.visit.study import Studies, numbers_of, open_studies, place_of, quantity_of
from daam_core.errors import ConfigError, DataError, InputError
from daam_core.study.cells import Place
from daam_core.study.folder import Study
from daam_core.study.place import FACTS
from tests.support.studies import drawn_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return drawn_study(tmp_path_factory.mktemp("studies") / "drawn", refused=(4,))


def told(answer: bytes) -> object:
    return json.loads(gzip.decompress(answer))


def test_a_folder_that_is_no_study_is_refused_at_the_start(study: Study, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no folder .*nowhere; daam study DATA .* makes a study"):
        open_studies([tmp_path / "nowhere"], [])
    with pytest.raises(DataError, match="is no study"):
        open_studies([tmp_path], [])
    damaged = drawn_study(tmp_path / "damaged", inputs=3)
    (damaged.folder / FACTS).write_text("{}")
    with pytest.raises(DataError, match="made by another version; make it again"):
        open_studies([damaged.folder], [])
    unfinished = drawn_study(tmp_path / "unfinished", inputs=3, refused=(0, 1, 2))
    with pytest.raises(DataError, match="holds no explained input yet"):
        open_studies([unfinished.folder], [])
    with pytest.raises(ConfigError, match="folders of different names; got drawn, drawn"):
        Studies([study, study])


def test_a_study_of_another_classifier_is_refused(study: Study) -> None:
    other = SimpleNamespace(name="drawn", sha256="f" * 64)
    with pytest.raises(
        DataError, match=r"another classifier called drawn \(weights 00000000, here ffffffff\)"
    ):
        Studies([study], {"drawn": other})  # type: ignore[dict-item]
    same = SimpleNamespace(name="drawn", sha256="0" * 64)
    assert Studies([study], {"drawn": same}).explains("drawn")  # type: ignore[dict-item]
    assert not Studies([study]).explains("drawn")
    assert not Studies()


def test_answers_are_kept(study: Study) -> None:
    studies = Studies([study])
    asked = {"head": "1", "quantity": "gate"}
    assert studies.place("drawn", asked) is studies.place("drawn", asked)
    payload = told(studies.payload("drawn"))
    assert isinstance(payload, dict)
    assert payload["explains"] is False
    assert payload["stated"] is None


def test_the_accuracy_that_the_classifier_states_is_told_beside_the_studys(study: Study) -> None:
    report = {"accuracy": 0.856, "data": {"name": "speech-emodb + speech-ravdess"}}
    model = SimpleNamespace(sha256=study.facts.checkpoint_sha256, report=report)
    payload = told(Studies([study], {"drawn": model}).payload("drawn"))  # type: ignore[dict-item]
    assert isinstance(payload, dict)
    assert payload["stated"] == {"accuracy": 0.856, "trained_on": "speech-emodb + speech-ravdess"}
    model.report = {"accuracy": 0.856}
    payload = told(Studies([study], {"drawn": model}).payload("drawn"))  # type: ignore[dict-item]
    assert isinstance(payload, dict)
    assert payload["stated"] is None


@pytest.mark.parametrize(
    ("ask", "asked", "said"),
    [
        ("place", {"head": "x", "quantity": "gate"}, "head is a whole number from 0, or left out; got 'x'"),
        ("place", {"head": "9" * 30, "quantity": "gate"}, "head is a whole number"),
        ("place", {"quantity": "importance"}, "quantity is density_attention, gate, class_importance"),
        ("projection", {"method": "tsne"}, "method is pca or umap; got 'tsne'"),
        ("inputs", {"numbers": "1,2"}, "Inputs are named by a list of whole numbers; got '1,2'"),
        ("inputs", {"numbers": [True]}, "list of whole numbers"),
        ("inputs", {"numbers": [-1]}, "list of whole numbers"),
        ("inputs", {"numbers": list(range(99))}, "Up to 64 inputs can be asked for at a time; got 99"),
        ("inputs", {"numbers": [4]}, "not explained in this study"),
        ("slices", {"first": [1, 1], "second": [], "quantity": "gate"}, "An input is named twice"),
        ("slices", {"first": [1], "second": [], "quantity": "values"}, "Slices are compared by"),
        ("slices", {"first": [], "second": [], "quantity": "gate"}, "the group holds none"),
        (
            "slices",
            {"first": [1], "second": [], "quantity": "gate", "units": "label"},
            r"share \(speaker\); got",
        ),
        ("slices", {"first": [1, 2], "second": [2, 3], "quantity": "gate"}, "share inputs"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    study: Study, ask: str, asked: dict[str, object], said: str
) -> None:
    with pytest.raises((InputError, DataError), match=said):
        getattr(Studies([study]), ask)("drawn", asked)


def test_an_unknown_study_or_input_is_one_sentence(study: Study) -> None:
    studies = Studies([study])
    with pytest.raises(InputError, match="There is no study 'other' here; there is drawn"):
        studies.payload("other")
    for number in ("4", "90", "-1", "x", None, 3.0):
        with pytest.raises(InputError, match="There is no explained input"):
            studies.given("drawn", number)
    with pytest.raises(InputError, match="holds no picture of input '3'"):
        studies.thumbnail("drawn", "3")


def test_places_leave_out_what_is_not_said() -> None:
    assert place_of({"layer": "3", "feature": ""}) == Place(layer=3)
    assert quantity_of("values") == "values"
    assert numbers_of([3, 1], most=2) == (3, 1)


def test_only_the_file_that_was_studied_is_handed_out(tmp_path: Path) -> None:
    picture = tmp_path / "one.png"
    Image.new("RGB", (8, 8), "red").save(picture)
    gone = {"path": str(tmp_path / "gone.png"), "sha256": "0" * 64}
    paths = [gone, {"path": str(picture), "sha256": "0" * 64}]
    study = drawn_study(
        tmp_path / "pictures", inputs=2, facts={"modality": "image"}, row=lambda number: paths[number]
    )
    studies = Studies([study])
    with pytest.raises(InputError, match=r"The input gone\.png is no longer where the study found it"):
        studies.given("pictures", 0)
    with pytest.raises(InputError, match=r"The input one\.png has changed since it was studied"):
        studies.given("pictures", "1")
