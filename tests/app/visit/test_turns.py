"""Turns at the encoder: an order that is seen, and runs that are counted."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.visit.actions import explain_once
from app.visit.inputs import given_text
from app.visit.turns import Alike, Turns
from daam_core.errors import CancelledError, InputError
from tests.app.visitor import TEXT


def _never() -> bool:
    return False


def _until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_long_run_lets_those_who_wait_go_first_between_two_parts():
    turns, order = Turns(), []
    begun, go_on = threading.Event(), threading.Event()

    def long() -> None:
        with turns.turn(_never) as part:
            for number in range(3):
                assert not part()
                order.append(f"part {number}")
                begun.set()
                go_on.wait(10)

    def short(name: str) -> None:
        with turns.turn(_never):
            order.append(name)

    with ThreadPoolExecutor() as pool:
        runs = [pool.submit(long)]
        begun.wait(10)
        for number, name in enumerate(["a", "b"]):
            runs.append(pool.submit(short, name))
            _until(lambda number=number: len(turns._line) == number + 2)
        go_on.set()
        for run in runs:
            run.result(10)
    assert order == ["part 0", "a", "b", "part 1", "part 2"]


def test_who_leaves_the_line_before_its_turn_does_not_run_and_holds_up_nobody():
    turns, left = Turns(), threading.Event()

    def waits(stopped: Callable[[], bool]) -> str:
        with turns.turn(stopped):
            return "ran"

    with ThreadPoolExecutor() as pool, turns.turn(_never) as part:
        leaving = pool.submit(waits, left.is_set)
        _until(lambda: len(turns._line) == 2)
        staying = pool.submit(waits, _never)
        _until(lambda: len(turns._line) == 3)
        left.set()
        with pytest.raises(CancelledError):
            leaving.result(10)
        part()
        assert not part()
        assert staying.result(10) == "ran"
    assert not turns._line


def test_the_same_is_made_once_for_all_who_wait_for_it_and_not_kept():
    alike: Alike[int] = Alike()
    made, go_on = [], threading.Event()

    def make() -> int:
        made.append(None)
        go_on.wait(10)
        return len(made)

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(alike.once, "key", make, _never) for _ in range(5)]
        _until(lambda: made)
        go_on.set()
        assert [one.result(10) for one in asked] == [1] * 5
    assert alike.once("key", make, _never) == 2


def test_a_refusal_is_everybodys_but_the_first_ones_leaving_is_not():
    alike: Alike[str] = Alike()
    asked, go_on = threading.Event(), threading.Event()

    def fails(error: Exception) -> Callable[[], str]:
        def make() -> str:
            asked.set()
            go_on.wait(10)
            raise error

        return make

    for error, expected in ((InputError("too long"), InputError), (CancelledError("left"), None)):
        asked.clear()
        go_on.clear()
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(alike.once, "key", fails(error), _never)
            asked.wait(10)
            second = pool.submit(alike.once, "key", lambda: "made", _never)
            time.sleep(0.02)
            go_on.set()
            with pytest.raises(type(error)):
                first.result(10)
            if expected is None:
                assert second.result(10) == "made"
            else:
                with pytest.raises(expected):
                    second.result(10)


def test_who_waits_for_anothers_run_can_leave():
    alike: Alike[str] = Alike()
    asked, go_on = threading.Event(), threading.Event()

    def make() -> str:
        asked.set()
        go_on.wait(10)
        return "made"

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(alike.once, "key", make, _never)
        asked.wait(10)
        with pytest.raises(CancelledError):
            alike.once("key", make, lambda: True)
        go_on.set()
        assert first.result(10) == "made"


def test_twenty_visitors_with_one_text_are_one_run_of_the_encoder(counted, monkeypatch):
    offer, counting = counted
    together = threading.Barrier(20)
    encode = counting.encode

    def slowly(sample):
        encoding = encode(sample)
        _until(lambda: together.broken or together.n_waiting == 0)
        time.sleep(0.3)  # until all have asked
        return encoding

    monkeypatch.setattr(counting, "encode", slowly)

    def visit() -> str:
        together.wait(10)
        return explain_once(offer, "topics", given_text(TEXT)).predicted_class

    with ThreadPoolExecutor(20) as pool:
        answers = [one.result(20) for one in [pool.submit(visit) for _ in range(20)]]
    assert len(set(answers)) == 1
    assert counting.runs == 1


def test_a_long_text_does_not_hold_up_a_short_one(offer):
    long, short = given_text("word " * 1_590), given_text(TEXT)
    done = []

    def explain(name, given) -> None:
        explain_once(offer, "topics", given)
        done.append(name)

    with ThreadPoolExecutor(2) as pool, offer._turns.turn(_never):
        pool.submit(explain, "long", long)
        _until(lambda: len(offer._turns._line) == 2)
        pool.submit(explain, "short", short)
        _until(lambda: len(offer._turns._line) == 3)
    assert done == ["short", "long"]
