"""Files on this server: those it hands out, in Gradio's folder, and those that Gradio brings along.

This is the only place below the page's components that knows Gradio.
"""

import tempfile
from pathlib import Path
from urllib.parse import quote

from gradio.media import get_audio, get_image
from gradio.processing_utils import save_bytes_to_cache, save_file_to_cache
from gradio.utils import get_upload_folder


def new_file(name: str) -> Path:
    """A path for a file that a visitor may download, in a new folder that nobody can guess."""
    folder = Path(get_upload_folder())
    folder.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="saved-", dir=folder)) / name


def address_of_file(path: str) -> str:
    """Where the page finds a file; one from outside of the folder is copied there."""
    folder = get_upload_folder()
    inside = Path(path).resolve().is_relative_to(Path(folder).resolve())
    return _address(path if inside else save_file_to_cache(path, folder))


def address_of_bytes(content: bytes, name: str) -> str:
    """Where the page finds a file of this content, under a name that nobody can guess."""
    return _address(save_bytes_to_cache(content, name, get_upload_folder()))


def _address(path: str) -> str:
    return f"gradio_api/file={quote(path)}"


def example_sound(name: str) -> str:
    """Path of one of Gradio's own sounds."""
    return str(get_audio(name))


def example_picture(name: str) -> str:
    """Path of one of Gradio's own pictures."""
    return str(get_image(name))
