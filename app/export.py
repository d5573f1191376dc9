"""Results as files to download."""

import tempfile
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from app.handlers import rescaled
from app.library import Library
from app.session import Session
from daam_core.errors import InputError

FORMATS = ("png", "svg", "pdf", "html", "json", "npz", "csv", "ipynb")
WIDTHS = ("single", "double")


def write(library: Library, session: Session, *, format_: Any, width: Any, scale: Any) -> Path:
    """Save the result on screen in a folder of its own.

    Raises:
        InputError: nothing to save, or an unknown format, width or scale.
    """
    raise NotImplementedError
