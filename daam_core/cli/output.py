"""What a command hands back, how it shows progress, and folders written whole or not at all."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from daam_core.errors import DaamError
from daam_core.processes import is_first
from daam_core.writing.files import usual_mode

#: Refused inputs that a printed answer names; the rows have them all.
_REFUSED_NAMED = 5


@dataclass(frozen=True)
class Output:
    """What a command found.

    Attributes:
        data: the object that ``--json`` prints.
        text: what is printed otherwise.
        status: of the process: 2 where nothing of what was given could be used.
    """

    data: Mapping[str, object]
    text: str
    status: int = 0


def say(note: str) -> None:
    """One line on standard error about how an input was read, while the command goes on."""
    if is_first():
        sys.stderr.write(f"daam: note: {' '.join(note.split())}\n")


def progress_bar(total: int, text: str) -> "tqdm[None]":
    """A bar on standard error, if that is a terminal."""
    return tqdm(total=total, desc=text, disable=None, leave=False)


def refused_lines(refused: Sequence[tuple[str, str]]) -> list[str]:
    """Lines of a printed answer on inputs that could not be explained, names and reasons."""
    lines = [f"  refused: {name}: {reason}" for name, reason in refused[:_REFUSED_NAMED]]
    if len(refused) > _REFUSED_NAMED:
        lines.append(f"  and {len(refused) - _REFUSED_NAMED:,} more; the rows name them all")
    return lines


def check_folder(out: str | Path, *, overwrite: bool, known: frozenset[str]) -> None:
    """Refuse an output folder before any work is done.

    Args:
        out: the folder.
        overwrite: whether earlier output may be replaced.
        known: names of the files that the command writes; a folder with any other is never replaced.

    Raises:
        DaamError: it is no folder, or holds files that would be lost.
    """
    folder = Path(out)
    if folder.exists() and not folder.is_dir():
        raise DaamError(f"{folder.name} is a file; give a folder to write to.")
    present = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    if foreign := sorted(present - known):
        raise DaamError(
            f"The folder {folder.name} holds {foreign[0]!r}, which is not this command's; give a new folder."
        )
    if present and not overwrite:
        raise DaamError(
            f"The folder {folder.name} is not empty; give a new one, or --overwrite to replace what it holds."
        )


@contextmanager
def new_folder(out: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside ``out`` that takes its place when the block succeeds.

    After an error or an interruption ``out`` is what it was. Of several processes only the first one's takes
    its place.

    Raises:
        DaamError: nothing can be written there.
    """
    target = Path(out).absolute()
    staged: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        yield staged
        if not is_first():
            return
        usual_mode(staged)
        if target.exists():
            earlier = staged.with_name(f"{staged.name}-earlier")
            target.rename(earlier)
            staged.rename(target)
            shutil.rmtree(earlier)
        else:
            staged.rename(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise DaamError(
            f"Cannot write the folder {target.name}: {reason}. Choose a place that is writable and has space."
        ) from error
    finally:
        if staged is not None and staged.exists():
            shutil.rmtree(staged, ignore_errors=True)
