"""Links that restore a view, hostile ones among them."""

import pytest

from app.visit import actions, links
from app.visit.actions import explain_input
from app.visit.examples import examples_of
from app.visit.inputs import given_text
from app.visit.session import Session
from daam_core.errors import InputError
from daam_core.inputs import Edit, Region, SoundChange
from tests.app.visitor import OTHER, edited


def test_a_link_names_model_example_and_class(offer):
    example = examples_of("text")[1]
    session = explain_input(offer, Session(), "topics-b", example.given(), target=2)
    query = links.query_of(session)
    assert links.parse(f"?{query}", offer) == links.Link("topics-b", example.id, 2)
    assert links.restored_by(session) == "It restores the model, the example and the view."


def test_a_link_never_carries_the_visitors_input(offer, session):
    query = links.query_of(session)
    assert "goalkeeper" not in query
    assert links.parse(query, offer) == links.Link("topics", None, None, own=True)
    changed = actions.change_input(offer, session, edited(session, OTHER))
    assert links.query_of(changed) == query
    assert "Your input is not in it" in links.restored_by(changed)


def _example(modality, place=0):
    return examples_of(modality)[place].given()


CHANGES = {
    "edit": ("topics", lambda: _example("text"), Edit("Shares fell & rose; 5 % = ü~_.")),
    "part": ("tones", lambda: _example("audio", 2), SoundChange(0.25, 1.5, 12.0)),
    "noise": ("tones", lambda: _example("audio", 2), SoundChange(snr=-3.5)),
    "region": ("colours", lambda: _example("image"), Region(0.1, 0.2, 1 / 3, 1.0, "blur")),
}


def _same(one, other) -> bool:
    return (
        one.model == other.model
        and one.given.key == other.given.key
        and one.explanation.logits.tolist() == other.explanation.logits.tolist()
        and one.explanation.explained == other.explanation.explained
    )


@pytest.mark.parametrize("name", CHANGES)
def test_a_link_holds_an_example_and_its_change(offer, name):
    model, given, change = CHANGES[name]
    session = explain_input(offer, Session(), model, given())
    session = actions.change_input(offer, session, session.original.given.changed(change))
    link = links.parse(links.query_of(session), offer)
    assert link.change == change
    assert link.missing == ()
    restored = actions.follow(offer, Session(), link)
    assert all(map(_same, restored.pair, session.pair))
    assert "its change, the result it is compared with and the view" in links.restored_by(session)
    assert ("The changed text is in the link." in links.restored_by(session)) == (name == "edit")
    swapped = actions.swap(session)
    restored = actions.follow(offer, Session(), links.parse(links.query_of(swapped), offer))
    assert all(map(_same, restored.pair, swapped.pair))


def test_a_link_holds_two_examples_and_two_models(offer):
    first = explain_input(offer, Session(), "topics", _example("text"), target=1)
    pinned = explain_input(offer, actions.use_as_a(first, 1), "topics-b", _example("text", 2))
    other = actions.compare_models(offer, first, "topics-b")
    for session in (pinned, other):
        restored = actions.follow(offer, Session(), links.parse(links.query_of(session), offer))
        assert all(map(_same, restored.pair, session.pair))


def test_what_a_link_cannot_hold_is_said(offer):
    session = explain_input(offer, Session(), "topics", _example("text"))
    long = actions.change_input(offer, session, session.original.given.changed(Edit("Word. " * 1000)))
    assert links.query_of(long).startswith("model=topics&input=news-rates")
    assert len(links.query_of(long)) < 100
    assert "The change is too long for a link." in links.restored_by(long)
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    assert "a-" not in links.query_of(muted)
    assert links.restored_by(muted).endswith("Muted parts are not in it.")
    own = actions.use_as_a(explain_input(offer, Session(), "topics", given_text(OTHER)), 1)
    own = explain_input(offer, own, "topics", _example("text"))
    assert "rate" not in links.query_of(own).replace("news-rates", "")
    assert "A is your own input, so it is not in the link." in links.restored_by(own)


HOSTILE = [
    *("?model=topics%00", "?model=%FF%FE", "?model=<script>alert(1)</script>", "?input=../../etc/passwd"),
    *("x" * 10_000, "&".join(["a=1"] * 200)),
]


@pytest.mark.parametrize("query", [None, 7, [], "", "?", "?model=", "?class=1", "?t=heads"])
def test_queries_without_a_result_ask_for_nothing(offer, query):
    assert links.parse(query, offer) == links.Link()


@pytest.mark.parametrize("query", HOSTILE)
def test_hostile_queries_ask_for_nothing_and_are_said_to(offer, query):
    link = links.parse(query, offer)
    assert link == links.Link(missing=link.missing)
    assert len(link.missing) == 1
    assert len(link.missing[0]) < 120


def test_an_unknown_model_gives_way_to_one_that_takes_the_example(offer):
    link = links.parse("?model=nope&input=news-final", offer)
    assert (link.model, link.example) == ("topics", "news-final")
    assert link.missing == ("The link names the model “nope”, which is not here.",)


@pytest.mark.parametrize(
    "change",
    ["", "1", "1~2~3", "a~_~_~0", "0~_~_~-1", "0~_~_~99999999", "0~0~1~1~x", "0~inf~_~0", "nan~_~_~0"],
)
def test_a_change_that_cannot_be_read_is_said(offer, change):
    link = links.parse(f"?model=tones&input=speech-note&change={change}", offer)
    if change:
        assert link.missing == ("The link's change of the example cannot be read.",)
    assert link.change is None


@pytest.mark.parametrize("change", ["5~1~_~0", "-1~_~_~0", "9999~_~_~0", "0~_~900~0"])
def test_a_change_that_does_not_fit_is_one_sentence(offer, change):
    link = links.parse(f"?model=tones&input=speech-note&change={change}", offer)
    with pytest.raises(InputError):
        actions.follow(offer, Session(), link)


@pytest.mark.parametrize("target", ["99", "-1", "1e3", "٣", "1.0", "", "999999999999"])
def test_a_class_that_does_not_exist_is_left_out(offer, target):
    link = links.parse(f"?model=topics&class={target}", offer)
    assert link.target is None
    assert bool(target) == bool(link.missing)


def test_an_example_of_another_kind_is_left_out(offer):
    link = links.parse("?model=topics&input=photo-lion", offer)
    assert link == links.Link("topics", missing=("The example “Lion” is no input for topics.",))
