"""What every input carries, whatever its modality."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar, Protocol

from daam_core.inputs.modality import Modality


class Describable(Protocol):
    """A what-if change of an input: a frozen dataclass of plain values."""

    def describe(self) -> str:
        """In a few words, such as ``1.00 s to 2.50 s``."""
        ...


@dataclass(frozen=True, kw_only=True)
class BaseInput:
    """One input: read once, never changed.

    Two inputs are equal where their original's bytes, their name and their change are.

    Attributes:
        name: what messages and files call it: a file's name, never its folder; a text's first words.
        facts: plain values about the original, before any change.
        sha256: of the original's bytes.
        change: how it departs from the original, None where it does not.
    """

    modality: ClassVar[Modality]
    name: str
    facts: Mapping[str, str | int | float] = field(compare=False)
    sha256: str = field(repr=False)
    change: Describable | None = None

    @property
    def title(self) -> str:
        """The name, and the change where there is one."""
        return self.name if self.change is None else f"{self.name} ({self.change.describe()})"

    @property
    def record(self) -> dict[str, object]:
        """Plain values that say what was given: its name, hash and facts, and its change."""
        said: dict[str, object] = {"name": self.name, "sha256": self.sha256, **self.facts}
        if self.change is not None:
            said["change"] = change_record(self.change)
        return said

    def __deepcopy__(self, memo: dict[int, object]) -> "BaseInput":
        return self  # nothing of it changes, and copies of a visitor's state would each hold it


def change_record(change: Describable) -> dict[str, object]:
    """A change's parameters, and its description."""
    return {"description": change.describe(), **asdict(change)}  # type: ignore[call-overload]
