"""The view in a notebook cell: what the cell's script does with the widget's model."""

import json
from pathlib import Path

from playwright.sync_api import Page, expect

from daam_core.study.notebook import answer, notebook_study
from daam_core.view.notebook import notebook_view
from daam_core.view.payload import view_payload
from tests.browser.barriers import Barriers
from tests.browser.view_page import place, settle
from tests.support.builders import make_explanation
from tests.support.studies import drawn_study

MODEL = """(values) => ({
    values,
    saved: [],
    listeners: {},
    get(name) { return this.values[name]; },
    set(name, value) { this.values[name] = value; },
    save_changes() { this.saved.push(structuredClone(this.values)); },
    on(event, listener) { this.listeners[event] = listener; },
    off(event) { delete this.listeners[event]; },
    send(name, value) { this.values[name] = value; this.listeners[`change:${name}`](); },
})"""


def test_a_cell_shows_a_study_and_asks_python(page: Page, tmp_path: Path) -> None:
    study = drawn_study(tmp_path / "study", planted=(1, 2, 7), row=lambda n: {"text": f"No. {n}"})
    widget = notebook_study(study, state={"tab": "slices", "first": "label.2"})
    page.set_content("<!DOCTYPE html><html lang='en'><title>Cell</title><div id='cell'></div></html>")
    page.add_style_tag(content=widget._css)
    page.expose_function("asks", lambda message: answer(study, message))
    page.evaluate(
        f"""async ([text, values]) => {{
            const address = URL.createObjectURL(new Blob([text], {{type: 'text/javascript'}}));
            const {{ default: widget }} = await import(address);
            window.model = ({MODEL})(JSON.parse(values));
            model.send = (message) => asks(message).then((told) => model.listeners['msg:custom'](told));
            window.end = widget.render({{model, el: document.getElementById('cell')}});
        }}""",
        [widget._esm, json.dumps({"payload": widget.payload, "state": widget.state})],
    )
    cell = page.locator("#cell")
    expect(cell.locator(".ds-slices")).to_contain_text("1 of 120 cells differ")
    cell.get_by_role("button", name="head 1, layer 2, feature 7").click()
    expect(cell.locator("[data-end=highest] .ds-card")).to_have_count(20)
    # Readable whatever the notebook's own colours are.
    barriers = Barriers(page)
    barriers.look("a study", "#cell")
    assert barriers.found == {}
    assert page.evaluate("() => model.saved.at(-1).state.place") == {"head": 1, "layer": 2, "feature": 7}
    page.evaluate("() => end()")
    assert cell.inner_html() == ""
    assert page.evaluate("() => Object.keys(model.listeners)") == []


def test_a_cell_shows_the_payload_and_tells_what_a_reader_does(page: Page) -> None:
    a, b = make_explanation(seed=1), make_explanation(seed=2)
    widget = notebook_view(a, state={"tab": "heatmap"}, explain=lambda target: a)
    page.set_content("<!DOCTYPE html><html lang='en'><title>Cell</title><div id='cell'></div></html>")
    page.add_style_tag(content=widget._css)
    values = {name: getattr(widget, name) for name in ("payload", "state", "cell", "target", "explains")}
    page.evaluate(
        f"""async ([text, values]) => {{
            const address = URL.createObjectURL(new Blob([text], {{type: 'text/javascript'}}));
            const {{ default: widget }} = await import(address);
            window.model = ({MODEL})(JSON.parse(values));
            window.end = widget.render({{model, el: document.getElementById('cell')}});
            window.view = document.querySelector('daam-view');
        }}""",
        [widget._esm, json.dumps(values)],
    )
    settle(page)
    barriers = Barriers(page)
    barriers.look("an explanation", "#cell")
    assert barriers.found == {}
    at = place(page, 0, 4, 7)
    page.mouse.click(at["x"], at["y"])
    settle(page)
    assert page.evaluate("() => model.saved.at(-1).cell") == {"head": 0, "layer": 4, "feature": 7}
    assert page.evaluate("() => model.saved.at(-1).state.cell") == {"layer": 4, "feature": 7}
    # Python sets what is shown, and another explanation.
    page.evaluate("() => model.send('state', {tab: 'input'})")
    page.get_by_label("Explained class", exact=True).select_option("2")
    assert page.evaluate("() => model.saved.at(-1).target") == 2
    page.evaluate("payload => model.send('payload', payload)", view_payload(b, limit=None))
    page.evaluate("() => model.send('state', {tab: 'summary'})")
    expect(page.locator(".dv-prediction strong")).to_have_text(b.predicted_class)
    page.evaluate("() => end()")
    assert page.locator("#cell").inner_html() == ""
    assert page.evaluate("() => Object.keys(model.listeners)") == []
