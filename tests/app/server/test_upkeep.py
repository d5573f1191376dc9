"""Old files go."""

import os
import time

from app.server import upkeep


def test_old_files_are_deleted_and_new_ones_kept(tmp_path):
    old, new = tmp_path / "a" / "old.wav", tmp_path / "b" / "new.wav"
    for path in (old, new):
        path.parent.mkdir()
        path.touch()
    for path in (old, old.parent):
        os.utime(path, (1000, 1000))
    assert upkeep.sweep(tmp_path, older_than=3600, now=time.time()) == 1
    assert not old.exists()
    assert new.exists()
