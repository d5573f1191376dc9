"""The explained sound or picture as the interactive view shows it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradio.processing_utils import save_bytes_to_cache, save_file_to_cache
from gradio.utils import get_upload_folder

from daam_core.inputs import Sound
from daam_core.view.media import media_of, wav_bytes

from .inputs import Given


def page_media(given: Given) -> dict[str, Any] | None:
    """Waveform and spectrogram, or the picture, as it was explained; None for a text.

    Sounds are played from this server.

    Raises:
        InputError: the input is no longer here.
    """
    shown = given.input
    return media_of(shown, url=_address(given, shown) if isinstance(shown, Sound) else None)


def _address(given: Given, sound: Sound) -> str:
    """Where this server plays the sound from: Gradio's folder, under a name that nobody can guess."""
    folder = get_upload_folder()
    if sound.change is not None or given.file is None:
        path = save_bytes_to_cache(wav_bytes(sound.samples, sound.rate), "changed.wav", folder)
    elif Path(given.file).resolve().is_relative_to(Path(folder).resolve()):
        path = given.file
    else:
        path = save_file_to_cache(given.file, folder)
    return f"gradio_api/file={quote(path)}"
