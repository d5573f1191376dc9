"""Where the files lie that come with the project: trained classifiers, published measurements."""

from pathlib import Path


def shipped(name: str) -> Path:
    """``assets/NAME``: inside the package where it was installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "assets"
    return (installed if installed.is_dir() else package.parent / "assets") / name
