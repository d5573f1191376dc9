"""What the server does beside answering: load encoders ahead of the first visitor, delete old files."""

import logging
import threading
import time
from pathlib import Path

from .encoders import Encoders

SWEEP_SECONDS = 60
KEEP_SECONDS = 86_400  # uploads and downloads are deleted a day after they were made
KEPT_SHARE = 0.8  # of the room for files, when it was full: the oldest go first

log = logging.getLogger(__name__)


def start(encoders: Encoders, folder: Path, *, room: int) -> None:
    """Begin both in the background; they end with the server.

    Args:
        encoders: to be loaded.
        folder: of visitors' files.
        room: bytes that these may take together.
    """
    threading.Thread(target=encoders.load, name="load-encoders", daemon=True).start()
    threading.Thread(target=_sweep_for_ever, args=(folder, room), name="sweep", daemon=True).start()


def sweep(folder: Path, *, older_than: float, now: float) -> int:
    """Delete files in a folder that were last changed before ``now − older_than`` seconds; how many."""
    deleted = 0
    for path in sorted(folder.rglob("*"), reverse=True):  # children before their folders
        try:
            if now - path.stat().st_mtime <= older_than:
                continue
            if path.is_file():
                path.unlink()
                deleted += 1
            elif not any(path.iterdir()):
                path.rmdir()
        except OSError:  # another thread was quicker, or is writing there now
            continue
    return deleted


def make_room(folder: Path, room: int) -> int:
    """Delete the oldest files of a folder that holds more than ``room`` bytes; how many.

    Uploads are refused where the folder is full, but what visitors save is written there too, and would
    keep it full for a day.
    """
    found = []
    for path in folder.rglob("*"):
        try:
            if path.is_file():
                state = path.stat()
                found.append((state.st_mtime, state.st_size, path))
        except OSError:  # gone meanwhile
            continue
    taken = sum(size for _, size, _ in found)
    deleted = 0
    if taken > room:
        for _, size, path in sorted(found):
            if taken <= KEPT_SHARE * room:
                break
            path.unlink(missing_ok=True)
            taken -= size
            deleted += 1
    return deleted


def _sweep_for_ever(folder: Path, room: int) -> None:
    while True:
        time.sleep(SWEEP_SECONDS)
        if old := sweep(folder, older_than=KEEP_SECONDS, now=time.time()):
            log.info("Deleted %d files older than a day", old)
        try:
            oldest = make_room(folder, room)
        except OSError as error:
            log.warning("Visitors' files cannot be deleted: %s", error.strerror)
        else:
            if oldest:
                log.warning("Visitors' files took too much room: deleted the oldest %d", oldest)
