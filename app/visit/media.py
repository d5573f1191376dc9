"""The explained sound or picture as the interactive view shows it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from gradio.processing_utils import save_bytes_to_cache, save_file_to_cache
from gradio.utils import get_upload_folder

from daam_core.inputs.sound import read_image, read_sound
from daam_core.view.media import picture_media, sound_media, wav_bytes

from .inputs import SoundChange, Source, prepare


def media_of(source: Source, *, embedded: bool = False) -> dict[str, Any] | None:
    """Waveform and spectrogram, or the picture, as it was explained; None for a text.

    Args:
        source: the explained input.
        embedded: put the sound itself into the result, for a page without this server.

    Raises:
        InputError: the input cannot be read.
    """
    if source.modality == "text":
        return None
    prepared = prepare(source)
    if source.modality == "image":
        return picture_media(read_image(prepared))
    sound = read_sound(prepared)
    start = source.change.start if isinstance(source.change, SoundChange) else 0.0
    address = None if embedded else _address(source, sound.samples, sound.rate)
    return sound_media(sound.samples, sound.rate, url=address, start=start)


def _address(source: Source, samples: Any, rate: int) -> str:
    """Where this server plays the sound from: Gradio's folder, under a name that nobody can guess."""
    folder = get_upload_folder()
    if source.change is not None:
        path = save_bytes_to_cache(wav_bytes(samples, rate), "changed.wav", folder)
    elif Path(source.content).resolve().is_relative_to(Path(folder).resolve()):
        path = source.content
    else:
        path = save_file_to_cache(source.content, folder)
    return f"gradio_api/file={quote(path)}"
