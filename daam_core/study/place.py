"""Where a study may be written; needs none of the packages that read and write one."""

from pathlib import Path

from daam_core.errors import DaamError

#: What is said of a study as a whole: a folder with this file is one.
FACTS = "study.json"


def check_place(folder: Path) -> None:
    """Refuse a folder that is neither new nor a study's.

    Raises:
        DaamError: it holds something else, or is none.
    """
    if (
        folder.exists()
        and not (folder / FACTS).is_file()
        and not (folder.is_dir() and not any(folder.iterdir()))
    ):
        raise DaamError(f"{folder.name} is not an empty folder; give a new one for the study.")
