"""Built-in inputs."""

from pathlib import Path

import pytest

from app.page.html.about_model import about_model_html
from app.visit.actions import explain_input
from app.visit.examples import EXAMPLES, offered, recognised
from app.visit.inputs import given_file, given_text
from app.visit.session import Session
from daam_core.explaining import explain
from daam_core.locating import built_in_models
from daam_core.reading.outside import warning
from daam_core.trained import load_model
from tests.app.visitor import TEXT


def test_a_text_or_file_of_an_example_is_that_example(tmp_path):
    for example in EXAMPLES.values():
        if example.modality == "text":
            found = recognised(given_text(example.content))
        else:
            path = tmp_path / "upload"
            path.write_bytes(Path(example.path).read_bytes())
            found = recognised(given_file(example.modality, path))
        assert (found.example, found.name) == (example.id, example.title)
    assert recognised(given_text(TEXT)).example is None


def test_every_example_can_be_explained(offer):
    for example in EXAMPLES.values():
        name = offer.names(example.modality)[0]
        result = explain_input(offer, Session(), name, example.given()).current
        assert result.explanation.probabilities.sum() == pytest.approx(1)
        assert result.given.title == example.title


#: What the built-in models say of the examples that they know.
KNOWN = {
    "news-rates": "Business",
    "news-final": "Sports",
    "news-telescope": "Sci/Tech",
    "photo-coffee": "cup",
    "photo-astronaut": "Faces_easy",
    "drawn-stop-sign": "stop_sign",
    "drawn-yin-yang": "yin_yang",
    "photo-tomato": "Tomato",
    "photo-pineapple": "Pineapple",
    "photo-milk": "Milk",
    "photo-avocado": "Avocado",
}


@pytest.mark.parametrize("name", built_in_models())
def test_a_built_in_model_knows_its_examples_or_they_say_that_it_does_not(name):
    model = load_model(name)
    examples = offered(model.config.modality, name)
    outside = [example for example in examples if name in example.outside]
    assert len(outside) == (len(examples) if name == "speech-emotion" else 1)
    for example in examples:
        assert example.label(name) == example.title + (" (outside)" if example in outside else "")
        found = explain(model, example.given().input)
        assert found.outside.is_outside == (name in example.outside), example.id
        if example.id in KNOWN:
            assert found.predicted_class == KNOWN[example.id]
            assert warning(found) == ""
    # The card says how well unlike inputs are told, and known ones are let through.
    facts = model.known.facts
    assert facts["kept"] == 95
    assert abs(facts.get("test", {"inside": 0.95})["inside"] - 0.95) < 0.03
    for told in facts["unlike"]:
        row = f"| {told['name']} | {told['inputs']:,} | {told['auroc']:.3f} | {told['outside']:.1%} |"
        assert row in model.card
        assert told["auroc"] > 0.9
    general = ["photo-lion", "photo-cheetah", "photo-bus", "photo-tower"]
    assert [example.id for example in offered("image", "colours")] == general


def test_a_card_says_what_a_model_is(offer):
    said = about_model_html(load_model("speech-emotion"))
    assert (
        "<summary>Four acted emotions in German and English speech: angry, happy, neutral, sad</summary>"
        in said
    )
    assert "85.6 % ± 2.5, measured by: 5 folds by group" in said
    assert "Thirty actors reading twelve sentences" in said
    assert "43 classes</dt>" in about_model_html(load_model("image-grocery"))
    assert "<summary>Topics tells apart sport, money, science</summary>" in about_model_html(offer["topics"])
