"""A visitor's session: copied, bounded, and what it keeps of a visit."""

import copy
from dataclasses import replace

import pytest

from app.visit import actions
from app.visit.inputs import given_text
from app.visit.results import results_value
from app.visit.session import MAX_KEPT, MAX_KEPT_BYTES, MAX_UNDO, Session
from daam_core.errors import InputError
from tests.app.visitor import OTHER, TEXT, edited


def test_what_is_kept_is_bounded(offer, session):
    result = session.current

    def other(number):
        return replace(result, given=replace(result.given, sha256=str(number)), key=str(number))

    for number in range(3 * MAX_KEPT):
        session = session.beginning(other(number))
    assert [kept.result.key for kept in session.kept] == [str(n) for n in range(2 * MAX_KEPT, 3 * MAX_KEPT)]
    assert [kept.number for kept in session.kept] == list(range(2 * MAX_KEPT + 2, 3 * MAX_KEPT + 2))
    for _ in range(2 * MAX_UNDO):
        session = session.showing(result, baseline=None)
    assert len(session.undo) == MAX_UNDO
    # Of inputs so large that two do not fit, only the one on screen stays, and no step back to another.
    tokens = len(result.encoding.tokens)
    wide = MAX_KEPT_BYTES // (4 * tokens) // 2 + 1
    for number in range(3):
        hidden = result.encoding.hidden.new_zeros((1, tokens, 1)).expand(1, tokens, wide)
        large = replace(other(f"large {number}"), encoding=replace(result.encoding, hidden=hidden))
        session = session.showing(large, baseline=None)
    assert [kept.result.key for kept in session.kept] == ["large 2"]
    assert session.undo == ()


def test_what_was_asked_for_during_a_run_leaves_its_result_in_the_list(offer):
    clicked = Session()
    clicked = replace(
        actions.explain_input(offer, clicked, "topics", given_text("Before.")).ended(clicked), undo=()
    )
    # Two clicks on Explain and one on a head, while the page shows the same: all begin with that session.
    first = actions.explain_input(offer, clicked, "topics", given_text(TEXT)).ended(clicked)
    muted = actions.mute_parts(offer, clicked, ["0"], [], "").ended(clicked)
    second = actions.explain_input(offer, clicked, "topics", given_text(OTHER)).ended(clicked)
    again = actions.explain_input(offer, first, "topics", given_text(TEXT)).ended(first)
    titles = ["Before.", TEXT, "Before.", OTHER]
    for session, count in ((first, 2), (muted, 3), (second, 4), (again, 4)):
        assert [kept.result.given.held.content for kept in session.kept] == titles[:count]
        assert [kept.number for kept in session.kept] == list(range(1, count + 1))
    assert second.current is second.kept[-1].result
    assert second.baseline is None
    assert again.current is again.kept[1].result
    # Another visitor's list is another one.
    assert copy.deepcopy(Session()).ended(Session()).kept == ()


def test_results_can_be_shown_again_and_any_two_compared(offer, session):
    first = session.current
    session = actions.explain_input(offer, session, "topics-b", given_text(OTHER))
    second = session.current
    session = actions.change_input(offer, session, edited(session, "Planets and stars."))
    third = session.current
    session = actions.mute_parts(offer, session, ["0"], [], "")
    session = actions.mute_parts(offer, session, ["0", "1"], [], "")
    listed = results_value(session)
    assert [row["input"] for row in listed] == [
        r.given.title for r in (session.current, third, second, first)
    ]
    assert [row["model"] for row in listed] == [
        "topics-b without heads 0–1",
        "topics-b",
        "topics-b",
        "topics",
    ]
    assert [row["letter"] for row in listed] == ["B", "", "A", ""]
    numbers = [row["number"] for row in listed]
    # The first again, and the third beside it as A; then what comes next is compared with that, too.
    session = actions.show_again(session, numbers[-1])
    assert session.current is first
    assert session.pair is None
    session = actions.use_as_a(session, numbers[1])
    assert session.pair == (third, first)
    session = actions.explain_input(offer, session, "topics", given_text("Shares rose."))
    assert session.pair[0] is third
    # A change of an earlier change starts from its original.
    session = actions.end_comparison(actions.show_again(session, numbers[1]))
    assert session.original.given.title == second.given.title
    assert actions.change_input(offer, session, edited(session, TEXT)).baseline.model == "topics-b"
    for number in (0, 99, None, "1", True, 1.0):
        with pytest.raises(InputError, match="no longer kept"):
            actions.show_again(session, number)


def test_explaining_the_same_again_adds_no_row(offer, session):
    again = actions.explain_input(offer, session, "topics", given_text(TEXT))
    assert [row["number"] for row in results_value(again)] == [1]
    chosen = actions.choose_class(offer, again, 1)
    assert [(row["number"], row["b"]) for row in results_value(chosen)] == [(1, True)]
    assert chosen.kept[0].result.target == 1


def test_undo_and_redo_walk_through_changes_of_every_kind(offer, session):
    """Edited texts, mutes, models, classes and what is compared."""
    states = [session]
    for change in (
        lambda s: actions.change_input(offer, s, edited(s, OTHER)),
        lambda s: actions.mute_parts(offer, s, ["0"], ["2"], "3-9"),
        lambda s: actions.choose_class(offer, s, 2),
        lambda s: actions.swap(s),
        lambda s: actions.compare_models(offer, s, "topics-b"),
        lambda s: actions.end_comparison(s),
    ):
        states.append(change(states[-1]))
    here = states[-1]
    for wanted in reversed(states[:-1]):
        here = actions.undo(here)
        assert (here.current, here.baseline, here.pinned) == (wanted.current, wanted.baseline, wanted.pinned)
    with pytest.raises(InputError, match="nothing to undo"):
        actions.undo(here)
    for wanted in states[1:]:
        here = actions.redo(here)
        assert (here.current, here.baseline) == (wanted.current, wanted.baseline)
    with pytest.raises(InputError, match="nothing to redo"):
        actions.redo(here)
    assert here.kept == states[-1].kept
    # Another change after an undo is the new future; another input begins anew.
    other = actions.mute_parts(offer, actions.undo(here), ["1"], [], "")
    assert other.redo == ()
    assert actions.explain_input(offer, other, "topics", given_text(OTHER)).undo == ()


def test_a_session_can_be_copied(offer, session):
    copied = copy.deepcopy(session)
    recomputed = actions.mute_parts(offer, copied, ["1"], [], "")
    assert recomputed.current.mutes.heads == {1}
    assert not session.current.mutes
    assert results_value(Session()) == []
