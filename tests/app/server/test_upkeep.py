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


def test_the_oldest_files_make_room_for_new_ones(tmp_path):
    paths = [tmp_path / f"{index}" / "saved.json" for index in range(10)]
    for index, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(b"x" * 100)
        os.utime(path, (1000 + index, 1000 + index))
    assert upkeep.make_room(tmp_path, 1000) == 0
    assert upkeep.make_room(tmp_path, 999) == 3
    assert [path.exists() for path in paths] == [False] * 3 + [True] * 7
    assert upkeep.make_room(tmp_path, 10) == 7
    assert upkeep.make_room(tmp_path, 0) == 0
