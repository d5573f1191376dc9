"""Saved pages of the interactive view, and how its modules get into them."""

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import matplotlib as mpl
import numpy as np

from daam_core.reading.quantities import CAUTION, caution
from daam_core.reading.sentences import in_words
from daam_core.reading.terms import TERMS
from daam_core.view.modules import bundle, import_map, modules, view_style
from daam_core.view.page import view_html
from tests.support.builders import make_explanation
from tests.view.test_payload import decode

EVIL = '</script><script>alert(1)</script><!-- <img src=x onerror="alert(2)"> \u2028 ]]>'


class Scripts(HTMLParser):
    """Collects script elements and the addresses that a page would ask for."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self._inside: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag == "script":
            self._inside = dict(attrs).get("id") or f"script {len(self.scripts)}"
            self.scripts[self._inside] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is not None:
            self.scripts[self._inside] += data


def parsed(page: str) -> Scripts:
    found = Scripts()
    found.feed(page)
    return found


def test_no_text_can_leave_its_place_in_the_page() -> None:
    e = make_explanation("text")
    e = replace(
        e,
        model=EVIL,
        text=EVIL,
        token_labels=tuple(EVIL for _ in e.token_labels),
        token_spans=np.full_like(e.token_spans, np.nan),
        class_names=(EVIL, *e.class_names[1:]),
        provenance={EVIL: EVIL},
    )
    page = view_html(e, names=(EVIL, "B"), state={"tab": EVIL})
    found = parsed(page)
    arrays = len(json.loads(found.scripts["payload"])["a"]["arrays"])
    assert found.tags.count("script") == 4 + arrays
    assert "img" not in found.tags
    payload = json.loads(found.scripts["payload"])
    assert payload["a"]["text"] == EVIL
    assert payload["a"]["class_names"][0] == EVIL
    assert payload["a"]["name"] == EVIL
    assert json.loads(found.scripts["state"]) == {"tab": EVIL}


def test_the_page_names_the_inputs_and_says_what_the_map_does_not_show() -> None:
    e = make_explanation("text")
    page = view_html(e, names=("a <b> & c.txt", ""))
    assert '<p class="given">Input: a &lt;b&gt; &amp; c.txt</p>' in page
    assert f"show.</strong> {html.escape(CAUTION)}</p>" in page
    first = html.escape(f"{caution('evidence')} {CAUTION}")
    assert f"show.</strong> {first}</p>" in view_html(replace(e, evidence=e.class_importance))
    assert '<p class="given">A: one; B: two</p>' in view_html(e, compare=e, names=("one", "two"))
    assert '<p class="given"></p>' in view_html(e)


def test_the_page_says_what_stands_out_and_what_its_words_mean() -> None:
    e = make_explanation("text")
    page = view_html(e)
    assert json.loads(parsed(page).scripts["payload"])["a"]["in_words"] == list(in_words(e))
    for symbol, term in TERMS.items():
        assert f'id="term-{symbol}"' in page
        assert html.escape(term.sentence) in page


def test_the_page_needs_nothing_else() -> None:
    page = view_html(make_explanation("image"))
    found = parsed(page)
    assert found.addresses == []
    assert "default-src 'none'" in page
    assert not re.search(r"@import|url\(", view_style())
    own = "".join(text for path, text in modules().items() if not path.startswith("vendor/"))
    own = re.sub(r"/\*.*?\*/", "", own, flags=re.DOTALL)  # types are named by import() in comments
    own = re.sub(r"await import\('\./[^']+'\)", "", own)  # of a module that the page holds
    for way_out in ("fetch(", "XMLHttpRequest", "import(", "innerHTML", "insertAdjacentHTML", "eval("):
        assert way_out not in own
    assert "dangerouslySetInnerHTML" not in own
    addresses = set(re.findall(r"https?://[^\s'\"]+", "".join(modules().values()) + view_style()))
    assert addresses <= {"http://www.w3.org/2000/svg"}


def test_only_the_pages_own_scripts_may_run() -> None:
    page = view_html(make_explanation())
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    scripts = parsed(page).scripts
    runs = [text for name, text in scripts.items() if name not in ("payload", "state") and name[:2] != "A-"]
    assert len(runs) == 2
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in runs]
    allowed = policy[1].split("script-src ")[1].split(";")[0]
    assert allowed == " ".join(["data:", *(f"'sha256-{digest}'" for digest in digests)])


def test_the_page_holds_everything_exactly_whatever_its_size() -> None:
    e = make_explanation(heads=1, layers=12, features=6000, tokens=3, dataset=False)
    other = replace(e, gate=1 - e.gate)
    scripts = parsed(view_html(e, compare=other)).scripts
    for side, one in (("a", e), ("b", other)):
        gate = json.loads(scripts["payload"])[side]["arrays"]["gate"]
        assert "data" not in gate
        assert np.array_equal(decode(gate | {"data": scripts[f"{side.upper()}-gate"]}), one.gate)


def test_title_and_provenance_stand_in_the_page() -> None:
    e = make_explanation()
    assert f"Why “{e.predicted_class}”? An explanation of test-head" in view_html(e)
    other = replace(make_explanation(seed=3), model="another-head")
    assert (
        f"Why “{e.answer}” (A), why “{other.answer}” (B)? Two explanations of test-head and another-head"
        in (view_html(e, compare=other))
    )
    page = view_html(e, title="Mine & yours")
    assert "<title>Mine &amp; yours</title>" in page
    assert '"model": "test-head"' in html.unescape(page)


# ---- modules -------------------------------------------------------------------------------------


def test_every_module_stands_behind_those_that_it_imports() -> None:
    known: set[str] = set()
    for path, text in modules().items():
        imported = re.findall(r"""(?:from |import |await import\()'(\.[^']+)'""", text)
        folder = path.rpartition("/")[0]
        for name in imported:
            target = f"{folder}/{name}" if folder else name
            target = re.sub(r"[^/]+/\.\./", "", target.replace("./", "") if name.startswith("./") else target)
            assert target in known, (path, name)
        known.add(path)
    assert known >= {"daam_view.js", "vendor/preact_htm.js", "vendor/print_font.js", "sections/heads.js"}


def test_what_others_wrote_is_unchanged() -> None:
    digest = hashlib.sha256(modules()["vendor/preact_htm.js"].encode()).hexdigest()
    assert digest == "72284e8e9079c87817145df1110f74e8a2aa040b2fc384922e18dfcb46fc1fd7"


def test_an_import_map_names_every_module_in_full() -> None:
    found = import_map()["imports"]
    assert set(found) == {f"daam-view/{path}" for path in modules()}
    for address in found.values():
        text = base64.b64decode(address.removeprefix("data:text/javascript;base64,")).decode()
        names = re.findall(r"""(?:from |import |await import\()'([^']+)'""", text)
        assert set(names) <= set(found)


def test_a_bundle_holds_every_module_once() -> None:
    text = bundle("export default view;")
    for path in modules():
        assert text.count(f'["{path}", ') == 1
    assert "from './" not in text
    assert "from '../" not in text
    assert "await import('./" not in text


def test_script_and_print_use_the_same_palettes() -> None:
    tables = dict(re.findall(r"(cividis|viridis):\s*((?:'[0-9a-f]+'[ +\n]*)+)", modules()["palettes.js"]))
    for name, written in tables.items():
        colours = "".join(re.findall(r"'([0-9a-f]+)'", written))
        wanted = "".join(mpl.colors.to_hex(mpl.colormaps[name](i))[1:] for i in range(256))
        assert colours == wanted, name
    assert set(tables) == {"cividis", "viridis"}
