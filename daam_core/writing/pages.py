"""Reports as text: the same blocks as Markdown, and as one HTML page that needs no other file."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8886; text-align: right; }
th.text, td.text { text-align: left; }
thead th { border-bottom: 2px solid #888; }
figure { margin: 1rem 0; background: #fff; } figure svg { max-width: 100%; height: auto; }
.note { color: #777; }
pre { white-space: pre-wrap; background: #8882; padding: .75rem; }
"""


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
    return "\n\n".join([f"# {_line(title)}", *(_markdown(block) for block in blocks)]) + "\n"


def to_html(title: str, blocks: Sequence[Block]) -> str:
    """The report as a page: no script, no request."""
    body = "\n".join(_html(block) for block in blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _markdown(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_line(text)}"
        case Paragraph(text):
            return text
        case Listing(text):
            return f"```\n{text}\n```"
        case Figure(caption, file, _):
            return f"![{_line(caption)}]({file})"
        case Table(head, rows, note, left):
            lines = [head, *rows]
            cells = [
                "| " + " | ".join(_line(cell).replace("|", "\\|") for cell in row) + " |" for row in lines
            ]
            cells.insert(1, "|" + "---|" * left + "---:|" * (len(head) - left))
            return "\n".join(cells) + (f"\n\n{note}" if note else "")


def _html(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{html.escape(text)}</h2>"
        case Paragraph(text):
            return f"<p>{html.escape(text)}</p>"
        case Listing(text):
            return f"<pre>{html.escape(text)}</pre>"
        case Figure(caption, _, svg):
            return f"<figure>{svg}<figcaption class='note'>{html.escape(caption)}</figcaption></figure>"
        case Table(head, rows, note, left):
            sides = [' class="text"' if index < left else "" for index in range(len(head))]
            top = "".join(
                f'<th scope="col"{side}>{html.escape(cell)}</th>'
                for cell, side in zip(head, sides, strict=True)
            )
            body = "\n".join(
                "<tr>"
                + "".join(
                    f"<td{side}>{html.escape(cell)}</td>" for cell, side in zip(row, sides, strict=True)
                )
                + "</tr>"
                for row in rows
            )
            after = f"<p class='note'>{html.escape(note)}</p>" if note else ""
            return (
                f"<div class='wide'><table><thead><tr>{top}</tr></thead>\n"
                f"<tbody>{body}</tbody></table></div>{after}"
            )


def _line(text: str) -> str:
    """One line: a class name with a line break must not end a table's row."""
    return " ".join(text.split())
