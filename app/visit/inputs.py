"""What a visitor gives the app: an input, whose it is, and where the page finds its file."""

from dataclasses import dataclass, replace
from pathlib import Path

from daam_core.errors import InputError
from daam_core.inputs import Change, Input, Modality, changed, read_input, read_text
from daam_core.inputs.apart import Apart

from .untrusted import text_of

#: Decodes the files of visitors.
APART = Apart()

#: A larger input is read again from its file when it is needed again, instead of being kept in a
#: session: three results of 30 million pixels would be 270 MB.
MAX_KEPT_BYTES = 64_000_000


@dataclass(frozen=True)
class Given:
    """One input as a session keeps it.

    Attributes:
        modality: ``audio``, ``text`` or ``image``.
        name: what the page calls it: a built-in example's title, or the input's own name.
        sha256: of the original's bytes.
        change: how it was changed, None where it was not.
        example: id of a built-in example, None for a visitor's own input.
        file: where the original of a sound or picture lies, for playing and showing it.
        held: the input itself, None where it is too large to keep.
        truth: the classes that its data set has it under, None where nobody has said.
    """

    modality: Modality
    name: str
    sha256: str
    change: Change | None = None
    example: str | None = None
    file: str | None = None
    held: Input | None = None
    truth: tuple[str, ...] | None = None

    @property
    def title(self) -> str:
        return self.name if self.change is None else f"{self.name} ({self.change.describe()})"

    @property
    def key(self) -> str:
        """The same for the same input, whatever its name."""
        return f"{self.modality}:{self.sha256}:{self.change!r}"

    @property
    def input(self) -> Input:
        """The input, read again where it was too large to keep.

        Raises:
            InputError: it was, and its file is gone.
        """
        if self.held is not None:
            return self.held
        original = _read(self.modality, self.file) if Path(self.file or "").is_file() else None
        if original is None or original.sha256 != self.sha256:
            raise InputError(f"{self.name} is no longer here; give the file again.")
        return original if self.change is None else changed(original, self.change)

    def changed(self, change: Change) -> "Given":
        """The same input with a what-if change.

        Raises:
            InputError: the change does not fit it.
        """
        return replace(self, change=change, held=changed(self.input, change))

    def kept(self) -> "Given":
        """As it goes into a session: without an input that is too large for that."""
        large = self.held is not None and self.file is not None and self.held.nbytes > MAX_KEPT_BYTES
        return replace(self, held=None) if large else self


def given_text(text: object, *, example: str | None = None, name: str | None = None) -> Given:
    """A text, called by its first words where it has no name.

    Raises:
        InputError: empty, too long, or no text.
    """
    read = read_text(text_of(text, "text"))
    return Given("text", name or read.name, read.sha256, example=example, held=read)


def given_file(
    modality: Modality, path: object, *, example: str | None = None, name: str | None = None
) -> Given:
    """A sound or picture on disk, read now and not again.

    Raises:
        InputError: no file was given, or it cannot be read.
    """
    read = _read(modality, path)
    return Given(modality, name or read.name, read.sha256, example=example, file=str(path), held=read)


def _read(modality: Modality, path: object) -> Input:
    if not path or not isinstance(path, str | Path):
        kind = "sound" if modality == "audio" else "picture"
        raise InputError(f"There is no {kind} yet: give a file, or pick an example.")
    return read_input(path, modality) if modality == "text" else APART.read(path, modality)
