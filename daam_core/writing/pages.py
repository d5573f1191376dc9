"""Reports as text: the same blocks as Markdown, and as one HTML page that needs no other file."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape


@dataclass(frozen=True)
class Heading:
    text: str


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Listing:
    """Text shown as it is, such as a command."""

    text: str


@dataclass(frozen=True)
class Table:
    """Cells as text; the first ``left`` columns are aligned left, the others right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    left: int = 1


@dataclass(frozen=True)
class Figure:
    """A vector figure.

    Attributes:
        caption: one sentence.
        file: name of the file beside the report, which Markdown points to.
        svg: its text, which the page carries itself; from this program, so it is not escaped.
    """

    caption: str
    file: str
    svg: str


Block = Heading | Paragraph | Listing | Table | Figure


def to_markdown(title: str, blocks: Sequence[Block]) -> str:
    """The report as Markdown.

    >>> print(to_markdown("Report", [Table(("class", "F1"), (("a|b", "0.9"),))]), end="")
    # Report
    <BLANKLINE>
    | class | F1 |
    |---|---:|
    | a\\|b | 0.9 |
    """
    return _filled("report.md", title, blocks)


def to_html(title: str, blocks: Sequence[Block]) -> str:
    """The report as a page: no script, no request; whatever comes from data is escaped."""
    return _filled("report.html", title, blocks)


def _one_line(text: str) -> str:
    """A class name with a line break must not end a heading or a table's row."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    """Names out of data are cells: neither markup nor a link may come of one."""
    inert = _no_tags(_one_line(text))
    for mark in "|[]`":
        inert = inert.replace(mark, f"\\{mark}")
    return inert


def _no_tags(text: str) -> str:
    """Markdown lets HTML through; a sign that begins no tag looks the same."""
    return text.replace("<", "&lt;")


def _fence(text: str) -> str:
    """Backticks that a listing's text cannot end."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)


_TEMPLATES = Environment(
    loader=PackageLoader("daam_core.writing"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"one_line": _one_line, "cell": _cell, "no_tags": _no_tags, "fence": _fence}


def _filled(template: str, title: str, blocks: Sequence[Block]) -> str:
    named = [(type(block).__name__, block) for block in blocks]
    return _TEMPLATES.get_template(template).render(title=title, blocks=named)
