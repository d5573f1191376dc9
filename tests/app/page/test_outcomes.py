"""What the page says of results, wrong input and defects."""

import logging
import threading
from copy import deepcopy

import gradio as gr
import pytest

from app.page.layout import lay_out
from app.page.outcomes import CANCELLED, DEFECT, at_once, sentence_of, step_by_step
from app.page.updates import changing, show
from app.visit.offer import Offer
from app.visit.runs import Runs
from app.visit.session import Session
from app.visit.study import Studies
from daam_core.errors import InputError


@pytest.fixture(scope="module")
def page(models):
    with gr.Blocks(analytics_enabled=False):
        return lay_out(Offer(models), Studies())


def _fails(error):
    def fail(*_):
        raise error

    return fail


def test_wrong_input_is_its_own_sentence_and_a_defect_is_logged(caplog):
    assert sentence_of(InputError("No.")) == "No."
    assert caplog.records == []
    assert sentence_of(KeyError("secret")) == DEFECT
    assert caplog.records[0].levelno == logging.ERROR
    assert caplog.records[0].exc_info


def test_an_action_shows_its_updates_or_what_was_wrong(page):
    place = page.muted.said
    assert at_once(place, lambda: {page.prediction: "A"}) == {page.prediction: "A", place: ""}
    shown = at_once(place, _fails(InputError("<No>")))
    assert "&lt;No&gt;" in shown[place]
    assert 'role="alert"' in shown[place]
    assert page.status not in shown


def test_what_was_saved_of_another_result_is_no_longer_said(page, offer, session):
    shown = show(page, offer, session, before=Session())
    assert shown[page.saved.said] == ""
    assert set(shown) <= set(changing(page))


def test_long_work_shows_that_it_lasts_and_then_its_result(page):
    cancel, result = page.cancel, page.prediction
    around = {"meanwhile": {cancel: 1}, "afterwards": {cancel: 0}}
    steps = list(step_by_step(page, lambda _: 7, "Counting", lambda n: {result: n}, **around))
    assert "Counting…" in steps[0][page.status]
    assert steps[0][cancel] == 1
    assert steps[-1] == {result: 7, cancel: 0}


def test_what_was_cancelled_says_so_last_and_shows_no_result(page):
    runs, done, seen = Runs(), threading.Event(), []
    around = {"replaces": True, "afterwards": {page.cancel: 0}}

    def work(stop):
        seen.append(stop.wait(20))
        done.set()

    cancelled = runs.begin()
    steps = step_by_step(
        page, work, "Counting", lambda n: {page.prediction: n}, cancelled=cancelled, **around
    )
    assert "Counting…" in next(steps)[page.status]
    deepcopy(runs).cancel()  # another visitor's
    assert not cancelled.is_set()
    runs.cancel()
    *_, last = steps
    assert CANCELLED in last[page.status]
    assert page.prediction not in last
    assert last[page.cancel] == 0
    assert done.wait(20)
    assert seen == [True]
    assert not runs.begin().is_set()  # the next one goes on


@pytest.mark.parametrize(("error", "said"), [(InputError("No."), "No."), (ZeroDivisionError(), DEFECT)])
def test_failed_work_ends_as_it_would_have(page, error, said):
    around = {"afterwards": {page.prediction: 0}}
    *_, last = step_by_step(page, _fails(error), "Working", lambda _: {}, replaces=True, **around)
    assert said in last[page.status]
    assert "data-previous" in last[page.status]
    assert last[page.prediction] == 0
    # Where the control has a place of its own, the status line only says that nothing changed.
    place = page.changed.said
    *_, last = step_by_step(page, _fails(error), "Working", lambda _: {}, place=place, **around)
    assert said in last[place]
    assert said not in last[page.status]
    assert "data-previous" not in last[page.status]
