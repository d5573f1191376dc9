"""Files on this server: those it hands out, in Gradio's folder, and those that Gradio brings along.

This is the only place below the page's components that knows Gradio.
"""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from gradio.media import get_audio, get_image
from gradio.processing_utils import save_bytes_to_cache, save_file_to_cache
from gradio.utils import get_upload_folder

from daam_core.errors import DaamError, InputError

log = logging.getLogger(__name__)

NO_ROOM = "The server has no room for more files now; try again later."


@contextmanager
def written() -> Iterator[None]:
    """What is written inside fails with a sentence for visitors, who should not read of folders here.

    Raises:
        InputError: it could not be written.
    """
    try:
        yield
    except OSError as error:
        raise _no_room(error) from error
    except DaamError as error:
        if isinstance(error.__cause__, OSError):
            raise _no_room(error.__cause__) from error
        raise


def _no_room(error: OSError) -> InputError:
    log.warning("A file for a visitor could not be written: %s", error.strerror)
    return InputError(NO_ROOM)


def new_file(name: str) -> Path:
    """A path for a file that a visitor may download, in a new folder that nobody can guess.

    Raises:
        InputError: it could not be made.
    """
    with written():
        folder = Path(get_upload_folder())
        folder.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="saved-", dir=folder)) / name


def address_of_file(path: str) -> str:
    """Where the page finds a file; one from outside of the folder is copied there."""
    folder = get_upload_folder()
    inside = Path(path).resolve().is_relative_to(Path(folder).resolve())
    with written():
        return _address(path if inside else save_file_to_cache(path, folder))


def address_of_bytes(content: bytes, name: str) -> str:
    """Where the page finds a file of this content, under a name that nobody can guess."""
    with written():
        return _address(save_bytes_to_cache(content, name, get_upload_folder()))


def _address(path: str) -> str:
    return f"gradio_api/file={quote(path)}"


def example_sound(name: str) -> str:
    """Path of one of Gradio's own sounds."""
    return str(get_audio(name))


def example_picture(name: str) -> str:
    """Path of one of Gradio's own pictures."""
    return str(get_image(name))
