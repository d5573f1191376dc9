"""Ways in, on the real page: examples, own input, wrong input, two visitors, cancelling."""

import base64
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import expect

from app.visit.examples import EXAMPLES
from daam_core.explaining import explain
from daam_core.reading.sentences import what_stands_out
from tests.browser.app_page import AppPage
from tests.browser.barriers import Barriers
from tests.browser.view_page import contrast
from tests.support.media import encoded, picture_file
from tests.support.small_heads import RATE, colour_picture, tone

TEXT = "The keeper saved two penalties."


def assert_is_the_cores(app, explanation) -> None:
    """Every class on the page has the core's probability, to the last digit."""
    shown = app.probabilities()
    assert [
        shown[index] for index in range(len(explanation.class_names))
    ] == explanation.probabilities.tolist()
    answer = app.page.inner_text("#prediction .dx-answer strong")
    assert answer == explanation.predicted_class


@pytest.mark.parametrize(
    ("tab", "name", "model"),
    [
        ("Sound", "speech-note", "tones"),
        ("Text", "news-final", "topics"),
        ("Picture", "photo-bus", "colours"),
    ],
)
def test_an_example_works_at_the_first_click(app, server, tab, name, model):
    app.example(tab, name)
    example = EXAMPLES[name]
    expected = explain(server.models[model], example.content if tab == "Text" else example.path)
    assert_is_the_cores(app, expected)
    expect(app.page.locator("#prediction .dx-input-name")).to_have_text(example.title)
    assert app.problems == []


def test_silence_is_warned_of_before_its_answer(app, tmp_path):
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    app.give_file("audio", tmp_path / "silence.wav")
    player = app.page.locator("#input-audio .standard-player").bounding_box()
    clear = app.page.get_by_label("Clear", exact=True).bounding_box()
    assert player["x"] + player["width"] <= clear["x"], "what takes a sound away stands beside its player"
    app.does("#run-audio")
    warned, answer = (app.page.locator(f"#prediction .dx-{name}") for name in ("outside", "answer"))
    expect(warned).to_contain_text("Outside what it knows. The sound is silent: every sample is 0")
    assert warned.bounding_box()["y"] < answer.bounding_box()["y"]
    reasons, why = warned.locator(".dx-reasons"), warned.get_by_role("button", name="Why")
    expect(reasons).to_be_visible()
    expect(why).to_be_hidden()
    # On a phone it is one line that opens, and the map is on the first screen all the same.
    app.page.set_viewport_size({"width": 390, "height": 844})
    expect(reasons).to_be_hidden()
    assert warned.bounding_box()["height"] < 32
    assert _first_map(app)["y"] < 760
    why.click()
    expect(reasons).to_be_visible()


def _first_map(app) -> dict[str, float]:
    app.page.evaluate("scrollTo(0, 0)")
    return app.page.locator("#view .dv-map-stage").first.bounding_box()


def test_a_phones_first_screen_shows_the_answer_the_words_and_the_map(app, server):
    page = app.page
    page.set_viewport_size({"width": 390, "height": 844})
    app.example("Text", "news-mixed")
    box = _first_map(app)
    assert box["y"] + box["height"] < 844
    for part in (
        "#prediction .dx-answer",
        "#prediction .dx-input-name",
        "#view .dv-in-words",
        "#step-why .dx-limits",
    ):
        place = page.locator(part).bounding_box()
        assert 0 <= place["y"] < box["y"], part
    # Folded words are the first sentence; the others are one press away.
    sentences = what_stands_out(explain(server.models["topics"], EXAMPLES["news-mixed"].content))
    said = page.locator("#view .dv-in-words")
    assert sentences[0] in said.inner_text()
    assert sentences[-1] not in said.inner_text()
    said.get_by_role("button", name="More words").click()
    assert " ".join(sentences) in said.inner_text()
    # What the menu opens includes the search.
    expect(page.get_by_label("Find feature").first).to_be_hidden()
    page.locator("#view").get_by_role("button", name="Display").first.click()
    expect(page.get_by_label("Find feature").first).to_be_visible()
    # A map that is pressed stands above the numbers of its cell, and these stand apart.
    pressed = page.locator("#view .dv-map-overlay").nth(1)
    pressed.click(position={"x": 40, "y": 10})
    readout = page.locator("#view .dv-readout").first
    expect(readout).to_be_visible()
    place = pressed.bounding_box()
    assert place["y"] + place["height"] <= readout.bounding_box()["y"]
    items = [one.bounding_box() for one in readout.locator(".dv-readout-list > div").all()]
    assert all(
        one["x"] + one["width"] + 8 <= other["x"] or one["y"] + one["height"] <= other["y"]
        for one, other in itertools.pairwise(items)
    )


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_a_sound_of_ones_own(app, server, tmp_path, suffix):
    path = tmp_path / f"own.{suffix}"
    soundfile.write(path, np.stack([tone(300), tone(310)], 1), RATE)
    app.give_file("audio", path)
    app.does("#run-audio")
    assert_is_the_cores(app, explain(server.models["tones"], path))
    app.view_tab("Input")
    expect(app.page.locator("#view audio")).to_have_attribute("src", re.compile("gradio_api/file="))
    duration = app.page.wait_for_function(
        "() => { const a = document.querySelector('#view audio'); return a.duration || null; }"
    )
    assert duration.json_value() == pytest.approx(0.6, abs=0.1)


def test_a_picture_of_ones_own(app, server, tmp_path):
    path = tmp_path / "own.png"
    colour_picture(0.55, seed=5).save(path)
    app.give_file("image", path)
    app.does("#run-image")
    assert_is_the_cores(app, explain(server.models["colours"], path))
    expect(app.page.locator("#prediction summary")).to_have_text("All 12 classes")


@pytest.mark.parametrize(
    ("name", "container", "codec"), [("memo.webm", "webm", "libopus"), ("film.mp4", "mp4", "aac")]
)
def test_a_sound_as_browsers_and_phones_record_it(app, server, tmp_path, name, container, codec):
    """The browser takes both for films, which Gradio's control would refuse."""
    path = tmp_path / name
    path.write_bytes(encoded(container, codec))
    app.give_file("audio", path)
    app.does("#run-audio")
    assert_is_the_cores(app, explain(server.models["tones"], path))


DROP = """([content, name, type]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([bytes], name, { type }));
  const place = document.querySelector('#input-audio button:has(input[type=file])');
  place.dispatchEvent(new DragEvent('drop', { bubbles: true, cancelable: true, dataTransfer }));
}"""


def test_a_film_that_is_dropped_gives_its_sound(app, server, tmp_path):
    content = encoded("mp4", "aac")
    (tmp_path / "film.mp4").write_bytes(content)
    app.tab("Sound")
    app.page.evaluate(DROP, [base64.b64encode(content).decode(), "film.mp4", "video/mp4"])
    app.page.wait_for_selector("#input-audio button[aria-label='Clear']", state="attached")
    app.does("#run-audio")
    assert_is_the_cores(app, explain(server.models["tones"], tmp_path / "film.mp4"))


def test_a_picture_of_a_phone(app, server, tmp_path):
    path = tmp_path / "IMG_0001.HEIC"
    path.write_bytes(picture_file(colour_picture(0.55, seed=5), "HEIF", quality=95))
    app.give_file("image", path)
    app.does("#run-image")
    assert_is_the_cores(app, explain(server.models["colours"], path))


def test_a_text_of_ones_own_and_the_choice_of_model(app, server):
    app.explain_text(TEXT, model="topics-b")
    assert_is_the_cores(app, explain(server.models["topics-b"], TEXT))


@pytest.fixture
def wrong_files(tmp_path) -> dict[str, Path]:
    files = {name: tmp_path / name for name in ("text.wav", "empty.wav", "short.wav", "cut.jpg", "text.png")}
    for name in ("text.wav", "text.png"):
        files[name].write_text("This is a text and neither a sound nor a picture. " * 20)
    files["empty.wav"].touch()
    soundfile.write(files["short.wav"], np.zeros(0, np.float32), RATE)
    colour_picture(0.4, size=(300, 300)).save(tmp_path / "whole.jpg")
    files["cut.jpg"].write_bytes((tmp_path / "whole.jpg").read_bytes()[:2000])
    return files


def test_wrong_input_is_answered_with_one_sentence_and_the_last_result_stays(app, server, wrong_files):
    app.explain_text(TEXT)
    before, mark = app.probabilities(), app.shown()
    for name, said in {
        "text.wav": "text.wav is a text, not a sound",
        "empty.wav": "empty.wav is empty (0 bytes)",
        "short.wav": "short.wav lasts 0.000 s; a sound must last at least 0.1 s",
        "cut.jpg": "cut.jpg is",
        "text.png": "text.png is a text, not a picture",
    }.items():
        kind, modality = ("Sound", "audio") if name.endswith("wav") else ("Picture", "image")
        app.tab(kind)
        # Said as soon as the file is there, before anybody asks for an explanation of it.
        app.page.set_input_files(f"#input-{modality} input[type=file]", str(wrong_files[name]))
        app.says(said)
        assert "Traceback" not in app.page.content()
        assert str(server.folder) not in app.status()
        # Nothing of it stays, no broken picture either.
        expect(app.page.locator(f"#input-{modality} input[type=file]")).to_be_attached()
        expect(app.page.locator(f"#input-{modality} img, #input-{modality} audio")).to_have_count(0)
    app.page.click("#run-image")
    app.page.wait_for_function(
        "() => document.querySelector('#status [data-previous]')"
    )  # the answer to that
    app.says("text.png is a text, not a picture")  # asked for all the same: the reason stays
    # It goes with its tab: of a text it says nothing.
    wrong = app.page.locator("#status [role=alert]")
    expect(wrong).to_be_visible()
    app.tab("Text")
    expect(wrong).to_be_hidden()
    app.page.fill("#input-text textarea", "   ")
    app.page.click("#run-text")
    app.says("The text is empty")
    assert app.probabilities() == before
    assert app.shown() == mark
    expect(wrong).to_be_visible()
    assert "Traceback" not in server.log.read_text()


def test_a_file_over_the_limit_is_refused(app, server, tmp_path):
    path = tmp_path / "large.wav"
    soundfile.write(path, tone(300, seconds=40), RATE)
    assert path.stat().st_size > 2**20
    app.tab("Sound")
    app.page.set_input_files("#input-audio input[type=file]", str(path))
    expect(app.page.get_by_text("exceed the maximum allowed size of 1.0 Mb")).to_be_visible()
    app.page.click("#run-audio")
    app.says("There is no sound yet")


@pytest.mark.slow
def test_two_visitors_never_see_each_others_results(browser, server):
    pages = []
    for text in ("My own secret about planets.", "Another person's football match."):
        context = browser.new_context()
        visitor = AppPage(context.new_page(), server.url)
        visitor.open()
        visitor.explain_text(text)
        pages.append((context, visitor, text))
    (_, one, first), (_, two, second) = pages
    for visitor, own, foreign in ((one, first, second), (two, second, first)):
        content = visitor.page.content() + str(
            visitor.page.evaluate("JSON.stringify(DaamPage.shownView().state)")
        )
        assert own[:20] in content
        assert foreign[:20] not in content
    expected = dict(enumerate(explain(server.models["topics"], first).probabilities.tolist()))
    assert one.probabilities() == expected
    # A reload is a new visit.
    two.open()
    expect(two.page.locator("#prediction")).to_contain_text("Nothing explained yet")
    for context, _, _ in pages:
        context.close()


def test_a_run_can_be_cancelled_and_the_last_result_stays(app, tmp_path):
    app.explain_text(TEXT)
    before = app.probabilities()
    long = " ".join(f"Sentence number {i} is about the weather in town {i}." for i in range(900))
    app.tab("Text")
    app.page.fill("#input-text textarea", long)
    app.page.click("#run-text")
    app.says("Explaining your input")
    app.page.click("#cancel")
    app.says("Cancelled. The last result is still here.")
    barriers = Barriers(app.page)
    barriers.look("cancelled", "#ask")
    assert barriers.found == {}
    app.page.wait_for_timeout(1500)
    assert app.probabilities() == before
    expect(app.page.locator("#cancel")).to_be_hidden()
    # The page goes on working.
    app.explain_text("Shares rose.")
    app.says("Done")


#: Size of an icon's button and of its drawing, its colour and that of the page around it.
SIGN = """icon => {
  const ground = getComputedStyle(document.querySelector('#step-input')).backgroundColor;
  const sizes = [icon, icon.querySelector('svg')].map((part) => part.getBoundingClientRect());
  const size = sizes.flatMap(({ width, height }) => [width, height]);
  return [size, getComputedStyle(icon).color, ground];
}"""


def test_the_microphone_is_a_way_in(app):
    app.tab("Sound")
    for theme in ("light", "dark"):
        app.page.emulate_media(color_scheme=theme)
        for icon in app.page.locator("#input-audio .source-selection .icon").all():
            size, colour, ground = icon.evaluate(SIGN)
            assert size == [36, 36, 20, 20], theme
            assert contrast(colour, ground) >= 7, theme
    app.page.get_by_label("Record audio").click()
    app.page.click("#input-audio .record-button")
    app.page.wait_for_timeout(1500)
    app.page.click("#input-audio .stop-button")
    app.page.wait_for_selector("#input-audio audio", state="attached")
    app.does("#run-audio")
    seconds = re.fullmatch(r"Done: explained (\d+(?:\.\d+)?) s of sound\.", app.status().strip())
    assert seconds, app.status()
    assert 0.5 < float(seconds.group(1)) < 10
    assert sum(app.probabilities().values()) == pytest.approx(1, abs=1e-5)


def test_the_camera_is_a_way_in(app):
    app.tab("Picture")
    app.page.get_by_label("Capture from camera").click()
    app.page.click("#input-image >> text=Click to Access Webcam")
    app.page.wait_for_function("() => document.querySelector('#input-image video')?.currentTime > 0.2")
    app.page.get_by_label("capture photo").click()
    expect(app.page.get_by_label("Remove Image")).to_be_visible()  # the photo is taken
    app.does("#run-image")
    app.says("Done: explained the picture")
    assert sum(app.probabilities().values()) == pytest.approx(1, abs=1e-5)


def test_the_empty_page_says_what_to_do(app):
    expect(app.page).to_have_title("DAAM explorer: why a model decided")
    expect(app.page.locator("h1")).to_have_text("Why did the model decide that?")
    expect(app.page.locator("#prediction")).to_contain_text("Nothing explained yet")
    expect(app.page.locator("#step-why")).to_contain_text("What the map does not show")
    expect(app.page.locator("#step-compare")).to_have_count(0)
    app.says("Ready")
