"""What people give: sounds, pictures and texts, read once and safely."""

from daam_core.errors import InputError
from daam_core.inputs.changes import Change, changed, without_silence
from daam_core.inputs.modality import MODALITIES, Modality
from daam_core.inputs.picture import Picture, Region, read_picture
from daam_core.inputs.sound import SAMPLE_RATE, Sound, SoundChange, read_sound
from daam_core.inputs.suffixes import SUFFIXES, modality_by_suffix
from daam_core.inputs.text import Edit, Text, read_text

__all__ = [
    "MODALITIES",
    "SAMPLE_RATE",
    "SUFFIXES",
    "Change",
    "Edit",
    "Input",
    "Modality",
    "Picture",
    "Region",
    "Sound",
    "SoundChange",
    "Text",
    "changed",
    "modality_by_suffix",
    "read_input",
    "read_picture",
    "read_sound",
    "read_text",
    "without_silence",
]

Input = Sound | Picture | Text


def read_input(
    given: object, modality: Modality, *, rate: int = SAMPLE_RATE, encoding: str | None = None
) -> Input:
    """Read what a person gives: the one place where a path, an array or a text becomes an input.

    >>> read_input("A good film.", "text").name
    '“A good film.”'

    Args:
        given: what :func:`read_sound`, :func:`read_picture` or :func:`read_text` takes, by modality; or an
            input, which is returned as it is.
        modality: what it is.
        rate: of a sound that is read now.
        encoding: of a text that is read from bytes or a file now; found out by default.

    Raises:
        InputError: it cannot be read, or is an input of another modality.
    """
    if isinstance(given, Sound | Picture | Text):
        if given.modality != modality:
            raise InputError(f"{given.name} is {given.modality}, not {modality}; give another input.")
        return given
    if modality == "audio":
        return read_sound(given, rate=rate)
    return read_text(given, encoding=encoding) if modality == "text" else read_picture(given)
