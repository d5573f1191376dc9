"""Limits on bodies and on the time until an answer, with small values."""

import asyncio

import pytest

from app.server.bodies import Bodies
from tests.app.server.exchange import application, request

CALL = "/gradio_api/call/explain_text"


async def _at_once(_body):
    pass


async def _late(_body):
    await asyncio.sleep(5)


def test_an_answer_that_does_not_begin_is_given_up():
    app = Bodies(application(_late), answer_seconds=0.2)
    for method, path in (("POST", CALL), ("GET", "/config")):
        status, said, _ = request(app, path, [b"{}"], method=method)
        assert status == 503
        assert "There was no answer within 0.2 seconds; try again later." in said


def test_a_stream_that_has_begun_may_take_its_time():
    async def streaming(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(0.4)
        await send({"type": "http.response.body", "body": b"ok"})

    assert request(Bodies(streaming, answer_seconds=0.2), CALL, method="GET")[:2] == (200, "ok")


def test_a_body_that_comes_too_slowly_is_refused():
    app = Bodies(application(_at_once), body_seconds=0.2)
    status, said, headers = request(app, CALL, [b"x"] * 100, pause=0.05)
    assert status == 408
    assert "The request did not arrive within 0.2 seconds." in said
    assert headers["connection"] == "close"


@pytest.mark.parametrize("headers", [{}, {"content-length": "3000"}])
def test_a_body_that_is_too_large_is_refused_before_it_is_read_on(headers):
    async def fails(_body):
        raise AssertionError("it was read")

    app = Bodies(application(fails), limit=2_000)
    status, said, _ = request(app, CALL, [b"x" * 1_500] * 2, headers=headers)
    assert status == 413
    assert "A request may have up to 0.002 MB; files are uploaded first." in said


def test_who_leaves_before_the_body_is_there_gets_no_answer():
    async def fails(_body):
        raise AssertionError("it was asked")

    assert request(Bodies(application(fails)), CALL, [b"x"], leaves=True)[0] == 0
