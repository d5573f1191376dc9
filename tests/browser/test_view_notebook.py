"""The view in a notebook cell: what the cell's script does with the widget's model."""

import json

from playwright.sync_api import Page, expect

from daam_core.view.notebook import notebook_view
from daam_core.view.payload import view_payload
from tests.browser.view_page import place, settle
from tests.support.builders import make_explanation

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
