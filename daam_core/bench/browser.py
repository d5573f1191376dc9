"""What a browser takes to open the view and to answer in it, and what the page loads before its first result.

A headless Chromium, driven by Playwright, opens saved pages with explanations of random numbers, and the
real app.
"""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import torch

from daam_core.bench.app import running_app
from daam_core.bench.chromium import HOW_TO_GET_IT, find_chromium
from daam_core.bench.library import classifier_of_size, ordinary_text
from daam_core.encoding import Encoding, Tokens
from daam_core.errors import ConfigError
from daam_core.explaining import explain_encoding
from daam_core.locating import built_in_models
from daam_core.result import Explanation
from daam_core.trained import TrainedClassifier, load_model
from daam_core.view.page import view_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: Milliseconds from which a task counts as long: the page answers nobody meanwhile.
LONG_TASK = 50
#: Heads, layers, features.
SIZES = ((4, 16, 320), (8, 40, 5120))
WINDOW = (1280, 800)
TOKENS = 16
#: Says that the app's page is there.
_READY = "Array.from(document.querySelectorAll('[role=tab]')).some((t) => t.textContent.trim() === 'Text')"
PATIENCE = 20_000  # milliseconds

#: Notes tasks and drawings from the start of a page on, and times an action from its event to the next frame
#: that is painted, and to the last change.
_WATCH = """
window.watched = (() => {
  const tasks = [];
  const note = (list) => list.forEach((e) => tasks.push([e.startTime, e.duration]));
  const observer = new PerformanceObserver((list) => note(list.getEntries()));
  observer.observe({ type: 'longtask', buffered: true });
  let [redraws, last, begun, painted] = [0, 0, 0, null];
  const put = CanvasRenderingContext2D.prototype.putImageData;
  CanvasRenderingContext2D.prototype.putImageData = function (...all) {
    redraws += 1;
    changed();
    return put.apply(this, all);
  };
  const changed = () => {
    last = performance.now();
  };
  new MutationObserver(changed).observe(document, { subtree: true, childList: true, attributes: true });
  const frame = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => done(performance.now());
    port2.postMessage(null);
  }));
  const begin = (event) => {
    if (painted) return;
    begun = event.timeStamp;
    painted = frame();
  };
  for (const name of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'click', 'change', 'submit']) {
    window.addEventListener(name, begin, { capture: true, passive: true });
  }
  return {
    start() { redraws = 0; last = 0; begun = 0; painted = null; },
    async end() {
      const opened = performance.getEntriesByName('first-contentful-paint')[0]?.startTime;
      const first = painted ? await painted : opened || (await frame());
      await document.querySelector('daam-view')?.drawn();
      await frame();
      await frame();
      await new Promise((done) => setTimeout(done, 120)); // a task is told of when it is over
      note(observer.takeRecords());
      const long = tasks.filter(([at, lasted]) => at + lasted > begun);
      return {
        frame_ms: first - begun,
        drawn_ms: Math.max(first, last) - begun,
        long_tasks: long.length,
        longest_ms: Math.max(0, ...long.map(([, lasted]) => lasted)),
        redraws,
      };
    },
  };
})();
"""


@dataclass(frozen=True)
class Action:
    """One thing that a visitor does.

    Attributes:
        name: what.
        frame_ms: from its event to the next painted frame; of opening, to the first.
        drawn_ms: until the last change of the page that follows.
        long_tasks: how many of more than 50 ms it caused.
        longest_ms: of these; 0 where there is none.
        redraws: pictures of maps and scales that were drawn.
        bytes: that came over the network, uncompressed.
    """

    name: str
    frame_ms: float
    drawn_ms: float
    long_tasks: float
    longest_ms: float
    redraws: float
    bytes: float


@dataclass(frozen=True)
class ViewTimes:
    """A saved page with random numbers.

    Attributes:
        heads, layers, features: of the explanation.
        file_bytes: of the page with one explanation.
        actions: median of each measure over the runs.
    """

    heads: int
    layers: int
    features: int
    file_bytes: int
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Weight:
    """One kind of file that the app's page loads before its first result: bytes as they are, and as sent."""

    kind: str
    files: int
    bytes: int
    sent_bytes: int


@dataclass(frozen=True)
class BrowserTimes:
    """What :func:`bench_browser` found; ``browser`` is Chromium's version, ``window`` its size in pixels."""

    browser: str
    window: str
    runs: int
    views: tuple[ViewTimes, ...]
    weights: tuple[Weight, ...]
    app_actions: tuple[Action, ...]


def bench_browser(
    *, runs: int = 5, model: str | None = None, sizes: Sequence[tuple[int, int, int]] = SIZES
) -> BrowserTimes:
    """Open saved pages and the app in a headless Chromium, and do what visitors do.

    Args:
        runs: of everything; medians are reported.
        model: a classifier for texts, which the app is opened on; the first built-in one by default.
        sizes: heads, layers and features of the saved pages' explanations.

    Raises:
        ConfigError: Playwright or Chromium is missing, there is no classifier for texts, or the app does not
            start.
    """
    names = [model] if model is not None else built_in_models()
    texts = [name for name in names if load_model(name).config.modality == "text"]
    if not texts:
        raise ConfigError("Timing the page needs a classifier for text; give one with --model.")
    with _chromium() as browser:
        views = tuple(_view(browser, size, runs) for size in sizes)
        with running_app(texts[:1]) as address:
            weights, acted = _app(browser, address, runs)
        return BrowserTimes(browser.version, "{} x {}".format(*WINDOW), runs, views, weights, acted)


def random_explanation(heads: int, layers: int, features: int, *, seed: int = 0) -> Explanation:
    """An explanation of random numbers by a classifier with random parameters, and labelled so."""
    draw = torch.Generator().manual_seed(seed)
    classifier = classifier_of_size(layers, features, modality="text", n_heads=heads)
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=draw))
    words = ordinary_text().split()[:TOKENS]
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    spans = np.stack([starts, starts + [len(word) for word in words]], axis=1).astype(float)
    hidden = torch.randn(layers, len(words), features, generator=draw)
    encoding = Encoding(hidden, Tokens("text", spans, tuple(words), np.ones(len(words))), {}, " ".join(words))
    return explain_encoding(TrainedClassifier(classifier, name="random numbers, no trained model"), encoding)


@contextmanager
def _chromium() -> "Iterator[Browser]":
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ConfigError(
            "Timing in a browser needs Playwright: pip install playwright, or this package with its extra "
            "browser."
        ) from error
    path = find_chromium()
    if path is None:
        raise ConfigError(f"Timing in a browser needs Chromium, which is not found: {HOW_TO_GET_IT}")
    with sync_playwright() as playwright:
        # In a container there is neither Chromium's own sandbox nor much shared memory.
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


class _Visit:
    """A fresh page in a profile of its own, watched."""

    def __init__(self, browser: "Browser") -> None:
        self.context = browser.new_context(viewport={"width": WINDOW[0], "height": WINDOW[1]})
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.add_init_script(_WATCH)
        self.kinds: dict[str, str] = {}
        self.bytes: defaultdict[str, int] = defaultdict(int)
        self.sent: defaultdict[str, int] = defaultdict(int)
        self.files: defaultdict[str, int] = defaultdict(int)
        session = self.context.new_cdp_session(self.page)
        session.on("Network.responseReceived", self._answered)
        session.on("Network.dataReceived", self._received)
        session.on("Network.loadingFinished", self._finished)
        session.send("Network.enable")

    def _answered(self, event: dict[str, Any]) -> None:
        answer = event["response"]
        if answer["url"].startswith("http"):
            kind = _kind(event["type"], urlsplit(answer["url"]).path)
            self.kinds[event["requestId"]] = kind
            self.files[kind] += 1

    def _received(self, event: dict[str, Any]) -> None:
        if kind := self.kinds.get(event["requestId"]):
            self.bytes[kind] += event["dataLength"]

    def _finished(self, event: dict[str, Any]) -> None:
        if kind := self.kinds.get(event["requestId"]):
            self.sent[kind] += int(event["encodedDataLength"])

    def act(self, name: str, action: Callable[[], object], until: str = "") -> Action:
        """Do it, and wait until everything is drawn, or first until a script says that it is there."""
        before = sum(self.bytes.values())
        self.page.evaluate("watched.start()")
        action()
        return self._ended(name, before, until)

    def open(self, address: str, until: str) -> Action:
        self.page.goto(address)
        return self._ended("open", 0, until)

    def rest(self) -> None:
        """Until a second has passed without an answer from the server; its heartbeat never ends."""
        before, now = -1, sum(self.files.values())
        while before != now:
            self.page.wait_for_timeout(1000)
            before, now = now, sum(self.files.values())

    def _ended(self, name: str, before: int, until: str) -> Action:
        if until:
            self.page.wait_for_function(until)
        found = self.page.evaluate("watched.end()")
        return Action(name, bytes=sum(self.bytes.values()) - before, **found)


def _kind(type_: str, path: str) -> str:
    ours = "/daam/" in path
    kinds = {"Document": "page, with styles of ours", "Font": "fonts", "Image": "pictures", "Media": "sounds"}
    if type_ == "Script":
        return "scripts of ours" if ours else "scripts of Gradio"
    if type_ == "Stylesheet":
        return "styles of Gradio"
    return kinds.get(type_, "data")


def _view(browser: "Browser", size: tuple[int, int, int], runs: int) -> ViewTimes:
    heads, layers, features = size
    one, other = (random_explanation(heads, layers, features, seed=seed) for seed in (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        alone, pair = Path(folder, "alone.html"), Path(folder, "pair.html")
        alone.write_text(view_html(one, title=one.model), encoding="utf-8")
        pair.write_text(view_html(one, compare=other, title=one.model), encoding="utf-8")
        found = [_acted(browser, alone, pair) for _ in range(runs)]
        return ViewTimes(heads, layers, features, alone.stat().st_size, _medians(found))


def _acted(browser: "Browser", alone: Path, pair: Path) -> list[Action]:
    visit = _Visit(browser)
    page = visit.page
    drawn = "document.querySelector('daam-view .dv-map-canvas')?.width > 0"

    def tab(name: str) -> Callable[[], None]:
        return lambda: page.get_by_role("tab", name=name, exact=True).click()

    def pointed(share: float) -> Callable[[], None]:
        box = page.locator(".dv-map-overlay").first.bounding_box() or dict.fromkeys(
            ("x", "y", "width", "height"), 0
        )
        return lambda: page.mouse.move(box["x"] + share * box["width"], box["y"] + box["height"] / 2)

    def pressed() -> None:
        page.mouse.down()
        page.mouse.up()

    found = [visit.open(alone.as_uri(), drawn)]
    page.get_by_role("button", name="Display").first.click()
    found.append(
        visit.act("sort", lambda: page.get_by_label("Contribution", exact=True).first.check(force=True))
    )
    page.get_by_role("button", name="Display").first.click()
    found += [
        visit.act("change quantity", lambda: page.get_by_label("Show").first.select_option("gate")),
        visit.act("change scale", lambda: page.get_by_label("Per head", exact=True).first.check(force=True)),
        visit.act("one head", tab("Map and cell")),
        visit.act("choose head", lambda: page.get_by_label("Head", exact=True).first.select_option("2")),
        visit.act("zoom", lambda: page.get_by_role("button", name="Zoom in").first.click()),
    ]
    page.locator(".dv-map-overlay").first.scroll_into_view_if_needed()
    page.mouse.move(0, 0)
    found += [
        visit.act("point at a cell", pointed(0.5)),
        visit.act("select a cell", pressed),
        visit.act("arrow key", lambda: page.keyboard.press("ArrowRight")),
        *(
            visit.act(f"tab {name}", tab(name))
            for name in ("Prediction", "Input", "Layers", "Parameters", "Heads")
        ),
    ]
    visit.context.close()
    visit = _Visit(browser)
    page = visit.page
    found.append(replace(visit.open(pair.as_uri(), drawn), name="open two"))
    found.append(visit.act("compare", tab("Compare")))
    visit.context.close()
    return found


def _app(browser: "Browser", address: str, runs: int) -> tuple[tuple[Weight, ...], tuple[Action, ...]]:
    found: list[list[Action]] = []
    weights: tuple[Weight, ...] = ()
    for run in range(runs):
        visit = _Visit(browser)
        opened = visit.open(address, _READY)
        visit.rest()
        weights = tuple(
            Weight(kind, visit.files[kind], visit.bytes[kind], visit.sent[kind])
            for kind in sorted(visit.files, key=lambda kind: -visit.bytes[kind])
        )
        found.append([opened, *_explained(visit, f"{run} {ordinary_text()}")])
        visit.context.close()
    return weights, _medians(found)


def _explained(visit: _Visit, text: str) -> list[Action]:
    """A text is explained, then once more without one of its heads."""
    page, shown = visit.page, "document.documentElement.dataset.daamShown"
    page.get_by_role("tab", name="Text", exact=True).click()
    page.fill("#input-text textarea", text)
    explained = visit.act("explain a text", lambda: page.click("#run-text"), shown)
    page.get_by_role("tab", name="Mute parts", exact=True).click()
    page.locator("#mute-heads").get_by_label("Head 1").click()
    before = page.evaluate(shown)
    muted = visit.act("mute", lambda: page.click("#mute-apply"), f"{shown} !== {before!r}")
    return [explained, muted]


def _medians(runs: Sequence[Sequence[Action]]) -> tuple[Action, ...]:
    """Of each action the median of each measure."""
    names = [field.name for field in fields(Action)[1:]]
    return tuple(
        Action(same[0].name, *(float(np.median([getattr(one, name) for one in same])) for name in names))
        for same in zip(*runs, strict=True)
    )
