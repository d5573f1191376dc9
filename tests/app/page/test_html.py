"""What a session becomes as HTML."""

from dataclasses import replace

from app.page.html.frame import status
from app.page.html.prediction import prediction_html
from app.visit import actions
from app.visit.actions import explain_input
from app.visit.inputs import given_file, given_text
from app.visit.results import results_value
from app.visit.session import Session
from daam_core.reading.numbers import probability, signed
from daam_core.result import Outside
from tests.app.visitor import edited
from tests.support.small_heads import colour_picture


def test_nothing_a_visitor_writes_becomes_markup(offer):
    evil = '<img src=x onerror="alert(1)">& the goalkeeper'
    session = explain_input(offer, Session(), "topics", given_text(evil))
    session = actions.change_input(offer, session, edited(session, evil + " again"))
    for part in (prediction_html(session), status(evil)):
        assert "<img" not in part
        assert "&lt;img" in part


def test_all_classes_are_there_and_the_rest_is_folded(offer, tmp_path):
    colour_picture(0.0).save(tmp_path / "red.png")
    session = explain_input(offer, Session(), "colours", given_file("image", tmp_path / "red.png"))
    written = prediction_html(session)
    top, every = written.split("<details")
    likeliest_first = sorted(session.current.explanation.probabilities.tolist(), reverse=True)
    assert _shares(top) == likeliest_first[:3]
    assert _shares(every) == likeliest_first
    assert "<summary>All 12 classes</summary>" in written
    width, height = session.current.given.held.rgb.size
    assert f"Picture, {width} × {height} pixels" in written


def _shares(written: str) -> list[float]:
    return [float(part.split('"')[0]) for part in written.split('data-probability="')[1:]]


def test_of_two_results_both_answers_are_there(offer, session):
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    written = prediction_html(muted)
    a, b = (result.explanation for result in muted.pair)
    before, after = written.split('<div class="dx-given">')
    assert f'<b>A</b> <span class="dx-input-a">{session.current.given.title}' in before
    assert f"<strong>{a.predicted_class}</strong> {probability(a.probabilities.max())}" in before
    assert "Compare the maps</button>" in before
    assert "topics without head 0" in after
    moved = 100 * (b.probabilities[b.prediction] - a.probabilities[b.prediction])
    assert f'in A">{signed(moved, 1)} points</span>' in after


def test_what_was_repaired_in_an_input_is_said(offer, tmp_path):
    colour_picture(0.0).convert("RGBA").save(tmp_path / "red.png")
    session = explain_input(offer, Session(), "colours", given_file("image", tmp_path / "red.png"))
    assert '<p class="dx-note">The input: put on white.</p>' in prediction_html(session)


def test_an_input_outside_of_what_is_known_is_warned_of_before_its_answer(offer, session):
    result = session.current
    far = replace(result.explanation, outside=Outside(3.0, 1.5, 99.54, 400))
    outside = replace(session, current=replace(result, explanation=far))
    before, _, _ = prediction_html(outside).partition('<p class="dx-answer">')
    assert 'knows.</strong> <span class="dx-reasons">Unlike most of what it was trained on: farther' in before
    assert "than 99.5 % of the known inputs. Read the prediction with that in mind." in before
    near = replace(far, outside=Outside(1.0, 1.5, 40.0, 400))
    inside = replace(session, current=replace(result, explanation=near))
    assert "Outside" not in prediction_html(inside)
    pair = replace(inside, baseline=outside.current)
    assert "⚠ Outside what it knows. <button" in prediction_html(pair).split('<div class="dx-given">')[0]


def test_what_muting_did_is_said_beside_another_a(offer, session, monkeypatch):
    """With another input as A the points are those of the mute, against this input with nothing muted."""
    at = session.current.at
    session = explain_input(offer, session, "topics", given_text("Shares fell after the report."))
    session = actions.use_as_a(session, session.kept[0].number)
    whole, other = session.current.explanation, session.baseline.explanation
    monkeypatch.setattr("app.visit.actions.time.time", lambda: at + 99)
    muted = actions.mute_parts(offer, session, ["0"], [], "")
    again = actions.choose_class(offer, actions.mute_parts(offer, muted, ["0", "1"], [], ""), 1)
    for one, heads in ((muted, "head 0"), (again, "heads 0–1")):
        e = one.current.explanation
        c = e.explained
        effect, apart = (100 * float(e.probabilities[c] - was.probabilities[c]) for was in (whole, other))
        shown = prediction_html(one)
        assert (
            f"Muting {heads}: {e.explained_class} {probability(float(whole.probabilities[c]))} → "
            f"{probability(float(e.probabilities[c]))} ({signed(effect, 1)} points) for this input; "
            f"from A, another result: {signed(apart, 1)} points."
        ) in shown
        assert f'with nothing muted">{signed(effect, 1)} points</span>' in shown
    assert results_value(muted)[0]["at"] == at + 99
    assert results_value(muted)[-1]["at"] == at
    # Beside the same input with nothing muted the rows say it all.
    assert "dx-effect" not in prediction_html(
        actions.mute_parts(offer, actions.end_comparison(session), ["0"], [], "")
    )
