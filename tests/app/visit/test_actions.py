"""Actions on a session: the core's numbers, and no run of the encoder that is not needed."""

import copy

import numpy as np
import pytest
import soundfile

from app.page.html.prediction import prediction_html
from app.visit import actions, view_values
from app.visit.actions import explain_input
from app.visit.examples import examples_of
from app.visit.inputs import given_file, given_text
from app.visit.session import Session
from daam_core.errors import InputError
from daam_core.explaining import explain, explain_encoding
from daam_core.reading.sentences import what_stands_out
from tests.app.visitor import OTHER, TEXT, edited
from tests.support.small_heads import RATE, colour_picture, tone


@pytest.mark.parametrize("kind", ["text", "sound", "image"])
def test_an_explanation_is_the_cores(offer, tmp_path, kind):
    soundfile.write(tmp_path / "clip.wav", tone(300), RATE)
    colour_picture(0.3).save(tmp_path / "picture.png")
    given, model = {
        "text": (given_text(TEXT), "topics"),
        "sound": (given_file("audio", tmp_path / "clip.wav"), "tones"),
        "image": (given_file("image", tmp_path / "picture.png"), "colours"),
    }[kind]
    found = explain_input(offer, Session(), model, given).current.explanation
    expected = explain(offer[model], given.file or TEXT)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    np.testing.assert_array_equal(found.importance, expected.importance)
    np.testing.assert_array_equal(found.token_attribution, expected.token_attribution)


def test_a_failed_action_leaves_the_session_as_it_was(offer, session):
    before = copy.deepcopy(session)
    for action in (
        lambda: explain_input(offer, session, "topics", given_text("  ")),
        lambda: actions.choose_class(offer, session, 99),
        lambda: actions.compare_models(offer, session, "topics"),
        lambda: actions.mute_selected(offer, session),
        lambda: actions.undo(session),
        lambda: actions.swap(session),
    ):
        with pytest.raises(InputError):
            action()
    assert session.current.explanation.logits.tolist() == before.current.explanation.logits.tolist()


def test_class_mutes_and_scale_never_run_the_encoder(counted):
    offer, counting = counted
    session = explain_input(offer, Session(), "topics", given_text(TEXT))
    assert counting.runs == 1
    session = actions.choose_class(offer, session, 2)
    session = actions.mute_parts(offer, session, ["0"], ["5"], "3-9")
    session = actions.mute_top(offer, session, 10)
    session = actions.undo(session)
    session = actions.redo(session)
    actions.rescaled(offer, session.current, "per_head")
    actions.compare_models(offer, session, "topics-b")  # another head on the same encoder
    assert counting.runs == 1


def test_a_repeated_input_is_answered_from_cache(counted):
    offer, counting = counted
    session = explain_input(offer, Session(), "topics", given_text(TEXT))
    session = explain_input(offer, session, "topics", given_text(OTHER))
    assert counting.runs == 2
    explain_input(offer, session, "topics", given_text(TEXT))
    assert counting.runs == 2


def test_the_cache_is_the_visitors_own(counted):
    offer, counting = counted
    explain_input(offer, Session(), "topics", given_text(TEXT))
    explain_input(offer, Session(), "topics", given_text(TEXT))
    assert counting.runs == 2


def test_examples_are_encoded_once_for_everybody(counted):
    offer, counting = counted
    example = examples_of("text")[0]
    explain_input(offer, Session(), "topics", example.given())
    other = explain_input(offer, Session(), "topics", example.given())
    assert counting.runs == 1
    assert other._bytes() < explain_input(offer, Session(), "topics", given_text(TEXT))._bytes()


def test_muting_is_the_cores_keep_mask(offer, session):
    muted = actions.mute_parts(offer, session, ["0"], ["5"], "3-9")
    keep = np.ones(session.current.explanation.shape, np.float32)
    keep[0] = keep[:, 5] = keep[:, :, 3:10] = 0
    expected = explain_encoding(
        offer["topics"],
        session.current.encoding,
        target=session.current.explanation.explained,
        keep=keep,
    )
    np.testing.assert_array_equal(muted.current.explanation.probabilities, expected.probabilities)
    np.testing.assert_array_equal(muted.current.explanation.importance, expected.importance)
    assert muted.baseline.explanation.probabilities.tolist() == (
        session.current.explanation.probabilities.tolist()
    )


def test_the_top_cells_are_those_with_the_highest_importance(offer, session):
    muted = actions.mute_top(offer, session, 7)
    importance = session.current.explanation.importance
    chosen = [importance[cell] for cell in muted.current.mutes.cells]
    assert sorted(chosen) == sorted(np.sort(importance.ravel())[-7:])
    for count in (0, 1.5, 10**9, None, "many"):
        with pytest.raises(InputError, match="whole number from 1 to 1000"):
            actions.mute_top(offer, session, count)


def test_the_selected_cell_is_muted_and_unmuted(offer, session):
    chosen = actions.select_cell(session, 1, 2, 3)
    muted = actions.mute_selected(offer, chosen)
    assert muted.current.mutes.cells == {(1, 2, 3)}
    assert not actions.mute_selected(offer, muted).current.mutes


@pytest.mark.parametrize(
    "place",
    [(4, 0, 0), (0, 6, 0), (0, 0, 384), (-1, 0, 0), (0.0, 0, 0), (True, 0, 0), ("0", 0, 0), (None, 0, 0)],
)
def test_a_cell_from_the_browser_is_not_trusted(session, place):
    with pytest.raises(InputError, match="There is no such cell: heads go from 0 to 3"):
        actions.select_cell(session, *place)


def test_pinned_a_stays_while_inputs_change(offer, session):
    pinned = actions.use_as_a(session, 1)
    compared = explain_input(offer, pinned, "topics", given_text(OTHER))
    assert compared.baseline is session.current
    value = view_values.view_value(compared)["payload"]
    assert value["a"]["text"] == TEXT
    assert value["b"]["text"] == OTHER
    swapped = actions.swap(compared)
    assert swapped.current is session.current
    assert view_values.view_value(actions.end_comparison(swapped))["payload"]["b"] is None


def test_a_changed_input_has_the_original_as_a(offer, session):
    changed = actions.change_input(offer, session, edited(session, OTHER))
    again = actions.change_input(offer, changed, edited(session, "Planets and stars."))
    assert again.baseline.given.input.content == TEXT
    assert again.original is session.current


def _another(offer, class_):
    """A text whose answer is another class."""
    texts = (
        "Planets and stars.",
        OTHER,
        "Shares fell as the bank cut its rate.",
        "a",
        "Rain, then sun.",
        "7",
    )
    return next(t for t in texts if explain(offer["topics"], t).prediction != class_)


def test_an_edit_explains_its_own_answer_and_a_chosen_class_stays(offer, session):
    answer = session.current.explanation.prediction
    text = _another(offer, answer)
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    for start in (session, muted):
        e = actions.change_input(offer, start, edited(session, text)).current.explanation
        assert e.explained == e.prediction != answer
    changed = actions.change_input(offer, session, edited(session, text))
    assert changed.baseline.explanation.explained == answer
    # Chosen before the first change, after it, and while parts are muted.
    other = actions.mute_parts(offer, changed, ["0"], [], "")
    for start in (session, changed, other):
        chosen = actions.choose_class(offer, start, answer)
        again = actions.change_input(offer, chosen, edited(session, text))
        assert [result.explanation.explained for result in again.pair] == [answer, answer]
        names = again.current.explanation.class_names
        assert what_stands_out(again.current.explanation)[0] == (
            f"Explained is “{names[answer]}”, which is not the answer "
            f"(“{names[again.current.explanation.prediction]}”)."
        )
        back = actions.choose_class(offer, again, None)
        e = actions.change_input(offer, back, edited(session, text)).current.explanation
        assert e.explained == e.prediction


def test_choosing_a_class_explains_it_in_a_and_b(offer, session):
    changed = actions.change_input(offer, session, edited(session, OTHER))
    chosen = actions.choose_class(offer, changed, 1)
    expected = explain(offer["topics"], OTHER, target=1)
    np.testing.assert_array_equal(chosen.current.explanation.token_attribution, expected.token_attribution)
    assert chosen.baseline.explanation.explained == 1


def test_a_mute_keeps_the_class_that_is_explained(offer, session):
    explained = session.current.explanation.explained
    muted = actions.mute_parts(offer, session, ["0", "1", "2", "3"], [], "")
    assert muted.current.explanation.explained == explained
    assert muted.current.explanation.degenerate
    assert "The map is constant" in prediction_html(muted)
