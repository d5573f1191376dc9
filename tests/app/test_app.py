"""The app without a browser: inputs, what-ifs, sessions, links, security, start-up."""

import asyncio
import copy
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from app.__main__ import main
from app.main import build_demo
from app.page import html
from app.server import upkeep
from app.server.security import HEADERS, SecurityHeaders
from app.server.working import working
from app.visit import actions, downloads, links, payload
from app.visit.actions import explain_input
from app.visit.examples import EXAMPLES, examples_of, recognised
from app.visit.inputs import Given, given_file, given_text
from app.visit.mutes import Mutes, keep_mask, parse_indices
from app.visit.offer import Offer
from app.visit.session import MAX_CACHED, MAX_CACHED_BYTES, Session
from daam_core.errors import CancelledError, ConfigError, InputError
from daam_core.explain import explain, explain_encoding
from daam_core.inputs import Edit, Region, SoundChange
from daam_core.trained import TrainedClassifier, load_model
from daam_core.view.media import media_of
from tests.support.small_heads import RATE, colour_picture, small_heads, tone

ROOT = Path(__file__).parents[2]
TEXT = "The goalkeeper saved a penalty in the last minute."
OTHER = "The bank raised its interest rate on Thursday."


class Counting:
    """A model's encoder that counts its runs."""

    def __init__(self, backbone):
        self._backbone = backbone
        self.runs = 0

    def encode(self, sample):
        self.runs += 1
        return self._backbone.encode(sample)

    def __getattr__(self, name):
        return getattr(self._backbone, name)


@pytest.fixture(scope="module")
def models() -> list[TrainedClassifier]:
    return [load_model(folder) for folder in small_heads().values()]


@pytest.fixture
def offer(models) -> Offer:
    return Offer(models)


@pytest.fixture
def counted(models, monkeypatch) -> tuple[Offer, Counting]:
    """A offer whose text models share an encoder that counts."""
    offer = Offer(models)
    counting = Counting(offer["topics"].backbone)
    for name in ("topics", "topics-b"):
        monkeypatch.setitem(offer[name].__dict__, "backbone", counting)
    return offer, counting


@pytest.fixture
def session(offer) -> Session:
    """One visitor who has explained a text."""
    return explain_input(offer, Session(), "topics", given_text(TEXT))


def edited(session: Session, text: str) -> Given:
    """The original of a session with another text in its place."""
    return session.original.given.changed(Edit(text))


class TestGiven:
    def test_the_same_content_has_the_same_key_whatever_its_name(self, tmp_path):
        for name in ("a.png", "b.png"):
            colour_picture(0.2).save(tmp_path / name)
        one, other = (given_file("image", tmp_path / name) for name in ("a.png", "b.png"))
        assert one.key == other.key
        assert one.key != one.changed(Region(0, 0, 0.5, 0.5)).key
        assert given_text("a").key != given_text("b").key

    def test_a_missing_file_is_one_sentence(self, tmp_path):
        with pytest.raises(InputError, match=r"^There is no sound yet: give a file, or pick an example\.$"):
            given_file("audio", None)
        with pytest.raises(InputError, match=r"^There is no sound file called gone\.wav\.$"):
            given_file("audio", tmp_path / "gone.wav")

    def test_it_is_named_by_its_file_only(self, tmp_path):
        soundfile.write(tmp_path / "clip.wav", tone(300, seconds=2), RATE)
        clip = given_file("audio", tmp_path / "clip.wav")
        assert clip.title == "clip.wav"
        assert clip.changed(SoundChange(0.5, 1.0, 10)).title == "clip.wav (0.50 s to 1.00 s, noise at 10 dB)"

    def test_a_text_or_file_of_an_example_is_that_example(self, tmp_path):
        for example in EXAMPLES.values():
            if example.modality == "text":
                found = recognised(given_text(example.content))
            else:
                path = tmp_path / "upload"
                path.write_bytes(Path(example.path).read_bytes())
                found = recognised(given_file(example.modality, path))
            assert (found.example, found.name) == (example.id, example.title)
        assert recognised(given_text(TEXT)).example is None

    def test_a_large_input_is_not_kept_in_a_session_but_read_again(self, tmp_path, monkeypatch):
        monkeypatch.setattr("app.visit.inputs.MAX_HELD_BYTES", 1000)
        colour_picture(0.2).save(tmp_path / "a.png")
        whole = given_file("image", tmp_path / "a.png")
        covered = whole.changed(Region(0, 0, 0.5, 0.5))
        for one in (whole, covered):
            kept = one.kept()
            assert kept.held is None
            assert (kept.key, kept.title) == (one.key, one.title)
            assert kept.input == one.input
            assert kept.input.rgb.tobytes() == one.input.rgb.tobytes()
        assert given_text("a text of more than a thousand bytes" * 40).kept().held is not None
        (tmp_path / "a.png").unlink()
        with pytest.raises(InputError, match=r"^a\.png is no longer here; give the file again\.$"):
            _ = whole.kept().input


class TestMutes:
    def test_the_mask_is_zero_exactly_where_muted(self):
        mutes = Mutes(frozenset({0}), frozenset({2}), frozenset({4}), frozenset({(1, 0, 3)}))
        keep = keep_mask(mutes, (2, 3, 5))
        for head, layer, feature in np.ndindex(2, 3, 5):
            muted = head == 0 or layer == 2 or feature == 4 or (head, layer, feature) == (1, 0, 3)
            assert keep[head, layer, feature] == (0 if muted else 1)

    def test_nothing_muted_needs_no_mask(self):
        assert keep_mask(Mutes(), (2, 3, 5)) is None

    @pytest.mark.parametrize(
        ("mutes", "said"),
        [
            (Mutes(heads=frozenset({2})), "There is no head 2: heads go from 0 to 1"),
            (Mutes(layers=frozenset({-1})), "There is no layer -1"),
            (Mutes(cells=frozenset({(0, 0, 5)})), "There is no feature 5: features go from 0 to 4"),
        ],
    )
    def test_what_does_not_exist_cannot_be_muted(self, mutes, said):
        with pytest.raises(InputError, match=said):
            keep_mask(mutes, (2, 3, 5))

    @given(st.frozensets(st.integers(0, 200)))
    def test_indices_survive_being_written_and_read(self, indices):
        described = Mutes(features=indices).describe().removeprefix("features ").removeprefix("feature ")
        text = "" if not indices else described
        assert parse_indices(text, 201, word="feature") == indices

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("3, x", "Features are written as numbers, such as 3, 7, 20-24; got 'x'"),
            ("9-3", "9-3 runs backwards; write 3-9"),
            ("500", "There is no feature 500: features go from 0 to 383"),
            ("1-99999999999", "are written as numbers"),
            ("0-9999999", "There is no feature 9999999"),
            ("-3", "are written as numbers"),
        ],
    )
    def test_wrong_indices_are_one_sentence(self, text, said):
        with pytest.raises(InputError, match=said):
            parse_indices(text, 384, word="feature")


class TestLibrary:
    def test_names_by_modality(self, offer):
        assert offer.names("text") == ["topics", "topics-b"]
        assert offer.modalities == ["audio", "text", "image"]

    def test_an_unknown_model_lists_those_on_offer(self, offer):
        for name in ("nope", None, 3, ["topics"]):
            with pytest.raises(InputError, match="choose one of tones, topics, topics-b, colours"):
                offer[name]

    def test_a_text_is_not_given_to_a_sound_model(self, offer):
        with pytest.raises(InputError, match="tones explains audio"):
            explain_input(offer, Session(), "tones", given_text(TEXT))

    def test_names_must_differ(self, models):
        with pytest.raises(ConfigError, match="each with a name of its own"):
            Offer([models[0], models[0]])
        with pytest.raises(ConfigError, match="at least one model"):
            Offer([])


class TestActions:
    @pytest.mark.parametrize("kind", ["text", "sound", "image"])
    def test_an_explanation_is_the_cores(self, offer, tmp_path, kind):
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

    def test_a_failed_action_leaves_the_session_as_it_was(self, offer, session):
        before = copy.deepcopy(session)
        for action in (
            lambda: explain_input(offer, session, "topics", given_text("  ")),
            lambda: actions.choose_class(offer, session, 99),
            lambda: actions.compare_models(offer, session, "topics"),
            lambda: actions.mute_selected(offer, session),
            lambda: actions.undo(offer, session),
            lambda: actions.swap(session),
        ):
            with pytest.raises(InputError):
                action()
        assert session.current.explanation.logits.tolist() == before.current.explanation.logits.tolist()

    def test_class_mutes_and_scale_never_run_the_encoder(self, counted):
        offer, counting = counted
        session = explain_input(offer, Session(), "topics", given_text(TEXT))
        assert counting.runs == 1
        session = actions.choose_class(offer, session, 2)
        session = actions.mute_parts(offer, session, ["0"], ["5"], "3-9")
        session = actions.mute_top(offer, session, 10)
        session = actions.undo(offer, session)
        session = actions.redo(offer, session)
        actions.rescaled(offer, session.current, "per_head")
        actions.compare_models(offer, session, "topics-b")  # another head on the same encoder
        assert counting.runs == 1

    def test_a_repeated_input_is_answered_from_cache_and_says_so(self, counted):
        offer, counting = counted
        session = explain_input(offer, Session(), "topics", given_text(TEXT))
        session = explain_input(offer, session, "topics", given_text(OTHER))
        assert not session.current.cached
        session = explain_input(offer, session, "topics", given_text(TEXT))
        assert session.current.cached
        assert counting.runs == 2
        assert "from cache" in html.prediction(session)

    def test_the_cache_is_the_visitors_own(self, counted):
        offer, counting = counted
        explain_input(offer, Session(), "topics", given_text(TEXT))
        other = explain_input(offer, Session(), "topics", given_text(TEXT))
        assert counting.runs == 2
        assert not other.current.cached

    def test_examples_are_encoded_once_for_everybody(self, counted):
        offer, counting = counted
        example = examples_of("text")[0]
        explain_input(offer, Session(), "topics", example.given())
        other = explain_input(offer, Session(), "topics", example.given())
        assert counting.runs == 1
        assert other.current.cached
        assert other.encodings == ()

    def test_the_cache_is_bounded(self, session):
        encoding = session.current.encoding
        for index in range(3 * MAX_CACHED):
            session = session.remembering(str(index), encoding)
        assert [key for key, _ in session.encodings] == [
            str(i) for i in range(2 * MAX_CACHED, 3 * MAX_CACHED)
        ]
        large = replace(encoding, hidden=encoding.hidden.new_zeros((1, len(encoding.tokens), 1)).expand(
            1, len(encoding.tokens), MAX_CACHED_BYTES // (4 * len(encoding.tokens)) // 2 + 1
        ))  # fmt: skip
        for index in range(3):
            session = session.remembering(f"large {index}", large)
        assert [key for key, _ in session.encodings] == ["large 2"]

    def test_a_session_can_be_copied(self, offer, session):
        copied = copy.deepcopy(session)
        recomputed = actions.mute_parts(offer, copied, ["1"], [], "")
        assert recomputed.current.mutes.heads == {1}
        assert not session.current.mutes

    def test_muting_is_the_cores_keep_mask(self, offer, session):
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

    def test_undo_and_redo_walk_through_the_mutes(self, offer, session):
        first = actions.mute_parts(offer, session, ["0"], [], "")
        second = actions.mute_parts(offer, first, ["0", "1"], [], "")
        back = actions.undo(offer, second)
        assert back.current.mutes == first.current.mutes
        np.testing.assert_array_equal(
            back.current.explanation.importance, first.current.explanation.importance
        )
        start = actions.undo(offer, back)
        assert not start.current.mutes
        assert start.baseline is None
        again = actions.redo(offer, actions.redo(offer, start))
        assert again.current.mutes == second.current.mutes
        with pytest.raises(InputError, match="nothing to redo"):
            actions.redo(offer, again)

    def test_the_top_cells_are_those_with_the_highest_importance(self, offer, session):
        muted = actions.mute_top(offer, session, 7)
        importance = session.current.explanation.importance
        chosen = [importance[cell] for cell in muted.current.mutes.cells]
        assert sorted(chosen) == sorted(np.sort(importance.ravel())[-7:])
        for count in (0, 1.5, 10**9, None, "many"):
            with pytest.raises(InputError, match="whole number from 1 to 1000"):
                actions.mute_top(offer, session, count)

    def test_the_selected_cell_is_muted_and_unmuted(self, offer, session):
        chosen = actions.select_cell(session, 1, 2, 3)
        muted = actions.mute_selected(offer, chosen)
        assert muted.current.mutes.cells == {(1, 2, 3)}
        assert not actions.mute_selected(offer, muted).current.mutes

    @pytest.mark.parametrize(
        "place",
        [(4, 0, 0), (0, 6, 0), (0, 0, 384), (-1, 0, 0), (0.0, 0, 0), (True, 0, 0), ("0", 0, 0), (None, 0, 0)],
    )
    def test_a_cell_from_the_browser_is_not_trusted(self, session, place):
        with pytest.raises(InputError, match="There is no such cell: heads go from 0 to 3"):
            actions.select_cell(session, *place)

    def test_pinned_a_stays_while_inputs_change(self, offer, session):
        pinned = actions.pin(session)
        compared = explain_input(offer, pinned, "topics", given_text(OTHER))
        assert compared.baseline is session.current
        value = payload.view_value(compared)["payload"]
        assert value["a"]["text"] == TEXT
        assert value["b"]["text"] == OTHER
        swapped = actions.swap(compared)
        assert swapped.current is session.current
        assert payload.view_value(actions.end_comparison(swapped))["payload"]["b"] is None

    def test_a_changed_input_has_the_original_as_a(self, offer, session):
        changed = actions.change_input(offer, session, edited(session, OTHER))
        again = actions.change_input(offer, changed, edited(session, "Planets and stars."))
        assert again.baseline.given.input.content == TEXT
        assert again.original is session.original
        assert again.current.explanation.explained == session.current.explanation.explained

    def test_choosing_a_class_explains_it_in_a_and_b(self, offer, session):
        changed = actions.change_input(offer, session, edited(session, OTHER))
        chosen = actions.choose_class(offer, changed, 1)
        expected = explain(offer["topics"], OTHER, target=1)
        np.testing.assert_array_equal(
            chosen.current.explanation.token_attribution, expected.token_attribution
        )
        assert chosen.baseline.explanation.explained == 1

    def test_a_mute_keeps_the_class_that_is_explained(self, offer, session):
        explained = session.current.explanation.explained
        muted = actions.mute_parts(offer, session, ["0", "1", "2", "3"], [], "")
        assert muted.current.explanation.explained == explained
        assert muted.current.explanation.degenerate
        assert "The map is constant" in html.prediction(muted)


class TestFragments:
    def test_nothing_a_visitor_writes_becomes_markup(self, offer):
        evil = '<img src=x onerror="alert(1)">& the goalkeeper'
        session = explain_input(offer, Session(), "topics", given_text(evil))
        session = actions.change_input(offer, session, edited(session, evil + " again"))
        for part in (html.prediction(session), html.comparison(session), html.status(evil)):
            assert "<img" not in part
            assert "&lt;img" in part

    def test_all_classes_are_there_and_the_rest_is_folded(self, offer, tmp_path):
        colour_picture(0.0).save(tmp_path / "red.png")
        session = explain_input(offer, Session(), "colours", given_file("image", tmp_path / "red.png"))
        written = html.prediction(session)
        shares = [float(part.split('"')[0]) for part in written.split('data-probability="')[1:]]
        assert shares == sorted(session.current.explanation.probabilities.tolist(), reverse=True)
        assert "<summary>7 more classes</summary>" in written
        assert written.index("data-probability") < written.index("<details")

    def test_the_comparison_gives_the_cores_differences(self, offer, session):
        changed = actions.change_input(offer, session, edited(session, OTHER))
        before, after = (explain(offer["topics"], text).probabilities for text in (TEXT, OTHER))
        written = html.comparison(changed)
        for index in range(3):
            row = written.split(f'data-class="{index}"')[1].split("</tr>")[0]
            assert float(row.split('data-a="')[1].split('"')[0]) == before[index]
            assert float(row.split('data-b="')[1].split('"')[0]) == after[index]

    def test_heads_of_two_models_are_not_subtracted(self, offer, session):
        compared = actions.compare_models(offer, session, "topics-b")
        assert "heads of two models do not correspond" in html.comparison(compared)

    @given(st.floats(0, 1))
    def test_a_share_reads_as_itself(self, share):
        sign, number = re.fullmatch(r"([<>] )?([\d.]+) %", html.percent(share)).groups()
        if sign is None:
            nearest = 0.0501 if 0.1 <= 100 * share <= 99.9 else 0.00501
            assert float(number) == pytest.approx(100 * share, abs=nearest)
        else:
            assert (100 * share < float(number)) == (sign == "< ")


class TestSavedPages:
    def test_a_saved_comparison_says_what_is_muted(self, offer, session):
        muted = actions.mute_parts(offer, session, ["0"], [], "")
        b = muted.current
        path = downloads.write(b.explanation, b.given, format_="html", width="double", pair=muted.pair)
        labels = json.loads(path.read_text("utf-8").split('id="payload">')[1].split("</script>")[0])["labels"]
        assert labels == {"a": f"A: {session.current.title}", "b": f"B: {b.title}"}
        assert "without head 0" in labels["b"]

    def test_a_saved_trim_keeps_its_place_in_the_clip(self):
        media = media_of(EXAMPLES["speech-note"].given().changed(SoundChange(0.5, 1.5)).input)
        assert media["audio"]["start"] == 0.5
        assert media["audio"]["url"].startswith("data:audio/wav")


class TestLinks:
    def test_a_link_names_model_example_and_class(self, offer):
        example = examples_of("text")[1]
        session = explain_input(offer, Session(), "topics-b", example.given(), target=2)
        query = links.query_of(session.current)
        assert links.parse(f"?{query}", offer) == links.Link("topics-b", example.id, 2)

    def test_a_link_never_carries_the_visitors_input(self, offer, session):
        query = links.query_of(session.current)
        assert "goalkeeper" not in query
        assert links.parse(query, offer) == links.Link("topics", None, None, own=True)
        changed = actions.change_input(offer, session, edited(session, OTHER))
        assert "input=own" in links.query_of(changed.current)

    @pytest.mark.parametrize(
        "query",
        [
            None, 7, [], "", "?", "?model=", "?model=nope&input=news-final", "?input=../../etc/passwd",
            "?model=<script>alert(1)</script>", "?model=topics%00", "x" * 10_000, "&".join(["a=1"] * 200),
            "?model=%FF%FE", "?class=1",
        ],
    )  # fmt: skip
    def test_hostile_queries_ask_for_nothing(self, offer, query):
        assert links.parse(query, offer) in (links.Link(), links.Link("topics", "news-final"))
        if query != "?model=nope&input=news-final":
            assert links.parse(query, offer) == links.Link()

    @pytest.mark.parametrize("target", ["99", "-1", "1e3", "٣", "1.0", "", "999999999999"])
    def test_a_class_that_does_not_exist_is_left_out(self, offer, target):
        assert links.parse(f"?model=topics&class={target}", offer).target is None

    def test_an_example_of_another_kind_is_left_out(self, offer):
        assert links.parse("?model=topics&input=photo-lion", offer) == links.Link("topics")


class TestPayload:
    def test_the_payload_is_json_and_its_mark_changes(self, session):
        one, other = payload.view_value(session), payload.view_value(session)
        assert json.loads(json.dumps(one))["payload"]["a"]["model"] == "topics"
        assert one["revision"] != other["revision"]
        assert one["own"] is True
        assert payload.view_value(Session()) is None

    def test_exact_arrays_are_the_explanations(self, session):
        import base64

        answer = payload.exact_value(session, {"id": 4, "source": "a", "name": "gate", "head": 2})
        data = np.frombuffer(base64.b64decode(answer["array"]["data"]), "<f4")
        np.testing.assert_array_equal(data, session.current.explanation.gate[2].ravel())
        assert answer["id"] == 4

    @pytest.mark.parametrize(
        "asked",
        [
            {}, {"source": "a"}, {"source": "c", "name": "gate", "head": 0},
            {"source": "a", "name": "__class__", "head": 0}, {"source": "a", "name": "gate", "head": 99},
            {"source": "a", "name": "gate", "head": "0"}, {"source": "a", "name": ["gate"], "head": 0},
        ],
    )  # fmt: skip
    def test_arrays_that_do_not_exist_are_refused(self, session, asked):
        with pytest.raises(InputError):
            payload.exact_value(session, asked)


class TestWorking:
    def test_the_status_comes_first_and_the_result_last(self):
        steps = list(working(lambda _: time.sleep(0.05) or "result", "Working"))
        assert steps[0] == "Working…"
        assert steps[-1].result == "result"

    def test_an_error_is_raised_where_the_steps_are_read(self):
        def fail(_):
            raise InputError("No.")

        with pytest.raises(InputError, match="No"):
            list(working(fail, "Working"))

    def test_stopping_to_read_tells_the_work(self):
        told = []
        steps = working(lambda stop: told.append(stop.wait(20)), "Working")
        next(steps)
        steps.close()
        for _ in range(100):
            if told:
                break
            time.sleep(0.05)
        assert told == [True]

    def test_an_encoder_does_not_start_for_nobody(self, counted):
        offer, counting = counted
        stop = threading.Event()
        stop.set()
        with pytest.raises(CancelledError):
            explain_input(offer.until(stop), Session(), "topics", given_text(TEXT))
        assert counting.runs == 0


def test_every_example_can_be_explained(offer):
    for example in EXAMPLES.values():
        name = offer.names(example.modality)[0]
        study = explain_input(offer, Session(), name, example.given()).current
        assert study.explanation.probabilities.sum() == pytest.approx(1)
        assert study.given.title == example.title


def test_wrong_files_are_one_sentence(offer, tmp_path):
    (tmp_path / "text.wav").write_text("not a sound")
    (tmp_path / "empty.wav").touch()
    soundfile.write(tmp_path / "short.wav", np.zeros(0, np.float32), RATE)
    colour_picture(0.4, size=(200, 200)).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:900])
    for name, model in {
        "text.wav": "tones",
        "empty.wav": "tones",
        "short.wav": "tones",
        "cut.jpg": "colours",
    }.items():
        modality = "audio" if model == "tones" else "image"
        with pytest.raises(InputError) as refused:
            explain_input(offer, Session(), model, given_file(modality, tmp_path / name))
        sentence = str(refused.value)
        assert name in sentence
        assert str(tmp_path) not in sentence
        assert "\n" not in sentence


def test_every_answer_carries_the_headers():
    sent = []

    async def app(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"x-frame-options", b"ALLOW")]}
        )
        await send({"type": "http.response.body", "body": b""})

    async def keep(message):
        sent.append(message)

    asyncio.run(SecurityHeaders(app)({"type": "http"}, None, keep))
    found = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    assert found == {name.lower(): value for name, value in HEADERS.items()}
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]


def test_old_files_are_deleted_and_new_ones_kept(tmp_path):
    old, new = tmp_path / "a" / "old.wav", tmp_path / "b" / "new.wav"
    for path in (old, new):
        path.parent.mkdir()
        path.touch()
    for path in (old, old.parent):
        os.utime(path, (1000, 1000))
    assert upkeep.sweep(tmp_path, older_than=3600, now=time.time()) == 1
    assert not old.exists()
    assert new.exists()


def test_the_page_is_built_without_a_request_and_without_telemetry(models):
    demo = build_demo(models)
    assert demo.analytics_enabled is False
    assert demo.delete_cache is not None
    public = {
        event.api_name for event in demo.fns.values() if event.api_visibility == "public" and event.api_name
    }
    kinds = ("text", "sound", "image")
    assert public == {"list_models"} | {
        f"{action}_{kind}" for action in ("explain", "change", "compare", "save", "check") for kind in kinds
    }
    encoder = [event for event in demo.fns.values() if event.concurrency_id == "encoder"]
    assert len(encoder) >= 12 + 3 + 4
    assert all(event.concurrency_limit == 1 for event in encoder)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--port", "0"], "a port is a number from 1 to 65535, got '0'"),
        (["--port", "web"], "a port is a number"),
        (["--max-upload-mb", "-1"], "whole number of megabytes"),
        (["--max-upload-mb", "0"], "whole number of megabytes"),
    ],
)
def test_wrong_arguments_end_with_status_2(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def _start(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def test_a_busy_port_is_one_sentence_and_status_2():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = _start("--port", str(port))
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        f"Cannot serve on 127.0.0.1, port {port}: Address already in use; choose another with --port."
    ]


def test_an_unknown_model_is_one_sentence_and_status_2():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ended = _start("--port", str(port), "--model", "no-such-model")
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith("There is no model 'no-such-model'")
    assert "Traceback" not in ended.stderr
