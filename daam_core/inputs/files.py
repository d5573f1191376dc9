"""Files that people name: what messages call them."""

from pathlib import Path


def describe(path: str | Path) -> str:
    """A file's name for messages: never its folder, which may be another person's upload directory."""
    return Path(path).name
