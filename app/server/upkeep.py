"""What the server does beside answering: load encoders ahead of the first visitor, delete old files."""

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from daam_core.errors import DaamError
from daam_core.trained import TrainedClassifier

SWEEP_SECONDS = 3600
KEEP_SECONDS = 86_400  # uploads and downloads are deleted a day after they were made

log = logging.getLogger(__name__)


def start(models: Sequence[TrainedClassifier], folder: Path) -> None:
    """Begin both in the background; they end with the server."""
    threading.Thread(target=load_encoders, args=(models,), name="load-encoders", daemon=True).start()
    threading.Thread(target=_sweep_for_ever, args=(folder,), name="sweep", daemon=True).start()


def load_encoders(models: Sequence[TrainedClassifier]) -> None:
    """Load each model's encoder, so that the first visitor does not wait for it."""
    for model in models:
        try:
            backbone = model.backbone
        except DaamError as error:
            # The visitor who needs it gets the same sentence.
            log.warning("The encoder of %s cannot be loaded: %s", model.name, error)
        else:
            log.info("Encoder of %s: %s", model.name, backbone.name)


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


def _sweep_for_ever(folder: Path) -> None:
    while True:
        time.sleep(SWEEP_SECONDS)
        deleted = sweep(folder, older_than=KEEP_SECONDS, now=time.time())
        log.info("Deleted %d files older than a day", deleted)
