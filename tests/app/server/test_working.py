"""Long work in steps."""

import time

import pytest

from app.server.working import working
from daam_core.errors import InputError


def test_the_status_comes_first_and_the_result_last():
    steps = list(working(lambda _: time.sleep(0.05) or "result", "Working"))
    assert steps[0] == "Working…"
    assert steps[-1].result == "result"


def test_an_error_is_raised_where_the_steps_are_read():
    def fail(_):
        raise InputError("No.")

    with pytest.raises(InputError, match="No"):
        list(working(fail, "Working"))


def test_stopping_to_read_tells_the_work():
    told = []
    steps = working(lambda stop: told.append(stop.wait(20)), "Working")
    next(steps)
    steps.close()
    for _ in range(100):
        if told:
            break
        time.sleep(0.05)
    assert told == [True]
