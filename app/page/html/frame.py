"""What stands around the steps of the page, as HTML: its head and foot, their headings, the status line."""

from html import escape

from daam_core.reading.quantities import CAUTION
from daam_core.view.terms import terms_html

from .terms import term

PAGES = """
  <div class="dx-pages" id="pages" role="tablist" aria-label="What is looked at">
    <button type="button" role="tab" id="page-input" data-page="input" aria-selected="true">One input</button>
    <button type="button" role="tab" id="page-data-set" data-page="data-set" aria-selected="false"
      tabindex="-1">Data set</button>
  </div>
"""
_HEADER = """
<header class="dx-header">
  <div>
    <h1>Why did the model decide that?</h1>
    <p class="dx-lead">Give a model a sound, a text or a picture. You see what it decides, and what led to
    that: inside the model, and in your input.</p>
  </div>{pages}
  <div class="dx-header-buttons">
    <button type="button" id="tour-open" class="dx-plain"><span class="dx-long">Two-minute </span>tour
    </button>
    <button type="button" id="theme-toggle" class="dx-plain">Dark</button>
  </div>
</header>
"""


def header(*, with_studies: bool) -> str:
    """What stands at the top: with tabs of two pages where there are studies of data sets."""
    return _HEADER.format(pages=PAGES if with_studies else "")


def header_of(name: str) -> str:
    """The head of the page on a model of somebody's own."""
    return (
        f'<header class="dx-header"><div><h1>Why did {escape(name)} decide that?</h1>'
        '<p class="dx-lead">Give it an input. You see what it decides, and what its density attention let '
        'through on the way there.</p></div><div class="dx-header-buttons">'
        '<button type="button" id="theme-toggle" class="dx-plain">Dark</button></div></header>'
    )


_CAUTION = escape(CAUTION).replace("Importance Factor", term("IF", "Importance Factor"), 1)
WHY = (
    '<div class="dx-why"><h2 class="dx-heading">Why</h2><details class="dx-limits"><summary><strong>What the '
    "map does not show:</strong> that a cell caused the decision. <span>More</span></summary>"
    f"<p>{_CAUTION} Some classifiers decide by how near an input lies to the training "
    f"examples of each class ({term('joint-gates', 'joint gates')}). For these the maps first show the "
    f"{term('Evid.', 'evidence')}: how far each cell brings the input nearer to the class than to the next "
    "one.</p></details></div>"
)
ENDPOINTS = ' Programs can ask it too: <a href="?view=api">API and MCP</a>.'


def footer(more: str = "", *, axes: tuple[str, str] = ("layer", "feature")) -> str:
    """The foot of a page; ``more`` is HTML at its end, ``axes`` what rows and columns of maps are called."""
    return f"""
<div class="dx-footer">{terms_html(*axes)}
<p>Method: Ioannides, Chadha and Elkins, <em>Density Adaptive Attention is All You Need</em>, arXiv
2401.11143. Everything runs on this server; no other host is asked. No model here is fit for decisions about
people.{more}</p></div>
"""


def status(text: str, *, kind: str = "info", previous: bool = False) -> str:
    """The line that says what happens.

    Args:
        text: plain.
        kind: ``info``, ``busy``, ``done`` or ``error``.
        previous: what is on screen is the result of something else than what the line is about.
    """
    role = "alert" if kind == "error" else "status"
    mark = " data-previous" if previous else ""
    return (
        f'<p class="dx-status dx-{kind}" role="{role}"{mark}>'
        f'<span class="dx-dot"></span><span>{escape(text)}</span></p>'
    )


def heading(title: str) -> str:
    """A step's heading."""
    return f'<h2 class="dx-heading">{escape(title)}</h2>'


READY = status("Ready.")
