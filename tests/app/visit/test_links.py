"""Links that restore a view, hostile ones among them."""

import pytest

from app.visit import actions, links
from app.visit.actions import explain_input
from app.visit.examples import examples_of
from app.visit.session import Session
from tests.app.visitor import OTHER, edited


def test_a_link_names_model_example_and_class(offer):
    example = examples_of("text")[1]
    session = explain_input(offer, Session(), "topics-b", example.given(), target=2)
    query = links.query_of(session.current)
    assert links.parse(f"?{query}", offer) == links.Link("topics-b", example.id, 2)


def test_a_link_never_carries_the_visitors_input(offer, session):
    query = links.query_of(session.current)
    assert "goalkeeper" not in query
    assert links.parse(query, offer) == links.Link("topics", None, None, own=True)
    changed = actions.change_input(offer, session, edited(session, OTHER))
    assert "input=own" in links.query_of(changed.current)


HOSTILE = [
    *(None, 7, [], "", "?", "?model=", "?class=1", "?model=topics%00", "?model=%FF%FE"),
    *("?model=<script>alert(1)</script>", "?input=../../etc/passwd", "x" * 10_000, "&".join(["a=1"] * 200)),
]


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_queries_ask_for_nothing(offer, query):
    assert links.parse(query, offer) == links.Link()


def test_an_unknown_model_gives_way_to_one_that_takes_the_example(offer):
    assert links.parse("?model=nope&input=news-final", offer) == links.Link("topics", "news-final")


@pytest.mark.parametrize("target", ["99", "-1", "1e3", "٣", "1.0", "", "999999999999"])
def test_a_class_that_does_not_exist_is_left_out(offer, target):
    assert links.parse(f"?model=topics&class={target}", offer).target is None


def test_an_example_of_another_kind_is_left_out(offer):
    assert links.parse("?model=topics&input=photo-lion", offer) == links.Link("topics")
