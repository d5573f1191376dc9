"""The explained sound or picture as the interactive view shows it."""

from daam_core.inputs import Sound
from daam_core.plain import PlainObject
from daam_core.view.media import media_of, wav_bytes

from ..server.files import address_of_bytes, address_of_file
from .inputs import Given


def page_media(given: Given) -> PlainObject | None:
    """Waveform and spectrogram, or the picture, as it was explained; None for a text.

    Sounds are played from this server.

    Raises:
        InputError: the input is no longer here.
    """
    shown = given.input
    if not isinstance(shown, Sound):
        return media_of(shown)
    if shown.change is not None or given.file is None:
        return media_of(shown, url=address_of_bytes(wav_bytes(shown.samples, shown.rate), "changed.wav"))
    return media_of(shown, url=address_of_file(given.file))
