"""The addresses at which the page's scripts ask studies."""

import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app.studies import routes
from app.visit.study import Studies
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
