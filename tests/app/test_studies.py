"""The addresses at which the page's scripts ask studies."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.studies import routes
from app.visit.study import MOST_SELECTIONS, Studies
from daam_core.study.selection import save_selection, selections
from tests.support.studies import drawn_study

AT = "/studies/a%20study"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("studies") / "a study"
    study = drawn_study(folder, refused=(4,), row=lambda number: {"thumbnail": b"jpeg" if number else None})
    with TestClient(Starlette(routes=routes(Studies([study])))) as client:
        yield client


def test_without_studies_there_are_no_addresses() -> None:
    assert routes(Studies()) == []


def test_questions_are_answered_as_compressed_json(client: TestClient) -> None:
    answer = client.get(f"{AT}/payload")
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["name"] == "a study"
    place = client.get(f"{AT}/place", params={"head": 1, "quantity": "gate"}).json()
    assert len(place["preference"]) == 3
    assert client.get(f"{AT}/telling").json()[0]
    (told,) = client.post(f"{AT}/inputs", json={"numbers": [3]}).json()
    assert told["number"] == 3
    picture = client.get(f"{AT}/thumbnail/3")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == b"jpeg"


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/studies/other/payload", 400, "There is no study 'other' here; there is a study."),
        (f"{AT}/rows", 404, "A study is not asked this."),
        (f"{AT}/place?head=7&quantity=gate", 400, "There is no head 7; they go from 0 to 1."),
        (f"{AT}/thumbnail/0", 400, "The study holds no picture of input '0'."),
        (f"{AT}/thumbnail/4", 400, "There is no explained input '4' in this study."),
        (f"{AT}/sound/x", 400, "There is no explained input 'x' in this study."),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(
    client: TestClient, path: str, status: int, said: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()) == (status, {"error": said})


def test_a_selection_is_kept_with_the_study_or_it_is_said_why_not(tmp_path: Path) -> None:
    studies = Studies([drawn_study(tmp_path / "a study")])
    with TestClient(Starlette(routes=routes(studies))) as client:

        def keep(name: object, numbers: object) -> tuple[int, object]:
            answer = client.post(f"{AT}/keep", json={"name": name, "numbers": numbers})
            return answer.status_code, answer.json()

        assert "mine" not in client.get(f"{AT}/payload").json()["selections"]
        assert keep(" mine ", [5, 3]) == (200, {"reason": ""})
        assert selections(studies["a study"])["mine"].tolist() == [3, 5]
        assert "mine" in client.get(f"{AT}/payload").json()["selections"]

        assert keep("none", []) == (
            400,
            {"error": "No input is selected, so there is nothing to keep."},
        )
        for name in ("", " ", "x" * 61, 7):
            status, said = keep(name, [1])
            assert (status, "1 to 60 characters" in str(said)) == (400, True)
        for number in range(MOST_SELECTIONS - 1):
            save_selection(studies["a study"], f"other {number}", np.array([1]))
        status, said = keep("one more", [1])
        assert (status, "keeps 100 selections" in str(said)) == (400, True)
        assert keep("mine", [7]) == (200, {"reason": ""})

        # Called otherwise, and removed again.
        for one, other in (("mine", "ours"), ("ours", "mine")):
            renamed = client.post(f"{AT}/rename", json={"name": one, "other": other})
            assert (renamed.status_code, renamed.json()) == (200, {"reason": ""})
            assert other in client.get(f"{AT}/payload").json()["selections"]
        said = client.post(f"{AT}/rename", json={"name": "mine", "other": " "}).json()
        assert said == {"error": "A selection needs a name of 1 to 60 characters; got ' '."}
        dropped = client.post(f"{AT}/drop", json={"name": "mine"})
        assert (dropped.status_code, dropped.json()) == (200, {"reason": ""})
        assert "mine" not in client.get(f"{AT}/payload").json()["selections"]
        said = client.post(f"{AT}/drop", json={"name": 7}).json()
        assert said == {"error": "A selection is named by a text; got 7."}

        (tmp_path / "a study").rename(tmp_path / "moved")
        (tmp_path / "a study").write_text("no folder")
        assert "cannot be written to" in str(keep("mine", [8])[1])
        studies.writable = False
        assert keep("mine", [8])[1] == {"reason": "the page is open to other machines, so it writes no files"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "said"),
    [
        ("numbers=3", "application/x-www-form-urlencoded", 415, "Lists of inputs are sent as JSON."),
        ("{", "application/json", 400, "Lists of inputs are sent as a JSON object."),
        ("[" * 9000, "application/json", 400, "Lists of inputs are sent as a JSON object."),
        (
            json.dumps({"numbers": [4]}),
            "application/json",
            400,
            "An input is asked for that was",
        ),
    ],
)
def test_lists_come_as_json_alone(client: TestClient, body: str, kind: str, status: int, said: str) -> None:
    answer = client.post(f"{AT}/inputs", content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["error"].startswith(said)
