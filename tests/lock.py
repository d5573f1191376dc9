"""Writes the hashes of every package in requirements.txt: ``make lock``.

Versions and order stay as they are: people write ``name==version`` under a heading, and this adds the
SHA-256 of each file that the package index has of it, for every machine that the project runs on.
"""

import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.txt"
PINNED = re.compile(r"(?P<name>[A-Za-z0-9_.-]+)(\[[a-z,]+\])?==[^\s;\\]+(\s*;[^\\]+)?")
OLDEST_PYTHON = "3.11"


def written(text: str) -> list[str]:
    """The lines that people write: headings, remarks and packages without their hashes."""
    return [
        line.removesuffix("\\").rstrip() for line in text.splitlines() if not line.startswith("    --hash=")
    ]


def normalised(name: str) -> str:
    """A package's name as an index spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def hashes(lines: list[str]) -> dict[str, list[str]]:
    """Hash options by package name, asked of the package index."""
    packages = [line for line in lines if PINNED.fullmatch(line)]
    words = ["--no-deps", "--generate-hashes", "--universal", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", *words, "--python-version", OLDEST_PYTHON, "-"],
        input="\n".join(packages),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"The package index did not answer for every line of {LOCK.name}:\n{done.stderr.strip()}")
    found: dict[str, list[str]] = {}
    options: list[str] = []
    for line in done.stdout.splitlines():
        if match := PINNED.match(line):
            options = found[normalised(match["name"])] = []
        elif line.startswith("    --hash="):
            options.append(line.strip(" \\"))
    return found


def locked(lines: list[str], found: dict[str, list[str]]) -> str:
    """The text of the file: each package followed by its hashes."""
    blocks = []
    for line in lines:
        match = PINNED.fullmatch(line)
        options = found[normalised(match["name"])] if match else []
        blocks.append(" \\\n    ".join([line, *options]))
    return "\n".join(blocks) + "\n"


if __name__ == "__main__":
    people_wrote = written(LOCK.read_text("utf-8"))
    LOCK.write_text(locked(people_wrote, hashes(people_wrote)), "utf-8")
