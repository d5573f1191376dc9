"""The script's modules and its style sheet: as files, as an import map, or as one text.

The modules in ``web/`` import each other by relative addresses. Where they have no address of their own,
in a saved page, they are named in full instead (:func:`import_map`); where not even an import map can
be, in a notebook cell, one text holds all of them and puts them together (:func:`bundle`).
"""

import base64
import json
import posixpath
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources

ENTRY = "daam_view.js"
#: Of the view of a whole data set, which shares modules with the other.
STUDY_ENTRY = "study/daam_study.js"
_PREFIX = "daam-view/"  # of names in an import map
#: Comments on lines of their own, which nobody reads in a page that is sent or saved.
_COMMENT = re.compile(r"^[ \t]*(?:/\*\*(?:(?!\*/).)*\*/[ \t]*\n|//[^\n]*\n)", re.DOTALL | re.MULTILINE)
#: At a module's head, or where it is first needed; types are named by ``import(`` without ``await``.
_IMPORT = re.compile(r"(?:(?<=\bfrom )|(?<=\bimport )|(?<=\bawait import\())'(\.{1,2}/[^']+)'")


@cache
def modules(entry: str = ENTRY) -> dict[str, str]:
    """Texts of all modules that one needs by their path below ``web/``; each stands behind its imports."""
    found: dict[str, str] = {}

    def add(path: str) -> None:
        if path not in found:
            file = resources.files("daam_core.view").joinpath("web", *path.split("/"))
            text = without_comments(file.read_text("utf-8"))
            for other in _imported(text, path):
                add(other)
            found[path] = text

    add(entry)
    return found


def without_comments(script: str) -> str:
    """A script without the comments that stand on lines of their own, a fifth of ours."""
    return _COMMENT.sub("", script)


@cache
def view_style() -> str:
    """The view's style sheet."""
    return (resources.files("daam_core.view") / "web" / "view.css").read_text(encoding="utf-8")


@cache
def study_style() -> str:
    """The style sheet of the view of a data set, which comes on top of the view's."""
    return (resources.files("daam_core.view") / "web" / "study" / "study.css").read_text(encoding="utf-8")


def import_map() -> dict[str, dict[str, str]]:
    """Every module by a name of its own as a ``data:`` address; the entry is ``daam-view/daam_view.js``."""
    named = _renamed(lambda path: _PREFIX + path)
    return {"imports": {_PREFIX + path: _data_address(text) for path, text in named}}


def bundle(last: str, *, entry: str = ENTRY) -> str:
    """All modules as the text of one: made into addresses of the page when it is loaded.

    Args:
        last: what follows; ``view`` there is the entry's exports.
        entry: the module that the text begins from.
    """
    parts = json.dumps(list(_renamed(lambda path: f"module:{path}", entry)))
    return (
        "const addresses = {};\n"
        f"for (const [path, text] of {parts}) {{\n"
        "  const linked = text.replace(/'module:([^']+)'/g, (_, other) => `'${addresses[other]}'`);\n"
        "  addresses[path] = URL.createObjectURL(new Blob([linked], { type: 'text/javascript' }));\n"
        "}\n"
        f"const view = await import(addresses[{json.dumps(entry)}]);\n{last}"
    )


def _data_address(text: str) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(text.encode()).decode()}"


def _renamed(name: Callable[[str], str], entry: str = ENTRY) -> Iterator[tuple[str, str]]:
    """Paths and texts with every imported path called otherwise."""
    for path, text in modules(entry).items():
        parts = _IMPORT.split(text)  # every other part is a path
        parts[1::2] = [f"'{name(_resolved(written, path))}'" for written in parts[1::2]]
        yield path, "".join(parts)


def _imported(text: str, path: str) -> list[str]:
    return [_resolved(written, path) for written in _IMPORT.findall(text)]


def _resolved(written: str, path: str) -> str:
    """The path that a relative one means in the module at ``path``."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), written))
