"""Data sets that come in parts, such as train and test: which there are, and where their files lie.

The parts of a folder are its folders or tables of these names, or those that 🤗 datasets saved; the parts of
a data set on the hub are those of its Parquet files, which the hub makes of every data set, so that no code
of anybody is run. What is on the hub is fetched when it is read, and kept in the hub's own cache.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from daam_core.errors import DataError
from daam_core.training.data_cifar import cifar_parts
from daam_core.training.data_folders import PARTS, own_entries
from daam_core.training.data_layouts import is_iemocap
from daam_core.training.data_rows import ClassChoice, listed
from daam_core.training.data_stored import ARROW, PARQUET, saved_parts
from daam_core.training.data_tables import TABLES

#: What is measured on where nobody says, and what is trained on; the first that is there.
MEASURED, TRAINED = ("test", "validation", "train"), ("train",)
_ALIKE = {"training": "train", "val": "validation", "valid": "validation", "dev": "validation"}
_SHARD = re.compile(rf"({'|'.join(sorted(PARTS, key=len, reverse=True))})(?:[-_.]\d.*)?", re.IGNORECASE)
_HUB_NAME = re.compile(r"([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:/([\w.-]+))?")
_HUB_REVISION = "refs/convert/parquet"


@dataclass(frozen=True)
class HubFile:
    """A file of a data set on the hub."""

    data_set: str
    name: str

    def fetch(self) -> Path:
        """Its path in the hub's cache, after it was fetched if need be.

        Raises:
            DataError: it cannot be had.
        """
        from huggingface_hub import errors, hf_hub_download

        try:
            return Path(
                hf_hub_download(self.data_set, self.name, repo_type="dataset", revision=_HUB_REVISION)
            )
        except (OSError, ValueError, errors.HTTPError) as error:  # type: ignore[attr-defined] # imported there
            raise _unreachable(self.data_set, error) from error


Files = Sequence[Path | HubFile]


def hub_name(path: str | Path) -> bool:
    """Whether this can be a data set's name on the hub, ``owner/name`` or ``owner/name/configuration``."""
    said = Path(path).as_posix()
    return not Path(path).exists() and bool(_HUB_NAME.fullmatch(said)) and not said.lower().endswith(TABLES)


def parts_of(path: str | Path, classes: ClassChoice | None = None) -> Mapping[str, Files] | None:
    """A data set's parts by name, with the tables or the folder that each consists of.

    Args:
        path: a folder, or a data set's name on the hub.
        classes: that are asked for by name or pattern: then folders are what they say.

    Returns:
        None where there are no parts. A data set that is stored as several files and has none has the
        one part "".

    Raises:
        DataError: the hub cannot be reached, or what was saved there is damaged.
    """
    if hub_name(path):
        return _hub_parts(Path(path).as_posix())
    folder = Path(path)
    if not folder.is_dir():
        return None
    if (saved := saved_parts(folder) or cifar_parts(folder)) is not None:
        return saved
    if is_iemocap(folder):
        return None
    if classes is not None and (classes.names or classes.pattern is not None):
        return None
    entries = own_entries(folder)
    folders = [entry for entry in entries if entry.is_dir()]
    tables = _tables(entries)
    if [entry.name for entry in folders] == ["data"] and not tables:
        inside = own_entries(folders[0])  # as data sets lie on the hub
        folders, tables = [entry for entry in inside if entry.is_dir()], _tables(inside)
    if folders:
        if not {entry.name.lower() for entry in folders} <= PARTS:
            return None
        return {entry.name: _of_part(entry) for entry in folders}
    named = [(_SHARD.fullmatch(table.stem), table) for table in tables]
    if tables and all(match for match, _ in named):
        parts: dict[str, list[Path]] = {}
        for match, table in named:
            parts.setdefault(match[1].lower() if match else "", []).append(table)
        return parts
    shards = [table for table in tables if table.suffix.lower() in (*PARQUET, *ARROW)]
    return {"": shards} if len(shards) > 1 and shards == tables else None


def chosen_part(
    name: str, parts: Mapping[str, Files], asked: str | None, preferred: Sequence[str]
) -> tuple[str, str | None]:
    """A part's name, and a sentence if nobody asked for it.

    Raises:
        DataError: there is no such part, or none of those preferred.
    """
    by_meaning = {_ALIKE.get(part.lower(), part.lower()): part for part in parts}
    names = listed(sorted(parts))
    if asked is not None:
        found = asked if asked in parts else by_meaning.get(_ALIKE.get(asked.lower(), asked.lower()))
        if found is None:
            known = f"its parts are {names}" if any(parts) else "it has none"
            raise DataError(f"{name} has no part {asked!r}; {known}.")
        return found, None
    if len(parts) == 1:
        return next(iter(parts)), None
    for part in preferred:
        if part in by_meaning:
            return by_meaning[part], f"{name} has the parts {names}; {by_meaning[part]} is read (--part)."
    raise DataError(f"{name} has the parts {names}; say with --part which is meant.")


def _tables(entries: Sequence[Path]) -> list[Path]:
    # A folder's .json files are notes about it more often than data.
    return [entry for entry in entries if entry.suffix.lower() in TABLES and entry.suffix.lower() != ".json"]


def _of_part(folder: Path) -> list[Path]:
    entries = own_entries(folder)
    return [folder] if any(entry.is_dir() for entry in entries) else (_tables(entries) or [folder])


def _hub_parts(name: str) -> dict[str, list[HubFile]]:
    match = _HUB_NAME.fullmatch(name)
    assert match is not None  # noqa: S101 - hub_name said so
    data_set, asked = match[1], match[2]
    by_configuration: dict[str, dict[str, list[HubFile]]] = {}
    for file in sorted(_hub_files(data_set)):
        configuration, *inner = file.split("/")
        if len(inner) == 2 and file.endswith(".parquet"):
            part = inner[0].removeprefix("partial-")  # of very large ones the hub has the beginning
            files = by_configuration.setdefault(configuration, {}).setdefault(part, [])
            files.append(HubFile(data_set, file))
    if not by_configuration:
        raise DataError(f"The hub's data set {data_set} has no Parquet files; fetch it, and give its folder.")
    if asked is None and len(by_configuration) > 1:
        raise DataError(
            f"The hub's data set {data_set} has several configurations; give one: "
            f"{listed([f'{data_set}/{one}' for one in by_configuration])}."
        )
    if asked is not None and asked not in by_configuration:
        raise DataError(
            f"The hub's data set {data_set} has no configuration {asked!r}; it has "
            f"{listed([*by_configuration])}."
        )
    return by_configuration[asked or next(iter(by_configuration))]


def _hub_files(data_set: str) -> list[str]:
    from huggingface_hub import HfApi, errors, snapshot_download

    try:
        return HfApi().list_repo_files(data_set, repo_type="dataset", revision=_HUB_REVISION)
    except (OSError, ValueError, errors.HTTPError) as error:  # type: ignore[attr-defined] # imported there
        try:  # what was fetched before
            kept = snapshot_download(
                data_set, repo_type="dataset", revision=_HUB_REVISION, local_files_only=True
            )
        except (OSError, ValueError):
            raise _unreachable(data_set, error) from error
        return [path.relative_to(kept).as_posix() for path in Path(kept).rglob("*.parquet")]


def _unreachable(data_set: str, error: Exception) -> DataError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return DataError(
        f"There is no folder {data_set!r} here, and the hub's data set of that name cannot be had "
        f"({reason.rstrip('.')}). Give a folder or table, or what datasets wrote with save_to_disk."
    )
