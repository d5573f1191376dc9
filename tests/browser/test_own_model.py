"""The page on a model of somebody's own: one of the published package, trained here, attached and served."""

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from app import Served, Serving, serve
from app.visit.inputs import given_text
from app.visit.own import OwnModel
from app.visit.session import Session
from daam_core import attach
from daam_core.attaching import Attached, Prepared
from daam_core.errors import ConfigError, InputError
from daam_core.export import from_json
from tests.browser.barriers import Barriers
from tests.browser.conftest import free_port
from tests.support.own_models import CLASSES, WORDS, prepare, trained

TEXT = "the old river thunder near a house gale"
expect.set_options(timeout=30_000)
OTHER = "the old river wheat near a house barley"


def prepared(text: str) -> Prepared:
    unknown = [word for word in text.split() if word not in WORDS]
    if unknown:
        raise InputError(f"The reader does not know the word “{unknown[0]}”.")
    return prepare(text)


@pytest.fixture(scope="module")
def attached() -> Iterator[Attached]:
    axes, model = ("token", "feature"), trained("block")
    with attach(model, TEXT, prepare=prepared, class_names=CLASSES, axes=axes, name="reader") as found:
        yield found


@pytest.fixture(scope="module")
def served(attached, tmp_path_factory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("own")))
        page = serve(attached, serving=Serving(port=free_port()), wait=False)
        yield page
        page.close()


def give(page: Page, text: str) -> None:
    if page.locator("#change-given").count():
        page.locator("#change-given").click()
    page.locator("#input-text textarea").fill(text)
    page.locator("#run").click()


def test_from_an_input_to_its_reasons_a_comparison_and_a_file(page: Page, served, attached, tmp_path):
    page.goto(served.url)
    expect(page.get_by_role("heading", name="Why did reader decide that?")).to_be_visible()
    barriers = Barriers(page)
    barriers.look("empty")
    give(page, TEXT)
    expect(page.locator(".dx-answer")).to_contain_text("storm")
    expect(page.locator(".dx-of-line")).to_contain_text("reader: attention.layers.1")
    # The last attention runs over features, the first over tokens.
    assert "Features" in page.locator(".dv-tab").all_inner_texts()
    page.locator("#attention input").click()
    page.get_by_role("option", name="attention.layers.0").click()
    expect(page.locator(".dx-of-line")).to_contain_text("reader: attention.layers.0")
    # Nothing is called a layer where the axes have other names.
    words = page.locator("#view, #foot .terms").all_text_contents()
    hints = page.locator("#view [title]").evaluate_all("parts => parts.map((part) => part.title)")
    assert not [text for text in (*words, *hints) if re.search(r"(?<!attention\.)layers?\b(?!\.)", text)]
    page.get_by_role("tab", name="Tokens", exact=True).click()
    page.get_by_role("tab", name="Map and cell", exact=True).click()
    expect(page.locator(".dv-row-ticks").first).to_contain_text("the")

    # A link brings the attention back, and the view with the same input; it never carries the input.
    link = page.url
    assert "input=own" in link
    assert "thunder" not in link
    page.goto("about:blank")
    page.goto(link)
    expect(page.locator("#status")).to_contain_text("give the same input again, and the view comes back")
    expect(page.locator("#attention input")).to_have_value("attention.layers.0")
    give(page, TEXT)
    expect(page.get_by_role("tab", name="Map and cell", exact=True)).to_have_attribute(
        "aria-selected", "true"
    )

    page.locator("#check").click()
    expected = OwnModel(attached, "text")
    session = expected.explain(Session(), given_text(TEXT), "attention.layers.0")
    found = expected.check(session, stopped=lambda: False)
    expect(page.locator("#check-result .dx-verdict")).to_have_text(found.sentence)
    expect(page.locator("#view .dv-in-words")).to_contain_text(found.sentence)
    expect(page.locator("#cancel")).to_be_hidden()

    expect(page.locator("#end-comparison")).to_be_disabled()
    page.locator("#results").get_by_text("Use as A").first.click()
    expect(page.locator("#status")).to_contain_text("A is chosen")
    give(page, OTHER)
    expect(page.locator(".dx-answer")).to_contain_text("harvest")
    expect(page.locator(".dx-before")).to_contain_text("storm")
    expect(page.locator("#end-comparison")).to_be_enabled()
    barriers.look("checked and compared")

    give(page, "the old blub")
    expect(page.locator("#status")).to_contain_text("The reader does not know the word “blub”.")
    barriers.look("after an error", "#ask")
    assert barriers.found == {}
    expect(page.locator(".dx-answer")).to_contain_text("harvest")

    page.locator("#save-format input").click()
    page.get_by_role("option", name="JSON").click()
    with page.expect_download() as coming:
        page.locator("#save").click()
    coming.value.save_as(tmp_path / "saved.json")
    found = from_json((tmp_path / "saved.json").read_text("utf-8"))
    expected = attached.explain(OTHER)["attention.layers.0"]
    np.testing.assert_array_equal(found.gate, expected.gate)
    np.testing.assert_array_equal(found.token_attribution, expected.token_attribution)
    assert json.loads((tmp_path / "saved.json").read_text("utf-8"))["axis_names"] == ["token", "feature"]


def test_an_attached_model_has_a_page_alone(attached):
    with pytest.raises(ConfigError, match="serve it alone"):
        serve(attached, attached, wait=False)
    with pytest.raises(ConfigError, match="modality must be one of audio, text, image, got 'video'"):
        serve(attached, modality="video", wait=False)
