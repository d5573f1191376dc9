"""What is put into the documentation's pages when they are built, so that it says what the code does."""

import ast
import json
import re
from pathlib import Path
from typing import Any

from daam_core.training.methods import METHODS
from tests.test_imports import ROOT, TABLE

NOTEBOOK = ROOT / "assets" / "docs" / "notebook.ipynb"
JOBS = {"": "what `import daam_core` gives", "__main__": "`python -m daam_core`"}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs calls this for every page."""
    for name, made in {"{{ rooms }}": rooms, "{{ notebook }}": notebook, "{{ methods }}": methods}.items():
        if name in markdown:
            markdown = markdown.replace(name, made())
    return markdown


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
    """The executed notebook as Markdown: text, code and what it printed or drew."""
    parts = []
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        parts += filter(None, map(_output, cell.get("outputs", [])))
    return "\n\n".join(parts)


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        picture = "".join(data["image/png"]).replace("\n", "")
        return f'<img alt="What the cell above draws" src="data:image/png;base64,{picture}">'
    text = "".join(output.get("text", data.get("text/plain", ""))).rstrip()
    return f"```text\n{text}\n```" if text else ""
