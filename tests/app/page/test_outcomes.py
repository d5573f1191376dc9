"""What the page says of results, wrong input and defects."""

import logging

import gradio as gr
import pytest

from app.page.layout import lay_out
from app.page.outcomes import DEFECT, at_once, sentence_of, step_by_step
from app.visit.offer import Offer
from daam_core.errors import InputError


@pytest.fixture(scope="module")
def page(models):
    with gr.Blocks(analytics_enabled=False):
        return lay_out(Offer(models))


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
    assert at_once(page, lambda: {page.comparison: "A"}) == {page.comparison: "A"}
    shown = at_once(page, _fails(InputError("<No>")), failed={page.comparison: None})
    assert "&lt;No&gt;" in shown[page.status]
    assert 'role="alert"' in shown[page.status]
    assert shown[page.comparison] is None


def test_long_work_shows_that_it_lasts_and_then_its_result(page):
    cancel, result = page.given.cancel, page.comparison
    around = {"meanwhile": {cancel: 1}, "afterwards": {cancel: 0}}
    steps = list(step_by_step(page, lambda _: 7, "Counting", lambda n: {result: n}, **around))
    assert "Counting…" in steps[0][page.status]
    assert steps[0][cancel] == 1
    assert steps[-1] == {result: 7, cancel: 0}


@pytest.mark.parametrize(("error", "said"), [(InputError("No."), "No."), (ZeroDivisionError(), DEFECT)])
def test_failed_work_ends_as_it_would_have(page, error, said):
    *_, last = step_by_step(page, _fails(error), "Working", lambda _: {}, afterwards={page.comparison: 0})
    assert said in last[page.status]
    assert last[page.comparison] == 0
