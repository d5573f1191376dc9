"""What the documentation's pages hold of the code, written into them: ``python -m tests.docs.made``.

It stands in the files themselves, where people read them who do not build the pages; a test compares the two.
"""

import ast
import json
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from daam_core.training.methods import METHODS
from tests.test_imports import ROOT, TABLE

DOCS = ROOT / "assets" / "docs"
NOTEBOOK = DOCS / "notebook.ipynb"
PICTURE = "pictures/notebook.png"
JOBS = {"": "what `import daam_core` gives", "__main__": "`python -m daam_core`"}


def filled(page: str, made: str) -> str:
    """A page with what is made between its two marks."""
    before, rest = page.split("<!-- made -->")
    _, after = rest.split("<!-- end -->")
    return f"{before}<!-- made -->\n\n{made}\n\n<!-- end -->{after}"


def rooms() -> str:
    """The table of rooms: their job, from their own docstring, and what they import."""
    lines = ["| room | its job | imports of ours | other packages |", "|---|---|---|---|"]
    for room, allowed in TABLE.items():
        names = (", ".join(f"`{name}`" for name in sorted(some)) for some in (allowed.ours, allowed.theirs))
        name = room if room.split(".")[0] == "app" else f"daam_core.{room}".rstrip(".")
        lines.append(f"| `{name}` | {JOBS.get(room) or job(name)} | {' | '.join(names)} |")
    return "\n".join(lines)


def job(name: str) -> str:
    """The first sentence of a module's docstring."""
    path = ROOT.joinpath(*name.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    said = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
    first = " ".join(re.split(r"(?<=[.:])\s", said, maxsplit=1)[0].split()).rstrip(".:")
    return re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", first).replace("``", "`").replace("|", "\\|")


def methods() -> str:
    """The table of methods: their word, what they are, where they come from."""
    lines = ["| word | what it is | source | saved and explained |", "|---|---|---|---|"]
    for method in METHODS.values():
        saved = "yes" if method.ours else "no"
        lines.append(f"| `{method.name}` | {method.what} | {method.source} | {saved} |")
    return "\n".join(lines)


def notebook(path: Path = NOTEBOOK) -> str:
    """The executed notebook as Markdown: text, code and what it printed; what it drew is :data:`PICTURE`."""
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        parts += filter(None, map(_output, cell.get("outputs", [])))
    return "\n\n".join(parts)


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return f"![What the cell above draws]({PICTURE})"
    text = "".join(output.get("text", data.get("text/plain", ""))).rstrip()
    return f"```text\n{text}\n```" if text else ""


def picture(path: Path = NOTEBOOK) -> bytes:
    """The one picture that the notebook draws, as PNG."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    outputs = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    (drawn,) = ("".join(data["image/png"]) for data in outputs if "image/png" in data)
    return b64decode(drawn)


PAGES: Mapping[str, Callable[[], str]] = {
    "architecture.md": rooms,
    "methods.md": methods,
    "notebook.md": notebook,
}

if __name__ == "__main__":
    for name, make in PAGES.items():
        page = DOCS / name
        page.write_text(filled(page.read_text("utf-8"), make()), "utf-8")
    (DOCS / PICTURE).write_bytes(picture())
