"""Data sets that are folders of class folders."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from daam_core.errors import DataError
from daam_core.inputs import SUFFIXES, Modality
from daam_core.inputs.decoding import Decoded, decode
from daam_core.training.data_rows import (
    ClassChoice,
    DataRow,
    Rows,
    Skipped,
    TextFormat,
    compiled,
    first_group,
    listed,
)

#: Names that stand for parts of a data set and not for classes.
PARTS = frozenset({"train", "training", "test", "val", "valid", "validation", "dev"})
#: Put into folders by computers, never by people.
_OF_THE_SYSTEM = frozenset(
    {"__macosx", "thumbs.db", "desktop.ini", "__pycache__", "lost+found", "@eadir", "$recycle.bin"}
)
MAX_TEXT_FILE_BYTES = 4_000_000
#: What people call the inputs of each modality.
_KINDS: dict[Modality, str] = {"audio": "sound", "text": "text", "image": "picture"}


def read_folder(
    folder: Path, modality: Modality, written: TextFormat, classes: ClassChoice, found: Rows
) -> None:
    """Add the inputs of a folder's class folders.

    Raises:
        DataError: no classes, or an input that cannot be used; its place is named.
    """
    entries, system = _own(folder)
    if classes.pattern is not None:
        labelled = _by_pattern(folder, entries, classes.pattern)
    else:
        labelled = _by_folder(folder, entries, classes, found)
    files: list[tuple[Path, str]] = []
    for entry, label in labelled:
        inside, more = files_below(entry)
        system += more
        usable = [path for path in inside if path.suffix.lower() in SUFFIXES[modality]]
        found.skipped += [
            _foreign(path, folder, modality)
            for path in inside
            if path.suffix.lower() not in SUFFIXES[modality]
        ]
        files += [(path, label) for path in usable]
        if entry.is_dir() and not usable:
            found.notes.append(_empty(entry, folder, inside, modality))
    if system:
        found.notes.append(f"Left out what computers put into folders: {_counted(system)}.")
    if foreign := [skipped.place for skipped in found.skipped]:
        found.notes.append(
            f"Left out {len(foreign):,} files that are no {_KINDS[modality]} by their names: "
            f"{_counted([Path(place).suffix.lower() or 'without ending' for place in foreign])}."
        )
    decoded: list[Decoded] = []
    for path, label in files:
        place = path.relative_to(folder).as_posix()
        given: str | Path | None = path
        if modality == "text":
            text = found.usable(partial(_read_text, path, place, written.encoding), place)
            given = None
            if text is not None:
                decoded.append(text)
                given = text.text
        if given is not None:
            found.rows.append(DataRow(given, (label,) if label else (), place))
    found.notes += _encodings(decoded)


def own_entries(folder: Path) -> list[Path]:
    """What people put into a folder, by name."""
    return _own(folder)[0]


def _own(folder: Path) -> tuple[list[Path], list[str]]:
    """What people put into a folder, by name, and the names of the rest."""
    entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    system = [entry.name for entry in entries if _is_of_the_system(entry.name)]
    return [entry for entry in entries if not _is_of_the_system(entry.name)], system


def _is_of_the_system(name: str) -> bool:
    return name.startswith(".") or name.lower() in _OF_THE_SYSTEM


def files_below(entry: Path) -> tuple[list[Path], list[str]]:
    """The files of a class folder at any depth, in an order of their own; a file is its own folder."""
    if entry.is_file():
        return [entry], []
    kept: list[Path] = []
    system: list[str] = []
    for path in sorted(entry.rglob("*"), key=lambda path: path.relative_to(entry).as_posix()):
        if path.is_file():
            strange = [name for name in path.relative_to(entry).parts if _is_of_the_system(name)]
            kept += [] if strange else [path]
            system += strange[:1]
    return kept, system


def _by_pattern(folder: Path, entries: Sequence[Path], pattern: str) -> Iterator[tuple[Path, str]]:
    """Every file with the class that its path says."""
    expression = compiled(pattern, "class")
    for entry in entries:
        for path in files_below(entry)[0]:
            place = path.relative_to(folder).as_posix()
            match = expression.search(place)
            if match is None:
                raise DataError(f"The class pattern '{pattern}' does not match {place!r}.")
            yield path, first_group(match)


def _by_folder(
    folder: Path, entries: Sequence[Path], classes: ClassChoice, found: Rows
) -> Iterator[tuple[Path, str]]:
    """Every class folder with its name."""
    folders = [entry for entry in entries if entry.is_dir()]
    if not folders:
        tables = sorted(path.name for path in folder.glob("*.[ct]sv"))
        hint = f"; give one of its tables: {listed(tables)}" if tables else ""
        raise DataError(f"{folder.name} has no class folders{hint}.")
    names = [entry.name for entry in folders]
    # Names that are given before they are chosen are looked for later.
    everything = classes.everything or classes.renamed
    wanted = set(names if everything else classes.names or names)
    found.not_read |= {*names} - wanted
    return ((entry, entry.name) for entry in folders if entry.name in wanted)


def _empty(entry: Path, folder: Path, inside: Sequence[Path], modality: Modality) -> str:
    holds = f"none of its {len(inside)} files is" if inside else "it holds no file that is"
    return f"The folder {entry.name} of {folder.name} is no class here: {holds} a {_KINDS[modality]}."


def _foreign(path: Path, folder: Path, modality: Modality) -> Skipped:
    ending = path.suffix.lower() or "no ending"
    return Skipped(
        path.relative_to(folder).as_posix(),
        f"{ending} is not the name of a {_KINDS[modality]} that can be read",
    )


def _counted(names: Sequence[str]) -> str:
    """``.DS_Store (3), Thumbs.db (1)``, the most frequent first."""
    return listed([f"{name} ({count:,})" for name, count in Counter(names).most_common()], most=5)


def _read_text(path: Path, place: str, encoding: str | None) -> Decoded:
    try:
        if path.stat().st_size > MAX_TEXT_FILE_BYTES:
            raise DataError(f"{place} is larger than {MAX_TEXT_FILE_BYTES // 1_000_000} MB.")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{place} cannot be read: {error.strerror}.") from error
    found = decode(content, place, encoding=encoding)
    if not found.text.strip():
        raise DataError(f"{place} is empty.")
    return found


def _encodings(texts: Sequence[Decoded]) -> list[str]:
    """One sentence for each encoding that was found out, with the first text's own."""
    by_encoding: dict[str, list[Decoded]] = {}
    for text in texts:
        if text.note:
            by_encoding.setdefault(text.encoding, []).append(text)
    return [
        same[0].note + (f" So were {len(same) - 1:,} more files." if len(same) > 1 else "")
        for same in by_encoding.values()
    ]
